"""The results pane: the hits of the shown query, best first, or the lines it is found in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from engine import figures
from engine.safe_text import clean_line
from tui import hit_row, line_row, notes
from tui.live_marks import Row, compare, index_of
from tui.messages import HitDropped, HitHighlighted, HitOpened, HitPinned
from tui.search import MODES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.events import Resize

    from engine.errors import HoverkiteError
    from engine.wire.api_search import Hit, Place, SearchReply
    from tui.tray import Tray

LONGEST_ABOUT = 22
"""Cells of a query that the title names."""


FAR = "nothing near the question"


class HitList(OptionList):
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
    ]

    def __init__(self) -> None:
        super().__init__(markup=False, compact=True)
        self.tray: Tray | None = None
        self.far = False
        """Whether nothing is near enough to the query to hold an answer."""
        self.rows: Sequence[Row] = ()
        self._lines_of = ""
        self._laid_out_for = -1

    def show_rows(self, rows: Sequence[Row], selected: int, *, lines_of: str = "") -> None:
        """Show ``rows`` with the cursor on ``selected``.

        They are shown as lines that match where the exact query ``lines_of`` is given.
        """
        self.rows, self._lines_of = rows, lines_of
        self.set_options(Option(prompt) for prompt in self._laid_out())
        self.highlighted = selected if rows else None

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
        columns = hit_row.fit_columns(self.rows, width)
        best = max((hit_row.strength(row.hit) for row in self.rows), default=0.0)
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
        return any(row.is_gone and row.hit == hit for row in self.list.rows)

    def show_note(self, note: Content, title: str = "results") -> None:
        """Show a note in place of hits."""
        self._hits = ()
        self.list.show_rows((), 0)
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
    ) -> None:
        """Show the hits of a search; ``about`` names its query where that stands nowhere else.

        The numbers are those of the shown answer, which stands on ``cited``. Where the query was
        shown before, found ``again``, the cursor stays on its hit. Each row tells what became of
        it where its query was first shown with the hits ``since``.
        """
        self._hits = reply.hits
        rows = numbered(compare(reply.hits if since is None else since, reply.hits), cited)
        if not again or rows != self.list.rows:
            selected = index_of(rows, self.list.row if again else None)
            lines_of = reply.query if reply.mode == "exact" else ""
            self.list.show_rows(rows, selected, lines_of=lines_of)
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
        self._in_tray = f"tray: {tray.summary} · t" if tray else ""
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
        self._tell(" · ".join(part for part in (self._in_tray, far, self._notices) if part))

    def _tell(self, words: str) -> None:
        self.border_subtitle = Content.styled(words, "$quiet") if words else None

    def select(self, number: int) -> bool:
        """Move the cursor to the hit that shows ``number``; False when there is none."""
        numbers = [row.number for row in self.list.rows]
        if not number or number not in numbers:
            return False
        self.list.highlighted = numbers.index(number)
        return True

    @on(OptionList.OptionHighlighted)
    def _tell_highlight(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        if event.option_index < len(self.list.rows):
            self.post_message(HitHighlighted(self.list.rows[event.option_index].hit))


def numbered(rows: Sequence[Row], cited: Sequence[Hit]) -> list[Row]:
    """``rows`` with their numbers in an answer that stands on ``cited``, without one their ranks.

    One that is gone has none but the answer's: its rank is another hit's now.
    """
    numbers = iter(hit_row.numbers_of([row.hit for row in rows if not row.is_gone], cited))
    ranks = {(hit.path, hit.text): hit.rank for hit in cited}
    return [
        replace(
            row, number=ranks.get((row.hit.path, row.hit.text), 0) if row.is_gone else next(numbers)
        )
        for row in rows
    ]


def results_title(reply: SearchReply, chunks: int | None, about: str) -> Content:
    """What was searched where the query does not tell it, how much was found, and how fast."""
    facts = [f"“{hit_row.elide_end(clean_line(about), LONGEST_ABOUT)}”"] if about else []
    if reply.mode == "exact":
        facts.append(_matches(reply))
    else:
        facts += [] if reply.mode == MODES[0] else [reply.mode]
        of = "" if chunks is None or about else f" of {figures.count(chunks)}"
        facts.append(f"{len(reply.hits)}{of} chunks")
    is_cut = reply.matches is not None and len(reply.hits) < reply.matches
    took = not (about or is_cut) and reply.took_ms > 0
    facts += [figures.milliseconds(reply.took_ms)] if took else []
    told = "".join(f" · {fact}" for fact in facts)
    return Content.assemble("results", (told, "not bold $quiet"))


def _matches(reply: SearchReply) -> str:
    lines = len(reply.hits) if reply.matches is None else reply.matches
    plural = "es" if lines != 1 else ""
    first = f"first {len(reply.hits)} of " if len(reply.hits) < lines else ""
    files = figures.counted(len(reply.files), "file")
    return f"{first}{figures.count(lines)} match{plural} in {files}"
