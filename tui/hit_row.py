"""One hit as one line: rank, a bar, the distance, where it stands and under which heading."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.content import Content

from engine.safe_text import clean_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.api import Hit

ELLIPSIS = "…"
FULL_CELL, HALF_CELL = "━", "╸"
SHORTEST_HEADING = 8
"""Cells under which a heading says nothing and is left out."""


@dataclass(frozen=True)
class Columns:
    """Widths in cells of the columns of the results, the same for every row."""

    rank: int
    bar: int
    location: int
    heading: int


def location(hit: Hit) -> str:
    """Where the hit stands: ``path:10-31``, in a PDF ``path p.4``."""
    path = clean_line(hit.path)
    if hit.page is not None:
        return f"{path} p.{hit.page}"
    if hit.start_line == hit.end_line:
        return f"{path}:{hit.start_line}"
    return f"{path}:{hit.start_line}-{hit.end_line}"


def innermost_heading(hit: Hit) -> str:
    """The heading the chunk stands right under."""
    return clean_line(hit.heading.rsplit(" > ", 1)[-1]).strip()


def fit_columns(hits: Sequence[Hit], width: int) -> Columns:
    """Share ``width`` cells among the columns; file names come before headings."""
    rank = len(str(max((hit.rank for hit in hits), default=1)))
    bar = 7 if width >= 44 else 4 if width >= 34 else 0
    fixed = rank + (bar + 1 if bar else 0) + len(" 0.000 ")
    left = max(width - fixed, 1)
    places = [location(hit) for hit in hits]
    longest = max(map(cell_len, places), default=0)
    heading = max((cell_len(innermost_heading(hit)) for hit in hits), default=0)
    needed = max(_upper_quartile([cell_len(_shortest(place)) for place in places]), 1)
    place = min(longest, max(needed, left - heading - 2))
    room = left - place - 2
    if room < min(heading, SHORTEST_HEADING) or not heading:
        return Columns(rank, bar, left, 0)
    return Columns(rank, bar, place, room)


def _shortest(place: str) -> str:
    """The place with all its folders elided."""
    folders, _, name = place.rpartition("/")
    return f"{ELLIPSIS}/{name}" if folders else place


def _upper_quartile(lengths: list[int]) -> int:
    return sorted(lengths)[len(lengths) * 3 // 4] if lengths else 0


def row(hit: Hit, best: float, columns: Columns) -> Content:
    """Return the line of ``hit``; its bar is relative to the ``best`` distance of all hits."""
    bar = distance_bar(hit.distance, best, columns.bar)
    heading = elide_end(innermost_heading(hit), columns.heading)
    line = Content.assemble(
        (f"{hit.rank:>{columns.rank}} ", "$quiet"),
        (bar, "$bar"),
        (FULL_CELL * (columns.bar - cell_len(bar)), "$track"),
        " " if columns.bar else "",
        (f"{hit.distance:.3f} ", "$distance"),
        styled_location(hit, columns.location),
    )
    if columns.heading and heading:
        line = line.append_text("  ").append_text(heading, "$quiet")
    return line


def styled_location(hit: Hit, width: int) -> Content:
    """The place of ``hit`` in ``width`` cells, padded: folders quiet, the file name bright."""
    text = elide_path(location(hit), width)
    folders, slash, name = text.rpartition("/")
    path, mark, lines = name.rpartition(" p." if hit.page is not None else ":")
    return Content.assemble(
        (folders + slash, "$quiet"),
        (path or lines, "$foreground"),
        (mark + lines if path else "", "$quiet"),
        " " * max(width - cell_len(text), 0),
    )


def distance_bar(distance: float, best: float, cells: int) -> str:
    """A bar of at most ``cells`` cells, in halves; full for the best hit."""
    if best <= 0 or cells <= 0:
        return ""
    halves = round(min(max(distance / best, 0.0), 1.0) * cells * 2)
    return FULL_CELL * (halves // 2) + HALF_CELL * (halves % 2)


def elide_path(text: str, width: int) -> str:
    """Shorten a place to ``width`` cells from its middle: the file name and lines stay longest."""
    if cell_len(text) <= width:
        return text
    folders = text.split("/")
    name = folders[-1]
    for kept in range(len(folders) - 2, -1, -1):
        short = "/".join([*folders[:kept], ELLIPSIS, name])
        if cell_len(short) <= width:
            return short
    return elide_middle(name, width)


def elide_middle(text: str, width: int) -> str:
    """Shorten ``text`` to ``width`` cells, keeping its two ends."""
    if cell_len(text) <= width:
        return text
    if width <= 1:
        return ELLIPSIS[:width]
    end = _last_cells(text, width // 2)
    return elide_end(text, width - cell_len(end))[:-1] + ELLIPSIS + end


def elide_end(text: str, width: int) -> str:
    """Shorten ``text`` to ``width`` cells, keeping its beginning."""
    if cell_len(text) <= width:
        return text
    if width <= 0:
        return ""
    return _first_cells(text, width - 1) + ELLIPSIS


def _first_cells(text: str, width: int) -> str:
    taken = 0
    for index, character in enumerate(text):
        taken += cell_len(character)
        if taken > width:
            return text[:index]
    return text


def _last_cells(text: str, width: int) -> str:
    return _first_cells(text[::-1], width)[::-1]
