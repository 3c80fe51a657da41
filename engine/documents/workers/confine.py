"""What a worker process gives up before it sees a file.

Memory, processor time, files to write and open files are limited wherever the system can. On Linux
a filter of system calls (seccomp) refuses sockets, other programs and any change of files as well;
the limits of memory hold on Linux only.
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
from typing import NamedTuple

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
_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_ANY, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | errno.EPERM
_X32 = 0x40000000
"""From here on, numbers on x86-64 are those of another interface to the same calls."""
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


class _Calls(NamedTuple):
    """Numbers of system calls on one kind of processor."""

    arch: int
    seccomp: int
    opening: tuple[tuple[int, int], ...]
    """Calls that open a file, each with the place of its flags among its arguments."""
    refused: tuple[int, ...]


_CALLS = {
    "x86_64": _Calls(
        arch=0xC000003E,
        seccomp=317,
        opening=((2, 1), (257, 2)),  # open, openat
        refused=(
            *(41, 59, 322, 425),  # socket, execve, execveat; io_uring_setup, which does it all
            *(101, 311),  # ptrace, process_vm_writev
            *(437, 85, 76, 77, 285),  # openat2, creat, truncate, ftruncate, fallocate
            *(82, 264, 316, 86, 265, 88, 266),  # rename…, link…, symlink…
            *(87, 263, 84, 83, 258, 133, 259),  # unlink…, rmdir, mkdir…, mknod…
            *(90, 91, 268, 452, 92, 93, 94, 260),  # chmod…, chown…
            *(132, 235, 261, 280, 188, 189, 190, 197, 198, 199),  # utime…, setxattr…, removexattr…
        ),
    ),
    "aarch64": _Calls(
        arch=0xC00000B7,
        seccomp=277,
        opening=((56, 2),),
        refused=(
            *(198, 221, 281, 425),
            *(117, 271),
            *(437, 45, 46, 47),
            *(38, 276, 37, 36),
            *(35, 34, 33),
            *(52, 53, 452, 54, 55),
            *(88, 5, 6, 7, 14, 15, 16),
        ),
    ),
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
    """Have the kernel answer some calls with "not permitted"; best effort.

    They are those that make sockets, start programs, or change files or other processes.
    """
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
    refuse = 4 + 4 * len(calls.opening) + len(calls.refused) + 1  # where its last step stands
    steps: list[bytes] = []

    def step(what: int, value: int, then: int = 0, otherwise: int = 0) -> None:
        steps.append(struct.pack("HBBI", what, then, otherwise, value))

    def to_refusal() -> int:
        return refuse - len(steps) - 1

    step(_LOAD, 4)  # the processor whose calls these are
    step(_JUMP_EQUAL, calls.arch, 0, to_refusal())
    step(_LOAD, 0)  # the call's number
    step(_JUMP_AT_LEAST, _X32, to_refusal())
    for call, flags in calls.opening:
        step(_JUMP_EQUAL, call, 0, 3)
        step(_LOAD, 16 + 8 * flags)
        step(_JUMP_ANY, _WRITING, to_refusal())
        step(_RETURN, _ALLOW)
    for call in calls.refused:
        step(_JUMP_EQUAL, call, to_refusal())
    step(_RETURN, _ALLOW)
    step(_RETURN, _REFUSE)
    return b"".join(steps)
