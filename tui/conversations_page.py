"""The kept conversations of a folder, to go on with one, delete it, or export it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from engine import figures
from engine.safe_text import clean_line
from tui import hit_row
from tui.dialog import ListPage, Rows
from tui.page_keys import CONVERSATIONS_KEYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.wire.api_conversations import ConversationSummary

LONGEST_TITLE = 50
"""Cells of a conversation's first question."""


class ConversationsPage(ListPage["tuple[str, ConversationSummary]"]):
    """Lists conversations; its result says what to do with which: open, delete or export."""

    BINDINGS: ClassVar[list[BindingType]] = CONVERSATIONS_KEYS

    def __init__(self, kept: Sequence[ConversationSummary], current: str) -> None:
        super().__init__()
        self._kept, self._current = kept, current
        self.told = {
            "list.choose": "opens",
            "conversations.delete": "deletes",
            "conversations.export": "saves as Markdown",
            "conversations.close": "closes",
        }

    def compose(self) -> ComposeResult:
        """Lay out the list, with the latest under the cursor."""
        with Vertical(classes="dialog page") as box:
            box.border_title = Content("conversations")
            rows = (Option(row(each, each.id == self._current)) for each in self._kept)
            yield Rows(*rows, markup=False)

    @on(OptionList.OptionSelected)
    def _choose(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.action_do("open")

    def action_do(self, verb: str) -> None:
        """Have something done with the conversation under the cursor."""
        index = self.query_one(OptionList).highlighted
        if index is not None:
            self.dismiss((verb, self._kept[index]))

    def action_close(self) -> None:
        """Close the page."""
        self.dismiss(None)


def row(kept: ConversationSummary, is_current: bool) -> Content:
    """A conversation as one line: when it was last asked, how long it is, its first question."""
    title = hit_row.elide_end(clean_line(kept.title), LONGEST_TITLE)
    return Content.assemble(
        ("▸ " if is_current else "  ", "$cite"),
        (f"{clean_line(kept.last[:16].replace('T', ' '))}  ", "$quiet"),
        (f"{figures.counted(kept.turns, 'turn'):>8}  ", "$quiet"),
        (title, "$foreground"),
    )
