"""The answer pane: extracts first, the model's streamed text below them, then how it went."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from engine.safe_text import clean, clean_line
from tui import hit_row, outcome
from tui.extract import Extract
from tui.streamed import StreamedPane

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.wire import api, api_answer
    from engine.wire.api_conversations import Evidence
    from engine.wire.api_search import Hit
    from tui.exchange import Exchange

LONGEST_QUESTION = 30
"""Cells of a question that the title names."""

PARTS = ("demonstration", "prompt-notice", "waiting", "outcome", "offer", "changes")
"""Lines around the model's text, in their order; the text stands before the third."""
TURNED_OFF = "off"
"""As in the engine's messages, which are too slow to import for the first frame."""
ABOVE = ("rewritten", "not-found")
"""Lines above the extracts."""


class AnswerPane(Vertical):
    """Shows one answer at a time."""

    BORDER_TITLE = "answer"

    def __init__(self) -> None:
        super().__init__()
        self._extracts: Sequence[api_answer.Extract] = ()
        self._partial = False
        self._question, self._facts, self._place = "", "", ""
        self._marked = 0

    def compose(self) -> ComposeResult:
        """Lay out the note; the first frame does without the parts of an answer."""
        with StreamedPane("model"):
            yield Static(id="answer-note", markup=False)

    @property
    def model(self) -> StreamedPane:
        """The part that scrolls: the model's text, or a note."""
        return self.query_one(StreamedPane)

    @property
    def answer_text(self) -> str:
        """The extracts and the model's text, to copy."""
        quotes = [f"“{clean(extract.text).strip()}” [{extract.hit}]" for extract in self._extracts]
        written = self.model.words.strip()
        return "\n\n".join(part for part in ("\n".join(quotes), written) if part)

    def show_note(self, note: Content) -> None:
        """Show a note in place of an answer."""
        self._say("answer-note", note)
        self.set_class(False, "-has-found", "-has-model")
        self.mark_partial(None)
        self.set_title()

    async def begin(self) -> None:
        """Empty the pane for the answer to a new question."""
        await self.empty()
        self.wait(Content.styled("searching …", "$quiet"))

    async def empty(self) -> None:
        """Take away everything about an answer."""
        await self._lay_out_parts()
        await self.model.empty()
        self._extracts = ()
        await self.query_one("#extracts").remove_children()
        self.set_class(False, "-has-found", "-has-model", "-has-extracts", "-unanswered")
        self.query_one("#found").scroll_home(animate=False, immediate=True)
        for part in ("answer-note", *ABOVE, *PARTS):
            self._say(part, Content())
        self.set_title()
        self.mark_partial(None)
        self.model.border_title = " model "

    async def _lay_out_parts(self) -> None:
        if self.query("#found"):
            return
        extracts = Vertical(id="extracts")
        extracts.border_title = " extracts "
        above = (Static(id=part, markup=False) for part in ABOVE)
        parts = (Static(id=part, markup=False) for part in PARTS)
        found = VerticalScroll(*above, extracts, id="found", can_focus=False)
        await self.mount(found, before="#model")
        self.model.above = found
        await self.model.mount_all(parts)

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
        more = f" · to “{to}”" if to else self._place + self._facts
        title = Content.assemble("answer", (more, "not bold $quiet"))
        if title.markup != self.border_title:  # the same again would paint the whole pane
            self.border_title = title

    def name_place(self, place: str) -> None:
        """Name the answer's place in its conversation in the title; empty where it stands alone."""
        self._place = f" {place}" if place else ""
        self._lay_out_title()

    def show_rewritten(self, words: str, by: str) -> None:
        """Say what was searched for in place of the question."""
        self._say("rewritten", outcome.rewritten(words, by))
        self.set_class(True, "-has-found")

    async def show_found(self, found: api_answer.ExtractsFound, hits: Sequence[Hit]) -> None:
        """Show the quotations from ``hits``; before them, that nothing near enough was found."""
        self._extracts = found.extracts
        if found.not_found:
            self._say("not-found", outcome.not_found(found.searched, can_go_on=False))
            self.query_one("#extracts").border_title = " the nearest passages "
        else:
            self.query_one("#extracts").border_title = " extracts "
        if found.extracts:
            by_rank = {hit.rank: hit for hit in hits}
            quotes = (Extract(extract, by_rank.get(extract.hit)) for extract in found.extracts)
            await self.query_one("#extracts").mount_all(quotes)
            self._mark_extracts()
        self.set_class(bool(found.extracts), "-has-extracts")
        if found.extracts or found.not_found:
            self.set_class(True, "-has-found")

    def mark_hit(self, rank: int) -> None:
        """Have what stands on the hit of that rank stand out; 0 for nothing."""
        if rank != self._marked:
            self._marked = rank
            self._mark_extracts()
            self.model.mark_hit(rank)

    def _mark_extracts(self) -> None:
        for extract in self.query(Extract):
            extract.set_class(extract.rank == self._marked, "-marked")

    def offer(self, words: str) -> None:
        """Say what one key does now; empty for nothing."""
        self._say("offer", outcome.offer(words) if words else Content())

    def offer_anyway(self, searched: str) -> None:
        """Offer an answer though nothing near enough was found; the passages have its room."""
        self.set_class(True, "-unanswered")
        self._say("not-found", outcome.not_found(searched, can_go_on=True))

    def show_model(self, llm: api.LlmState) -> None:
        """Name the model; while it has said nothing, say what it is doing."""
        self.set_class(True, "-has-model")
        name = clean_line(llm.model) or "model"
        self.model.border_title = Content(f" {name} ")
        self._say("demonstration", outcome.demonstration(llm))
        if not self.model.has_text:
            self.wait(outcome.waiting(llm, has_extracts=bool(self._extracts)))

    def show_prompt(self, prompt: api_answer.PromptMade) -> None:
        """Say what the model reads now, and what did not fit."""
        self._mark_documents(prompt.documents)
        if prompt.documents:
            self._say("prompt-notice", Content.styled(clean_line(prompt.notice), "$text-warning"))
        if not self.model.has_text:
            self.wait(outcome.reading(prompt))

    def _mark_documents(self, documents: bool) -> None:
        if not documents:
            self._say("prompt-notice", outcome.without_documents())

    async def finish(self, finished: api_answer.AnswerFinished) -> None:
        """Show how the answer went; its text replaces the streamed one where they differ."""
        follows = self.model.follows_text
        await self.model.close_stream()
        await self._show_text(finished.answer, finished.citations)
        if finished.finish_reason != TURNED_OFF:
            self.wait(Content())
        self._mark_documents(finished.documents or not finished.answer)
        self._say("outcome", outcome.finished(finished))
        self.set_title(*outcome.title_facts(finished))
        self.model.settle(follows)

    async def cut_off(self, reason: Content, mark: str) -> None:
        """Mark the answer as incomplete; what was written stands."""
        follows = self.model.follows_text
        await self.model.close_stream()
        self.set_class(True, "-has-model")
        self.wait(Content())
        self._say("outcome", reason)
        self.set_title(mark)
        self.model.settle(follows)

    def mark_outdated(self) -> None:
        """Say that something is found now for an answer that nothing was found for."""
        if not self._partial:
            note = Content.styled(f"documents changed since · {outcome.again()}", "$quiet")
            self.border_subtitle = note

    def mark_stale(self, changed: Sequence[tuple[Hit, Evidence]]) -> None:
        """Say which passage the answer stands on is no longer what it was; nothing for none."""
        if not self._partial:
            room = max(self.size.width - 4, 20)
            self.border_subtitle = outcome.stale(changed, room=room) or None

    def show_changes(self, changes: Content) -> None:
        """Show below the answer what became of the passages of the one before it."""
        self._say("changes", changes)
        if changes:
            self.set_class(True, "-has-model")
            self.call_after_refresh(self.model.scroll_end, animate=False)

    async def restore(self, exchange: Exchange) -> None:
        """Show an earlier answer again, as it was."""
        await self.begin()
        self.wait(Content())
        if exchange.rewritten:
            self.show_rewritten(exchange.rewritten, exchange.by)
        if exchange.found is not None:
            await self.show_found(exchange.found, exchange.hits)
        ending = exchange.ending
        if ending is not None and ending.type == "finished":
            if ending.model and ending.answer:
                self.model.border_title = Content(f" {clean_line(ending.model)} ")
            await self.finish(ending)
        else:
            await self._show_text(exchange.answer, exchange.citations)
            await self.cut_off(outcome.broken_off(ending), "interrupted")
        self.model.settle(False)
        self.model.scroll_home(animate=False)

    def mark_partial(self, note: Content | None) -> None:
        """Say from which part of the folder this answer was given; nothing for all of it."""
        self._partial = bool(note)
        if note or self.border_subtitle is not None:
            self.border_subtitle = note or None

    def wait(self, line: Content) -> None:
        """Show what is being waited for; empty for nothing."""
        self._say("waiting", line)

    def _say(self, part: str, text: Content) -> None:
        line = self.query_one(f"#{part}", Static)
        if text != line.content:  # the same again would cost a layout
            line.update(text)
        line.display = bool(text)

    async def add_text(self, piece: api_answer.Token) -> None:
        """Add a piece of the model's text."""
        if piece.text and not self.model.has_text:  # both cost a layout, which no token needs
            self.set_class(True, "-has-model")
            self.wait(Content())
        await self.model.add_text(piece.text, piece.citations)

    async def _show_text(self, text: str, cited: Sequence[api_answer.Citation]) -> None:
        """Show the whole text of the model; none leaves what was streamed."""
        self.set_class(bool(text.strip()) or self.model.has_text, "-has-model")
        await self.model.show_text(text, cited)
