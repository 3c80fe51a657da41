"""The results pane: the hits of the shown query, best first, or the lines it is found in."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from engine.safe_text import clean_line
from tui import hit_row, line_row, notes
from tui.arranging import Order, arranged, matching, next_order
from tui.filter_line import FilterLine
from tui.key_names import key_of
from tui.live_marks import Row, compare, index_of
from tui.messages import (
    FilterLeft,
    HitDropped,
    HitHighlighted,
    HitOpened,
    HitPinned,
    OrderWanted,
)
from tui.one_layout import OnePaint
from tui.results_title import results_title
from tui.typed_ahead import done_at_once, passed_on

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.events import Key, Resize

    from engine.errors import HoverkiteError
    from engine.wire.api_search import Hit, Place, SearchReply
    from tui.tray import Tray

FAR = "nothing near the question"


class HitList(OnePaint, OptionList):
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
        self.rows = arranged(matching(self.all_rows, self.words), self.order)
        if len(self.rows) == self.option_count:  # other options would cost a layout of the screen
            self.highlighted, self.scroll_y = None, 0
            self.lay_out_again()
        else:
            self.set_options(Option(prompt) for prompt in self._laid_out())
        self.highlighted = index_of(self.rows, wanted) if self.rows else None

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
        """Have what is typed right after the key of the filter go into it, not into commands."""
        if not passed_on(self, event):
            await done_at_once(self, event, "filter")

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
        return bool(self.words) if action == "unfilter" else True

    def action_order(self) -> None:
        """Say that the hits are wanted in the next order."""
        self.post_message(OrderWanted())

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
        columns = hit_row.fit_columns(self.all_rows, width)
        best = max((hit_row.strength(row.hit) for row in self.all_rows), default=0.0)
        return [
            hit_row.row(row, best, columns, mark=self._mark(row.hit), far=self.far)
            for row in self.rows
        ]

    def _mark(self, hit: Hit) -> str:
        return " " if self.tray is None else self.tray.mark(hit)


class ResultsPane(Vertical):
    """The hits, or a note when there are none."""

    BORDER_TITLE = "results"

    def __init__(self) -> None:
        super().__init__()
        self._hits: Sequence[Hit] = ()
        self._notices, self._in_tray = "", ""

    def compose(self) -> ComposeResult:
        """Lay out the list and the note that stands in its place."""
        yield Static(id="results-note", markup=False)
        yield HitList()
        yield FilterLine()

    @property
    def list(self) -> HitList:
        """The list of hits."""
        return self.query_one(HitList)

    @property
    def hits(self) -> Sequence[Hit]:
        """The hits that are found now."""
        return self._hits

    @property
    def selected(self) -> Hit | None:
        """The hit under the cursor, even one that is no longer found."""
        return None if self.list.row is None else self.list.row.hit

    def is_gone(self, hit: Place) -> bool:
        """Whether ``hit`` is shown as one that is no longer found."""
        return any(row.is_gone and row.hit == hit for row in self.list.all_rows)

    def show_note(self, note: Content, title: str = "results") -> None:
        """Show a note in place of hits."""
        self._hits = ()
        self._end_arrangement()
        self.list.show_rows((), None)
        self.query_one("#results-note", Static).update(note)
        self.set_class(False, "-has-hits")
        self.border_title = Content(title)
        self._notices, self.list.far = "", False
        self._tell_notices()

    def show_reply(
        self,
        reply: SearchReply,
        chunks: int | None,
        *,
        about: str = "",
        cited: Sequence[Hit] = (),
        again: bool = False,
        since: Sequence[Hit] | None = None,
        anew: bool = False,
    ) -> None:
        """Show the hits of a search; ``about`` names its query where that stands nowhere else.

        The numbers are those of the shown answer, which stands on ``cited``. Where the query was
        shown before, found ``again``, the cursor stays on its hit, ``anew`` on the best. Each row
        tells what became of it where its query was first shown with the hits ``since``.
        """
        self._hits = reply.hits
        rows = hit_row.numbered(compare(reply.hits if since is None else since, reply.hits), cited)
        if not again:
            self._end_arrangement()
        if not again or rows != self.list.all_rows:
            lines_of = reply.query if reply.mode == "exact" else ""
            stays = again and not (anew and self.list.highlighted == 0)
            self.list.show_rows(rows, self.list.row if stays else None, lines_of=lines_of)
        if rows:
            self.set_class(True, "-has-hits")
        else:
            self.show_note(notes.nothing_found_note(reply))
        self.border_title = results_title(reply, chunks, about)
        self._notices = "" if not reply.hits else " · ".join(map(clean_line, reply.notices))
        self.list.far = False
        self._tell_notices()

    def tell_far(self, far: bool) -> None:
        """Say whether nothing found is near enough to the question to hold its answer."""
        if far != self.list.far:
            self.list.far = far
            self.list.lay_out_again()
            self._tell_notices()

    def show_tray(self, tray: Tray) -> None:
        """Mark the hits that are in ``tray``, and say how many there are."""
        self.list.tray = tray
        self._in_tray = f"tray: {tray.summary} · {key_of('screen.tray')}" if tray else ""
        self.list.lay_out_again()
        self._tell_notices()

    def tell_fault(self, error: HoverkiteError | None) -> None:
        """Say quietly why what is typed can't be searched; what is shown stays. None: it can."""
        if error is not None and not self.hits:
            self.show_note(notes.fault_note(error))
        elif error is not None:
            self._tell(clean_line(str(error)))
        else:
            self._tell_notices()

    def _tell_notices(self) -> None:
        far = FAR if self.list.far and self.hits else ""
        parts = (self._arrangement, self._in_tray, far, self._notices)
        self._tell(" · ".join(part for part in parts if part))

    def _tell(self, words: str) -> None:
        self.border_subtitle = Content.styled(words, "$quiet") if words else None

    def select(self, number: int) -> bool:
        """Move the cursor to the hit that shows ``number``; False when there is none."""
        wanted = next((row for row in self.list.all_rows if row.number == number), None)
        if not number or wanted is None:
            return False
        if wanted.hit not in [row.hit for row in self.list.rows]:
            self.query_one(FilterLine).value = ""
            self._filter("")
            self._hide_filter_without_words()
        self.list.highlighted = [row.number for row in self.list.rows].index(number)
        return True

    def step(self, step: int) -> None:
        """Move the cursor by so many rows, to the first and last one at most."""
        last, index = len(self.list.rows) - 1, self.list.highlighted
        if last >= 0:
            self.list.highlighted = min(max((-1 if index is None else index) + step, 0), last)

    # --- order and filter --------------------------------------------------------------------

    @on(OrderWanted)
    def _order_anew(self) -> None:
        self.list.order = next_order(self.list.order, self.list.all_rows)
        self.list.put_in_order(self.list.row)
        self._tell_notices()

    @on(Input.Changed)
    def _filter_by_typed(self, event: Input.Changed) -> None:
        event.stop()
        self._filter_by_words()

    def _filter_by_words(self) -> None:
        words = self.query_one(FilterLine).value  # more may have been typed since
        if words != self.list.words:
            self._filter(words)

    def _filter(self, words: str) -> None:
        self.list.words = words
        self.list.put_in_order(self.list.row)
        self._tell_notices()

    @on(FilterLeft)
    def _leave_filter(self) -> None:
        self._filter_by_words()  # now: the keys that count depend on it
        self.screen.set_focus(self.list)
        self._hide_filter_without_words()

    def _hide_filter_without_words(self) -> None:
        line = self.query_one(FilterLine)
        line.display = bool(line.value) or self.screen.focused is line

    def _end_arrangement(self) -> None:
        """Show the hits of another query as they are ranked, all of them."""
        line = self.query_one(FilterLine)
        self.list.order, self.list.words = Order.RANKED, ""
        if self.screen.focused is line:
            self.screen.set_focus(self.list)
        line.value, line.display = "", False

    @property
    def _arrangement(self) -> str:
        """In which order the hits are shown, and how many of them."""
        shown, found = (
            sum(not row.is_gone for row in rows) for rows in (self.list.rows, self.list.all_rows)
        )
        count = f"{shown} of {found}" if self.list.words.split() else ""
        return " · ".join(part for part in (count, self.list.order.value) if part)

    @on(OptionList.OptionHighlighted)
    def _tell_highlight(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        if event.option_index < len(self.list.rows):
            self.post_message(HitHighlighted(self.list.rows[event.option_index].hit))
