"""Every setting and its value; Enter opens the config file where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from engine.safe_text import clean_line
from tui import hit_row
from tui.dialog import ListPage, Rows
from tui.page_keys import SETTINGS_KEYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.settings_told import Told

NAME_CELLS = 26
LONGEST_VALUE = 40
"""Cells."""


class SettingsPage(ListPage["Told"]):
    """Lists the settings, those that were set first; its result is the one to change."""

    BINDINGS: ClassVar[list[BindingType]] = SETTINGS_KEYS

    def __init__(self, settings: Sequence[Told]) -> None:
        super().__init__()
        self.told = {"list.choose": "changes it", "settings.close": "closes"}
        self._settings = sorted(settings, key=lambda each: not each.origin)

    def compose(self) -> ComposeResult:
        """Lay out the list, and below it what the setting under the cursor means."""
        with Vertical(classes="dialog page") as box:
            box.border_title = Content("settings")
            yield Rows(*(Option(row(each)) for each in self._settings), markup=False)
            yield Static(classes="about", markup=False)

    @on(OptionList.OptionHighlighted)
    def _explain(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        self.query_one(".about", Static).update(about(self._settings[event.option_index]))

    @on(OptionList.OptionSelected)
    def _choose(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(self._settings[event.option_index])

    def action_close(self) -> None:
        """Close the page."""
        self.dismiss(None)


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
