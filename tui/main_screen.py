"""The main screen: what the engine says of the folder meanwhile, and what keys do."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from textual import on, work
from textual.content import Content
from textual.events import DescendantFocus, Key

from engine.front.survey_text import left_out
from engine.safe_text import clean_line
from tui import errand, messages, notes
from tui.completing import Completing
from tui.key_names import key_of
from tui.typed_ahead import done_at_once, passed_on

if TYPE_CHECKING:
    from textual.notifications import SeverityLevel

    from engine.errors import HoverkiteError
    from engine.wire import api
    from engine.wire.api_search import Mode
    from tui.link import EngineLink


class MainScreen(Completing):
    """Shows one folder and the question asked of it."""

    def __init__(self, link: EngineLink) -> None:
        super().__init__(link)
        self._typed_from = 0.0
        """Keys that were pressed before this moment are meant for who has the cursor since."""
        self._pausing = asyncio.Lock()
        self._pauses_sent: list[bool] = []
        """What keys asked for and the engine has not replied to yet: whether to pause."""

    def on_mount(self) -> None:
        """Fill the panes with what a beginner needs."""
        if not self.query("#results-note"):
            return  # it is being left already, before all of it was there
        self.results.show_note(notes.starting_note())
        self.answer.show_note(notes.answer_note())

    @on(messages.HitHighlighted)
    def _show_hit(self, message: messages.HitHighlighted) -> None:
        if message.hit is not None:
            note = self._note_of_gone if self.results.is_gone(message.hit) else ""
            self.preview.show_hit(message.hit, self._shown_query, note=note)
            self._mark_in_answer()

    @on(DescendantFocus)
    def _mark_in_answer(self) -> None:
        """Have the answer show what of it stands on the hit under the cursor of the results."""
        row = self.results.list.row
        speaks_of_it = self._shown is not None and self._shown.asked and self.pane != "query"
        self.answer.mark_hit(row.number if row is not None and speaks_of_it else 0)

    @property
    def _note_of_gone(self) -> str:
        is_asked = self._shown is not None and self._shown.asked
        return "as it was when you asked" if is_asked else "no longer found"

    @on(messages.QueryLeft)
    def _enter_results(self) -> None:
        if self.results.hits:
            self.go_to("results")

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Show a toast, which names the folder while another one is shown."""
        if not self.is_current:
            title = f"{self._link.name}: {title}".removesuffix(": ")
        super().notify(message, title=title, severity=severity, timeout=timeout, markup=markup)

    # --- the folder and the engine -----------------------------------------------------------

    @property
    def status(self) -> api.FolderStatus | None:
        """The latest status of the folder."""
        return self._status

    @on(messages.StatusArrived)
    def _show_status(self, message: messages.StatusArrived) -> None:
        before, status = self._status, message.status
        self._status = status
        self.status_bar.show(status)
        self.query_pane.show_folder(status.docs, left_out(status.ignored, status.unread))
        # A new engine counts from 0 again, so any other number is a change.
        if before is not None and status.revision != before.revision:
            self._count_change()
        if not self.question and self._shown is None:
            self._show_note(notes.results_note(status, self._survey))
        if self._awaits_hits:
            if self._shown is None:
                self._say_searching()
            if status.detail:
                words = f"searching … {clean_line(status.detail)}"
                self.answer.wait(Content.styled(words, "$quiet"))
        if self.answering and self._evidence and status.llm.state in ("starting", "unavailable"):
            self.answer.show_model(status.llm)

    @on(messages.AgreementNeeded)
    def _show_waiting(self) -> None:
        self.status_bar.show_words("○ waits for your yes", "$text-warning")
        self._show_agreement(given=False)

    @on(messages.AgreementGiven)
    def _show_opening(self) -> None:
        self.status_bar.show_words("○ opening the folder …")
        self._show_agreement(given=True)

    def _show_agreement(self, *, given: bool) -> None:
        if self._shown is None and not self.answering:
            self._show_note(notes.agreement_note(given=given))

    @on(messages.SettingsLoaded)
    def _show_reopening(self) -> None:
        if self._failed:  # it was begun anew by itself, since the settings are right now
            self._show_start()

    @on(messages.FolderReady)
    def _show_ready(self, message: messages.FolderReady) -> None:
        self._failed = False
        self._look_up_questions()
        self._survey = message.survey
        self._count_change()  # nobody told of any while the engine was away
        if self._sought is not None and self._sought is not self._shown:
            self._seek(self._sought)
        if self._shown is not None:
            return
        if self._awaits_hits:
            self._say_searching()
        elif not self.question:
            self._show_note(notes.results_note(self._status, self._survey))

    @on(messages.EngineLost)
    def _show_lost(self, message: messages.EngineLost) -> None:
        self.status_bar.show_words(
            f"○ the engine was lost; reaching it again (attempt {message.attempt}) …",
            "$text-warning",
        )

    @on(messages.EngineFailed)
    async def _show_failure(self, message: messages.EngineFailed) -> None:
        self._failed = True
        error = message.error
        self.status_bar.show_failure(
            error.title, str(error), f"{key_of('screen.again')} tries again"
        )
        if not self.results.hits:
            self._show_note(notes.failure_note(error))
        if self.answering:
            await self._stop_waiting(error)

    async def _stop_waiting(self, error: HoverkiteError) -> None:
        self._set_answering(False)
        self.workers.cancel_group(self, "answer")
        await self._show_trouble(error)

    # --- actions -----------------------------------------------------------------------------

    @on(messages.BackAsked)
    async def _go_back(self, message: messages.BackAsked) -> None:
        if self.answering:
            await self._stop_answer()
            return
        self._end_editing()
        self.query_pane.input.clear_of(message.query)
        self.go_to("query")

    def action_back(self) -> None:
        """Stop the answer; without one, clear the query."""
        self.post_message(messages.BackAsked())

    def action_again(self) -> None:
        """Try the engine again after a failure, and ask the shown question again."""
        self.post_message(messages.AgainAsked())

    def action_jump(self, rank: int) -> None:
        """Show the hit numbered ``rank``, in the answer pane even one no longer found."""
        if self.pane == "answer":
            self._show_cited(rank)
        elif self.results.select(rank):
            self.go_to("results")

    @on(messages.HitCited)
    def _follow_citation(self, message: messages.HitCited) -> None:
        self._show_cited(message.rank)

    @on(messages.CitationOpened)
    def _open_citation(self, message: messages.CitationOpened) -> None:
        self._show_cited(message.rank, message.sentence)

    @on(messages.CitationChosen)
    def _follow_cursor(self, message: messages.CitationChosen) -> None:
        """Show the passage of a citation beside the answer, which keeps the cursor."""
        self._bring_evidence_back()
        if 1 <= message.rank <= len(self._evidence):
            self.results.select(message.rank)
            self._preview_cited(message.rank, message.sentence)

    def _show_cited(self, rank: int, sentence: str = "") -> None:
        """Show a hit the answer stands on, even if the results have moved on since."""
        if not 1 <= rank <= len(self._evidence):
            return
        self._bring_evidence_back()
        if not self.results.select(rank):
            self.go_to("preview")
            self._preview_cited(rank, sentence)
            return
        self.go_to("preview" if sentence else "results")
        if sentence:
            self._preview_cited(rank, sentence)

    def _bring_evidence_back(self) -> None:
        if self._shown is None or not self._shown.asked:
            self._return_to_answer()

    def _preview_cited(self, rank: int, sentence: str) -> None:
        """Show a hit as the answer cites it: words of the sentence stand out."""
        shown = self.results.selected
        cited = next(hit for hit in self._evidence if hit.rank == rank)
        if shown is None or shown.text != cited.text or self.results.is_gone(shown):
            note = "as it was when you asked"
        else:
            note, cited = "", shown
        self.preview.show_hit(cited, sentence or self.question, note=note)

    def action_mode(self, mode: Mode | None = None) -> None:
        """Search in ``mode`` from now on, or in the next one."""
        self.post_message(messages.ModeChosen(mode))

    def action_why(self) -> None:
        """Show why the shown hit is there, or its text again."""
        self.post_message(messages.WhyAsked())

    def action_around(self) -> None:
        """Show the hit in its surroundings, or alone again."""
        self.post_message(messages.AroundAsked())

    def action_edit(self) -> None:
        """Open the shown hit in the editor."""
        hit = self.preview.hit or self.results.selected
        if hit is not None:
            self.post_message(messages.HitOpened(hit))

    @work(group="pause", exit_on_error=False)
    async def action_pause(self) -> None:
        """Pause indexing, or let it go on: the other of what was sent to the engine last."""
        if not self._link.is_open:
            errand.tell_not_open(self, self._link)
            return
        is_paused = self._status is not None and self._status.watch == "paused"
        paused = not (self._pauses_sent[-1] if self._pauses_sent else is_paused)
        self._pauses_sent.append(paused)
        async with self._pausing:
            status = await errand.reply(
                self, self._link, lambda engine, folder: engine.pause(folder, paused=paused)
            )
        if status is not None:
            self.post_message(messages.StatusArrived(status))
        self.call_later(self._pauses_sent.pop, 0)  # once that status is known

    async def on_key(self, event: Key) -> None:
        """Have what is typed right after a new conversation was begun go into the query."""
        if await done_at_once(self, event, "new_conversation"):
            self._typed_from = time.monotonic()  # the clock of key events
        elif event.time < self._typed_from:
            passed_on(self, event, is_left=True)

    # --- conversations -----------------------------------------------------------------------

    def action_turn(self, step: int) -> None:
        """Show the turn of the conversation before the shown one, or the next."""
        self.post_message(messages.TurnWanted(step))

    def action_new_conversation(self) -> None:
        """Have the next question begin a conversation; it can be typed at once."""
        self.post_message(messages.NewConversationWanted(self.query_pane.untyped))
        self.go_to("query")

    def action_rewrite(self) -> None:
        """Edit what was searched for in place of the question."""
        self.post_message(messages.RewritingWanted())

    def action_as_typed(self) -> None:
        """Search for follow-ups as they are typed, or no longer."""
        self.post_message(messages.AsTypedWanted())

    def action_offer(self) -> None:
        """Do what the answer offers."""
        self.post_message(messages.OfferTaken())

    def action_prompt(self) -> None:
        """Show what the model was shown, word for word."""
        prompt = None if self.exchange is None else self.exchange.prompt
        if prompt is None:
            self.notify("No prompt was made for this answer yet", markup=False)
            return
        from tui.prompt_view import PromptView

        self.app.push_screen(PromptView(prompt))
