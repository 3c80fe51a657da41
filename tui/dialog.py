"""What all dialogs share: a box in the middle of the screen that Esc closes."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.events import Key
from textual.screen import ModalScreen

from tui.hanging import HangingText, Line
from tui.key_names import key_of, told_keys
from tui.keys import HELP_KEY
from tui.page_keys import LIST_KEYS, PAGE_KEYS, QUESTION_KEYS
from tui.paged import Paged

TYPING_PAUSE = 0.7
"""Seconds without a key after which a key is meant for a question that came unasked."""


CORNERS = 6
"""Cells of a border that its words leave free."""

Answer = TypeVar("Answer")


class OnTop(ModalScreen[Answer]):
    """A screen over others, which can be left only while it is on top of them."""

    def dismiss(self, result: Answer | None = None) -> AwaitComplete:
        """Close it with ``result``; what comes later, or while another is on top, is left out.

        Of two keys that arrive together each may close it: Textual 8.2.8 would close what is below
        for the second one, or a page of another folder.
        """
        return super().dismiss(result) if self.is_active else AwaitComplete()


class Dialog(OnTop[Answer]):
    """What opens over the panes: a question, or a page; it ends with an answer."""

    BINDINGS: ClassVar[list[BindingType]] = [HELP_KEY]

    def __init__(self) -> None:
        super().__init__()
        self.told: Mapping[str, str] = {}
        """What its lower border says of keys; see ``told_keys``."""

    def on_resize(self) -> None:
        """Tell of as many keys as there is room for."""
        for box in self.query(".dialog") if self.told else ():  # there may be none yet
            limits = filter(None, (box.styles.width, box.styles.max_width))
            width = min(int(limit.resolve(self.size, self.size)) for limit in limits)
            told = told_keys(self.told, width - CORNERS)
            box.border_subtitle = Content.styled(told, "$quiet")


class Scrolled(Dialog[Answer]):
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


def named_keys(words: Mapping[str, str], *, in_query: bool = False) -> Content:
    """What keys do, by the ids of their bindings; ``in_query`` those that type nothing first."""
    named = (
        Content.assemble((f"{key_of(name, in_query=in_query)} ", "bold $cite"), does)
        for name, does in words.items()
    )
    return Content(" ") + Content(" · ").join(named)


class Question(Scrolled[bool]):
    """Asks for a yes or a no; the dialog's result is the answer.

    One that comes ``unasked`` takes no key until there was a pause in typing.
    """

    BINDINGS: ClassVar[list[BindingType]] = QUESTION_KEYS

    def __init__(
        self, title: str, lines: Sequence[Line], yes: str, no: str, *, unasked: bool = False
    ) -> None:
        super().__init__()
        self._title, self._lines = title, lines
        self._keys = named_keys({"question.yes": yes, "question.no": no})
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

    BINDINGS: ClassVar[list[BindingType]] = PAGE_KEYS

    def __init__(self, title: str, lines: Sequence[Line]) -> None:
        super().__init__()
        self._title, self._lines = title, lines
        self.told = {"page.up page.down": "scroll", "page.close": "closes"}

    def compose(self) -> ComposeResult:
        """Lay out the text."""
        with VerticalScroll(classes="dialog page", can_focus=False) as box:
            box.border_title = Content(self._title)
            yield HangingText(self._lines)

    def action_close(self) -> None:
        """Close the page."""
        self.dismiss(None)


Chosen = TypeVar("Chosen")


class ListPage(Dialog[Chosen]):
    """Lists something, of which one is chosen; the page's result is the choice."""


class Rows(Paged):
    """The list of a page that lists something."""

    BINDINGS: ClassVar[list[BindingType]] = LIST_KEYS
