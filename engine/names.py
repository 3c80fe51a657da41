"""What the manifest keeps of a file's front matter and text beside its chunks: tags and aliases."""

import sqlite3
from collections.abc import Iterable


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
