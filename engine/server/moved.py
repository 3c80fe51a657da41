"""Finds the index of a folder that was moved or renamed, so that nothing is embedded again."""

import contextlib
import logging
import os
import shutil
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine import paths

log = logging.getLogger(__name__)

MOST_COMPARED = 200
"""Files that are looked at to tell a moved folder from another with its identity."""
LEAST_SAME = 0.5
"""The share of them that has to be as the index knows it."""


@dataclass(frozen=True, slots=True)
class Former:
    """An index whose folder is elsewhere now."""

    place: Path
    root: Path
    """Where its folder was."""


def find(root: Path) -> Former | None:
    """Return the index of the folder that stands at ``root`` now, if it was made elsewhere.

    None if ``root`` has an index of its own. An identity alone proves little, since the system
    gives it anew once a folder is deleted: files of the folder have to be there as well.
    """
    identity = _identity(root)
    if identity is None or _facts(paths.index_dir(root)).get("identity"):
        return None
    for place in sorted((paths.data_dir() / "indexes").glob("*")):
        facts = _facts(place)
        before = Path(facts.get("root", "/"))
        if (
            facts.get("identity") == identity
            and before not in (root, Path("/"))
            and _identity(before) != identity
            and _is_mostly_there(place, root)
        ):
            return Former(place, before)
    return None


def take_over(former: Former, root: Path) -> None:
    """Make ``former`` the index of ``root``; nobody may have it open.

    The move is one step; whoever opens the index writes down its new root. Where the data folder
    can't be written nothing has changed, and opening the index says why.
    """
    own = paths.index_dir(root)
    try:
        if own.exists():  # left by somebody who was asked about the folder, and did not agree
            shutil.rmtree(own)
        former.place.rename(own)
    except OSError as error:
        log.warning("the index of %s can't be taken along: %s", root, error)
    else:
        log.info("%s was moved: its index is taken along", root)


def _identity(folder: Path) -> str | None:
    """Return what the manifest calls a folder's identity; None for no folder."""
    try:
        status = folder.stat()
    except OSError:
        return None
    return f"{status.st_dev} {status.st_ino}"


def _facts(place: Path) -> dict[str, str]:
    """Return the facts of the index at ``place``; none where they can't be read."""
    return dict(_ask(place, "SELECT name, value FROM facts"))


def _is_mostly_there(place: Path, root: Path) -> bool:
    known = _ask(
        place,
        "SELECT path, size, mtime_ns FROM files WHERE content != '' "
        "ORDER BY content LIMIT ?",  # a hash: in no order that means something
        (MOST_COMPARED,),
    )
    same = sum(_is_as_known(root, *file) for file in known)
    return same > 0 and same >= LEAST_SAME * len(known)


def _is_as_known(root: Path, path: bytes, size: int, mtime_ns: int) -> bool:
    try:
        found = os.lstat(os.fsencode(root) + b"/" + path)
    except (OSError, ValueError):
        return False
    # The manifest holds times in 64 bits.
    return found.st_size == size and (found.st_mtime_ns - mtime_ns) % 2**64 == 0


def _ask(place: Path, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
    """Ask the manifest of the index at ``place``; nothing comes of one that can't be read."""
    file = f"{(place / 'manifest.sqlite').as_uri()}?mode=rw"  # which makes none
    try:
        with contextlib.closing(sqlite3.connect(file, uri=True)) as connection:
            return connection.execute(statement, values).fetchall()
    except sqlite3.Error:
        return []
