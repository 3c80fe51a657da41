"""Loaders that do what a hostile file may bring a library to; a worker runs them.

``python -P -m tests.hostile_readers``: a worker that knows these besides the usual ones.
"""

import ctypes
import ipaddress
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from engine.documents.parts import Parts, PartText
from engine.documents.workers import worker
from engine.documents.workers.work import WORK


def told(text: object) -> Parts:
    return Parts("page", [PartText(str(text), "named")])


def echo(raw: bytes, name: str) -> Parts:
    return Parts("page", [PartText(raw.decode("utf-8", "surrogateescape"), name)] * 2)


def pid(raw: bytes, name: str) -> Parts:
    return told(os.getpid())


def loop(raw: bytes, name: str) -> Parts:
    while True:
        pass


def loop_in_c(raw: bytes, name: str) -> Parts:
    """Hold Python's lock without end, as a library may."""
    ctypes.PyDLL(None).pause()
    return told("awake")


def deaf(raw: bytes, name: str) -> Parts:
    time.sleep(3600)
    return told("rested")


def memory(raw: bytes, name: str) -> Parts:
    return told(len(bytearray(3 * 1024**3)))


def memory_bit_by_bit(raw: bytes, name: str) -> Parts:
    kept: list[bytes] = []
    while True:
        kept.append(b"x" * 10_000_000)


def large(raw: bytes, name: str) -> Parts:
    """Have so much memory once that the worker is not kept."""
    return told(len(b"x" * (worker.MOST_MEMORY + 10_000_000)) and os.getpid())


def long(raw: bytes, name: str) -> Parts:
    return told("x" * 40_000_000)


def many(raw: bytes, name: str) -> Parts:
    return Parts("page", [PartText("")] * 1_000_000)


def crash(raw: bytes, name: str) -> Parts:
    os.kill(os.getpid(), signal.SIGSEGV)
    return told("alive")


def abort(raw: bytes, name: str) -> Parts:
    os.abort()


def killed(raw: bytes, name: str) -> Parts:
    os.kill(os.getpid(), signal.SIGKILL)
    return told("alive")


def leave(raw: bytes, name: str) -> Parts:
    os._exit(3)


def panic(raw: bytes, name: str) -> Parts:
    raise KeyboardInterrupt("as libraries in Rust do")


def refuse(raw: bytes, name: str) -> Parts:
    raise ValueError(raw.decode())


def library_fault(raw: bytes, name: str) -> Parts:
    return told(ipaddress.ip_address("its own words"))


def fault(raw: bytes, name: str) -> Parts:
    return told(1 // len(raw))


def deep(raw: bytes, name: str) -> Parts:
    return deep(raw, name)


def chatter(raw: bytes, name: str) -> Parts:
    """Print to where replies might be."""
    print("printed" * 100_000, flush=True)
    os.write(2, b"warned" * 100_000)
    return told("quiet")


def reaches_out(raw: bytes, name: str) -> Parts:
    """Try what a file must not bring about; tell what did not fail."""

    def threaded() -> None:
        tries.append(attempt(socket.socket))

    tries = [
        attempt(socket.socket),
        attempt(lambda: socket.create_connection(("127.0.0.1", int(raw)), timeout=1)),
        attempt(lambda: socket.socket(socket.AF_UNIX)),
        attempt(lambda: subprocess.run(["/bin/true"], check=True)),
    ]
    thread = threading.Thread(target=threaded)
    thread.start()
    thread.join()
    return told(tries)


def writes(raw: bytes, name: str) -> Parts:
    """Try to write 10 bytes to the file ``name``."""
    return told(attempt(lambda: Path(name).write_bytes(b"0123456789")))


def changes_files(raw: bytes, name: str) -> Parts:
    """Try to change the file ``name`` and what stands beside it."""
    file = Path(name)
    aside = file.with_name("aside")
    changes = (
        lambda: file.open("r+b"),
        lambda: file.open("wb"),
        lambda: os.truncate(file, 0),
        lambda: file.unlink(),
        lambda: file.parent.rmdir(),
        lambda: file.rename(aside),
        lambda: os.link(file, aside),
        lambda: aside.symlink_to(file),
        lambda: aside.mkdir(),
        lambda: os.mkfifo(aside),
        lambda: file.chmod(0o777),
        lambda: os.utime(file, (0, 0)),
        *([lambda: os.setxattr(file, "user.a", b"1")] if sys.platform == "linux" else []),
    )
    return told([file.read_bytes() == raw, sorted(set(map(attempt, changes)))])


def environment(raw: bytes, name: str) -> Parts:
    return told([sorted(os.environ), str(Path.cwd())])


def attempt(what: object) -> str:
    assert callable(what)
    try:
        what()
    except OSError as error:
        return type(error).__name__
    return "done"


def without_sense(raw: bytes, name: str) -> Parts:
    """Answer with ``raw`` in the place of a reply, as a worker that was taken over could."""
    os.write(0, raw)
    return deaf(raw, name)


worker.OWN_PACKAGES.add("tests")
WORK |= {
    what.__name__: f"tests.hostile_readers:{what.__name__}"
    for what in (
        *(echo, pid, loop, loop_in_c, deaf, memory, memory_bit_by_bit, large, long, many, crash),
        *(
            abort,
            killed,
            leave,
            panic,
            refuse,
            library_fault,
            fault,
            deep,
            chatter,
            reaches_out,
            writes,
            changes_files,
            environment,
        ),
        without_sense,
    )
}

if __name__ == "__main__":
    worker.main()
