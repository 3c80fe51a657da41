"""The messages about links in documents, and the route they travel on."""

from pydantic import Field

from engine.wire.api_message import Message, Text

LINKS = "/v1/folders/{folder}/links"


class LinksRequest(Message):
    """Ask where the links in a file's lines lead, such as those of a hit."""

    path: str
    quoted_path: str | None = None
    """As in a hit: percent-encoded bytes of a path that is not valid UTF-8."""
    start_line: int = Field(1, ge=1)
    end_line: int | None = Field(None, ge=1)
    """The last line that is looked at; None for the file's last."""
    text: Text | None = None
    """What is looked at instead of the file's lines, such as a hit's text."""


class Link(Message):
    """A link to a file of the folder."""

    label: str
    """The text of the link, without markup."""
    target: str
    """What the link says, such as ``Page#Heading`` or ``../guide.md#setup``."""
    path: str
    """The file it leads to, relative to the folder."""
    quoted_path: str | None = None
    line: int
    """Line of the heading or block that it names, from 1; 1 where it names none that is there."""
    line_in_source: int
    """Line of the linking file, from 1, or of ``text`` where that was given."""


class LinksReply(Message):
    """The links in the order in which they stand there, each target once.

    Links to files that are not in the index, and to addresses on the web, are left out.
    """

    links: list[Link]
