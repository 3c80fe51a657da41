"""What all dialogs share: a box in the middle of the screen that Esc closes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.hanging import HangingText, Line


class Question(ModalScreen[bool]):
    """Asks for a yes or a no; the dialog's result is the answer."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes", id="question.yes", tooltip="Agree"),
        Binding("n,escape", "answer(False)", "No", id="question.no", tooltip="Decline"),
    ]

    def __init__(self, title: str, lines: Sequence[Line], yes: str, no: str) -> None:
        super().__init__()
        self._title, self._lines = title, lines
        self._keys = Content.assemble(
            (" y ", "bold $cite"), f"{yes}     ", (" n ", "bold $cite"), no
        )

    def compose(self) -> ComposeResult:
        """Lay out the question and its two keys."""
        with VerticalScroll(classes="dialog", can_focus=False) as box:
            box.border_title = Content(self._title)
            yield HangingText(self._lines)
            yield Static(self._keys, classes="dialog-keys", markup=False)

    def action_answer(self, answer: bool) -> None:
        """Close the dialog with ``answer``."""
        self.dismiss(answer)


class Page(ModalScreen[None]):
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
            "scroll(10)",
            "Page",
            id="page.next",
            tooltip="Scroll a page",
            show=False,
        ),
        Binding("pageup", "scroll(-10)", "Back", id="page.back", tooltip="Scroll back", show=False),
    ]

    def __init__(self, title: str, lines: Sequence[Line]) -> None:
        super().__init__()
        self._title, self._lines = title, lines

    def compose(self) -> ComposeResult:
        """Lay out the text."""
        with VerticalScroll(classes="dialog page", can_focus=False) as box:
            box.border_title = Content(self._title)
            box.border_subtitle = Content.styled("↑ ↓ scroll · esc closes", "$quiet")
            yield HangingText(self._lines)

    def action_close(self) -> None:
        """Close the page."""
        self.dismiss(None)

    def action_scroll(self, lines: int) -> None:
        """Scroll by ``lines``."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)
