"""The messages about a whole file's text, which is told in parts, and the route they travel on."""

from pydantic import Field

from engine.wire.api_around import AroundLine, AroundRequest
from engine.wire.api_message import Message

PARTS = "/v1/folders/{folder}/parts"

PART_LINES = 100
"""Lines of every part but the last."""


class PartRequest(Message):
    """Ask for a part of a file's text as it was read."""

    place: AroundRequest
    """The file, and what in it is the hit; how much is wanted around it plays no part."""
    part: int | None = Field(None, ge=0, le=2**31)
    """Which part, from 0; None for the one in which the hit begins."""


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
    has_hit: bool = False
    """Whether the hit still stands in the text."""
