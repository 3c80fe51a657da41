"""What vLLM leaves behind: finding and ending its processes, removing its files.

All of vLLM's processes work in one private run folder. They inherit it as their current folder,
which, unlike their environment and their place in the process tree, survives a changed title and
the death of their parents. So that is the proof that a process is ours.
"""

import contextlib
import fcntl
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import psutil

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  only segments that our processes map are touched

NOTED = "shared-memory"
"""File in the run folder with the names of the segments in use, for when nobody is left to ask."""

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
    segments = _noted(folder)
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
    for segment in segments | _dead_registrations():
        segment.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    return True


def sweep(folder: Path) -> None:
    """End and remove what is left in ``folder`` of every vLLM whose supervisor was killed.

    A supervisor holds its lock for life, so that one whose lock is free is dead.
    """
    for lock in folder.glob("vllm-*.lock"):
        with contextlib.suppress(OSError), lock.open("r+") as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            run = lock.with_suffix(".d")
            if not run.exists() or end(run):
                for ending in (".sock", ".lease"):
                    lock.with_suffix(ending).unlink(missing_ok=True)


def _send(process: psutil.Process, asking: signal.Signals) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(asking)


def note_shared_memory(folder: Path) -> None:
    """Write down what the processes of the run folder share, so that it can be removed later."""
    used = {path for process in working_in(folder) for path in shared_memory(process)}
    (folder / NOTED).write_text("\n".join(path.name for path in used), "utf-8")


def _noted(folder: Path) -> set[Path]:
    try:
        names = (folder / NOTED).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return set()
    return {SHARED_MEMORY / name for name in names if "/" not in name and name.strip(".")}


def _dead_registrations() -> set[Path]:
    # The OpenMP library leaves a file under the number of each process that was killed.
    found = SHARED_MEMORY.glob(f"__KMP_REGISTERED_LIB_*_{os.getuid()}")
    return {path for path in found if not psutil.pid_exists(int(path.name.split("_")[-2]))}


def shared_memory(process: psutil.Process) -> set[Path]:
    """Return the shared memory that ``process`` uses, which may outlive it."""
    try:
        mapped = {Path(part.path) for part in process.memory_maps()}
    except (psutil.Error, OSError):
        mapped = set()
    return {path for path in mapped if path.parent == SHARED_MEMORY}
