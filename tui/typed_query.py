"""What a query says to the screen: which words stand out in a hit, and whether lines are sought.

Imports the engine's own reading of queries when it is first asked, which is after the first frame.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from engine.errors import UsageError
from tui import highlight

if TYPE_CHECKING:
    from engine.wire.query import Exact, Query
    from engine.wire.unfinished import Unfinished

LONGEST_MARKED = 4_000
"""Characters of a text in which matches of an exact query are looked for."""


@lru_cache(16)
def _read(query: str) -> Query | None:
    """The engine's reading of ``query``; None for one that can't be searched."""
    from engine.wire.query import parse

    try:
        return parse(query)
    except UsageError:
        return None


def asks_for_lines(query: str) -> bool:
    """Whether ``query`` is a ``'literal`` or a ``/regex/``, though it may not be complete yet."""
    if not any(mark in query for mark in "'/"):
        return False
    found = _read(query)
    return query.lstrip().startswith("'") if found is None else found.exact is not None


def asks_no_model(query: str) -> bool:
    """Whether ``query`` is no question: it asks for lines, or consists of filters alone."""
    if asks_for_lines(query):
        return True
    found = _read(query) if any(mark in query for mark in ':-"') else None
    return found is not None and found.is_listing


def filter_at(query: str, cursor: int) -> Unfinished | None:
    """The filter in whose value the cursor is, by its index; none within an exact search."""
    from engine.wire.unfinished import unfinished

    found = unfinished(query, cursor)
    return None if found is None or asks_for_lines(query[: found.begin]) else found


def spans(text: str, query: str) -> list[tuple[int, int]]:
    """Spans of ``text`` that answer to ``query``: its matches, or the words that tell."""
    found = _read(query)
    if found is None:
        return []
    if found.exact is None:
        return highlight.matches(text, found.text)
    return _matches(text, found.exact)


def _matches(text: str, exact: Exact) -> list[tuple[int, int]]:
    """Spans of ``exact`` in ``text``. RE2 takes linear time, whatever was typed and is found."""
    from engine.storage.patterns import compiled

    raw = text[:LONGEST_MARKED].encode("utf-8", "replace")
    try:
        found = [match.span() for match in compiled(exact).finditer(raw)]
    except UsageError:
        return []
    return [(len(raw[:a].decode()), len(raw[:b].decode())) for a, b in found if a < b]
