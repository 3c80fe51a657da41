"""Hits that may lose of their score → the same, best first, looking at no more than are taken."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.storage.index import Found


def demoted(found: "Iterable[Found]", weigh: "Callable[[Found], Found]") -> "Iterator[Found]":
    """Yield ``found``, which is best first, as ``weigh`` returns each: never with more score.

    A hit is weighed once those before it have fallen below it, so that whoever takes ten costs
    the weighing of little more than ten.
    """
    waiting: list[tuple[float, int, Found]] = []
    order = count()  # of equals, the first stays first
    for one in found:
        while waiting and -waiting[0][0] >= one.ranked.score:
            yield heappop(waiting)[2]
        weighed = weigh(one)
        heappush(waiting, (-weighed.ranked.score, next(order), weighed))
    while waiting:
        yield heappop(waiting)[2]


def lowered(one: "Found", factor: float) -> "Found":
    """Return ``one`` with its score times ``factor``, from 0 to 1."""
    return replace(one, ranked=replace(one.ranked, score=one.ranked.score * factor))
