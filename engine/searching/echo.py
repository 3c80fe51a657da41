"""Questions that stand in a program or in what one printed: examples of a question, not answers.

Nothing is nearer to a question than its own words, so a manual's example that asks just this would
come before the page that answers it. A question that stands in running text or in a heading, as in
a list of frequent questions, has its answer beside it, and is left where it is.
"""

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from engine.chunks.stop_words import STOP_WORDS
from engine.searching.demotion import lowered

if TYPE_CHECKING:
    from engine.storage.index import Found

PENALTY = 0.5
"""What a chunk loses of its score for repeating the question in code."""
LEAST_WORDS = 5
"""Words of a question below which nothing counts as its repetition; a command is often shorter."""

_WORD = re.compile(r"\w+")
_FENCE = re.compile(r"^[ \t>]*(?:`{3,}|~{3,})[ \t]*([^`\r\n]*)\r?$", re.MULTILINE)
"""Group 1 is the language of the code, which only its beginning names."""


def weigher(question: str) -> "Callable[[Found], Found]":
    """Return what lets a hit weigh less that repeats ``question`` in code."""
    asked = _plain(question).split()
    if len(asked) < LEAST_WORDS or STOP_WORDS.isdisjoint(asked):
        return lambda one: one

    def weigh(one: "Found") -> "Found":
        return lowered(one, 1 - PENALTY) if repeats(question, one.stored.chunk.text) else one

    return weigh


def repeats(question: str, text: str) -> bool:
    """Whether a block of code in ``text`` holds the words of ``question`` one after the other."""
    return any(f" {_plain(question)} " in f" {_plain(code)} " for code in _code(text))


def _code(text: str) -> Iterator[str]:
    """Yield the blocks of code of Markdown; one may begin or end outside ``text``."""
    fences = [*_FENCE.finditer(text)]
    begins = next((at for at, fence in enumerate(fences) if fence[1]), 0)
    edges = [0, *(edge for fence in fences for edge in fence.span()), len(text)]
    for at in range(0 if begins % 2 else 2, len(edges) - 1, 4):
        yield text[edges[at] : edges[at + 1]]


def _plain(text: str) -> str:
    """Return the words of ``text`` without case and marks, a blank between each two."""
    return " ".join(_WORD.findall(text.casefold()))
