"""Lines with a label: what is too long for one goes on under its text, not under its label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

if TYPE_CHECKING:
    from textual.events import Resize

Line = tuple[Content | str, Content | str]
"""A label, empty for none, and the text beside it."""

NARROWEST = 10
"""Cells that a text gets at least, however wide its label is."""


def hang(label: Content | str, text: Content | str, width: int) -> Content:
    """``text`` wrapped beside ``label`` in ``width`` cells."""
    beside = Content("").append_text(label) if isinstance(label, str) else label
    words = Content(text) if isinstance(text, str) else text
    pieces = words.wrap(max(width - beside.cell_length, NARROWEST)) or [Content("")]
    under = Content(" " * beside.cell_length)
    return Content("\n").join([beside + pieces[0], *(under + piece for piece in pieces[1:])])


class HangingText(Static):
    """Lays its lines out for the width it has."""

    def __init__(self, lines: Sequence[Line]) -> None:
        super().__init__(self._laid_out(lines, 10_000), markup=False)
        self._lines = lines

    def show(self, lines: Sequence[Line]) -> None:
        """Show other lines."""
        if lines != self._lines:
            self._lines = lines
            self.update(self._laid_out(lines, self.size.width))

    @staticmethod
    def _laid_out(lines: Sequence[Line], width: int) -> Content:
        return Content("\n").join(hang(label, text, width) for label, text in lines)

    def on_resize(self, event: Resize) -> None:
        """Wrap the lines for the new width."""
        self.update(self._laid_out(self._lines, event.size.width))
