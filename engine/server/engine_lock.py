"""The lock that decides which process is the engine: its holder, for as long as it lives."""

import contextlib
import fcntl
import os
import signal
from collections.abc import Iterator
from pathlib import Path

from engine import paths
from engine.errors import EngineError


@contextlib.contextmanager
def held() -> Iterator[bool]:
    """Hold the lock for as long as the context lasts; False when another process has it."""
    with _open_file() as file:
        if not _locked(file, fcntl.LOCK_EX):
            yield False
            return
        os.truncate(file, 0)
        os.write(file, b"%d\n%s" % (os.getpid(), os.fsencode(paths.engine_socket())))
        yield True


def identity(lock: Path) -> tuple[int, int] | None:
    """Return which file the lock's path names now, None for none.

    Raises:
        OSError: it can't be told.
    """
    try:
        found = lock.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def holder() -> int | None:
    """Return the process id of the engine, 0 where it is not known, None where none runs."""
    written = _written_by_holder()
    if written is None:
        return None
    pid = written.partition(b"\n")[0]
    return int(pid) if pid.isdigit() else 0


def socket() -> Path:
    """Return where the engine listens, or where one would that is started now."""
    told = (_written_by_holder() or b"").partition(b"\n")[2]
    return Path(os.fsdecode(told)) if told else paths.engine_socket()


def _written_by_holder() -> bytes | None:
    """Return what the engine wrote into its lock, None where none runs."""
    with _open_file() as file:
        # Shared, so that two clients that look never take each other for the engine.
        return None if _locked(file, fcntl.LOCK_SH) else os.read(file, 4096)


def _locked(file: int, kind: int) -> bool:
    """Try to lock ``file``; False when another process has it."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise EngineError(
            f"{paths.engine_lock()} can't be locked: {error.strerror}",
            "Set XDG_DATA_HOME to a folder on a disk of this machine: locks don't work there",
        ) from error
    return True


def is_alive(pid: int) -> bool:
    """Whether there is a process ``pid`` that has not ended."""
    import psutil  # no other part of a front end needs it

    with contextlib.suppress(psutil.Error):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def signal_holder(pid: int, sign: signal.Signals) -> None:
    """Send ``sign`` to process ``pid`` if it is an engine: if it has our lock's file open."""
    import psutil

    path = str(paths.engine_lock().resolve())
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        if any(file.path == path for file in process.open_files()):
            process.send_signal(sign)


@contextlib.contextmanager
def _open_file() -> Iterator[int]:
    path = paths.engine_lock()
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise EngineError(
            f"{path} can't be written: {error.strerror}",
            "Check that the folder is yours and is not on a full or read-only disk",
        ) from error
    try:
        yield file
    finally:
        os.close(file)
