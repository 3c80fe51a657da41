"""The tray as a page: what is pinned and dropped, to take it out, or to ask with exactly that."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui import hit_row
from tui.dialog import ListPage, Rows
from tui.key_names import key_of
from tui.page_keys import TRAY_KEYS

if TYPE_CHECKING:
    from engine.wire.api_search import Hit
    from tui.tray import Tray

LONGEST_PLACE = 44
"""Cells of a hit's place."""


class TrayPage(ListPage[bool]):
    """Lists what is in ``tray``; its result says whether to ask with exactly that."""

    BINDINGS: ClassVar[list[BindingType]] = TRAY_KEYS

    def __init__(self, tray: Tray) -> None:
        super().__init__()
        self._tray = tray
        keys = {"list.choose": "asks with exactly the pinned", "tray.out": "takes out"}
        self.told = (keys if tray else {}) | {"tray.close": "closes"}

    def compose(self) -> ComposeResult:
        """Lay out the list, with the first hit under the cursor."""
        with Vertical(classes="dialog page") as box:
            box.border_title = Content("context tray")
            if self._tray:
                yield Rows(*self._options(), markup=False)
            else:
                yield Static(Content.styled(_how_to_fill(), "$quiet"), markup=False)

    @property
    def _hits(self) -> list[Hit]:
        return [*self._tray.pinned, *self._tray.dropped]

    def _options(self) -> list[Option]:
        return [Option(row(hit, self._tray.mark(hit))) for hit in self._hits]

    @on(OptionList.OptionSelected)
    def _choose(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if self._tray.pinned:
            self.dismiss(True)

    def action_take_out(self) -> None:
        """Take the hit under the cursor out of the tray; an empty one closes."""
        shown = self.query_one(OptionList) if self._tray else None
        if shown is None or shown.highlighted is None:
            return
        index = shown.highlighted
        self._tray.remove(self._hits[index])
        if not self._tray:
            self.dismiss(False)
            return
        shown.set_options(self._options())
        shown.highlighted = min(index, shown.option_count - 1)

    def action_clear(self) -> None:
        """Empty the tray and close the page."""
        self._tray.clear()
        self.dismiss(False)

    def action_close(self) -> None:
        """Close the page."""
        self.dismiss(False)


def row(hit: Hit, mark: str) -> Content:
    """A hit of the tray as one line."""
    place = hit_row.elide_path(hit_row.location(hit), LONGEST_PLACE)
    heading = hit_row.innermost_heading(hit)
    return Content.assemble(
        (f"{mark} ", "$cite"), (place, "$foreground"), (f"  {heading}", "$heading")
    )


def _how_to_fill() -> str:
    pin, drop = key_of("results.pin"), key_of("results.drop")
    what = f"{pin} pins a hit of the results, {drop} drops it."
    return f"{what} Pinned hits are shown to the model first."
