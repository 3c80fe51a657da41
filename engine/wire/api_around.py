"""The messages about what stands around a hit, and the route they travel on."""

from pydantic import Field

from engine.part import Part
from engine.wire.api_message import Message, Text
from engine.wire.api_search import Hit

AROUND = "/v1/folders/{folder}/around"

MOST_LINES = 200
"""Lines on each side of a hit that can be asked for."""


class AroundRequest(Message):
    """Ask for the lines around a place in a file, such as that of a hit."""

    path: str
    quoted_path: str | None = None
    """As in a hit: percent-encoded bytes of a path that is not valid UTF-8."""
    start_line: int = Field(ge=1, le=2**31)
    end_line: int = Field(ge=1, le=2**31)
    part: Part | None = None
    """The part, such as a page, in which its lines are counted."""
    text: Text = ""
    """What stands there. It is looked for near the lines, since the file may have changed; where
    it no longer stands in the file, nothing is returned. Empty: whatever stands there."""
    start: int | None = Field(None, ge=0)
    """Where that text begins in its document's text, in characters, if it is known."""
    before: int = Field(40, ge=0, le=MOST_LINES)
    """How many lines above the place are wanted at most …"""
    after: int = Field(40, ge=0, le=MOST_LINES)
    """… and how many below."""

    @classmethod
    def of(cls, hit: Hit, lines: int) -> "AroundRequest":
        """Return the request for so many lines on each side of ``hit``."""
        place = {"path": hit.path, "quoted_path": hit.quoted_path, "part": hit.part}
        return cls.model_validate(
            {
                **place,
                "start_line": hit.start_line,
                "end_line": hit.end_line,
                "text": hit.text,
                "start": hit.start,
                "before": min(lines, MOST_LINES),
                "after": min(lines, MOST_LINES),
            }
        )


class AroundLine(Message):
    """A line of a file's text as it was read."""

    line: int
    """Its line in the file, from 1; where the file has parts, in its part."""
    part: Part | None = None
    text: str
    is_hit: bool = False
    """Whether something of the hit stands in it."""


class AroundReply(Message):
    """The lines of the place and those around it; none where it is gone.

    Of very long lines only what is nearest to the place is there.
    """

    lines: list[AroundLine] = []
    start: int = 0
    """Where the hit's own text begins in the lines joined by newlines, in characters …"""
    end: int = 0
    """… and where it ends."""
