"""The folders of this machine that go with the beginning of a path."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path

MOST_LISTED = 100
"""Folders that are offered."""
MOST_LOOKED_AT = 20_000
"""Entries of a folder that are looked at."""


def is_path(typed: str) -> bool:
    """Whether a person types a path, and not some letters of a name."""
    return typed.startswith(("/", "~", "./", "../")) or typed in (".", "..")


def matching(typed: str) -> list[str]:
    """Return the folders whose paths begin with ``typed``, whatever the case, as it writes them.

    A folder that is typed whole, with its slash, comes first. Hidden ones are there once their
    dot is typed. Blocking; what can't be read holds none.
    """
    above, slash, name = typed.rpartition("/")
    if not slash:  # ~ or ~ada, . or ..
        return [f"{typed}/"] if _path(typed).is_dir() else []
    try:
        with os.scandir(_path(above + slash)) as entries:
            found = [e.name for e in islice(entries, MOST_LOOKED_AT) if _fits(e, name.casefold())]
    except (OSError, ValueError):  # one with a null byte is none
        return []
    found.sort(key=str.casefold)
    below = [f"{above}/{each}/" for each in found[:MOST_LISTED]]
    return below if name else [typed, *below]


def _path(typed: str) -> Path:
    return Path(os.path.expanduser(typed))  # noqa: PTH111  never raises


def _fits(entry: os.DirEntry[str], begin: str) -> bool:
    hidden = entry.name.startswith(".") and not begin.startswith(".")
    try:
        return not hidden and entry.name.casefold().startswith(begin) and entry.is_dir()
    except OSError:
        return False
