"""One worker process, from the engine's side."""

import os
import resource
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from typing import Any, get_args

from engine.documents.parts import LONGEST_TEXT, Parts, PartText, one_line
from engine.documents.workers import confine, frames
from engine.documents.workers.confine import PEAK_UNIT, TOO_MUCH_MEMORY
from engine.errors import LoadError
from engine.part import Unit

_KEPT = ("HOME", "LANG", "LC_ALL", "LC_CTYPE", "PATH", "TZ", "VIRTUAL_ENV")
"""Of our environment a worker gets these: the rest may hold secrets."""
_ENVIRONMENT = {
    "PYTHONUTF8": "1",
    "MALLOC_ARENA_MAX": "2",  # each arena takes address space, which is limited
    "OMP_NUM_THREADS": "1",
    "RAYON_NUM_THREADS": "1",
    "TOKIO_WORKER_THREADS": "1",
}
_LONGEST_REPLY = 4 * LONGEST_TEXT + 100_000_000
"""Bytes: UTF-8 has up to four for a character; the rest is names and lengths."""
_LONGEST_REASON = 300
_NEARLY = 0.7
"""Of the memory it may have: a process that had so much died for want of more."""
_UNITS = (None, *get_args(Unit))


class Worker:
    """A process that reads one file at a time; for one thread at a time."""

    def __init__(self, command: Sequence[str] = ()) -> None:
        """Start it; by ``command``, where it is not the usual one.

        Raises:
            OSError: no process can be started now.
        """
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                self._process = _start(command, theirs)
        except OSError:
            ours.close()
            raise
        self._line = ours
        # Linux counts the memory of the process that starts another as the other's.
        self._inherited = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        self._deadline = 0.0
        self.used_at = time.monotonic()
        """When it was started or last answered."""
        self.stays = True
        """Whether it can be given another file."""

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the process is there still."""
        return self._process.poll() is None

    def end(self) -> None:
        """End the process at once."""
        self.stays = False
        self._line.close()
        self._process.kill()
        self._process.wait()

    def read(self, work: str, raw: bytes, name: str, seconds: float) -> Parts:
        """Return the parts of a file.

        Raises:
            LoadError: the reason it can't be read; ``stays`` tells whether it cost the worker.
        """
        self._deadline = time.monotonic() + seconds
        self.stays = False
        try:
            head, body = self._exchange({"work": work, "name": name, "seconds": seconds}, raw)
            self.stays = head.get("leaves") is False
            self.used_at = time.monotonic()
            if "error" in head:
                raise LoadError(one_line(str(head["error"]))[:_LONGEST_REASON])
            return _parts(head, body)
        except TimeoutError as error:
            self.end()
            raise LoadError(f"reading it took longer than {seconds:g} s") from error
        except (EOFError, ConnectionError) as error:
            raise LoadError(self._why_it_died(seconds)) from error
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            self.end()
            raise LoadError("its reader gave an answer that makes no sense") from error

    def _exchange(self, request: dict[str, object], raw: bytes) -> tuple[dict[str, Any], bytes]:
        for piece in (frames.pack(request, raw), raw):
            self._line.settimeout(self._left())
            self._line.sendall(piece)
        head, size = frames.receive_head(self._receive, _LONGEST_REPLY)
        return head, self._receive(size)

    def _receive(self, size: int) -> bytes:
        found = bytearray()
        while len(found) < size:
            self._line.settimeout(self._left())
            piece = self._line.recv(min(size - len(found), 1 << 20))
            if not piece:
                raise EOFError
            found += piece
        return bytes(found)

    def _left(self) -> float:
        """Return the seconds until the deadline.

        Raises:
            TimeoutError: there are none.
        """
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def _why_it_died(self, seconds: float) -> str:
        self._line.close()
        os.kill(
            self.pid, signal.SIGKILL
        )  # where it only closed the line; the dead stay as they are
        _, status, used = os.wait4(self._process.pid, 0)
        code = self._process.returncode = os.waitstatus_to_exitcode(status)
        if code == -signal.SIGXCPU:
            return f"reading it took longer than {seconds:g} s of processor time"
        if used.ru_maxrss > max(confine.MEMORY * _NEARLY // PEAK_UNIT, self._inherited):
            return TOO_MUCH_MEMORY
        if code == -signal.SIGKILL:
            return "its reader was ended from outside; perhaps memory was short"
        if code == -signal.SIGABRT:  # how libraries in Rust and C++ end when they get no memory
            return "reading it takes too much memory, or its reader has a fault (signal 6)"
        how = f"signal {-code}" if code < 0 else f"exit status {code}"
        return f"its reader crashed ({how})"


def _start(command: Sequence[str], line: socket.socket) -> subprocess.Popen[bytes]:
    from engine import own_process  # a worker imports this package, and has no need of settings

    search = own_process.environment()["PYTHONPATH"]
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return subprocess.Popen(
        command or own_process.command("engine.documents.workers.worker"),
        stdin=line.fileno(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env=kept | _ENVIRONMENT | {"PYTHONPATH": search},
        start_new_session=True,
    )


def _parts(head: dict[str, Any], body: bytes) -> Parts:
    """Return the parts in a reply; nothing in it is believed.

    Raises:
        ValueError, TypeError, KeyError: it makes no sense.
    """
    unit, names, lengths = head["unit"], head["names"], head["lengths"]
    if unit not in _UNITS or len(names) != len(lengths):
        raise ValueError(unit)
    parts: list[PartText] = []
    done = 0
    for name, length in zip(names, lengths, strict=True):
        text = body[done : done + length].decode("utf-8", "replace")
        parts.append(PartText(text.replace("\0", " "), one_line(name)))
        done += length
    if done != len(body):
        raise ValueError(done)
    return Parts(unit, parts)
