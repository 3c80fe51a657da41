"""The links of a hit, to follow one of them to the file it leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from engine.safe_text import clean_line
from tui import hit_row
from tui.dialog import ListPage, Rows
from tui.page_keys import LINKS_KEYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.wire.api_links import Link

LONGEST_LABEL = 28
"""Cells of a link's own words."""
LONGEST_PLACE = 34
"""Cells of the place it leads to."""


class LinksPage(ListPage["Link | None"]):
    """Lists ``links``; its result is the one to follow, None for none."""

    BINDINGS: ClassVar[list[BindingType]] = LINKS_KEYS

    def __init__(self, links: Sequence[Link]) -> None:
        super().__init__()
        self.told = {"list.choose": "opens", "links.close": "closes"}
        self._links = links

    def compose(self) -> ComposeResult:
        """Lay out the list, with the first link under the cursor."""
        with Vertical(classes="dialog page") as box:
            box.border_title = Content("links of this hit")
            yield Rows(*(Option(row(link)) for link in self._links), markup=False)

    @on(OptionList.OptionSelected)
    def _choose(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(self._links[event.option_index])

    def action_close(self) -> None:
        """Close the page and follow nothing."""
        self.dismiss(None)


def row(link: Link) -> Content:
    """The words of a link and where it leads."""
    label = hit_row.elide_end(clean_line(link.label or link.target), LONGEST_LABEL)
    place = hit_row.elide_path(f"{clean_line(link.path)}:{link.line}", LONGEST_PLACE)
    return Content.assemble((f"{label}  ", "$foreground"), (f"→ {place}", "$cite"))
