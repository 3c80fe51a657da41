"""Tells whether a file is still what it was when it was last closed.

Milvus Lite keeps no checksums: bytes of a vector that change on the disk would only make a chunk
hard to find. A program that is killed leaves no seal, and there is nothing to compare with then.
"""

import contextlib
import os
import stat
import zlib
from pathlib import Path

_SUFFIX = ".seal"
_BLOCK = 1 << 20
_LONGEST_MARK = 200


def put(file: Path) -> None:
    """Write down, beside it, what ``file`` holds; nobody may write to it any more."""
    place = _place(file)
    unfinished = place.with_suffix(".tmp")
    with contextlib.suppress(OSError):  # a file without a seal is only not looked at
        unfinished.write_text(_content(file))
        unfinished.replace(place)


def is_broken(file: Path) -> bool:
    """Return whether ``file`` is not what it was when it was sealed; without a seal, it may be."""
    sealed = read_mark(_place(file))
    try:
        return sealed is not None and sealed != _content(file)
    except FileNotFoundError:
        return False
    except OSError:
        return True


def take_off(file: Path) -> bool:
    """Let ``file`` be written to; return whether it was sealed."""
    try:
        _place(file).unlink()
    except OSError:
        return False
    return True


def read_mark(path: Path) -> str | None:
    """Return what a small file of ours says; None if it is not there, or is anything else."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if stat.S_ISREG(os.fstat(handle).st_mode):
            return os.read(handle, _LONGEST_MARK).decode("ascii", "replace")
        return None
    except OSError:
        return None
    finally:
        os.close(handle)


def _place(file: Path) -> Path:
    return file.with_name(file.name + _SUFFIX)


def _content(file: Path) -> str:
    """Return the length and the checksum of ``file``: against chance, not against malice."""
    checksum = 0
    with file.open("rb") as opened:
        while block := opened.read(_BLOCK):
            checksum = zlib.crc32(block, checksum)
        return f"{opened.tell()} {checksum:08x}\n"
