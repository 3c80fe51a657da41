"""The query pane: a question of one or a few lines. Enter asks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Static, TextArea

from engine import figures, paths
from engine.safe_text import REPLACEMENT, clean, clean_line
from tui.filter_input import VALUE_KEYS, FilterInput
from tui.hit_row import elide_end
from tui.key_names import keys_of
from tui.messages import (
    AgainAsked,
    BackAsked,
    NewConversationWanted,
    QueryAsked,
    QueryLeft,
    QueryTyped,
    WordsEdited,
)
from tui.paint_now import paint_now
from tui.typed_ahead import passed_on

if TYPE_CHECKING:
    from textual.events import Key

    from tui.completions import Completions

PLACEHOLDER = "Ask your documents anything"

LONGEST_FOR = 34
"""Cells of a question that the title names."""

REMEMBERED_QUESTIONS = 500
"""Questions of this session that the up key brings back, beside those that are kept."""


ASKED = "-asked"
"""Class of the field while it shows the question that was asked last, as it was asked."""

EDITING_KEYS = ("left", "right", "home", "end", "backspace", "delete")
"""Keys that, with those for a new line, go on with the question that was asked."""


class QueryInput(FilterInput):
    """The text field inside the query pane; grows with its lines up to a limit set by style."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter",
            "ask",
            "Ask",
            id="query.ask",
            tooltip="Search the folder and ask the model",
        ),
        Binding(
            "alt+enter,ctrl+j",
            "new_line",
            "New line",
            id="query.new_line",
            tooltip="Begin a new line in the question",
        ),
        Binding(
            "down",
            "down_or_leave",
            "To the results",
            id="query.down",
            tooltip="On the last line: move to the results",
            show=False,
        ),
        Binding(
            "up",
            "up_or_recall",
            "Earlier question",
            id="query.up",
            tooltip="On the first line: bring back the question before",
            show=False,
        ),
        *VALUE_KEYS,
    ]

    def __init__(self, completions: Completions) -> None:
        super().__init__(
            completions,
            compact=True,
            soft_wrap=True,
            show_line_numbers=False,
            highlight_cursor_line=False,
            placeholder=Content(PLACEHOLDER),
        )
        self.cursor_blink = False
        self._kept: list[str] = []
        """Questions of earlier sessions, latest last; then come those of this one."""
        self._asked: list[str] = []
        self._recalled = 0
        self._opened_page = False
        """Whether the last key that left this field showed something over it or in its place."""
        self.edits_words = False
        """Whether the text is not a question, but what to search for in its place."""

    def check_consume_key(self, key: str, character: str | None = None) -> bool:
        """Hide no binding of the screen, as letters would be: it may have another key now.

        Textual 8.2.8 leaves them out first, and sees to changed keys then.
        """
        return False

    def get_line(self, line_index: int) -> Text:
        """Return a line as it may be shown: what is kept, pasted or a model's may hold anything.

        No character is left out, so that the cursor stands where it is seen.
        """
        line = super().get_line(line_index)
        line.plain = "".join(clean(char) or REPLACEMENT for char in line.plain)
        return line

    @on(TextArea.Changed)
    def _tell_text(self, event: TextArea.Changed) -> None:
        event.stop()
        paint_now(self)
        self.post_message(QueryTyped(self.text, self.without_begun))

    async def on_key(self, event: Key) -> None:
        """Do what a key of this field, or one that ends a question, is for in its turn.

        Left to Textual 8.2.8, it would be done after characters that were typed later: those are
        taken at once, while a bound key first travels up to the app.
        """
        self._opened_page = self._opened_page and not self.screen.is_active
        if passed_on(self, event, is_left=self._opened_page):
            return
        self._make_way(event)
        active = None if event.is_printable else self.screen.active_bindings.get(event.key)
        action = "" if active is None else active.binding.action
        if active is None or not (active.node is self or action in (*TURNS, *LEAVING)):
            return
        event.stop()
        event.prevent_default()
        if action in TURNS:
            self.post_message(TURNS[action](self))
        else:
            await self.app.run_action(action, active.node)
            self._opened_page = not self.screen.is_active

    def _make_way(self, event: Key) -> None:
        """Have what is typed after a question take its place; a key that edits keeps it."""
        if self.has_class(ASKED) and self.has_focus:
            if event.is_printable:
                self.text = ""
            if event.is_printable or event.key in (*EDITING_KEYS, *keys_of("query.new_line")):
                self.set_class(False, ASKED)

    def on_paste(self) -> None:
        """Likewise for what is pasted."""
        if self.has_class(ASKED):
            self.text = ""
            self.set_class(False, ASKED)

    def show_asked(self, question: str) -> None:
        """Show a question that was asked, unless something else is being typed."""
        if not self.text or self.has_class(ASKED):
            self.text = question
            self.move_cursor(self.document.end)
            self.set_class(True, ASKED)

    def clear_of(self, text: str) -> None:
        """Take away ``text``, and leave what was typed after it."""
        self.text = self.text.removeprefix(text)
        self.move_cursor(self.document.end)

    def action_ask(self) -> None:
        """Ask what was typed; an empty question is left alone."""
        if self._completions.is_chosen:
            self.action_take()
            return
        question = self.text.strip()
        if self.edits_words:
            self.post_message(WordsEdited(question))
            return
        if not question:
            return
        if question not in self._asked[-1:]:
            self._asked = [*self._asked, question][-REMEMBERED_QUESTIONS:]
        self._recalled = 0
        self._completions.close()
        self.post_message(QueryAsked(question))
        self.set_class(True, ASKED)

    def action_new_line(self) -> None:
        """Begin a new line at the cursor."""
        self.insert("\n")

    def action_down_or_leave(self) -> None:
        """Move down, also among offered values; from the last line into the results."""
        if self._completions.filter is not None:
            self._completions.move(1)
        elif not self.cursor_at_last_line:
            self.action_cursor_down()
        elif self._recalled:
            self._recall(self._recalled - 1)
        else:
            self.post_message(QueryLeft())

    def action_up_or_recall(self) -> None:
        """Move up, also among offered values; from the first line to the question before."""
        if self._completions.filter is not None:
            self._completions.move(-1)
        elif not self.cursor_at_first_line:
            self.action_cursor_up()
        elif self._recalled < len(self._past):
            self._recall(self._recalled + 1)

    @property
    def is_being_typed(self) -> bool:
        """Whether the text is no question that was asked as it stands."""
        return not self.has_class(ASKED)

    @property
    def _past(self) -> list[str]:
        return [*(each for each in self._kept if each not in self._asked), *self._asked]

    @property
    def earlier(self) -> list[str]:
        """Every question that is known, each once, the latest first."""
        return list(dict.fromkeys(reversed(self._past)))

    def remember(self, kept: Sequence[str]) -> None:
        """Know the questions of earlier sessions, latest first."""
        self._kept = list(reversed(kept))

    def take(self, question: str) -> None:
        """Show a question, to be edited or asked."""
        self.set_class(False, ASKED)
        self.text = question
        self.move_cursor(self.document.end)

    def _recall(self, steps_back: int) -> None:
        past = self._past
        if past and steps_back == 1 and self.text.strip() == past[-1]:
            steps_back = 2 if self._recalled == 0 and len(past) > 1 else steps_back
        self._recalled = steps_back
        self.take(past[-steps_back] if steps_back else "")


TURNS: dict[str, Callable[[QueryInput], Message]] = {
    "back": lambda query: BackAsked(query.text),
    "again": lambda _: AgainAsked(),
    "new_conversation": lambda query: NewConversationWanted(
        query.query_ancestor(QueryPane).untyped
    ),
}
"""What the screen is told when a key of its own, of that action, is pressed in the query."""

LEAVING = (
    "move_pane(1)",
    "move_pane(-1)",
    "app.next_folder(1)",
    "app.next_folder(-1)",
    "app.close_folder",
    "app.folders",
)
"""Actions that move the cursor out of the query: to another pane, another folder, their page."""


class QueryPane(Horizontal):
    """Where a question is typed."""

    BORDER_TITLE = "query"

    def __init__(self, completions: Completions) -> None:
        super().__init__()
        self._completions = completions
        self._folder, self._mode = "", ""
        self.place = ""
        """Which of the open folders it is; empty where it is the only one."""
        self._turns, self._for, self._offered = 0, "", ""

    def compose(self) -> ComposeResult:
        """Lay out the prompt sign and the text field."""
        yield Static("❯", id="prompt-sign", markup=False)
        yield QueryInput(self._completions)

    def show_folder(self, path: str, left_out: str) -> None:
        """Say on the border which folder is asked, and what of it is not in the index."""
        self._folder = clean_line(paths.from_home(path))
        self._lay_out_title()
        self.border_subtitle = Content.styled(left_out, "$quiet") if left_out else None

    def show_place(self, place: str) -> None:
        """Say on the border which of the open folders it is, as ``2 of 3``."""
        self.place = place
        self._lay_out_title()

    def show_mode(self, mode: str) -> None:
        """Say on the border in which mode is searched; empty where nobody need know."""
        self._mode = mode
        self._lay_out_title()

    def show_turns(self, turns: int) -> None:
        """Say on the border that the next question follows so many others; 0 for none."""
        self._turns = turns
        self._lay_out_title()

    def edit_words(self, words: str, question: str) -> None:
        """Have a person edit what to search for in place of ``question``."""
        self._for, self._offered, self.input.edits_words = question, words, True
        self.input.take(words)
        self._lay_out_title()

    def end_editing(self) -> None:
        """Take the text for a question again."""
        self._for, self._offered, self.input.edits_words = "", "", False
        self._lay_out_title()

    @property
    def holds_typed(self) -> bool:
        """Whether there is text that a person typed, and has not asked as it stands."""
        return self.input.is_being_typed and self.input.text != self._offered

    @property
    def untyped(self) -> str:
        """What stands there that nobody typed, or that was asked as it stands."""
        return "" if self.holds_typed else self.input.text

    def _lay_out_title(self) -> None:
        if self.input.edits_words:
            asked = elide_end(clean_line(self._for), LONGEST_FOR)
            words = ("search for", "bold $cite"), (f" · to answer “{asked}”", "not bold $quiet")
            self.border_title = Content.assemble(*words)
            return
        follows = f"follows {figures.counted(self._turns, 'question')}" if self._turns else ""
        facts = (self._folder, self.place, self._mode, follows)
        more = "".join(f" · {fact}" for fact in facts if fact)
        self.border_title = Content.assemble("query", (more, "not bold $quiet"))

    @property
    def input(self) -> QueryInput:
        """The text field."""
        return self.query_one(QueryInput)
