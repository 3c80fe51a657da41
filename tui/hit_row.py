"""One hit as one line: rank, a bar, the distance, how it was found, its place and heading."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.content import Content

from engine.part import short
from engine.safe_text import clean_line
from tui.live_marks import Fate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.wire.api_search import Hit, Place
    from tui.live_marks import Row

ELLIPSIS = "…"
FULL_CELL, HALF_CELL, TRACK_CELL = "━", "╸", "─"
SHORTEST_HEADING = 6
"""Cells under which the beginning of a heading says nothing and is left out."""
NEW = 0
"""In place of a number: a hit that the shown answer has no number for."""
NEW_SIGN = "+"
MORE_SIGN = "▸"
"""Before the number of hits that are folded into a row."""
NEAR_SIGN, WORDS_SIGN = "~", "="
"""How a hit was found: near in meaning, by its words."""
WIDTH_FOR_SIGNS = 40
"""Cells of a row from which there is room for these signs."""


@dataclass(frozen=True)
class Ranks:
    """Widths in cells of what a row tells of how a hit was found; 0 for what no hit has."""

    dense: int
    words: int
    score: int

    @property
    def cells(self) -> int:
        """Of all of it, with the spaces behind."""
        return sum(width + 1 for width in (self.dense, self.words, self.score) if width)


@dataclass(frozen=True)
class Columns:
    """Widths in cells of the columns of the results, the same for every row."""

    rank: int
    bar: int
    distance: int
    signs: int
    """0 where they would tell nothing, or there is no room."""
    ranks: Ranks | None
    """In place of the signs, where there is room beside all places and headings."""
    fate: int
    """0 where nothing became of any hit."""
    location: int
    """Places are padded to this width; 0 where each heading follows its place at once."""
    rest: int
    """Place and heading together."""


def location(hit: Place) -> str:
    """Where a hit stands: ``path:10-31``, ``path p.4``, ``path slide 4``, ``path Sales:10-31``."""
    return clean_line(hit.path + short(hit.part, hit.start_line, hit.end_line))


def place_and_folded(hit: Hit) -> str:
    """Where the hit stands, and how many more that say nearly the same: ``path:10-31 +2``."""
    return location(hit) + (f" {NEW_SIGN}{len(hit.folded)}" if hit.folded else "")


def shown_place(row: Row) -> str:
    """Where a hit stands, in a row: below another one of its file without the file's name."""
    place = place_and_folded(row.hit) + (f" {MORE_SIGN}{row.more}" if row.more else "")
    if not row.branch:
        return place
    return f"  {row.branch}{place.removeprefix(clean_line(row.hit.path))}"


def strength(hit: Hit) -> float:
    """What the bar shows: the score by which hits are ranked, else the distance."""
    return (hit.score if hit.score is not None else hit.distance) or 0.0


def signs(hit: Hit) -> str:
    """How the hit was found, in two cells."""
    near = NEAR_SIGN if hit.dense_rank is not None else " "
    return near + (WORDS_SIGN if hit.bm25_rank is not None else " ")


def innermost_heading(hit: Hit) -> str:
    """The heading the chunk stands right under."""
    return clean_line(hit.heading.rsplit(" > ", 1)[-1]).strip()


def numbers_of(hits: Sequence[Hit], cited: Sequence[Hit]) -> list[int]:
    """The number of each of ``hits`` in an answer that stands on ``cited``, :data:`NEW` for none.

    A hit is known by its path and text; one whose file was renamed by its text, if no other has it.
    Without ``cited`` no answer speaks of numbers, and each hit has its own rank.
    """
    if not cited:
        return [hit.rank for hit in hits]
    left, known = list(cited), {}
    for index, hit in enumerate(hits):
        same = [old for old in left if (old.path, old.text) == (hit.path, hit.text)]
        if same:
            left.remove(same[0])
            known[index] = same[0].rank
    moved = {index: hit.text for index, hit in enumerate(hits) if index not in known}
    before, now = Counter(old.text for old in left), Counter(moved.values())
    ranks = {old.text: old.rank for old in left if before[old.text] == now[old.text] == 1}
    return [known.get(index, ranks.get(hit.text, NEW)) for index, hit in enumerate(hits)]


def numbered(rows: Sequence[Row], cited: Sequence[Hit]) -> list[Row]:
    """``rows`` with their numbers in an answer that stands on ``cited``, without one their ranks.

    One whose text was changed keeps the number it had; one that is gone has none but the answer's:
    its rank is another hit's now.
    """
    ranks = {(hit.path, hit.text): hit.rank for hit in cited}
    of_found = iter(numbers_of([row.hit for row in rows if not row.is_gone], cited))
    numbers = [_known(row.hit, ranks) if row.is_gone else next(of_found) for row in rows]
    for index, row in enumerate(rows):
        if row.fate is Fate.CHANGED and row.was is not None and numbers[index] == NEW:
            number = _known(row.was, ranks)
            numbers[index] = NEW if number in numbers else number
    return [replace(row, number=number) for row, number in zip(rows, numbers, strict=True)]


def _known(hit: Hit, ranks: Mapping[tuple[str, str], int]) -> int:
    """The number of ``hit`` among the ``ranks`` of hits by path and text; :data:`NEW` for none."""
    return ranks.get((hit.path, hit.text), NEW)


def fit_columns(rows: Sequence[Row], width: int) -> Columns:
    """Share ``width`` cells among the columns; headings have one only where all words fit."""
    hits = [row.hit for row in rows]
    rank = len(str(max((row.number for row in rows), default=1)))
    bar = 7 if width >= 50 else 5 if width >= 40 else 4 if width >= 34 else 0
    distance = max((len(_figure(hit.distance)) for hit in hits), default=0)
    fate = fate_cells(rows)
    free = width - (rank + 1 + (bar + 1 if bar else 0) + distance + 1 + fate)
    place = max((cell_len(shown_place(row)) for row in rows), default=0)
    heading = max((cell_len(innermost_heading(hit)) for hit in hits), default=0)
    arms = {arm for hit in hits for arm in signs(hit).strip()}
    sign = 3 if len(arms) > 1 and width >= WIDTH_FOR_SIGNS else 0
    ranks = _rank_cells(hits) if sign else None
    whole = max((_whole(row) for row in rows), default=0)
    if ranks is not None and ranks.cells + whole <= free:
        sign = 0
    else:
        ranks = None
    rest = max(free - sign - (ranks.cells if ranks else 0), 1)
    padded = place if place + 2 + heading <= rest else 0
    return Columns(rank, bar, distance, sign, ranks, fate, padded, rest)


def _whole(row: Row) -> int:
    """Cells that place and heading of a hit take where nothing of them is cut."""
    return cell_len(shown_place(row)) + 2 + cell_len(innermost_heading(row.hit))


def _rank_cells(hits: Sequence[Hit]) -> Ranks:
    def longest(texts: list[str]) -> int:
        return max(map(len, texts), default=0)

    return Ranks(
        dense=longest([_rank("d", hit.dense_rank) for hit in hits]),
        words=longest([_rank("b", hit.bm25_rank) for hit in hits]),
        score=longest([_score(hit.score) for hit in hits]),
    )


def _rank(sign: str, rank: int | None) -> str:
    return "" if rank is None else f"{sign}{rank}"


def _score(score: float | None) -> str:
    return "" if score is None else f"{score:.2f}"


def how_found(hit: Hit, columns: Columns) -> str:
    """How a hit was found: its ranks and its score, two signs, or nothing, as there is room."""
    if columns.ranks is None:
        return f"{signs(hit)} " if columns.signs else ""
    texts = _rank("d", hit.dense_rank), _rank("b", hit.bm25_rank), _score(hit.score)
    cells = columns.ranks.dense, columns.ranks.words, columns.ranks.score
    return "".join(f"{text:<{width}} " for text, width in zip(texts, cells, strict=True) if width)


def fate_cells(rows: Sequence[Row]) -> int:
    """Cells of the column that tells what became of each hit; 0 where nothing did."""
    return 2 if any(row.fate is not Fate.SAME for row in rows) else 0


def _room_for_place(row: Row, heading: str, rest: int) -> int:
    """Cells for the place: folders give way to the heading, the file's name does not."""
    place = shown_place(row)
    folders, _, name = place.rpartition("/")
    least = cell_len(f"{ELLIPSIS}/{name}" if folders else place)
    return min(rest, max(least, rest - 2 - cell_len(heading)) if heading else rest)


def row(row: Row, best: float, columns: Columns, *, mark: str = " ", far: bool = False) -> Content:
    """Return the line of a hit; its bar is relative to the ``best`` of all hits.

    ``mark`` says whether it is in the tray; ``far``: it is not near the query, however it compares
    to others.
    """
    hit = row.hit
    bar = strength_bar(strength(hit), best, columns.bar)
    heading = innermost_heading(hit)
    place = styled_location(row, _room_for_place(row, heading, columns.rest), columns.location)
    room = columns.rest - place.cell_length - 2
    line = Content.assemble(
        (f"{label(row):>{columns.rank}}", "$quiet"),
        (mark, "bold $cite"),
        (bar, "$quiet" if far else "$bar"),
        (TRACK_CELL * (columns.bar - cell_len(bar)), "$track"),
        " " if columns.bar else "",
        (f"{_figure(hit.distance):>{columns.distance}} ", "$distance"),
        (how_found(hit, columns), "$quiet"),
        fate_sign(row, columns.fate),
        place,
    )
    if heading and room >= min(cell_len(heading), SHORTEST_HEADING):
        line = line.append_text("  ").append_text(elide_end(heading, room), "$heading")
    return struck(line) if row.is_gone else line


def label(row: Row) -> str:
    """What a hit is called: its number, or that the shown answer has none for it."""
    return str(row.number) if row.number else " " if row.is_gone else NEW_SIGN


def fate_sign(row: Row, cells: int) -> Content:
    """What became of a hit, in so many cells."""
    return Content.styled(f"{row.fate.value:<{cells}}" if cells else "", "bold $cite")


def struck(line: Content) -> Content:
    """The line of a hit that is no longer found."""
    return line.stylize("not bold $quiet strike")


def _figure(distance: float | None) -> str:
    return "–" if distance is None else f"{distance:.3f}"


def styled_location(row: Row, most: int, least: int) -> Content:
    """The place of a hit in ``least`` to ``most`` cells: folders quiet, the name bright."""
    place = shown_place(row)
    text = elide_path(place, most)
    before = f"  {row.branch}" if row.branch else clean_line(row.hit.path)
    within = place.removeprefix(before)
    path = text.removesuffix(within)
    folders, slash, name = path.rpartition("/")
    return Content.assemble(
        (folders + slash, "$quiet"),
        (name, "$quiet" if row.branch else "$foreground"),
        (text[len(path) :], "$quiet"),
        " " * max(least - cell_len(text), 0),
    )


def strength_bar(strength: float, best: float, cells: int) -> str:
    """A bar of at most ``cells`` cells, in halves; full for the best hit."""
    if best <= 0 or cells <= 0:
        return ""
    halves = round(min(max(strength / best, 0.0), 1.0) * cells * 2)
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
