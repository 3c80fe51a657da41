"""The line below a list in which words are typed that its rows shall hold: hits, or files."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Input

from engine.safe_text import clean
from tui.messages import FilterLeft

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

    def __init__(self) -> None:
        super().__init__(
            placeholder="words to filter by",
            compact=True,
            max_length=LONGEST,
            select_on_focus=False,
        )
        self.cursor_blink = False
        self.display = False

    def replace(self, text: str, start: int, end: int) -> None:
        """Take what is typed or pasted, without what no line may hold."""
        super().replace(" ".join(clean(text).splitlines()), start, end)

    def action_leave(self) -> None:
        """Go to the list; what was typed goes on filtering."""
        self.post_message(FilterLeft())

    def action_clear(self) -> None:
        """Show all rows again."""
        self.value = ""
        self.post_message(FilterLeft())
