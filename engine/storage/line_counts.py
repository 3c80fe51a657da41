"""Which lines stand in a file, and how many files hold a line: what tells a template from a text.

A line counts once for each file it stands in, in the form in which it is compared: without case,
marks and numbers. The manifest keeps the counts and changes them with the file's chunks, so that
they are right after every edit.
"""

import hashlib
import json
import re
import sqlite3
from collections.abc import Iterable, Sequence

import numpy as np

SHORTEST = 16
"""Characters of a line, as it is compared, below which it counts as no text at all: a rule, a
heading of one word, a bracket."""
MOST_LINES = 50_000
"""Lines of one file that are counted: a larger one is a data set, not a template."""

_END = re.compile(r"[\r\n。！？]|[.!?]\s")
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,500}>|\]\([^()\s]{0,500}\)")
_LETTERS = re.compile(r"[^\W\d_]+")


def lines_of(text: str) -> list[int]:
    """Return the hashes of the lines and sentences of ``text``, each once; signed, 64 bits."""
    return list(dict.fromkeys(line for line, _ in measured(text)))[:MOST_LINES]


def measured(text: str) -> list[tuple[int, int]]:
    """Return the lines of a text by their hashes, with their lengths."""
    found = []
    folded = text.casefold()
    plain = _TAG.sub(" ", folded) if "<" in folded or "](" in folded else folded
    for line in _END.split(plain):
        compared = " ".join(_LETTERS.findall(line))
        if len(compared) >= SHORTEST:
            raw = compared.encode("utf-8", "surrogatepass")
            digest = hashlib.blake2b(raw, digest_size=8).digest()
            found.append((int.from_bytes(digest, "little", signed=True), len(compared)))
    return found


def files_with(connection: sqlite3.Connection, lines: Iterable[int]) -> dict[int, int]:
    """Return in how many files each of ``lines`` stands; those of one file are absent."""
    found = connection.execute(
        "SELECT line, files FROM line_files WHERE files > 1 AND line IN "
        "(SELECT value FROM json_each(?))",
        (json.dumps(list(lines)),),
    )
    return dict(found.fetchall())


def count(connection: sqlite3.Connection, file: int, lines: Sequence[int]) -> None:
    """Let ``lines`` be those of ``file``, which is known; without any they are forgotten."""
    kept = connection.execute("SELECT hashes FROM lines WHERE file = ?", (file,)).fetchone()
    before = set(np.frombuffer(kept[0], "<i8").tolist()) if kept else set()
    now = set(lines)
    gone = [(line,) for line in before - now]
    connection.executemany("UPDATE line_files SET files = files - 1 WHERE line = ?", gone)
    connection.executemany("DELETE FROM line_files WHERE line = ? AND files <= 0", gone)
    connection.executemany(
        "INSERT INTO line_files VALUES (?, 1) ON CONFLICT(line) DO UPDATE SET files = files + 1",
        [(line,) for line in now - before],
    )
    if now != before:
        hashes = np.array(lines, "<i8").tobytes()
        connection.execute("INSERT OR REPLACE INTO lines VALUES (?, ?)", (file, hashes))
