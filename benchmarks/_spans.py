"""How well chunks fit the passages that answer a question, in characters.

The definitions are those of Chroma's chunking evaluation: every retrieved chunk counts in full,
what of a passage two chunks share counts once, and all figures are means over questions.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

Range = tuple[int, int]
"""Begin and end in a document's text, in characters."""


class Fit(NamedTuple):
    """Of the passages, how much was retrieved; of what was retrieved, how much is passages …"""

    recall: float
    precision: float
    iou: float
    """… and what both share, against all that is in either."""


def fit(chunks: Sequence[Range], passages: Sequence[Range]) -> Fit:
    """Return how well ``chunks`` fit ``passages``, which do not overlap."""
    shared = [
        (max(begin, start), min(end, stop))
        for begin, end in chunks
        for start, stop in passages
        if max(begin, start) < min(end, stop)
    ]
    covered, wanted, retrieved = length(union(shared)), length(passages), length(chunks)
    either = retrieved + wanted - covered
    return Fit(covered / wanted, covered / retrieved if retrieved else 0.0, covered / either)


def union(ranges: Iterable[Range]) -> list[Range]:
    """Return the same characters in ranges that do not touch."""
    joined: list[Range] = []
    for begin, end in sorted(ranges):
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((begin, end))
    return joined


def length(ranges: Iterable[Range]) -> int:
    """Return how many characters they have in all."""
    return sum(end - begin for begin, end in ranges)


def mean(fits: Sequence[Fit]) -> Fit:
    """Return the mean of each figure."""
    return Fit(*(sum(values) / len(fits) for values in zip(*fits, strict=True)))
