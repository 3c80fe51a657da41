"""The list in the results pane: a row for each hit, or for each line that matches."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Spacing
from textual.widgets.option_list import Option

from tui import hit_row, line_row
from tui.arranging import Order, arranged, folded, matching
from tui.filter_line import FilterLine
from tui.live_marks import Row, index_of
from tui.messages import FoldWanted, HitDropped, HitOpened, HitPinned, OrderWanted
from tui.one_layout import OnePaint
from tui.paged import Paged
from tui.painted import painted
from tui.typed_ahead import done_at_once, passed_on

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from textual.events import Key, Resize
    from textual.strip import Strip
    from textual.style import Style

    from engine.wire.api_search import Hit
    from tui.tray import Tray


class HitList(OnePaint, Paged):
    """The list of hits; rows are laid out anew for every width."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "cursor_down", "Next", id="results.next", tooltip="The next hit", show=False),
        Binding(
            "k",
            "cursor_up",
            "Previous",
            id="results.previous",
            tooltip="The hit before",
            show=False,
        ),
        Binding("g", "first", "First", id="results.first", tooltip="The best hit", show=False),
        Binding("G", "last", "Last", id="results.last", tooltip="The last hit", show=False),
        Binding(
            "enter",
            "open",
            "Open",
            id="results.open",
            tooltip="Open the hit in your editor",
            show=False,
        ),
        Binding(
            "space",
            "pin",
            "Pin",
            id="results.pin",
            tooltip="Pin the hit: the model is shown it; again: no longer",
        ),
        Binding(
            "d",
            "drop",
            "Drop",
            id="results.drop",
            tooltip="Drop the hit: the model never sees it; again: no longer",
        ),
        Binding(
            "f",
            "filter",
            "Filter",
            id="results.filter",
            tooltip="Show only the hits that hold some words",
        ),
        Binding(
            "escape",
            "unfilter",
            "All hits",
            id="results.unfilter",
            tooltip="Show all hits again, if they are filtered",
        ),
        Binding(
            "s",
            "order",
            "Order",
            id="results.order",
            tooltip="The hits in another order: by distance, by file",
        ),
        Binding(
            "left",
            "fold",
            "Fold",
            id="results.fold",
            tooltip="Fold the hits of this file into its first",
            show=False,
        ),
        Binding(
            "right",
            "unfold",
            "Unfold",
            id="results.unfold",
            tooltip="Show the hits that are folded into this one",
            show=False,
        ),
        Binding(
            "minus",
            "fold_all",
            "Fold all",
            id="results.fold_all",
            tooltip="Each file once; again: all hits",
            show=False,
        ),
    ]

    def __init__(self) -> None:
        super().__init__(markup=False, compact=True)
        self.tray: Tray | None = None
        self.far = False
        """Whether nothing is near enough to the query to hold an answer."""
        self.all_rows: Sequence[Row] = ()
        self.rows: Sequence[Row] = ()
        """Those that are shown, in their order."""
        self.order, self.words = Order.RANKED, ""
        """How they are put in order, and the words that they have to hold."""
        self.folded: frozenset[Hashable] = frozenset()
        """Files of which one row stands for all."""
        self._lines_of = ""
        self._laid_out_for = -1

    def show_rows(self, rows: Sequence[Row], wanted: Row | None, *, lines_of: str = "") -> None:
        """Show ``rows`` with the cursor on what ``wanted`` became, without it on the first.

        They are shown as lines that match where the exact query ``lines_of`` is given.
        """
        self.all_rows, self._lines_of = rows, lines_of
        self.put_in_order(wanted)

    def put_in_order(self, wanted: Row | None) -> None:
        """Show those rows that are wanted, in their order; the cursor goes to ``wanted``."""
        self.rows = folded(arranged(matching(self.all_rows, self.words), self.order), self.folded)
        if len(self.rows) == self.option_count:  # other options would cost a layout of the screen
            self.highlighted, self.scroll_y = None, 0
            self.lay_out_again()
        else:
            self.set_options(Option(prompt) for prompt in self._laid_out())
        self.highlighted = index_of(self.rows, wanted) if self.rows else None

    @property
    def shows_lines(self) -> bool:
        """Whether the rows are lines that match, not hits."""
        return bool(self._lines_of)

    @property
    def row(self) -> Row | None:
        """The row under the cursor."""
        index = self.highlighted
        return None if index is None or index >= len(self.rows) else self.rows[index]

    def on_mount(self) -> None:
        """Lay the rows out anew when the theme changes their colours."""
        self.app.theme_changed_signal.subscribe(self, lambda _theme: self.lay_out_again())

    def on_resize(self, event: Resize) -> None:
        """Lay the rows out for the new width."""
        if self.scrollable_content_region.width != self._laid_out_for:
            self.lay_out_again()

    async def on_key(self, event: Key) -> None:
        """Have what is typed right after a key that leads to a field go into it."""
        if not passed_on(self, event):
            await done_at_once(self, event, "filter", "new_conversation")

    def action_filter(self) -> None:
        """Have words typed that the hits shall hold."""
        line = self.screen.query_one(FilterLine)
        line.display = True
        self.screen.set_focus(line)

    def action_unfilter(self) -> None:
        """Show all hits again."""
        self.screen.query_one(FilterLine).action_clear()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave Esc to the screen where nothing is filtered."""
        if action == "unfilter":
            return bool(self.words)
        return bool(self.row and self.row.more) if action == "unfold" else True

    def action_order(self) -> None:
        """Say that the hits are wanted in the next order."""
        self.post_message(OrderWanted())

    def action_fold(self) -> None:
        """Say that the file of the row under the cursor is wanted in one row."""
        if self.row is not None:
            self.post_message(FoldWanted(self.folded | {self.row.file}))

    def action_unfold(self) -> None:
        """Say that all hits of that file are wanted again."""
        if self.row is not None:
            self.post_message(FoldWanted(self.folded - {self.row.file}))

    def action_fold_all(self) -> None:
        """Say that each file is wanted in one row, or all hits again where it is so already."""
        files = frozenset(row.file for row in self.all_rows)
        self.post_message(FoldWanted(frozenset() if files <= self.folded else files))

    def action_open(self) -> None:
        """Say that the hit under the cursor is wanted in the editor."""
        if self.row is not None:
            self.post_message(HitOpened(self.row.hit))

    def action_pin(self) -> None:
        """Say that the hit under the cursor is to be shown to the model, or no longer."""
        if self.row is not None:
            self.post_message(HitPinned(self.row.hit))

    def action_drop(self) -> None:
        """Say that the hit under the cursor is never to be shown to the model, or no longer."""
        if self.row is not None:
            self.post_message(HitDropped(self.row.hit))

    def lay_out_again(self) -> None:
        """Show the rows anew."""
        for index, prompt in enumerate(self._laid_out()):
            self.replace_option_prompt_at_index(index, prompt)

    def _laid_out(self) -> list[Content]:
        self._laid_out_for = self.scrollable_content_region.width
        width = max(self._laid_out_for - 2, 0)
        if self._lines_of:
            return line_row.rows(self.rows, self._lines_of, width)
        # For all of them: nothing moves sideways while they are filtered.
        wider = [row for row in self.rows if row.more]
        columns = hit_row.fit_columns([*self.all_rows, *wider], width)
        best = max((hit_row.strength(row.hit) for row in self.all_rows), default=0.0)
        return [
            hit_row.row(row, best, columns, mark=self._mark(row.hit), far=self.far)
            for row in self.rows
        ]

    def _get_option_render(self, option: Option, style: Style) -> list[Strip]:
        """Paint a row for Textual 8.2.8, with a space on each side; it asks often for the same."""
        width = self.scrollable_content_region.width
        known = (option, style, Spacing())
        strips = self._option_render_cache.get(known)
        if strips is None:
            assert isinstance(option.prompt, Content)
            strip = painted(self, Content(" ").append(option.prompt), width, style)
            strips = [strip.apply_meta({"option": self._option_to_index[option]})]
            self._option_render_cache[known] = strips
        return strips

    def _mark(self, hit: Hit) -> str:
        return " " if self.tray is None else self.tray.mark(hit)
