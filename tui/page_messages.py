"""What the widgets of pages tell them: always something that has happened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from textual.message import Message

if TYPE_CHECKING:
    from engine.wire.api_files import ListedFile

Goal = Literal["hit", "top", "end"]
"""Where in a text somebody wants to be."""


@dataclass
class DirectoriesFound(Message):
    """The folders of this machine that go with a path that is being typed are known."""

    typed: str
    paths: list[str]


@dataclass
class FilesMissed(Message):
    """Rows of the list of files came into view that are not known, from this one on."""

    row: int

    def can_replace(self, message: Message) -> bool:
        """Only the latest view matters."""
        return isinstance(message, FilesMissed)


@dataclass
class FileHighlighted(Message):
    """The cursor of the list of files is on another file, or more is known of it."""

    file: ListedFile | None

    def can_replace(self, message: Message) -> bool:
        """Only the latest one matters."""
        return isinstance(message, FileHighlighted)


@dataclass
class PartMissed(Message):
    """A part of a text will soon come into view that is not known."""

    part: int

    def can_replace(self, message: Message) -> bool:
        """Only the latest view matters."""
        return isinstance(message, PartMissed)


@dataclass
class TextScrolled(Message):
    """Another part of a text is in view."""

    def can_replace(self, message: Message) -> bool:
        """One says it all."""
        return isinstance(message, TextScrolled)


@dataclass
class TextLeft(Message):
    """A person wants to be elsewhere in a text."""

    goal: Goal
