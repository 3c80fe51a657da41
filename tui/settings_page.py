"""Every setting and its value; Enter opens the config file where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import OptionList, Static

from engine.safe_text import clean_line
from tui import hit_row
from tui.filter_page import FilterPage, marked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.settings_told import Told

NAME_CELLS = 26
LONGEST_VALUE = 40
"""Cells."""


class SettingsPage(FilterPage["Told"]):
    """Lists the settings, those that were set first; its result is the one to change."""

    def __init__(self, settings: Sequence[Told]) -> None:
        ordered = sorted(settings, key=lambda each: not each.origin)
        super().__init__(
            "settings",
            [(row(each).plain, each) for each in ordered],
            keys={"pick.choose": "changes it"},
            hint="letters of a setting",
        )

    def compose_below(self) -> ComposeResult:
        """Lay out what the setting under the cursor means."""
        yield Static(classes="about", markup=False)

    def _shown(self, row_of: tuple[str, Told], spans: Sequence[tuple[int, int]]) -> Content:
        return marked(row(row_of[1]), spans)

    @on(OptionList.OptionHighlighted)
    def _explain(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        if event.option_index < len(self._found):  # more may have been typed since
            self.query_one(".about", Static).update(about(self._found[event.option_index]))


def row(told: Told) -> Content:
    """A setting as one line: its name, its value, and where that comes from."""
    value = hit_row.elide_end(clean_line(told.value), LONGEST_VALUE)
    return Content.assemble(
        ("● " if told.origin else "  ", "$cite"),
        (f"{told.name:<{NAME_CELLS}} ", "$foreground" if told.origin else "$quiet"),
        (value, "bold $foreground" if told.origin else "$foreground"),
        (f"  {told.origin}" if told.origin else "", "$quiet"),
    )


def about(told: Told) -> Content:
    """What a setting means, and its default."""
    default = f" Default: {clean_line(told.default)}."
    return Content.assemble((told.about, "$foreground"), (default, "$quiet"))
