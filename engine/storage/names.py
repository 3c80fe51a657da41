"""What files are called: by their paths, and by the titles, aliases and tags in them."""

import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

LONGEST_NAME = 200
"""Characters of a query that may be the name of a file."""
FEW_CALLED = 3
"""A name that more files have tells none of them from the others."""

BEGIN = 4
"""Chunks with which a file begins."""

LAST_NAME = b"\xff" * 256
"""No name of a file is behind it."""

_BETWEEN = re.compile(r"[\s_-]+")
_NO_LETTER = re.compile(r"[^a-z0-9]")


def save(
    connection: sqlite3.Connection, file: int, *, tags: Iterable[str], aliases: Iterable[str]
) -> None:
    """Let ``file`` have these tags and aliases, written without case, and no others."""
    connection.execute("DELETE FROM tags WHERE file = ?", (file,))
    connection.execute("DELETE FROM aliases WHERE file = ?", (file,))
    tagged, named = [(file, tag) for tag in tags], [(file, alias) for alias in aliases]
    connection.executemany("INSERT OR IGNORE INTO tags VALUES (?, ?)", tagged)
    connection.executemany("INSERT OR IGNORE INTO aliases VALUES (?, ?)", named)


def aliases(connection: sqlite3.Connection) -> dict[str, list[bytes]]:
    """Return the paths of the files that have an alias, by the alias."""
    found: dict[str, list[bytes]] = {}
    for alias, path in connection.execute(
        "SELECT alias, path FROM aliases JOIN files ON files.id = aliases.file ORDER BY path"
    ):
        found.setdefault(alias, []).append(path)
    return found


def tags(connection: sqlite3.Connection) -> list[tuple[str, int]]:
    """Return every tag, and how many files have it."""
    return connection.execute("SELECT tag, count(*) FROM tags GROUP BY tag").fetchall()


def paths(connection: sqlite3.Connection, folder: bytes = b"") -> Iterator[bytes]:
    """Yield the paths of all files below ``folder`` that can be found, embedded or not yet.

    ``folder`` ends with ``/`` or is empty.
    """
    after = folder[:-1] + b"0" if folder else LAST_NAME  # the byte that follows the slash
    found = connection.execute(
        "SELECT path FROM files WHERE reason IS NULL AND path > ?1 AND path < ?2 "
        "UNION ALL SELECT path FROM documents WHERE path > ?1 AND path < ?2 "
        "AND file NOT IN (SELECT id FROM files)",
        (folder, after),
    )
    for (path,) in found:
        yield path


def steps(connection: sqlite3.Connection, folder: bytes) -> Counter[bytes]:
    """Return what is in ``folder``, as in :func:`paths`, with how many files.

    A folder in it ends with ``/``.
    """
    begin = len(folder)
    return Counter(
        path[begin : path.find(b"/", begin) + 1 or None] for path in paths(connection, folder)
    )


def called(connection: sqlite3.Connection, name: str) -> dict[int, bytes]:
    """Return id → path of the few files whose name, title or alias is ``name``; of many, none."""
    words = _words(name)
    if not any(words) or len(name) > LONGEST_NAME:
        return {}
    # SQLite knows the case of ASCII letters alone; whatever else stands for any one character.
    like = "%" + "_".join(_NO_LETTER.sub("_", word) for word in words) + "%"
    near = connection.execute("SELECT id, path FROM files WHERE CAST(path AS TEXT) LIKE ?", (like,))
    found = {file: path for file, path in near if _words(_stem(path)) == words}
    titled = connection.execute(
        "SELECT id, path FROM aliases JOIN files ON files.id = aliases.file WHERE alias = ?",
        (" ".join(name.casefold().split()),),
    )
    found.update(titled)
    return found if len(found) <= FEW_CALLED else {}


def begins_of(connection: sqlite3.Connection, files: Iterable[int]) -> list[int]:
    """Return the Milvus rows with which ``files`` begin."""
    statement = "SELECT row FROM chunks WHERE file = ? ORDER BY position LIMIT ?"
    found = (connection.execute(statement, (file, BEGIN)).fetchall() for file in files)
    return [row for rows in found for (row,) in rows]


def _words(name: str) -> list[str]:
    return _BETWEEN.split(name.strip(" -_").casefold())


def _stem(path: bytes) -> str:
    return PurePosixPath(path.decode("utf-8", "replace")).stem
