"""The lock that decides which process is the engine: its holder, for as long as it lives."""

import contextlib
import fcntl
import os
import signal
from collections.abc import Iterator

from engine import paths


@contextlib.contextmanager
def held() -> Iterator[bool]:
    """Hold the lock for as long as the context lasts; False when another process has it."""
    with _open_file() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        os.truncate(file, 0)
        os.write(file, str(os.getpid()).encode())
        yield True


def holder() -> int | None:
    """Return the process id of the engine, 0 where it is not known, None where none runs."""
    with _open_file() as file:
        try:
            # Shared, so that two clients that look never take each other for the engine.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            written = os.read(file, 20)
            return int(written) if written.isdigit() else 0
    return None


def signal_holder(pid: int, sign: signal.Signals) -> None:
    """Send ``sign`` to process ``pid`` if it is an engine: if it has our lock's file open."""
    import psutil  # no other part of a front end needs it

    path = str(paths.engine_lock().resolve())
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        if any(file.path == path for file in process.open_files()):
            process.send_signal(sign)


@contextlib.contextmanager
def _open_file() -> Iterator[int]:
    file = os.open(paths.engine_lock(), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield file
    finally:
        os.close(file)
