"""Hits as the rows of the results, for tests that lay them out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from engine.wire.api_search import Hit
from tui.live_marks import Row


def row_of(hit: Hit, **changes: Any) -> Row:
    return Row(hit, **({"number": hit.rank} | changes))


def rows_of(hits: Iterable[Hit]) -> list[Row]:
    return [row_of(hit) for hit in hits]
