"""What all dialogs share: a box in the middle of the screen that Esc closes."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import OptionList

from tui.hanging import HangingText, Line

TYPING_PAUSE = 0.7
"""Seconds without a key after which a key is meant for a question that came unasked."""


Answer = TypeVar("Answer")


class Scrolled(ModalScreen[Answer]):
    """A dialog whose text may be longer than the screen."""

    def action_scroll(self, lines: int) -> None:
        """Scroll by ``lines``."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)

    def action_scroll_page(self, pages: int) -> None:
        """Scroll by what is in view, less a line."""
        self.action_scroll(pages * max(self.query_one(VerticalScroll).size.height - 1, 1))

    def action_scroll_to(self, end: bool) -> None:
        """Go to the end of the text, or to its top."""
        box = self.query_one(VerticalScroll)
        box.scroll_to(y=box.max_scroll_y if end else 0, animate=False)


class Question(Scrolled[bool]):
    """Asks for a yes or a no; the dialog's result is the answer.

    One that comes ``unasked`` takes no key until there was a pause in typing.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes", id="question.yes", tooltip="Agree"),
        Binding("n,escape", "answer(False)", "No", id="question.no", tooltip="Decline"),
        Binding(
            "down,j,space",
            "scroll(3)",
            "Down",
            id="question.down",
            tooltip="Scroll down",
            show=False,
        ),
        Binding("up,k", "scroll(-3)", "Up", id="question.up", tooltip="Scroll up", show=False),
    ]

    def __init__(
        self, title: str, lines: Sequence[Line], yes: str, no: str, *, unasked: bool = False
    ) -> None:
        super().__init__()
        self._title, self._lines = title, lines
        self._keys = Content.assemble((" y ", "bold $cite"), f"{yes} · ", ("n ", "bold $cite"), no)
        if unasked:
            pause = Content.styled("The keys answer after a pause in typing.", "$quiet")
            self._lines = [*lines, ("", ""), ("", pause)]
        self._last_key_at = math.inf if unasked else -math.inf
        self.is_typed_over = False
        """Whether somebody types on, and means the query: then no letter answers."""

    def compose(self) -> ComposeResult:
        """Lay out the question and its two keys."""
        with VerticalScroll(classes="dialog", can_focus=False) as box:
            box.border_title = Content(self._title)
            box.border_subtitle = self._keys  # in view however long the question is
            yield HangingText(self._lines)

    def on_mount(self) -> None:
        """Begin to wait for a pause in typing once the question can be seen."""
        self.call_after_refresh(self._be_seen)

    def _be_seen(self) -> None:
        self._last_key_at = min(self._last_key_at, time.monotonic())

    def on_key(self, event: Key) -> None:
        """Leave alone what was typed before the question was read; each such key waits anew."""
        # The time at which the key was pressed: a busy screen hears of it later.
        is_soon = event.time - self._last_key_at < TYPING_PAUSE
        if is_soon or (event.is_printable and self.is_typed_over):
            self._last_key_at = max(self._last_key_at, event.time)
            self.is_typed_over |= event.is_printable
            event.stop()
            event.prevent_default()

    def action_answer(self, answer: bool) -> None:
        """Close the dialog with ``answer``."""
        self.dismiss(answer)


class Page(Scrolled[None]):
    """Shows text to read; Esc, q or Enter closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape,q,enter,question_mark,f1",
            "close",
            "Close",
            id="page.close",
            tooltip="Back to the screen",
        ),
        Binding("j,down", "scroll(1)", "Down", id="page.down", tooltip="Scroll down", show=False),
        Binding("k,up", "scroll(-1)", "Up", id="page.up", tooltip="Scroll up", show=False),
        Binding(
            "space,pagedown",
            "scroll_page(1)",
            "Page",
            id="page.next",
            tooltip="Scroll a page",
            show=False,
        ),
        Binding(
            "pageup", "scroll_page(-1)", "Back", id="page.back", tooltip="Scroll back", show=False
        ),
        Binding(
            "g,home", "scroll_to(False)", "Top", id="page.top", tooltip="Go to the top", show=False
        ),
        Binding(
            "G,end", "scroll_to(True)", "End", id="page.end", tooltip="Go to the end", show=False
        ),
    ]

    def __init__(self, title: str, lines: Sequence[Line], keys: str = "") -> None:
        super().__init__()
        self._title, self._lines = title, lines
        self._keys = " · ".join(part for part in ("↑ ↓ scroll", keys, "esc closes") if part)

    def compose(self) -> ComposeResult:
        """Lay out the text."""
        with VerticalScroll(classes="dialog page", can_focus=False) as box:
            box.border_title = Content(self._title)
            box.border_subtitle = Content.styled(self._keys, "$quiet")
            yield HangingText(self._lines)

    def action_close(self) -> None:
        """Close the page."""
        self.dismiss(None)


Chosen = TypeVar("Chosen")

MOVES: list[BindingType] = [
    Binding("j", "move(1)", "Next", id="list.next", tooltip="The next one", show=False),
    Binding("k", "move(-1)", "Before", id="list.before", tooltip="The one before", show=False),
]
"""Keys of every page that lists something."""


class ListPage(ModalScreen[Chosen]):
    """Lists something, of which one is chosen; the page's result is the choice."""

    def action_move(self, step: int) -> None:
        """Go to the next row, or the one before."""
        for rows in self.query(OptionList):
            if step > 0:
                rows.action_cursor_down()
            else:
                rows.action_cursor_up()
