"""A hit in its surroundings: the lines of its file around it, and a bar beside its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from engine.safe_text import clean
from tui import typed_query
from tui.hanging import NARROWEST
from tui.preview import coloured, heading_of, is_numbered

if TYPE_CHECKING:
    from engine.wire.api_around import AroundLine, AroundReply
    from engine.wire.api_search import Hit

BAR = "▎"
"""Stands beside the hit's own lines."""


def in_surroundings(hit: Hit, found: AroundReply, query: str, width: int) -> tuple[Content, int]:
    """What was found around ``hit`` wrapped to ``width``, and the row where the hit begins."""
    last = max((line.line for line in found.lines), default=0)
    digits = len(str(last)) + 1 if is_numbered(hit) else 0
    rows = heading_of(hit, width)
    begin, at = 0, 0
    styled, start, end = _styled(hit, found, query)
    for line, text in zip(found.lines, styled.split("\n", allow_blank=True), strict=True):
        if at <= start <= at + len(text):
            begin = len(rows) + row_in_line(text, start - at, digits, width)
        rows += rows_of(line, text, digits, width, (start - at, end - at))
        at += len(text) + 1
    return Content("\n").join(rows), begin


def rows_of(
    line: AroundLine, text: Content, digits: int, width: int, own: tuple[int, int]
) -> list[Content]:
    """A line as rows of ``width``: its number, a bar where it is the hit's, and its ``text``.

    The number has ``digits`` cells with the space behind it; without any it is left out. In a line
    of the hit ``own`` are the first of its characters and the one behind its last.
    """
    rows = []
    pieces = text.wrap(_room(digits, width)) or [Content("")]
    barred = _rows_between(text, own, digits, width) if line.is_hit else range(0)
    for row, piece in enumerate(pieces):
        number = "" if row or not digits else f"{line.line} "
        bar = f"{BAR if row in barred else ' '} "
        rows.append(Content.assemble((f"{number:>{digits}}", "$gutter"), (bar, "$cite"), piece))
    return rows


def row_in_line(text: Content, at: int, digits: int, width: int) -> int:
    """Which of the :func:`rows_of` a line, from 0, holds the character of that number, or next."""
    return max(len(text[: at + 1].wrap(_room(digits, width))) - 1, 0)


def _rows_between(text: Content, own: tuple[int, int], digits: int, width: int) -> range:
    """Which of the :func:`rows_of` a line hold its characters from one number to another."""
    first, last = max(own[0], 0), max(min(own[1], len(text)) - 1, 0)
    return range(
        row_in_line(text, first, digits, width), row_in_line(text, last, digits, width) + 1
    )


def _room(digits: int, width: int) -> int:
    return max(width - digits - len(BAR) - 1, NARROWEST)


def _styled(hit: Hit, found: AroundReply, query: str) -> tuple[Content, int, int]:
    """All lines, which character begins the hit's own text, and which one stands behind it.

    In the hit's text the query stands out; what is not the hit's is quiet.
    """
    whole = "\n".join(line.text for line in found.lines)
    before, own = clean(whole[: found.start]), clean(whole[found.start : found.end])
    after = clean(whole[found.end :])
    content = coloured(before + own + after, hit)
    end = len(before) + len(own)
    content = content.stylize("$quiet", 0, len(before)).stylize("$quiet", end, end + len(after))
    for first, last in typed_query.spans(own, query):
        content = content.stylize("$match", len(before) + first, len(before) + last)
    return content, len(before), end
