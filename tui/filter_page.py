"""Pages that list something which is narrowed by typing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from engine.safe_text import clean_line
from tui.dialog import Dialog
from tui.fuzzy import Match, match
from tui.page_keys import PICK_KEYS

Chosen = TypeVar("Chosen")


class _Rows(OptionList, can_focus=False):
    """A list whose cursor is moved from the field above it."""


class FilterPage(Dialog[Chosen | None]):
    """Lists lines of text; what is typed narrows them down, and the best come first.

    Its result is what stands for the line that was chosen, None for none.
    """

    AUTO_FOCUS = "Input"
    BINDINGS: ClassVar[list[BindingType]] = PICK_KEYS

    def __init__(
        self,
        title: str,
        rows: Sequence[tuple[str, Chosen]],
        *,
        keys: Mapping[str, str],
        hint: str,
    ) -> None:
        """``rows`` are lines, safe to show, and what each stands for.

        ``keys`` are words for what keys do here, by the ids of their bindings.
        """
        super().__init__()
        self._title, self._rows, self._hint = title, rows, hint
        self.told = {**keys, "pick.close": "closes"}
        self._found: list[Chosen] = []

    def compose(self) -> ComposeResult:
        """Lay out the field and the list."""
        with Vertical(classes="dialog page filter") as box:
            box.border_title = Content(self._title)
            yield Input(placeholder=self._hint, compact=True)
            yield _Rows(markup=False)
            yield from self.compose_below()

    def compose_below(self) -> ComposeResult:
        """Lay out what stands below the list; nothing here."""
        yield from ()

    def on_mount(self) -> None:
        """List everything before anything is typed."""
        self._narrow("")

    @on(Input.Changed)
    def _type(self, event: Input.Changed) -> None:
        event.stop()
        if (safe := clean_line(event.value)) != event.value:  # it was pasted
            event.input.value = safe
        else:
            self._narrow(safe)

    def _narrow(self, typed: str) -> None:
        found = [(hit, row) for row in self._rows if (hit := match(typed, row[0]))]
        found.sort(key=lambda each: -each[0].score)  # stable: the latest of equals comes first
        self._show(found)

    def _show(self, found: Sequence[tuple[Match, tuple[str, Chosen]]]) -> None:
        """List rows with what of them was typed."""
        self._found = [row[1] for _, row in found]
        listed = self.query_one(OptionList)
        listed.set_options([Option(self._shown(row, hit.spans)) for hit, row in found])
        listed.highlighted = 0 if found else None
        box = self.query_one(Vertical)
        left = sum(self._is_counted(row) for _, row in found)
        box.border_title = Content(f"{self._title} · {left} of {self._total}")

    def _shown(self, row: tuple[str, Chosen], spans: Sequence[tuple[int, int]]) -> Content:
        """A row with what of it was typed."""
        return marked(Content(row[0]), spans)

    @property
    def _total(self) -> int:
        return sum(self._is_counted(row) for row in self._rows)

    def _is_counted(self, row: tuple[str, Chosen]) -> bool:
        """Whether a row is one of those that the title counts."""
        return True

    @on(Input.Submitted)
    def _submit(self, event: Input.Submitted) -> None:
        event.stop()
        self._take_highlighted()

    def action_choose(self) -> None:
        """Choose what is under the cursor of the list."""
        self._take_highlighted()

    def _take_highlighted(self) -> None:
        index = self.query_one(OptionList).highlighted
        if index is not None:
            self._take(self._found[index])

    @on(OptionList.OptionSelected)
    def _choose(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._take(self._found[event.option_index])

    def _take(self, chosen: Chosen) -> None:
        self.dismiss(chosen)

    def action_move(self, steps: int) -> None:
        """Move the cursor of the list by so many lines."""
        listed = self.query_one(OptionList)
        if listed.highlighted is not None:
            last = listed.option_count - 1
            listed.highlighted = min(max(listed.highlighted + steps, 0), last)

    def action_close(self) -> None:
        """Close the page and choose nothing."""
        self.dismiss(None)


def marked(shown: Content, spans: Sequence[tuple[int, int]]) -> Content:
    """What is ``shown``, with what was typed standing out."""
    for start, end in spans:
        shown = shown.stylize("bold $cite", start, end)
    return shown
