"""The results pane: the hits of the shown query, best first, or the lines it is found in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static

from engine.safe_text import clean_line
from tui import hit_row, notes
from tui.arranging import Order, next_order
from tui.filter_line import FilterLine
from tui.hit_list import HitList
from tui.key_names import key_of
from tui.live_marks import compare
from tui.messages import FilterLeft, FoldWanted, HitHighlighted, OrderWanted
from tui.results_title import results_title

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from engine.errors import HoverkiteError
    from engine.wire.api_search import Hit, Place, SearchReply
    from tui.tray import Tray

FAR = "nothing near the question"


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
        yield (listed := HitList())
        yield FilterLine(listed)

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
        most: int | None = None,
        anew: bool = False,
    ) -> None:
        """Show the hits of a search; ``about`` names its query where that stands nowhere else.

        The numbers are those of the shown answer, which stands on ``cited``. Where the query was
        shown before, found ``again``, the cursor stays on its hit, ``anew`` on the best. Each row
        tells what became of it where its query was first shown with the hits ``since``; of these
        no more than ``most`` are wanted now.
        """
        self._hits = reply.hits
        before = reply.hits if since is None else since
        rows = hit_row.numbered(compare(before, reply.hits, most), cited)
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
        self._tell_none_left()

    def _tell_none_left(self) -> None:
        """Say in place of rows that the filter leaves none of them."""
        listed = self.list
        none_left = bool(listed.words and listed.all_rows and not listed.rows)
        if none_left:
            key = key_of("results.unfilter" if self.screen.focused is listed else "filter.clear")
            of = "line" if listed.shows_lines else "hit"
            note = notes.none_left_note(listed.words, of=of, key=key)
            self.query_one("#results-note", Static).update(note)
        self.set_class(none_left, "-none-left")

    def _tell(self, words: str) -> None:
        self.border_subtitle = Content.styled(words, "$quiet") if words else None

    def select(self, number: int) -> bool:
        """Move the cursor to the hit that shows ``number``; False when there is none."""
        wanted = next((row for row in self.list.all_rows if row.number == number), None)
        if not number or wanted is None:
            return False
        if not self._is_shown(number):
            self.query_one(FilterLine).value = ""
            self._filter("")
            self._hide_filter_without_words()
        if not self._is_shown(number):
            self._fold_into_one(self.list.folded - {wanted.file})
        self.list.highlighted = [row.number for row in self.list.rows].index(number)
        return True

    def _is_shown(self, number: int) -> bool:
        return any(row.number == number for row in self.list.rows)

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

    @on(FoldWanted)
    def _fold(self, message: FoldWanted) -> None:
        self._fold_into_one(message.files)

    def _fold_into_one(self, files: frozenset[Hashable]) -> None:
        self.list.folded = files
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
        self._hide_filter_without_words()
        self._tell_none_left()

    def _hide_filter_without_words(self) -> None:
        line = self.query_one(FilterLine)
        line.display = bool(line.value) or self.screen.focused is line

    def _end_arrangement(self) -> None:
        """Show the hits of another query as they are ranked, all of them."""
        line = self.query_one(FilterLine)
        self.list.order, self.list.words, self.list.folded = Order.RANKED, "", frozenset()
        if self.screen.focused is line:
            self.screen.set_focus(self.list)
        line.value, line.display = "", False

    @property
    def _arrangement(self) -> str:
        """In which order the hits are shown, and how many of them."""
        shown, found = (
            sum(not row.is_gone for row in rows) for rows in (self.list.rows, self.list.all_rows)
        )
        count = f"{shown} of {found}" if shown < found or self.list.words.split() else ""
        return " · ".join(part for part in (count, self.list.order.value) if part)

    @on(OptionList.OptionHighlighted)
    def _tell_highlight(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        if event.option_index < len(self.list.rows):
            self.post_message(HitHighlighted(self.list.rows[event.option_index].hit))
