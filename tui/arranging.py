"""The order of the shown hits, and which of them are shown: nothing is searched again for it."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Hashable, Sequence

    from tui.live_marks import Row


class Order(Enum):
    """An order of the results; its value says so in a few words."""

    RANKED = ""
    DISTANCE = "by distance"
    FILE = "by file"


MORE, LAST = "├", "└"
"""Before a hit that stands in the file of the row above it, in place of the file's name."""


def next_order(order: Order, rows: Sequence[Row]) -> Order:
    """The order that follows ``order``: one that can be told for these ``rows``."""
    has_distances = any(row.hit.distance is not None for row in rows)
    orders = [each for each in Order if has_distances or each is not Order.DISTANCE]
    return orders[(orders.index(order) + 1) % len(orders)] if order in orders else orders[0]


def arranged(rows: Sequence[Row], order: Order) -> list[Row]:
    """``rows`` in that order; they keep their numbers."""
    if order is Order.DISTANCE:
        return sorted(rows, key=_farness)
    return _grouped(rows) if order is Order.FILE else list(rows)


def _farness(row: Row) -> float:
    return float("inf") if row.hit.distance is None else -row.hit.distance


def _grouped(rows: Sequence[Row]) -> list[Row]:
    """The rows file by file, that of the best hit first; in a file as they stand in it."""
    files: dict[Hashable, list[Row]] = {}
    for row in rows:
        files.setdefault(row.file, []).append(row)
    grouped: list[Row] = []
    for group in files.values():
        group.sort(key=lambda row: (row.hit.part.number if row.hit.part else 0, row.hit.start_line))
        marks = ["", *[MORE] * (len(group) - 2), LAST][: len(group)]
        grouped += [replace(row, branch=mark) for row, mark in zip(group, marks, strict=True)]
    return grouped


def folded(rows: Sequence[Row], files: Container[Hashable]) -> list[Row]:
    """``rows``, those of each of ``files`` folded into the first one: it tells how many more."""
    kept: list[Row] = []
    first: dict[Hashable, int] = {}
    for row in rows:
        if row.file in first:
            index = first[row.file]
            kept[index] = replace(kept[index], more=kept[index].more + 1)
            continue
        if row.file in files:
            first[row.file] = len(kept)
        kept.append(row)
    return kept


def matching(rows: Sequence[Row], typed: str) -> list[Row]:
    """The ``rows`` whose path, heading or text hold all words ``typed``, in any case."""
    words = typed.casefold().split()
    return [row for row in rows if _holds(row, words)] if words else list(rows)


def _holds(row: Row, words: Sequence[str]) -> bool:
    hit = row.hit
    said = f"{hit.path}\n{hit.heading}\n{hit.text}".casefold()
    return all(word in said for word in words)
