"""What a worker process gives up before it sees a file.

Memory, processor time, files to write and open files are limited wherever the system can. On Linux
a filter of system calls (seccomp) refuses sockets and other programs as well; the limits of memory
hold on Linux only.
"""

import contextlib
import ctypes
import errno
import os
import platform
import resource
import signal
import struct
import sys
from pathlib import Path

MEMORY = 2 * 1024**3
"""Bytes of address space."""
TOO_MUCH_MEMORY = "reading it takes more memory than it may have"
PEAK_UNIT = 1 if sys.platform == "darwin" else 1024
"""Bytes in one of the units that the system tells the largest memory of a process in."""
OPEN_FILES = 64
NICENESS = 5
"""Reading gives way to the person's other work."""

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_SET_MODE_FILTER, _ALL_THREADS = 1, 1
_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | errno.EPERM
_X32 = 0x40000000
"""From here on, numbers on x86-64 are those of another interface to the same calls."""


class _Calls:
    """Numbers of system calls on one kind of processor."""

    def __init__(self, arch: int, seccomp: int, refused: tuple[int, ...]) -> None:
        self.arch, self.seccomp, self.refused = arch, seccomp, refused


_IO_URING_SETUP = 425
_CALLS = {  # refused: socket, execve, execveat, and io_uring_setup, which makes sockets too
    "x86_64": _Calls(0xC000003E, 317, (41, 59, 322, _IO_URING_SETUP)),
    "aarch64": _Calls(0xC00000B7, 277, (198, 221, 281, _IO_URING_SETUP)),
}


def die_with_parent() -> None:
    """On Linux, end this process at once with the thread that started it; elsewhere do nothing."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def confine() -> None:
    """Give up, for this process and for good, what reading a file has no need of."""
    sys.dont_write_bytecode = True
    with contextlib.suppress(OSError):
        os.nice(NICENESS)
    with contextlib.suppress(OSError):  # where memory is short, the kernel takes this one first
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
    ):
        _limit(what, most)
    if sys.platform == "linux":
        _refuse_calls()


def allow_seconds(seconds: float) -> None:
    """Let this process use so many more seconds of processor time, and be ended after them."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    until = int(used.ru_utime + used.ru_stime + seconds) + 1
    _, ceiling = resource.getrlimit(resource.RLIMIT_CPU)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (until, ceiling))


def _limit(what: int, most: int) -> None:
    _, ceiling = resource.getrlimit(what)
    most = most if ceiling == resource.RLIM_INFINITY else min(most, ceiling)
    with contextlib.suppress(ValueError, OSError):  # a platform without this limit
        resource.setrlimit(what, (most, most))


def _refuse_calls() -> None:
    """Have the kernel answer sockets and other programs with "not permitted"; best effort."""
    calls = _CALLS.get(platform.machine())
    if calls is None or sys.maxsize < 2**32:  # a Python of 32 bits makes other calls
        return
    program = _program(calls)
    code = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))
    system = ctypes.CDLL(None)
    system.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    system.syscall(
        ctypes.c_long(calls.seccomp),
        ctypes.c_long(_SET_MODE_FILTER),
        ctypes.c_long(_ALL_THREADS),
        head,
    )


def _program(calls: _Calls) -> bytes:
    """Return the filter, a program of classic BPF; 8 bytes are one instruction."""
    refused = len(calls.refused)

    def step(what: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
        return struct.pack("HBBI", what, then, otherwise, value)

    return b"".join(
        [
            step(_LOAD, 4),  # the processor whose calls these are
            step(_JUMP_EQUAL, calls.arch, 0, refused + 3),
            step(_LOAD, 0),  # the call's number
            step(_JUMP_AT_LEAST, _X32, refused + 1),
            *(step(_JUMP_EQUAL, call, refused - at) for at, call in enumerate(calls.refused)),
            step(_RETURN, _ALLOW),
            step(_RETURN, _REFUSE),
        ]
    )
