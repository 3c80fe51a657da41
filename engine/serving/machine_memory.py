"""Memory that a new process may take: of the machine, of the container around us, of the GPU."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil

GIB = 1 << 30

_MIB = 1 << 20
_GROUP = Path("/sys/fs/cgroup")
_ASK_GPU = ("nvidia-smi", "--query-gpu=memory.total,memory.free", "--format=csv,noheader,nounits")
_ASK_S = 10


@dataclass(frozen=True)
class GpuMemory:
    """Bytes of the first GPU."""

    total: int
    free: int


def available_memory() -> int:
    """Bytes that a new process may take: of the machine, or of the container around us."""
    available = psutil.virtual_memory().available
    try:
        used = int((_GROUP / "memory.current").read_text())
    except (OSError, ValueError):
        return available
    return min(available, _group_limit() - used)


def total_memory() -> int:
    """Bytes of memory that the machine, or the container around us, has."""
    return min(psutil.virtual_memory().total, _group_limit())


def _group_limit() -> int:
    try:
        return int((_GROUP / "memory.max").read_text())
    except (OSError, ValueError):  # also "max": no limit
        return sys.maxsize


def gpu_memory() -> GpuMemory | None:
    """Return the memory of the first NVIDIA GPU, None where its driver does not tell."""
    try:
        told = subprocess.run(
            _ASK_GPU, capture_output=True, text=True, timeout=_ASK_S, check=True
        ).stdout
        total, free = told.splitlines()[0].split(",")
        return GpuMemory(int(total) * _MIB, int(free) * _MIB)
    except (OSError, ValueError, IndexError, subprocess.SubprocessError):
        return None
