"""What is searched for the screen, and how its results are named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.wire.api_search import Mode, SearchReply

MODES: tuple[Mode, ...] = ("hybrid", "dense", "bm25")
"""The modes in the order a key goes through them; the first needs no mention."""

MODE_WORDS = {
    "hybrid": "By meaning and by words",
    "dense": "By meaning alone",
    "bm25": "By words alone",
}


@dataclass(frozen=True, eq=False)
class Search:
    """One search. Each is its own, so that a late reply is known from that of the next."""

    query: str
    mode: Mode | None
    """None: as the settings say."""
    asked: bool = False
    """Whether it is for the question that the answer belongs to."""
    words: str = ""
    """What is searched in place of the query; empty for the query itself."""
    fixed: bool = False
    """Whether its hits were chosen by hand: they are never searched again."""
    again: bool = False
    """Whether its query is shown already, and its hits go on telling what became of them."""


@dataclass(frozen=True)
class Found:
    """What a search found."""

    reply: SearchReply
    edition: int
    """That of the index when it was begun: of later changes it may not know."""


def mode_after(mode: str) -> Mode:
    """The mode that follows ``mode``."""
    known = [known for known in MODES if known == mode]
    return MODES[(MODES.index(known[0]) + 1) % len(MODES)] if known else MODES[0]
