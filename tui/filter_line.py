"""The line below a list in which words are typed that its rows shall hold: hits, or files."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Input

from engine.safe_text import clean
from tui.messages import FilterLeft
from tui.typed_ahead import done_at_once, passed_on

if TYPE_CHECKING:
    from textual.events import Key
    from textual.widget import Widget

LONGEST = 200
"""Characters that can be typed."""


class FilterLine(Input):
    """Is shown while something is typed into it, or shall be."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter",
            "leave",
            "Keep",
            id="filter.keep",
            tooltip="In the filter: keep it and go to the rows it leaves",
        ),
        Binding(
            "down",
            "leave",
            "To the list",
            id="filter.down",
            tooltip="In the filter: likewise",
            show=False,
        ),
        Binding(
            "escape",
            "clear",
            "All rows",
            id="filter.clear",
            tooltip="In the filter: clear it; all rows are shown again",
        ),
    ]

    def __init__(self, rows: Widget, placeholder: str = "words to filter by") -> None:
        """``rows`` are what it filters; whoever leaves it goes there."""
        super().__init__(
            placeholder=placeholder,
            compact=True,
            max_length=LONGEST,
            select_on_focus=False,
        )
        self.cursor_blink = False
        self._rows = rows
        self.display = False

    def replace(self, text: str, start: int, end: int) -> None:
        """Take what is typed or pasted, without what no line may hold."""
        super().replace(" ".join(clean(text).splitlines()), start, end)

    async def on_key(self, event: Key) -> None:
        """Do what keys are for in their turn, also those that come together with others."""
        if not passed_on(self, event):
            await done_at_once(self, event)

    def action_leave(self) -> None:
        """Go to the list; what was typed goes on filtering."""
        self.screen.set_focus(self._rows)  # now: the next key is for the list
        self.post_message(FilterLeft())

    def action_clear(self) -> None:
        """Show all rows again."""
        self.value = ""
        self.action_leave()
