"""The values that a filter in the query can have, in a small list over the panes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual import on
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from engine import figures
from engine.safe_text import clean_line
from tui.hit_row import elide_middle
from tui.key_names import key_of
from tui.messages import ValueChosen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.wire.api_complete import FilterValue
    from engine.wire.unfinished import Unfinished

MOST_VALUES = 7
"""Rows of the list."""
LEAST_VALUE, LONGEST_VALUE = 28, 40
"""Cells of a value in its row: there is room for what the keys do on the border, too."""


class Completions(OptionList, can_focus=False):
    """Offers values; its cursor is moved from the query, where the one for keys stays."""

    def __init__(self) -> None:
        super().__init__(markup=False)
        self.display = False
        self._offered: _Offered | None = None

    @property
    def filter(self) -> Unfinished | None:
        """The filter whose values are offered; None while none are."""
        return None if self._offered is None else self._offered.filter

    @property
    def is_chosen(self) -> bool:
        """Whether a person moved the cursor to a value."""
        return self._offered is not None and self.highlighted is not None

    def offer(self, typed: Unfinished, values: Sequence[FilterValue]) -> None:
        """Offer ``values`` for what is typed of a filter; the one that is typed already is none."""
        if not values or [typed.start] == [value.value for value in values]:
            self.close()
            return
        self._offered = _Offered(typed, values)
        self.set_options(Option(row) for row in rows(values, is_path=typed.filter == "path"))
        self.highlighted = None
        self._name_keys()
        self.display = True

    def close(self) -> None:
        """Offer nothing any more."""
        self._offered = None
        self.display = False

    def move(self, step: int) -> None:
        """Move the cursor, from the last value to the first and back."""
        at = self.highlighted
        if at is None:
            at = -1 if step > 0 else 0
        self.highlighted = (at + step) % self.option_count
        self._name_keys()

    def taken(self) -> tuple[Unfinished, str] | None:
        """Return the filter and the value under the cursor, else the first; offer no more."""
        offered, at = self._offered, self.highlighted or 0
        self.close()
        return None if offered is None else (offered.filter, offered.values[at].value)

    @on(OptionList.OptionSelected)
    def _choose(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.highlighted = event.option_index
        self.post_message(ValueChosen())

    def _name_keys(self) -> None:
        take, ask, close = (key_of(f"query.{name}") for name in ("take", "ask", "close"))
        takes = f"{take} or {ask} takes it" if self.is_chosen else f"{take} takes the first"
        self.border_subtitle = Content.styled(f"{takes} · {close} closes", "$quiet")


@dataclass(frozen=True)
class _Offered:
    filter: Unfinished
    values: Sequence[FilterValue]


def rows(values: Sequence[FilterValue], *, is_path: bool) -> list[Content]:
    """A line for each value: of a path its last step, and how many files are meant."""
    names = [_step(value.value) if is_path else value.value for value in values]
    shown = [elide_middle(clean_line(name), LONGEST_VALUE) for name in names]
    counts = [figures.counted(value.files, "file") for value in values]
    width, digits = max(LEAST_VALUE, *map(cell_len, shown)), max(map(cell_len, counts))
    return [
        Content.assemble(
            (name, "$heading" if name.endswith("/") else "$foreground"),
            " " * (width - cell_len(name) + 2),
            (count.rjust(digits), "$quiet"),
        )
        for name, count in zip(shown, counts, strict=True)
    ]


def _step(value: str) -> str:
    """The last name of a path, with the slash of a folder."""
    return value[value.rstrip("/").rfind("/") + 1 :]
