"""Text that stands in many files: navigation, licence headers, "see also" blocks.

How many files hold a line is counted by ``line_counts``; what that takes from a hit is told here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from engine.searching.demotion import lowered
from engine.storage import line_counts

if TYPE_CHECKING:
    from engine.storage.index import Found
    from engine.storage.manifest import Manifest

FEW = 3
"""A line that stands in no more files than these says something about each of them …"""
MANY = 10
"""… and one in so many says nothing about any; between the two it counts in part."""
PENALTY = 0.5
"""What a chunk of nothing but template text loses of its score."""


def shares(texts: Sequence[str], manifest: "Manifest") -> list[float]:
    """Return how much of each text is template text, from 0 to 1; blocking.

    Raises:
        ManifestError: the manifest can't be read.
    """
    weighed = [_weighed_chunk(text) for text in texts]
    lines = {line for lines in weighed for line, _ in lines}
    known = manifest.read(lambda connection: line_counts.files_with(connection, lines))
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


def _share(lines: Sequence[tuple[int, int]], known: Mapping[int, int]) -> float:
    whole = sum(length for _, length in lines)
    repeated = sum(length * _weight(known.get(line, 1)) for line, length in lines)
    return repeated / whole if whole else 0.0


def _weight(files: int) -> float:
    return min(1.0, max(0.0, (files - FEW) / (MANY - FEW)))


_weighed_chunk = lru_cache(2000)(line_counts.measured)
"""While a query is typed, the same chunks are found again and again."""
