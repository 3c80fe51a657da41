"""Which words of a text answer to the words of a query."""

from __future__ import annotations

import re

_WORD = re.compile(r"\w+(?:['’_.-]\w+)*")

_COMMON = frozenset(
    """a an and are as at be by can do does for from has have how i if in into is it its me mean
    my no not of on or our should so than that the their them then there these they this to was
    we were what when where which who why will with would you your""".split()  # noqa: SIM905
)
"""English words that say nothing about what is looked for."""


def telling_words(query: str) -> list[str]:
    """The words of ``query`` worth finding again, longest first."""
    found = {word.casefold() for word in _WORD.findall(query)}
    return sorted((word for word in found - _COMMON if len(word) > 1), key=len, reverse=True)


def matches(text: str, query: str) -> list[tuple[int, int]]:
    """Spans of ``text`` that begin with a telling word of ``query``, in any case."""
    words = telling_words(query)
    if not words:
        return []
    # Words of scripts without spaces have no boundary to stand at.
    wanted = "|".join((r"\b" if word.isascii() else "") + re.escape(word) for word in words)
    return [found.span() for found in re.finditer(wanted, text, re.IGNORECASE)]
