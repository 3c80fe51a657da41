"""The desk: the panes, how they share the screen, and the way between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import BindingType
from textual.containers import Container, Vertical
from textual.screen import Screen
from textual.widgets import Static

from tui.answer import AnswerPane
from tui.completions import Completions
from tui.filter_line import FilterLine
from tui.hints import HintLine
from tui.keys import SCREEN_KEYS
from tui.messages import FilterLeft
from tui.preview import PreviewPane
from tui.query import QueryPane
from tui.results import ResultsPane
from tui.status_bar import StatusBar

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.events import DescendantFocus, Resize
    from textual.widget import Widget

WIDE = 100
"""Columns from which evidence and answer stand side by side."""

TALL = 36
"""Rows from which a narrow screen shows preview and answer at once."""

LEAST_COLUMNS, LEAST_ROWS = 24, 8
"""Below, nothing of the panes could be read."""

TOO_SMALL = "Too small: make it 60 by 20"


class Desk(Screen[None]):
    """Holds the panes and moves the cursor among them; knows nothing of questions."""

    AUTO_FOCUS = "QueryInput"
    HORIZONTAL_BREAKPOINTS = [(0, "-slim"), (LEAST_COLUMNS, "-fits")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [  # noqa: RUF012  as Textual has it
        (0, "-flat"),
        (LEAST_ROWS, "-short"),
        (TALL, "-tall"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = SCREEN_KEYS

    def __init__(self) -> None:
        super().__init__()
        self.answering = False
        self.zoomed = ""
        """Name of the pane that has the whole desk; empty while they share it."""
        self._zoomed_for = (False, False)

    def compose(self) -> ComposeResult:
        """Lay out the panes."""
        # Known before anything is laid out, the size costs no second look at every style.
        steps = (self.HORIZONTAL_BREAKPOINTS, self.VERTICAL_BREAKPOINTS)
        for size, ways in zip(self.app.size, steps, strict=True):
            self.add_class(max(way for way in ways if way[0] <= size)[1])
        yield QueryPane(completions := Completions())
        yield completions
        with Container(id="desk"):
            with Vertical(id="evidence"):
                yield ResultsPane()
                yield PreviewPane()
            yield AnswerPane()
        yield StatusBar()
        yield HintLine()
        yield Static(TOO_SMALL, id="too-small", markup=False)

    @property
    def query_pane(self) -> QueryPane:
        """The query pane."""
        return self.query_one(QueryPane)

    @property
    def results(self) -> ResultsPane:
        """The results pane."""
        return self.query_one(ResultsPane)

    @property
    def preview(self) -> PreviewPane:
        """The preview pane."""
        return self.query_one(PreviewPane)

    @property
    def answer(self) -> AnswerPane:
        """The answer pane."""
        return self.query_one(AnswerPane)

    @property
    def status_bar(self) -> StatusBar:
        """The status bar."""
        return self.query_one(StatusBar)

    @property
    def pane(self) -> str:
        """Name of the pane that has the cursor."""
        focused = self.focused
        for name, widget in self._stops().items():
            if focused is widget:
                return name
        return "results" if isinstance(focused, FilterLine) else "query"

    def _stops(self) -> dict[str, Widget]:
        return {
            "query": self.query_pane.input,
            "results": self.results.list,
            "preview": self.preview,
            "answer": self.answer.model,
        }

    def go_to(self, pane: str) -> None:
        """Put the cursor into a pane, which is shown if it was not."""
        self._arrange(pane)
        # Not its own focus(), which comes into effect later than a key pressed right after.
        self.set_focus(self._stops()[pane])

    @property
    def is_stacked(self) -> bool:
        """Whether evidence and answer stand one above the other."""
        return self.size.width < WIDE

    def _arrange(self, pane: str) -> None:
        """On a small screen preview and answer share a place: the one in use is shown."""
        shared = self.is_stacked and self.size.height < TALL
        evidence = pane in ("results", "preview") or (pane == "query" and self.prefers_evidence)
        reading = pane == "answer" or (pane == "query" and self.prefers_answer)
        self._follow_zoom(pane)
        for name, widget, fits in (
            ("results", self.results, True),
            ("preview", self.preview, evidence or not shared),
            ("answer", self.answer, not evidence or not shared),
        ):
            widget.display = name == self.zoomed if self.zoomed else fits
        self.query_one("#evidence").display = self.zoomed != "answer"
        self.set_class(self.is_stacked, "-narrow")
        self.set_class(shared and evidence, "-evidence")
        self.set_class(shared and not (evidence or self.zoomed) and reading, "-reading")
        self.set_class(bool(self.zoomed), "-zoomed")

    def _follow_zoom(self, pane: str) -> None:
        """The zoom goes where the cursor goes; in the query, where there is something new."""
        wanted = (self.answering, self.prefers_evidence)
        if self.zoomed and pane != "query":
            self.zoomed = pane
        elif self.zoomed and wanted != self._zoomed_for:
            self.zoomed = self._most_telling
        self._zoomed_for = wanted

    @property
    def _most_telling(self) -> str:
        """Name of the pane that says most while the cursor is in the query."""
        return "results" if self.prefers_evidence else "answer"

    def on_resize(self, event: Resize) -> None:
        """Arrange the panes for the new size."""
        self._arrange(self.pane)

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """Arrange the panes and the hints for the pane that now has the cursor."""
        self._arrange(self.pane)
        self.call_after_refresh(self.show_hints)

    @on(FilterLeft)
    def _hint_anew(self) -> None:
        self.call_after_refresh(self.show_hints)

    def show_hints(self) -> None:
        """Show the keys that matter where the cursor is."""
        back = "stop" if self.answering else "clear" if self.pane == "query" else ""
        words = {"screen.back": back, **self.hint_words}
        if self.zoomed:
            words["screen.zoom"] = "all panes"
        pane = "filter" if isinstance(self.focused, FilterLine) else self.pane
        self.query_one(HintLine).show(pane, words, first="screen.zoom" * bool(self.zoomed))

    @property
    def hint_words(self) -> dict[str, str]:
        """What keys of the hints do now, by their ids; empty for one that does nothing."""
        return {}

    @property
    def prefers_evidence(self) -> bool:
        """Whether, where there is room for one, the preview says more than the answer."""
        return False

    @property
    def prefers_answer(self) -> bool:
        """Whether there is an answer that needs the room more than the results."""
        return False

    def rearrange(self) -> None:
        """Share the screen out anew, after something else became worth seeing."""
        self._arrange(self.pane)

    def action_move_pane(self, step: int) -> None:
        """Go to the next pane, or the one before."""
        order = list(self._stops())
        self.go_to(order[(order.index(self.pane) + step) % len(order)])

    def action_go_to_query(self) -> None:
        """Go back to the query."""
        self.go_to("query")

    def action_zoom(self) -> None:
        """Let the pane that has the cursor have the whole desk, or all share it again."""
        if self.zoomed:
            self.zoomed = ""
        else:
            self.zoomed = self._most_telling if self.pane == "query" else self.pane
        self.rearrange()
        self.call_after_refresh(self.show_hints)
