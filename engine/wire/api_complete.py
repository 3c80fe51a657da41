"""The messages about the values that a filter can have in a folder, and their route."""

from typing import Literal

from pydantic import Field

from engine.wire.api_message import Message, Text

COMPLETE = "/v1/folders/{folder}/complete"

FilterName = Literal["path", "tag", "type"]
"""A filter whose values are those of the folder's files."""


class CompleteRequest(Message):
    """Ask which values of a filter begin with, or hold, what was typed of one."""

    filter: FilterName
    start: Text = Field("", max_length=4_000)
    """What was typed of the value; in a path, names are separated by ``/``."""
    limit: int = Field(7, ge=1, le=100)


class FilterValue(Message):
    """A value that a filter can have."""

    value: str
    """As it is written behind the filter's name, without quotes; a folder ends with ``/``."""
    files: int
    """How many files are below that path, have that tag itself, or end so."""


class CompleteReply(Message):
    """The values, best first: those that begin with what was typed before those that hold it.

    Of paths only the next step is told: what is in the last folder that was typed.
    """

    values: list[FilterValue]
