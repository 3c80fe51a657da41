"""Which words of a text answer to the words of a query."""

from __future__ import annotations

import re

from engine.chunks.stop_words import STOP_WORDS

_WORD = re.compile(r"\w+(?:['’_.-]\w+)*")

_SILENT = STOP_WORDS | {"mean", "no", "not"}
"""Words not worth looking at, however well they choose a sentence."""


def telling_words(query: str) -> list[str]:
    """The words of ``query`` worth finding again, longest first."""
    found = {word.casefold() for word in _WORD.findall(query)}
    return sorted((word for word in found - _SILENT if len(word) > 1), key=len, reverse=True)


def matches(text: str, query: str) -> list[tuple[int, int]]:
    """Spans of the words of ``text`` that begin with a telling word of ``query``, in any case."""
    words = telling_words(query)
    if not words:
        return []
    wanted = "|".join(map(_pattern, words))
    return [found.span() for found in re.finditer(wanted, text, re.IGNORECASE)]


def _pattern(word: str) -> str:
    """What finds ``word``: with its endings, but two letters only as a whole word."""
    if not word.isascii():  # scripts without spaces have no boundary to stand at
        return re.escape(word)
    return rf"\b{re.escape(word)}" + (r"\w*" if len(word) > 2 else r"(?!\w)")
