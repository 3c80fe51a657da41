"""What became of the hits of a query since it was first shown: two lists of hits compared."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from engine.wire.api_search import Hit

LEAST_ALIKE = 0.5
"""Share of its words that a changed text has in common with the one it was."""
LONGEST_COMPARED = 4_000
"""Characters of a text whose words are compared."""


class Fate(Enum):
    """What became of a hit; its value is the sign of it, in one cell."""

    SAME = " "
    NEW = "✦"
    CHANGED = "≠"
    MOVED = "→"
    GONE = "∅"


@dataclass(frozen=True)
class Row:
    """A hit in the results: one that is found, or one that no longer is."""

    hit: Hit
    """As it is found now; one that is gone as it was."""
    fate: Fate = Fate.SAME
    was: Hit | None = None
    """What it was when the query was first shown; None for a new one."""
    number: int = 0
    """What it is called by; 0 for a hit that the shown answer has no number for."""
    branch: str = ""
    """Stands in place of its file's name where that stands in the row above."""
    more: int = 0
    """How many other hits of its file are folded into this row."""

    @property
    def file(self) -> Hashable:
        """What tells its file from those of the other rows."""
        return _file(self.hit)

    @property
    def is_gone(self) -> bool:
        """Whether it is no longer found."""
        return self.fate is Fate.GONE


def compare(before: Sequence[Hit], now: Sequence[Hit], most: int | None = None) -> list[Row]:
    """Return a row for each hit found ``now``, in their order, telling what became of ``before``.

    Those of ``before`` that are not found any more stand where they stood then, but for those
    beyond the ``most`` that are wanted now: nobody knows whether they would be found.
    """
    pairs = _pairs(before, now)
    rows = [_row(hit, pairs.get(index), before) for index, hit in enumerate(now)]
    kept = set(pairs.values())
    for index, hit in enumerate(before):
        if index not in kept and (most is None or hit.rank <= most):
            rows.insert(index, Row(hit, Fate.GONE, hit))
    return rows


def _row(hit: Hit, index: int | None, before: Sequence[Hit]) -> Row:
    if index is None:
        return Row(hit, Fate.NEW)
    was = before[index]
    if hit.text != was.text:
        return Row(hit, Fate.CHANGED, was)
    return Row(hit, Fate.SAME if _place(hit) == _place(was) else Fate.MOVED, was)


def _pairs(before: Sequence[Hit], now: Sequence[Hit]) -> dict[int, int]:
    """Which hit of ``now`` is which one of ``before``, by their indexes; surest signs first."""
    pairs: dict[int, int] = {}
    for key in (
        lambda hit: (_place(hit), hit.text),
        lambda hit: (_file(hit), hit.text),
        lambda hit: hit.text if hit.text.strip() else None,
        _place,
    ):
        _pair_by(key, before, now, pairs)
    _pair_alike(before, now, pairs)
    return pairs


def _pair_by(
    key: Callable[[Hit], Hashable], before: Sequence[Hit], now: Sequence[Hit], pairs: dict[int, int]
) -> None:
    """Add pairs of those left that have the same ``key``, in order; None is no key."""
    kept = set(pairs.values())
    left: defaultdict[Hashable, deque[int]] = defaultdict(deque)
    for index, hit in enumerate(before):
        if index not in kept:
            left[key(hit)].append(index)
    for index, hit in enumerate(now):
        found = key(hit)
        if index not in pairs and found is not None and left[found]:
            pairs[index] = left[found].popleft()


def _pair_alike(before: Sequence[Hit], now: Sequence[Hit], pairs: dict[int, int]) -> None:
    """Add pairs of those left whose text was changed while its lines moved in the same file."""
    kept = set(pairs.values())
    left = [index for index in range(len(before)) if index not in kept]
    for index, hit in enumerate(now):
        if index in pairs:
            continue
        for old in left:
            if _file(before[old]) == _file(hit) and _are_alike(before[old].text, hit.text):
                pairs[index] = old
                left.remove(old)
                break


def _are_alike(old: str, new: str) -> bool:
    one, other = (set(text[:LONGEST_COMPARED].split()) for text in (old, new))
    return len(one & other) > LEAST_ALIKE * max(len(one), len(other))


def _file(hit: Hit) -> Hashable:
    return hit.path, hit.quoted_path


def _place(hit: Hit) -> Hashable:
    return hit.path, hit.quoted_path, hit.part, hit.start_line


def index_of(rows: Sequence[Row], wanted: Row | None) -> int:
    """Index in ``rows`` of what ``wanted`` became, else of the one that is nearest in rank.

    Without ``wanted`` that of the first hit that is found.
    """
    if wanted is None:
        return next((index for index, row in enumerate(rows) if not row.is_gone), 0)
    for index, row in enumerate(rows):
        if wanted.was is not None and row.was is wanted.was:
            return index
    same = same_hit([row.hit for row in rows], wanted.hit)
    return _nearest_in_rank(rows, wanted.hit.rank) if same is None else same


def _nearest_in_rank(rows: Sequence[Row], rank: int) -> int:
    """Index of the hit that is found with the rank nearest to ``rank``, of any where none is."""

    def farness(index: int) -> tuple[bool, int]:
        return rows[index].is_gone, abs(rows[index].hit.rank - rank)

    return min(range(len(rows)), key=farness, default=0)


def same_hit(hits: Sequence[Hit], wanted: Hit) -> int | None:
    """Index in ``hits`` of the chunk ``wanted``: the same text, else the nearest in its file.

    Text that only one hit has is looked for in other files too: ``wanted``'s may be renamed.
    None where nothing of it is left.
    """
    for index, hit in enumerate(hits):
        if hit.path == wanted.path and hit.text == wanted.text:
            return index
    same_text = [index for index, hit in enumerate(hits) if hit.text == wanted.text]
    if len(same_text) == 1:
        return same_text[0]
    same_file = [index for index, hit in enumerate(hits) if hit.path == wanted.path]
    return min(
        same_file, key=lambda index: abs(hits[index].start_line - wanted.start_line), default=None
    )
