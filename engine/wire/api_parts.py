"""The messages about a whole file's text, which is told in parts, and the route they travel on."""

import re

from pydantic import Field

from engine.wire.api_around import AroundLine, AroundRequest
from engine.wire.api_message import Message

PARTS = "/v1/folders/{folder}/parts"

PART_LINES = 100
"""Lines of every part but the last."""
LONGEST_FIND = 200
"""Characters that can be looked for."""


def finder(words: str) -> re.Pattern[str]:
    """Match ``words``; their case counts where one of their letters is a capital."""
    return re.compile(
        re.escape(words), re.NOFLAG if any(map(str.isupper, words)) else re.IGNORECASE
    )


class PartRequest(Message):
    """Ask for a part of a file's text as it was read."""

    place: AroundRequest
    """The file, and what in it is the hit; how much is wanted around it plays no part."""
    part: int | None = Field(None, ge=0, le=2**31)
    """Which part, from 0; None for the one in which the hit begins."""
    find: str = Field("", max_length=LONGEST_FIND)
    """Words: the part with the next line that holds them, as :func:`finder` tells, is wanted …"""
    line: int = Field(1, ge=1, le=2**31)
    """… from this line of the text on, or round from its top …"""
    back: bool = False
    """… or the nearest one above that line, or round from its end."""


class PartReply(Message):
    """A part of a file's text; no lines where its text is not known."""

    lines: list[AroundLine] = []
    """Very long ones are cut off."""
    part: int = 0
    parts: int = 0
    """How many there are."""
    first: int = 0
    """Which line of the text the part begins with, from 1."""
    total: int = 0
    """Lines of the whole text."""
    version: str = ""
    """Of the whole text: another one tells that it has changed."""
    found: int | None = None
    """The line of the text that holds the words that were looked for, from 1."""
    has_hit: bool = False
    """Whether the hit still stands in the text."""
