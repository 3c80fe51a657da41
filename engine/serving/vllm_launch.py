"""How vLLM is started: the command, its environment, and where its files lie.

The settings are the ones that were measured to be fastest; docs/models.md explains them.
"""

import importlib.metadata
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from engine import own_process, paths
from engine.config import KEY_NAME, Settings
from engine.errors import ModelError
from engine.serving.machine_memory import GIB, GpuMemory, available_memory, gpu_memory
from engine.serving.model_weights import (
    RUNTIME_BYTES,
    Served,
    configuration,
    gib,
    needed,
    served,
    short_bytes,
    too_small_cache,
)
from engine.serving.models import ServedModel
from engine.serving.vllm_supervisor import Task

FEW_CORES = 4
"""Up to this many cores vLLM uses all of them, at a low priority."""

CORES_LEFT_FREE = 2
"""Cores that vLLM leaves to the encoder and the screen where there are more than a few."""

STEP_TOKENS = 64
"""Tokens of prompts that vLLM takes in at one go on a CPU. A step can't be interrupted, and three
are under way at once, so this is how long whoever leaves an answer, or comes next, has to wait.
benchmarks/results.md has the figures for other sizes."""

NEVER_PASSED_ON = {
    KEY_NAME,
    "PYTHONDONTWRITEBYTECODE",  # without bytecode files each start takes twice as long
    "PYTHONPATH",
    "VLLM_API_KEY",  # its socket is ours alone, and we send none
    "VLLM_CPU_KVCACHE_SPACE",  # whole GiB; it would win over --kv-cache-memory-bytes
}
"""Environment names vLLM does not get."""

HUB_TOKENS = {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"}
"""Environment names that vLLM gets only where it has to fetch the model."""


@dataclass(frozen=True)
class Launch:
    """One way of running vLLM."""

    task: Task
    """What its supervisor is told; equal settings have equal tasks."""
    model: str
    is_local: bool = True
    """False when the model has to be fetched from a hub first."""
    takes_seed: bool = False
    """Whether a request may bring its own seed. On a CPU vLLM 0.32 dies of one with a prompt that
    it reads in parts ("Generator does not use offset"), for which two questions at once are enough.
    """
    dtype: str = ""
    """The type of the model's numbers, as vLLM calls it …"""
    device: str = ""
    """… and what they are reckoned on: ``cpu`` or ``cuda``."""

    @property
    def name(self) -> str:
        """What the names of its files begin with."""
        return Path(self.task.stem).name

    @property
    def log(self) -> Path:
        """What vLLM and its supervisor print."""
        return Path(self.task.log)


def installed_package() -> str | None:
    """``vllm`` (GPU), ``vllm-cpu`` or None, without importing it."""
    for name in ("vllm", "vllm-cpu"):
        try:
            importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        return name
    return None


def not_installed() -> ModelError:
    """Return the error of a machine without vLLM."""
    return ModelError("vLLM is not installed", "Run: make setup, or set llm_url to a server")


def plan(model: ServedModel, settings: Settings) -> Launch:
    """Return how to serve ``model`` on this machine.

    Raises:
        ModelError: vLLM is not installed, or the memory is short.
    """
    package = installed_package()
    if package is None:
        raise not_installed()
    on_gpu = package == "vllm"
    check_memory(model, settings, on_gpu=on_gpu, available=available_memory())
    if on_gpu:
        check_gpu_memory(model, settings, gpu_memory())
    dtype = _served(model, settings, on_gpu=on_gpu).dtype
    arguments = _arguments(model, settings, dtype, on_gpu=on_gpu)
    extra = _environment(model) | ({} if on_gpu else _cpu_environment(_cores()))
    name = "vllm-" + paths.short_hash(json.dumps([arguments, extra], sort_keys=True), 12)
    task = Task(
        stem=str(paths.runtime_dir() / name),
        argv=own_process.command("vllm.entrypoints.openai.api_server", *arguments),
        environment=_inherited(os.environ, model) | extra,
        log=str(paths.log_dir() / f"{name}.log"),
        niceness=10 if not on_gpu and len(_cores()) <= FEW_CORES else 0,
    )
    device = "cuda" if on_gpu else "cpu"
    return Launch(task, model.name, model.is_local, on_gpu, dtype, device)


def _arguments(model: ServedModel, settings: Settings, dtype: str, *, on_gpu: bool) -> list[str]:
    memory = (
        ["--gpu-memory-utilization", str(settings.llm_gpu_memory)]
        if on_gpu
        else [
            *("--kv-cache-memory-bytes", str(int(settings.llm_kv_cache_gb * GIB))),
            *("--max-num-batched-tokens", str(STEP_TOKENS)),
        ]
    )
    return [
        *("--model", model.source),
        *("--served-model-name", model.name),
        *("--dtype", dtype),
        *("--max-model-len", str(settings.llm_context)),
        *("--seed", str(settings.llm_seed)),
        *("--uvicorn-log-level", "warning"),
        "--enforce-eager",
        *memory,
    ]


def _environment(model: ServedModel) -> dict[str, str]:
    environment = {
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "VLLM_LOGGING_COLOR": "0",
        "VLLM_LOGGING_LEVEL": "INFO",  # finer levels log what is asked
        "VLLM_CACHE_ROOT": str(paths.cache_dir() / "vllm"),
        "VLLM_CONFIG_ROOT": str(paths.cache_dir() / "vllm"),
        # Every process of vLLM works in its run folder; a path from there is always short enough.
        "VLLM_RPC_BASE_PATH": ".",
    }
    if model.is_local:
        environment |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
    return environment


def _cpu_environment(cores: list[int]) -> dict[str, str]:
    environment = {}
    openmp = Path(sys.prefix) / "lib" / "libiomp5.so"
    if openmp.is_file():
        environment["LD_PRELOAD"] = str(openmp)
    if len(cores) <= FEW_CORES:
        environment["VLLM_CPU_OMP_THREADS_BIND"] = ",".join(map(str, cores))
    else:
        environment["VLLM_CPU_OMP_THREADS_BIND"] = "auto"
        environment["VLLM_CPU_NUM_OF_RESERVED_CPU"] = str(CORES_LEFT_FREE)
    return environment


def _inherited(environment: Mapping[str, str], model: ServedModel) -> dict[str, str]:
    dropped = NEVER_PASSED_ON | (HUB_TOKENS if model.is_local else set())
    return {name: value for name, value in environment.items() if name not in dropped}


def _cores() -> list[int]:
    return psutil.Process().cpu_affinity() or [0]


# --- memory ------------------------------------------------------------------------------------


def check_memory(model: ServedModel, settings: Settings, *, on_gpu: bool, available: int) -> None:
    """Raise ModelError when ``available`` bytes are too few for a start."""
    made = _served(model, settings, on_gpu=on_gpu)
    weights = 0 if on_gpu else made.weights  # on their way to the GPU they are mapped
    wanted = needed(weights, settings, on_gpu=on_gpu).total
    if available < wanted:
        raise ModelError(
            f"Not enough memory for {model.name}: it needs {gib(wanted)}, "
            f"{gib(available)} are free",
            "Close other programs and ask again, choose a smaller llm_model, "
            + ('set llm_dtype = "bfloat16", ' if made.dtype == "float32" else "")
            + "or set llm_url",
        )
    if model.is_local and not on_gpu:
        config = configuration(Path(model.source))
        if reason := too_small_cache(config, settings, made.dtype):
            raise ModelError(
                f"The key-value cache is too small for {model.name}: {reason}",
                "Set it in the config file, or lower llm_context",
            )


def check_gpu_memory(model: ServedModel, settings: Settings, gpu: GpuMemory | None) -> None:
    """Raise ModelError when vLLM's share of the GPU can't hold the model, or is not free."""
    if gpu is None:
        return
    share = int(gpu.total * settings.llm_gpu_memory)
    wanted = _served(model, settings, on_gpu=True).weights + RUNTIME_BYTES // 2
    if share < wanted:
        raise ModelError(
            f"{model.name} does not fit vLLM's share of the GPU: it needs {gib(wanted)} of "
            f"{gib(share)}",
            "Raise llm_gpu_memory, or choose a smaller llm_model",
        )
    if gpu.free < share:
        raise ModelError(
            f"Not enough memory on the GPU: vLLM's share is {gib(share)}, {gib(gpu.free)} are free",
            "End what else uses the GPU, or lower llm_gpu_memory",
        )


def _served(model: ServedModel, settings: Settings, *, on_gpu: bool) -> Served:
    folder = Path(model.source) if model.is_local else None
    weights, config = (short_bytes(folder), configuration(folder)) if folder else (0, {})
    return served(weights, settings, on_gpu=on_gpu, config=config)
