"""What vLLM leaves behind: finding and ending its processes, removing its files.

All of vLLM's processes work in one private run folder. They inherit it as their current folder,
which, unlike their environment and their place in the process tree, survives a changed title and
the death of their parents. So that is the proof that a process is ours.
"""

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import psutil

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  only segments that our processes map are touched

Find = Callable[[], list[psutil.Process]]


def working_in(folder: Path) -> list[psutil.Process]:
    """Return the living processes of this user, without a terminal, whose folder is ``folder``."""
    found = []
    for process in psutil.process_iter():
        try:
            if (
                process.uids().real == os.getuid()
                and process.cwd() == str(folder)
                and not _has_terminal(process.pid)
                and process.pid != os.getpid()
            ):
                found.append(process)
        except psutil.Error:
            continue
    return living(found)


def _has_terminal(pid: int) -> bool:
    # psutil knows only the terminals that were there when it first looked.
    try:
        status = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[4] != "0"


def living(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Return those that still run; a zombie only waits for its parent to look."""
    found = []
    for process in processes:
        try:
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.NoSuchProcess:
            continue
    return found


def end(folder: Path, find: Find | None = None, *, grace: float = 5, bound: float = 5) -> bool:
    """End every process of the run folder, then remove the folder and its shared memory.

    SIGTERM, ``grace`` seconds, then SIGKILL and at most ``bound`` seconds more. Returns whether
    nothing is left.
    """
    look = find or (lambda: working_in(folder))
    segments: set[Path] = set()
    for asking, seconds in ((signal.SIGTERM, grace), (signal.SIGKILL, bound)):
        asked: set[psutil.Process] = set()
        deadline = time.monotonic() + seconds
        while (alive := look()) and time.monotonic() < deadline:
            for process in set(alive) - asked:
                segments |= shared_memory(process)
                _send(process, asking)
            asked |= set(alive)
            time.sleep(0.05)
    if alive:
        return False
    for segment in segments:
        segment.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    return True


def _send(process: psutil.Process, asking: signal.Signals) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(asking)


def shared_memory(process: psutil.Process) -> set[Path]:
    """Return the shared memory that ``process`` uses, which may outlive it."""
    try:
        mapped = {Path(part.path) for part in process.memory_maps()}
    except (psutil.Error, OSError):
        mapped = set()
    # The OpenMP library leaves a registration under the process's own number.
    registered = SHARED_MEMORY / f"__KMP_REGISTERED_LIB_{process.pid}_{os.getuid()}"
    return {path for path in mapped if path.parent == SHARED_MEMORY} | {registered}
