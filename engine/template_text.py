"""Text that stands in many files: navigation, licence headers, "see also" blocks.

A line counts once for each file it stands in, in the form in which it is compared: without case,
marks and numbers. The manifest keeps the lines of each file and how many files
hold a line, and changes both with the file's chunks, so that they are right after every edit.
"""

import hashlib
import json
import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from engine.demotion import lowered

if TYPE_CHECKING:
    from engine.index import Found
    from engine.manifest import Manifest

FEW = 3
"""A line that stands in no more files than these says something about each of them …"""
MANY = 10
"""… and one in so many says nothing about any; between the two it counts in part."""
PENALTY = 0.5
"""What a chunk of nothing but template text loses of its score."""
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
    return list(dict.fromkeys(line for line, _ in _weighed(text)))[:MOST_LINES]


def shares(texts: Sequence[str], manifest: "Manifest") -> list[float]:
    """Return how much of each text is template text, from 0 to 1; blocking.

    Raises:
        ManifestError: the manifest can't be read.
    """
    weighed = [_weighed_chunk(text) for text in texts]
    lines = {line for lines in weighed for line, _ in lines}
    known = manifest.read(lambda connection: files_with(connection, lines))
    return [_share(lines, known) for lines in weighed]


def weigh(one: "Found", manifest: "Manifest") -> "Found":
    """Return a hit whose template text weighs less; blocking.

    Raises:
        ManifestError: the manifest can't be read.
    """
    (share,) = shares([one.stored.chunk.text], manifest)
    return replace(lowered(one, factor(share)), template=share) if share else one


def factor(share: float) -> float:
    """Return by what the score of a chunk is multiplied of which ``share`` is template text.

    Up to half of it costs nothing: pages of one manual share lines of code with each other.
    """
    return 1 - PENALTY * max(0.0, 2 * share - 1)


def files_with(connection: sqlite3.Connection, lines: Iterable[int]) -> dict[int, int]:
    """Return in how many files each of ``lines`` stands; those of one file are absent."""
    found = connection.execute(
        "SELECT line, files FROM line_files WHERE files > 1 AND line IN "
        "(SELECT value FROM json_each(?))",
        (json.dumps(list(lines)),),
    )
    return dict(found.fetchall())


def _share(lines: Sequence[tuple[int, int]], known: Mapping[int, int]) -> float:
    whole = sum(length for _, length in lines)
    repeated = sum(length * _weight(known.get(line, 1)) for line, length in lines)
    return repeated / whole if whole else 0.0


def _weight(files: int) -> float:
    return min(1.0, max(0.0, (files - FEW) / (MANY - FEW)))


def _weighed(text: str) -> list[tuple[int, int]]:
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


_weighed_chunk = lru_cache(2000)(_weighed)
"""While a query is typed, the same chunks are found again and again."""


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
