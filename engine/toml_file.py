"""TOML files that a person wrote: the config file and the themes."""

import os
import stat
import tomllib
from pathlib import Path
from typing import Any

LARGEST = 1_000_000
"""Bytes of a file that is read."""
BYTE_ORDER_MARK = "\ufeff"
"""Some editors write it first."""


def read(file: Path) -> dict[str, Any]:
    """Return what ``file`` holds, without waiting on a pipe or a device.

    Raises:
        OSError: it can't be opened or read.
        ValueError: it is no regular file, too large, not UTF-8 or no TOML.
    """
    with open(file, "rb", opener=_open_at_once) as opened:
        if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode) and str(file) != os.devnull:
            raise ValueError("it is no regular file")
        content = opened.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ValueError(f"it is larger than {LARGEST // 1_000_000} MB")
    try:
        found = tomllib.loads(content.decode().removeprefix(BYTE_ORDER_MARK))
        str(found)  # raises where a number in it could not even be told
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ValueError(f"line {line} is not UTF-8") from None
    except tomllib.TOMLDecodeError:
        raise
    except ValueError:  # of Python's own limit
        raise ValueError("a number in it is too long") from None
    return found


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)
