"""hoverkite in a pseudo-terminal: what is typed into it, what it paints, and how soon."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
PAINTED = b"sk your documents"
"""Part of the placeholder; its first letter stands under the cursor, in another style."""
LIMIT_SECONDS = 120.0
ROWS, COLUMNS = 30, 100


class Terminal:
    """A terminal, and the program that runs in it."""

    def __init__(self, program: subprocess.Popen[bytes], end: int, started: float) -> None:
        self._end, self.started = end, started
        self.process = psutil.Process(program.pid)

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._end, keys)

    def wait_for(self, wanted: bytes, seconds: float = LIMIT_SECONDS) -> float:
        """Return when ``wanted`` was painted, as ``perf_counter`` counts.

        Raises:
            SystemExit: it was not within ``seconds``, or the program ended.
        """
        begun, seen = time.perf_counter(), b""
        while wanted not in seen:
            left = begun + seconds - time.perf_counter()
            if left <= 0 or not select.select([self._end], [], [], left)[0]:
                raise SystemExit(f"{wanted.decode()} was not painted within {seconds:.0f} s")
            seen = seen[-len(wanted) :] + self._read()
        return time.perf_counter()

    def drain(self, seconds: float) -> None:
        """Take what is painted in the next ``seconds``, so that the program never waits for us."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            if select.select([self._end], [], [], left)[0]:
                self._read()

    def _read(self) -> bytes:
        try:
            return os.read(self._end, 65536)
        except OSError as error:  # Linux says EIO once the program has gone
            raise SystemExit("the program ended") from error


@contextmanager
def hoverkite(environment: Mapping[str, str], docs: Path) -> Iterator[Terminal]:
    """Run ``hoverkite DOCS`` for as long as the context lasts."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    started = time.perf_counter()
    program = subprocess.Popen(
        [sys.executable, "-m", "tui.command", "--yes", str(docs)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=ROOT,
        env=environment,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        yield Terminal(program, ours, started)
    finally:
        os.killpg(program.pid, signal.SIGKILL)
        program.wait()
        os.close(ours)
