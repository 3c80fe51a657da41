"""Questions that stand in a program or in what one printed: examples of a question, not answers.

Nothing is nearer to a question than its own words, so a manual's example that asks just this would
come before the page that answers it. A question that stands in running text or in a heading, as in
a list of frequent questions, has its answer beside it, and is left where it is.
"""

import heapq
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from engine.stop_words import STOP_WORDS

if TYPE_CHECKING:
    from engine.index import Found

PENALTY = 0.5
"""What a chunk loses of its score for repeating the question in code."""
LEAST_WORDS = 5
"""Words of a question below which nothing counts as its repetition; a command is often shorter."""
LOOKED_AT = 32
"""Chunks of a search whose text is looked at."""

_WORD = re.compile(r"\w+")
_FENCE = re.compile(r"^[ \t]*(?:```|~~~).*$", re.MULTILINE)


def demoted(found: "Iterable[Found]", question: str) -> "Iterator[Found]":
    """Yield ``found``, best first, where what repeats ``question`` in code ranks lower."""
    rest = iter(found)
    asked = _plain(question)
    if len(asked.split()) >= LEAST_WORDS and not STOP_WORDS.isdisjoint(asked.split()):
        first = sorted((_weighed(one, asked) for one in islice(rest, LOOKED_AT)), key=_by_score)
        yield from heapq.merge(first, rest, key=_by_score)
    else:
        yield from rest


def _weighed(one: "Found", asked: str) -> "Found":
    if not repeats(asked, one.stored.chunk.text):
        return one
    return replace(one, ranked=replace(one.ranked, score=one.ranked.score * (1 - PENALTY)))


def _by_score(one: "Found") -> float:
    return -one.ranked.score


def repeats(question: str, text: str) -> bool:
    """Whether a block of code in ``text`` holds the words of ``question`` one after the other."""
    return any(f" {_plain(question)} " in f" {_plain(code)} " for code in _code(text))


def _code(text: str) -> Iterator[str]:
    """Yield the blocks of code of Markdown; one may begin or end outside ``text``."""
    fences = [*_FENCE.finditer(text)]
    for at in range(0, len(fences), 2):
        end = fences[at + 1].start() if at + 1 < len(fences) else len(text)
        yield text[fences[at].end() : end]


def _plain(text: str) -> str:
    """Return the words of ``text`` without case and marks, a blank between each two."""
    return " ".join(_WORD.findall(text.casefold()))
