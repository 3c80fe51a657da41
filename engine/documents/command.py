"""Files that a person's own command reads: what it prints is their text.

The command is no guest: it is what a person asked for, so that it may use the network and files.
Its time, its memory (on Linux) and what it prints are limited.
"""

import contextlib
import os
import resource
import selectors
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from engine.documents import rich
from engine.documents.document import Document
from engine.documents.failures import Unreadable
from engine.documents.parts import LONGEST_TEXT, TOO_LONG, Parts, PartText, one_line, tidy
from engine.documents.workers import SECONDS
from engine.errors import LoadError
from engine.part import Unit

FILE = "{file}"
"""What stands for the file's path in a command; without it the path comes last."""
MEMORY = 2 * 1024**3
"""Bytes of data of each process; address space that is only reserved does not count."""
_LONGEST_COMPLAINT = 200
_PAGE_BREAK = "\f"


def parse(path: Path, command: str, *, seconds: float = SECONDS) -> Document:
    """Return the document that ``command`` prints for the file; form feeds divide its pages.

    Raises:
        Unreadable: the command is not there, or can't be started now.
        LoadError: it failed, printed nothing, or took too long.
    """
    words = _words(command, path.absolute())
    text = _printed(words, seconds).decode("utf-8-sig", "replace")
    pages = text.removesuffix(_PAGE_BREAK).split(_PAGE_BREAK)
    parts = [PartText(tidy(page)) for page in pages]
    unit: Unit | None = "page" if len(parts) > 1 else None
    return rich.document(
        Parts(unit, parts), "text", how=f"read by {one_line(shlex.split(command)[0])}"
    )


def _words(command: str, path: Path) -> list[str]:
    """Return the command for a file; its path is absolute, so that it never is an option."""
    words = shlex.split(command)
    if not any(FILE in word for word in words):
        words.append(FILE)
    return [word.replace(FILE, str(path)) for word in words]


def _printed(words: list[str], seconds: float) -> bytes:
    name = one_line(words[0])
    deadline = time.monotonic() + seconds
    try:
        with _running(words) as process:
            _limit(process.pid, seconds)
            printed, complaint = _read(process, deadline)
            status = process.wait(max(0.0, deadline - time.monotonic()))
    except (TimeoutError, subprocess.TimeoutExpired) as error:
        raise LoadError(f"reading it took longer than {seconds:g} s ({name})") from error
    except OSError as error:
        raise Unreadable(f"{name}, which reads it, can't be run: {error.strerror}") from error
    if status:
        how = f"signal {-status}" if status < 0 else f"exit status {status}"
        last = complaint.decode("utf-8", "replace").strip().rpartition("\n")[2]
        said = one_line(last)[:_LONGEST_COMPLAINT]
        raise LoadError(f"{name} failed ({how})" + (f": {said}" if said else ""))
    return printed


@contextlib.contextmanager
def _running(words: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in a process group of its own, none of which is left at the end."""
    from engine.config import KEY_NAME  # what reads other files has no need of settings

    process = subprocess.Popen(
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd="/",
        env={name: value for name, value in os.environ.items() if name != KEY_NAME},
        start_new_session=True,
    )
    with process:
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)


def _limit(pid: int, seconds: float) -> None:
    if sys.platform == "linux":
        with contextlib.suppress(OSError, ValueError):  # it has ended, or may have even less
            resource.prlimit(pid, resource.RLIMIT_DATA, (MEMORY, MEMORY))
            resource.prlimit(pid, resource.RLIMIT_CORE, (0, 0))
            # Were we killed, nobody else would stop it.
            resource.prlimit(pid, resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 2))


def _read(process: subprocess.Popen[bytes], deadline: float) -> tuple[bytes, bytes]:
    """Return what it printed, and the end of what it complained.

    Raises:
        LoadError: it printed too much.
        TimeoutError: it printed still at the deadline.
    """
    assert process.stdout and process.stderr
    found = {process.stdout: bytearray(), process.stderr: bytearray()}
    with selectors.DefaultSelector() as waiting:
        for stream in found:
            waiting.register(stream, selectors.EVENT_READ)
        while waiting.get_map():
            ready = waiting.select(max(0.0, deadline - time.monotonic()))
            if not ready and time.monotonic() >= deadline:
                raise TimeoutError
            for key, _ in ready:
                piece = os.read(key.fd, 1 << 16)
                if not piece:
                    waiting.unregister(key.fileobj)
                found[key.fileobj] += piece  # type: ignore[index]  # one of the two streams
            del found[process.stderr][: -10 * _LONGEST_COMPLAINT]
            if len(found[process.stdout]) > LONGEST_TEXT:
                raise LoadError(TOO_LONG)
    return bytes(found[process.stdout]), bytes(found[process.stderr])
