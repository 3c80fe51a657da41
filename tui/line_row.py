"""A line that matches an exact query, as one row: its number, its place, and the line itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.content import Content

from engine.safe_text import clean_line
from tui import hit_row, typed_query

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.wire.api_search import Hit
    from tui.live_marks import Row

LARGEST_PLACE = 0.45
"""Share of a row that the places of the lines take at most."""
BEFORE_MATCH = 12
"""Characters shown at most before a match that stands too far to the right to be seen."""


def rows(lines: Sequence[Row], query: str, width: int) -> list[Content]:
    """The rows of all ``lines`` in ``width`` cells each; what matches ``query`` stands out."""
    number = len(str(max((line.number for line in lines), default=1)))
    fate = hit_row.fate_cells(lines)
    longest = max((cell_len(hit_row.shown_place(line)) for line in lines), default=0)
    place = min(longest, int((width - number - 1) * LARGEST_PLACE))
    return [_row(line, query, width, (number, fate, place)) for line in lines]


def _row(line: Row, query: str, width: int, columns: tuple[int, int, int]) -> Content:
    number, fate, place = columns
    row = Content.assemble(
        (f"{hit_row.label(line):>{number}} ", "$quiet"),
        hit_row.fate_sign(line, fate),
        hit_row.styled_location(line, place, place),
        "  ",
        _around_match(line.hit, query, max(width - number - fate - place - 3, 0)),
    )
    return hit_row.struck(row) if line.is_gone else row


def _around_match(hit: Hit, query: str, width: int) -> Content:
    """The line in ``width`` cells, from its beginning or from shortly before its first match."""
    text = clean_line(hit.text.strip())
    found = typed_query.spans(text, query)
    begin = 0
    if found and cell_len(text[: found[0][1]]) > width:
        start, end = found[0]
        room = width - cell_len(text[start:end]) - 2 * cell_len(hit_row.ELLIPSIS)
        begin = max(start - min(BEFORE_MATCH, max(room // 2, 0)), 0)
    lead = hit_row.ELLIPSIS if begin else ""
    line = Content.styled(lead + text[begin:], "$foreground")
    for start, end in found:
        if start >= begin:
            shift = len(lead) - begin
            line = line.stylize("$match", start + shift, end + shift)
    return line.truncate(width, ellipsis=True)
