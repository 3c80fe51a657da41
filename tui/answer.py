"""The answer pane: extracts first, the model's streamed text below them, then how it went."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from engine.safe_text import clean, clean_line
from tui import hit_row, outcome
from tui.messages import HitCited
from tui.preview import SCROLL_KEYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.widgets.markdown import MarkdownStream

    from engine import api
    from tui.model_text import ModelText

WRITES_PER_SECOND = 12
"""How often gathered tokens are written: more costs a core and reads no better."""

LONGEST_QUESTION = 30
"""Cells of a question that the title names."""

PARTS = ("demonstration", "prompt-notice", "waiting", "outcome")
"""Lines around the model's text, in their order; the text stands before the third."""


class Extract(Static):
    """A quotation with the number of its hit; a click goes to the hit."""

    def __init__(self, extract: api.Extract) -> None:
        number = (f"\u00a0[{extract.hit}]", "bold $cite")
        super().__init__(
            Content.assemble((f"“{quoted(extract.text)}”", "$foreground"), number), markup=False
        )
        self._rank = extract.hit

    def on_click(self) -> None:
        """Say which hit was clicked."""
        self.post_message(HitCited(self._rank))


def quoted(text: str) -> str:
    """A quotation as it reads on one line: without line breaks, a table's row as its cells."""
    line = " ".join(clean(text).split())
    if len(line) > 2 and line[0] == line[-1] == "|":
        return " │ ".join(cell.strip() for cell in line[1:-1].split("|"))
    return line


class AnswerPane(VerticalScroll, can_focus=True):
    """Shows one answer at a time."""

    BORDER_TITLE = "answer"
    BINDINGS: ClassVar[list[BindingType]] = SCROLL_KEYS

    def __init__(self) -> None:
        super().__init__()
        self._extracts: Sequence[api.Extract] = ()
        self._written: list[str] = []
        self._pending: list[str] = []
        self._model_text: ModelText | None = None
        self._stream: MarkdownStream | None = None
        self._timer: Timer | None = None
        self._partial = False
        self._question, self._facts = "", ""
        self._scrolled_back = False

    def compose(self) -> ComposeResult:
        """Lay out the note; the first frame does without the parts of an answer."""
        yield Static(id="answer-note", markup=False)

    def on_mount(self) -> None:
        """Prepare the pulse at which tokens are written."""
        self._timer = self.set_interval(1 / WRITES_PER_SECOND, self._write_pending, pause=True)

    @property
    def answer_text(self) -> str:
        """The extracts and the model's text, to copy."""
        quotes = [f"“{clean(extract.text).strip()}” [{extract.hit}]" for extract in self._extracts]
        written = "".join([*self._written, *self._pending]).strip()
        return "\n\n".join(part for part in ("\n".join(quotes), written) if part)

    @property
    def has_text(self) -> bool:
        """Whether the model has said anything yet."""
        return bool(self._written or self._pending)

    @property
    def is_settled(self) -> bool:
        """Whether everything that came has been written."""
        return not self._pending

    def show_note(self, note: Content) -> None:
        """Show a note in place of an answer."""
        self.query_one("#answer-note", Static).update(note)
        self.set_class(False, "-has-extracts", "-has-model")

    async def begin(self) -> None:
        """Empty the pane for the answer to a new question."""
        await self._close_stream()
        await self._lay_out_parts()
        if self._model_text is not None:
            await self._model_text.remove()
        self._model_text = None
        self._extracts, self._written = (), []
        await self.query_one("#extracts").remove_children()
        self.set_class(False, "-has-extracts", "-has-model")
        for part in ("answer-note", *PARTS):
            self._say(part, Content())
        self.set_title()
        self.border_subtitle, self._partial = None, False
        self.query_one("#model").border_title = " model "
        self.wait(Content.styled("searching …", "$quiet"))
        self.anchor(False)
        # A scroll that waits for a refresh would let go of the text that comes first.
        self.scroll_home(animate=False, immediate=True)
        self._scrolled_back = False

    async def _lay_out_parts(self) -> None:
        if self.query("#model"):
            return
        extracts = Vertical(id="extracts")
        extracts.border_title = " extracts "
        parts = (Static(id=part, markup=False) for part in PARTS)
        await self.mount(extracts, Vertical(*parts, id="model"))

    def set_title(self, *facts: str) -> None:
        """Set the pane's title: ``answer`` and what is known about it."""
        self._facts = "".join(f" · {fact}" for fact in facts)
        self._lay_out_title()

    def name_question(self, question: str) -> None:
        """Name the question in the title, since another query is shown; empty for none."""
        self._question = question
        self._lay_out_title()

    def _lay_out_title(self) -> None:
        to = hit_row.elide_end(clean_line(self._question), LONGEST_QUESTION)
        more = f" · to “{to}”" if to else self._facts
        self.border_title = Content.assemble("answer", (more, "not bold $quiet"))

    async def show_extracts(self, extracts: Sequence[api.Extract]) -> None:
        """Show the quotations, above everything else."""
        self._extracts = extracts
        if extracts:
            await self.query_one("#extracts").mount_all(Extract(extract) for extract in extracts)
            self.set_class(True, "-has-extracts")

    def show_model(self, llm: api.LlmState) -> None:
        """Name the model; while it has said nothing, say what it is doing."""
        self.set_class(True, "-has-model")
        name = clean_line(llm.model) or "model"
        self.query_one("#model").border_title = Content(f" {name} ")
        self._say("demonstration", outcome.demonstration(llm))
        if not self.has_text:
            self.wait(outcome.waiting(llm, has_extracts=bool(self._extracts)))

    def show_prompt(self, prompt: api.PromptMade) -> None:
        """Say what the model reads now, and what did not fit."""
        self._say("prompt-notice", Content.styled(clean_line(prompt.notice), "$text-warning"))
        if not self.has_text:
            self.wait(outcome.reading(prompt))

    async def add_text(self, text: str) -> None:
        """Add a piece of the model's text; the first is shown at once, others are gathered."""
        text = clean(text)
        if not text:
            return
        if self._stream is None:
            await self._open_stream()
            self._pending.append(text)
            await self._write_pending()
        else:
            self._pending.append(text)

    async def finish(self, finished: api.AnswerFinished) -> None:
        """Show how the answer went; its text replaces the streamed one where they differ."""
        follows = self._follows_text
        await self._close_stream()
        final = clean(finished.answer)
        if final.strip() and final.strip() != "".join(self._written).strip():
            await self._replace_text(final)
        self.wait(Content())
        self._say("outcome", outcome.finished(finished))
        self.set_title(*outcome.title_facts(finished))
        self._settle(follows)

    async def cut_off(self, reason: Content, mark: str) -> None:
        """Mark the answer as incomplete; what was written stands."""
        follows = self._follows_text
        await self._close_stream()
        self.set_class(True, "-has-model")
        self.wait(Content())
        self._say("outcome", reason)
        self.set_title(mark)
        self._settle(follows)

    def mark_outdated(self) -> None:
        """Say that documents changed after this answer was given."""
        if not self._partial:
            note = Content.styled("documents changed since · ctrl+r asks again", "$quiet")
            self.border_subtitle = note

    def mark_partial(self, note: Content) -> None:
        """Say from which part of the folder this answer was given; empty for all of it."""
        self._partial = bool(note)
        self.border_subtitle = note

    def wait(self, line: Content) -> None:
        """Show what is being waited for; empty for nothing."""
        self._say("waiting", line)

    def _say(self, part: str, text: Content) -> None:
        line = self.query_one(f"#{part}", Static)
        line.update(text)
        line.display = bool(text)

    def release_anchor(self) -> None:
        """Let the reader scroll; the end of the text no longer pulls."""
        super().release_anchor()
        self._scrolled_back = True

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Follow the text again once the reader is back at its end."""
        super().watch_scroll_y(old_value, new_value)
        if new_value >= self.max_scroll_y:
            self._scrolled_back = False

    def action_scroll_end(self) -> None:
        """Go to the end and follow the text from there."""
        self._scrolled_back = False
        super().action_scroll_end()

    @property
    def _follows_text(self) -> bool:
        """Whether a reader follows the text: only one who scrolled back does not."""
        return self.has_text and not self._scrolled_back

    def _follow_text(self) -> None:
        """Keep the end in view, but only once there is more than fits.

        Textual 8.2.8 gives an anchored pane that is not full a negative scroll position.
        """
        if not self.is_anchored and self.max_scroll_y > 0 and self._stream is not None:
            self.anchor()

    def _settle(self, follows: bool) -> None:
        """Let go of the end of the text; a reader who followed it sees the last lines."""
        self.anchor(False)
        if follows:
            self.call_after_refresh(self.scroll_end, animate=False)

    async def _open_stream(self) -> None:
        await self._mount_text()
        assert self._model_text is not None
        self._stream = self._model_text.stream()
        self.wait(Content())
        if self._timer is not None:
            self._timer.resume()

    async def _mount_text(self) -> None:
        from tui.model_text import ModelText

        self.set_class(True, "-has-model")
        if self._model_text is None:
            self._model_text = ModelText()
            await self.query_one("#model").mount(self._model_text, before="#waiting")

    async def _replace_text(self, text: str) -> None:
        await self._mount_text()
        assert self._model_text is not None
        await self._model_text.update(text)
        self._written = [text]

    async def _write_pending(self) -> None:
        self._follow_text()
        if self._stream is None or not self._pending:
            return
        text = "".join(self._pending)
        self._pending.clear()
        self._written.append(text)
        await self._stream.write(text)

    async def _close_stream(self) -> None:
        if self._timer is not None:
            self._timer.pause()
        if self._stream is not None:
            await self._write_pending()
            stream, self._stream = self._stream, None
            await stream.stop()
        self._pending.clear()
