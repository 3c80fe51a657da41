"""The main screen: the course of one question, and what the engine says meanwhile."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from textual import on, work
from textual.content import Content

from engine.errors import EngineError, HoverkiteError
from engine.safe_text import clean, clean_line
from engine.survey_text import left_out
from tui import messages, notes, outcome, typed_query
from tui.engine_port import closing
from tui.live_results import LiveResults
from tui.search import Search

if TYPE_CHECKING:
    from engine import api
    from engine.api_search import Mode
    from tui.link import EngineLink

log = logging.getLogger(__name__)


class MainScreen(LiveResults):
    """Shows one folder and the question asked of it."""

    def __init__(self, link: EngineLink) -> None:
        super().__init__(link)
        self._number = 0
        self._failed = False

    def on_mount(self) -> None:
        """Fill the panes with what a beginner needs."""
        self.results.show_note(notes.starting_note())
        self.answer.show_note(notes.answer_note())

    # --- the course of a question ------------------------------------------------------------
    # Only handlers of this screen's messages change it, so one step ends before the next begins.
    # An action would run beside them: keys are handled by the app.

    @on(messages.QueryAsked)
    async def _start_question(self, message: messages.QueryAsked) -> None:
        self._retry_after_failure()
        if typed_query.asks_no_model(message.question):
            self._show_found_only(message.question)
            return
        self._number += 1
        self._forget_typed()
        self._asked = Search(message.question, self._mode, asked=True)
        self._evidence, self._found = (), None
        self._set_answering(True)
        self._searched.clear()
        self._index_changed.clear()
        if self._shown is None or self._shown.asked:
            self._clear_results()
        self.answer.name_question("")
        await self.answer.begin()
        self._ask(self._number, self._asked)

    def _clear_results(self) -> None:
        """Make room for the hits of a question; those of what was typed stay until these come."""
        if self.pane == "results":
            self.set_focus(None)  # a note takes the place of the list; the cursor comes back
        self._say_searching()
        self.preview.show_nothing()

    def _show_found_only(self, query: str) -> None:
        """Search what is no question to the model: lines, or whatever some filters let in."""
        if self._sought is None or self._sought.query != query:
            self._seek(Search(query, self._mode))

    @on(messages.AgainAsked)
    async def _start_again(self) -> None:
        self._retry_after_failure()
        if self.question:
            await self._start_question(messages.QueryAsked(self.question))

    def _retry_after_failure(self) -> None:
        if not self._has_failed:
            return
        self._failed, self._status = False, None
        self._show_note(notes.starting_note())
        self.status_bar.show_words("○ starting the engine …")
        self._link.retry()

    @property
    def _has_failed(self) -> bool:
        """Whether the engine, or the folder in it, stays unusable until it is tried again."""
        return self._failed or (self._status is not None and self._status.state == "failed")

    @on(messages.BackAsked)
    async def _go_back(self, message: messages.BackAsked) -> None:
        if self.answering:
            await self._stop_answer()
            return
        self.query_pane.input.clear_of(message.query)
        self.go_to("query")

    def _say_searching(self) -> None:
        note = notes.searching_note(self._status, engine_up=self._link.is_open)
        self._show_note(note)

    @property
    def _awaits_hits(self) -> bool:
        return self.answering and self._found is None

    @work(exclusive=True, group="answer", exit_on_error=False)
    async def _ask(self, number: int, asked: Search) -> None:
        try:
            engine, folder = await self._link.ready()
            async with closing(engine.ask(folder, asked.query, mode=asked.mode)) as events:
                async for event in events:
                    self.post_message(messages.AnswerAdvanced(number, event))
            ended: HoverkiteError = EngineError("The answer's stream ended early")
        except HoverkiteError as error:
            ended = error
        except Exception as error:  # the boundary of a task: the pane must not wait for ever
            log.exception("an answer broke")
            ended = EngineError(f"{type(error).__name__}: {error}")
        self.post_message(messages.AnswerBroke(number, ended))

    @on(messages.AnswerAdvanced)
    async def _show_event(self, message: messages.AnswerAdvanced) -> None:
        event = message.event
        if message.number != self._number or not self.answering:
            return
        if event.type == "hits":
            self._show_evidence(event)
        elif event.type == "extracts":
            await self.answer.show_extracts(event.extracts)
        elif event.type == "llm":
            self.answer.show_model(event)
        elif event.type == "prompt":
            self.answer.show_prompt(event)
        elif event.type == "token":
            await self.answer.add_text(event.text)
        elif event.type == "finished":
            self._set_answering(False)
            await self.answer.finish(event)
        else:
            self._set_answering(False)
            await self._show_trouble(event.problem)

    def _show_evidence(self, found: api.HitsFound) -> None:
        from engine.api_search import SearchReply

        assert self._asked is not None, "it was asked"
        self._evidence = found.hits
        self._found = SearchReply(
            query=found.query,
            took_ms=found.took_ms,
            mode=found.mode,
            hits=found.hits,
            notices=found.notices,
        )
        typed_since = self._sought is not None and self._sought is self._shown
        if not typed_since:
            again = self._shown is not None and self._shown.query == self.question
            self._show(self._asked, self._found, again=again)
        self._see_to_cursor()
        if self._status is not None:
            self.answer.mark_partial(outcome.partly_read(self._status))

    @on(messages.AnswerBroke)
    async def _show_break(self, message: messages.AnswerBroke) -> None:
        if message.number == self._number and self.answering:
            self._set_answering(False)
            self._show_rest_without_hits()
            await self._show_trouble(message.error)

    async def _show_trouble(self, problem: api.Problem | HoverkiteError) -> None:
        has_text = self.answer.has_text
        mark = "interrupted" if has_text else "none from the model"
        await self.answer.cut_off(outcome.interrupted(problem, has_text=has_text), mark)

    async def _stop_answer(self) -> None:
        self._set_answering(False)
        self.workers.cancel_group(self, "answer")
        await self.answer.cut_off(outcome.stopped(has_text=self.answer.has_text), "stopped")
        self._show_rest_without_hits()

    def _show_rest_without_hits(self) -> None:
        if self._shown is None:
            self._show_rest()
        else:
            self._searched.set()

    def _set_answering(self, answering: bool) -> None:
        self.answering = answering
        if not answering:
            self._see_to_cursor()
        self.show_hints()

    def _see_to_cursor(self) -> None:
        """Bring the cursor back that was in the results when a note took their place."""
        if self.focused is None:
            self.go_to("results" if self.results.hits else "query")

    @on(messages.HitHighlighted)
    def _show_hit(self, message: messages.HitHighlighted) -> None:
        if message.hit is not None:
            self.preview.show_hit(message.hit, self._shown_query)

    @on(messages.QueryLeft)
    def _enter_results(self) -> None:
        if self.results.hits:
            self.go_to("results")

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
            self._index_changed.set()
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

    @on(messages.FolderReady)
    def _show_ready(self, message: messages.FolderReady) -> None:
        self._failed = False
        self._survey = message.survey
        if self._sought is not None and self._sought is not self._shown:
            self._seek(self._sought)
        if self._shown is not None:
            self._index_changed.set()  # nobody told of changes while the engine was away
        elif self._awaits_hits:
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
        self.status_bar.show_failure(error.title, str(error), "ctrl+r tries again")
        if not self.results.hits:
            self._show_note(notes.failure_note(error))
        if self.answering:
            await self._stop_waiting(error)

    async def _stop_waiting(self, error: HoverkiteError) -> None:
        self._set_answering(False)
        self.workers.cancel_group(self, "answer")
        await self._show_trouble(error)

    # --- actions -----------------------------------------------------------------------------

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

    def _show_cited(self, rank: int) -> None:
        """Show a hit the answer stands on, even if the results have moved on since."""
        if not 1 <= rank <= len(self._evidence):
            return
        if self._shown is None or not self._shown.asked:
            self._return_to_answer()
        if self.results.select(rank):
            self.go_to("results")
            return
        cited = self._evidence[rank - 1]
        self.go_to("preview")
        self.preview.show_hit(cited, self.question, note="as it was when you asked")

    def action_mode(self, mode: Mode | None = None) -> None:
        """Search in ``mode`` from now on, or in the next one."""
        self.post_message(messages.ModeChosen(mode))

    def action_why(self) -> None:
        """Show why the shown hit is there, or its text again."""
        self.post_message(messages.WhyAsked())

    def action_around(self) -> None:
        """Show the hit in its surroundings, or alone again."""
        self.post_message(messages.AroundAsked())

    @work(exclusive=True, group="links", exit_on_error=False)
    async def action_follow(self) -> None:
        """List the links of the shown hit."""
        hit = self.preview.hit or self.results.selected
        if hit is None:
            return
        from engine.api_links import LinksRequest

        lines = LinksRequest(
            path=hit.path,
            quoted_path=hit.quoted_path,
            start_line=hit.start_line,
            end_line=hit.end_line,
        )
        try:
            engine, folder = await self._link.ready()
            self.post_message(messages.LinksFound(await engine.links(folder, lines)))
        except HoverkiteError as error:
            self.notify(f"{error.title}: {error}", severity="warning", markup=False)

    def action_edit(self) -> None:
        """Open the shown hit in the editor."""
        hit = self.preview.hit or self.results.selected
        if hit is not None:
            self.post_message(messages.HitOpened(hit))

    def action_copy(self) -> None:
        """Copy the answer in the answer pane, elsewhere the text of the shown hit."""
        hit = self.preview.hit or self.results.selected
        if self.pane == "answer":
            what, text = "The answer", self.answer.answer_text
        else:
            what, text = "The hit's text", clean(hit.text) if hit is not None else ""
        if not text:
            self.notify("There is nothing to copy yet", severity="warning", markup=False)
            return
        self.app.copy_to_clipboard(text)
        self.notify(f"{what} is on the clipboard", markup=False)

    def action_report(self) -> None:
        """Show everything known about the folder."""
        if self._status is not None:
            from tui.report import report_page

            self.app.push_screen(report_page(self._status))

    @work(exclusive=True, group="pause", exit_on_error=False)
    async def action_pause(self) -> None:
        """Pause indexing, or let it go on."""
        paused = self._status is not None and self._status.watch == "paused"
        try:
            engine, folder = await self._link.ready()
            status = await engine.pause(folder, paused=not paused)
            self.post_message(messages.StatusArrived(status))
        except HoverkiteError as error:
            self.notify(f"{error.title}: {error}", severity="error", markup=False)

    def action_help(self) -> None:
        """Show all keys."""
        from tui.help import help_page

        self.app.push_screen(help_page(self.app))
