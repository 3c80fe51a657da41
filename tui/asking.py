"""The course of a question: what is asked, and what comes of it on the screen."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from textual import on, work

from engine.errors import EngineError, HoverkiteError
from tui import messages, notes, outcome, typed_query
from tui.dialogue import Dialogue
from tui.engine_port import closing
from tui.exchange import Exchange, Manner
from tui.live_results import LiveResults
from tui.search import Found, Search
from tui.tray import Tray, is_same

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.wire import api
    from engine.wire.api_answer import AnswerFailed, AnswerFinished, AskRequest, Token
    from engine.wire.api_search import SearchReply
    from tui.link import EngineLink

log = logging.getLogger(__name__)

PULSE_MS = 125
"""Milliseconds between two pieces of an answer: shown one by one, tokens would cost a core."""


class Asking(LiveResults):
    """Asks a question, and shows how its answer grows and ends.

    Only handlers of this screen's messages change it, so one step ends before the next begins. An
    action would run beside them: keys are handled by the app.
    """

    def __init__(self, link: EngineLink) -> None:
        super().__init__(link)
        self._number = 0
        self._failed = False
        self.exchange: Exchange | None = None
        """The turn that the answer pane shows."""
        self.dialogue = Dialogue()
        self.tray = Tray()
        self._as_typed = False
        """Whether follow-ups are searched for as they were typed."""
        self._is_of_part = False
        """Whether only a part of the folder had been read when the question was searched for."""

    # --- asking ------------------------------------------------------------------------------

    @on(messages.QueryAsked)
    async def _start_question(self, message: messages.QueryAsked) -> None:
        self._retry_after_failure()
        if typed_query.asks_no_model(message.question):
            self._show_found_only(message.question)
            return
        self._number += 1
        self._is_of_part = False
        self._forget_typed()
        manner = message.manner
        self.exchange = Exchange(
            message.question,
            self._mode,
            manner,
            pinned=tuple(self.tray.pinned),
            edition=self._edition,
        )
        self.dialogue.begin(self.exchange)
        self._asked = Search(message.question, self._mode, asked=True, fixed=manner.exactly)
        self._evidence, self._found = (), None
        self._set_answering(True)
        if self._shown is None or self._shown.asked:
            self._clear_results()
        self.answer.name_question("")
        await self.answer.begin()
        self._name_place()
        self._ask(self._number, self.exchange)

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
        exchange = self.exchange
        is_answered = self._has_failed and exchange is not None and exchange.ending is not None
        self._retry_after_failure()
        if exchange is not None and not is_answered:
            await self._ask_again(exchange)

    async def _ask_again(
        self, exchange: Exchange, *, anyway: bool = False, exactly: bool = False
    ) -> None:
        """Ask the question of a turn again, in its place."""
        rewritten = exchange.rewritten if exchange.by == "person" else None
        manner = Manner(exchange, rewritten, anyway=anyway, exactly=exactly)
        await self._ask_in_place(exchange, manner)

    async def _ask_in_place(
        self, exchange: Exchange, manner: Manner, declined: Callable[[], None] | None = None
    ) -> None:
        """Ask the question of a turn in its place; a person agrees to the loss of later ones.

        Should they not, ``declined`` is called.
        """
        asked = messages.QueryAsked(exchange.question, manner)
        if later := self.dialogue.after(exchange):
            from tui.confirm import dropping_question

            decided = partial(self._ask_if_agreed, asked, declined)
            self.app.push_screen(dropping_question(later), decided)
        else:
            await self._start_question(asked)

    def _ask_if_agreed(
        self, asked: messages.QueryAsked, declined: Callable[[], None] | None, agreed: bool | None
    ) -> None:
        if agreed:
            self.post_message(asked)
        elif declined is not None:
            declined()

    def _retry_after_failure(self) -> None:
        if not self._has_failed:
            return
        self._show_start()
        self._link.retry()

    def _show_start(self) -> None:
        """Say that the engine is started after a failure; hits stay until there are others."""
        self._failed, self._status = False, None
        if not self.results.hits:
            self._show_note(notes.starting_note())
        self.status_bar.show_words("○ starting the engine …")

    @property
    def _has_failed(self) -> bool:
        """Whether the engine, or the folder in it, stays unusable until it is tried again."""
        return self._failed or (self._status is not None and self._status.state == "failed")

    def _say_searching(self) -> None:
        note = notes.searching_note(self._status, engine_up=self._link.is_open)
        self._show_note(note)

    @work(exclusive=True, group="answer", exit_on_error=False)
    async def _ask(self, number: int, exchange: Exchange) -> None:
        is_over = False
        try:
            engine, folder = await self._link.ready()
            async with closing(engine.ask(folder, self._asking(exchange))) as events:
                async for event in events:
                    self.post_message(messages.AnswerAdvanced(number, event))
                    is_over = event.type in ("finished", "failed")
            ended: HoverkiteError = EngineError("The answer's stream ended early")
        except HoverkiteError as error:
            ended = error
        except Exception as error:  # the boundary of a task: the pane must not wait for ever
            log.exception("an answer broke")
            ended = EngineError(f"{type(error).__name__}: {error}")
        if not is_over:
            self.post_message(messages.AnswerBroke(number, ended))

    def _asking(self, exchange: Exchange) -> AskRequest:
        from engine.wire.api_answer import AskRequest

        manner = exchange.manner
        return AskRequest(
            question=exchange.question,
            mode=exchange.mode,
            tray=self.tray.for_engine(exactly=manner.exactly),
            conversation=self.dialogue.id,
            instead_of=self.dialogue.number_to_replace(exchange),
            rewritten="" if manner.rewritten is None and self._as_typed else manner.rewritten,
            anyway=manner.anyway,
            gather_ms=PULSE_MS,
        )

    # --- what comes of it --------------------------------------------------------------------

    @on(messages.AnswerAdvanced)
    async def _show_event(self, message: messages.AnswerAdvanced) -> None:
        event, exchange = message.event, self.exchange
        if message.number != self._number or not self.answering or exchange is None:
            return
        exchange.take(event)
        if event.type == "rewritten":
            self._show_rewritten(exchange)
        elif event.type == "hits":
            self._show_evidence(exchange)
        elif event.type == "extracts":
            await self.answer.show_found(event, exchange.hits)
            self.results.tell_far(event.not_found)
            self.rearrange()
        elif event.type == "llm":
            self.answer.show_model(event)
        elif event.type == "prompt":
            self.answer.show_prompt(event)
        elif event.type == "token":
            await self._add_text(event, exchange)
        elif event.type == "turn":
            self.dialogue.keep(exchange)
        elif event.type != "passages_counted":  # which the prompt's view alone tells
            await self._show_ending(event, exchange)

    async def _show_ending(self, event: AnswerFinished | AnswerFailed, exchange: Exchange) -> None:
        self._set_answering(False)
        if event.type == "finished":
            await self.answer.finish(event)
        else:
            await self._show_trouble(event.problem)
        self._end(exchange)

    async def _add_text(self, piece: Token, exchange: Exchange) -> None:
        await self.answer.add_text(piece)
        before = exchange.citations[: len(exchange.citations) - len(piece.citations)]
        if any(each.n for each in piece.citations) and not any(each.n for each in before):
            self.show_hints()  # there is something to go to now

    def _show_rewritten(self, exchange: Exchange) -> None:
        self._asked = Search(
            exchange.question,
            exchange.mode,
            asked=True,
            words=exchange.rewritten,
            fixed=exchange.manner.exactly,
        )
        self.answer.show_rewritten(exchange.rewritten, exchange.by)

    def _show_evidence(self, exchange: Exchange) -> None:
        assert self._asked is not None and exchange.reply is not None, "it was asked, and found"
        self._evidence, self._found = exchange.hits, Found(exchange.reply, exchange.edition)
        typed_since = self._sought is not None and self._sought is self._shown
        if not typed_since:
            again = self._shown is not None and self._shown.query == self.question
            self._show(self._asked, self._found, again=again)
        self._see_to_cursor()
        if self._status is not None:
            self._is_of_part = outcome.is_partly_read(self._status)
            self.answer.mark_partial(outcome.partly_read(self._status))

    @on(messages.StatusArrived)
    async def _ask_of_whole_folder(self, message: messages.StatusArrived) -> None:
        """Ask anew once the whole folder is read, where the model was not asked yet."""
        exchange, status = self.exchange, message.status
        if not self._is_of_part or outcome.is_partly_read(status):
            return
        self._is_of_part = False
        if exchange is None or exchange.prompt is not None or self.dialogue.after(exchange):
            return
        if self.answering or exchange.can_be_answered_anyway:
            manner = exchange.manner
            await self._ask_again(exchange, anyway=manner.anyway, exactly=manner.exactly)

    def _end(self, exchange: Exchange) -> None:
        """Do what is left to do once an answer has ended."""
        self.dialogue.keep(exchange)
        self._name_place()
        if exchange.ending is not None and exchange.ending.not_kept:
            self.notify(exchange.ending.not_kept, severity="warning", markup=False)

    def _name_place(self) -> None:
        """Say which turn of the conversation is shown, and that the next question follows."""
        self.answer.name_place(self.dialogue.place(self.exchange))
        self.query_pane.show_turns(len(self.dialogue.turns))

    @property
    def prefers_answer(self) -> bool:
        """From the first word about what was found."""
        return self.exchange is not None and self.exchange.found is not None

    @property
    def _nothing_is_near(self) -> bool:
        return self.exchange is not None and self.exchange.not_found

    def _with_pinned(self, reply: SearchReply) -> SearchReply:
        pinned = () if self.exchange is None else self.exchange.pinned
        missing = [
            hit
            for hit in self._evidence
            if any(is_same(hit, each) for each in pinned)
            and not any(is_same(hit, each) for each in reply.hits)
        ]
        return reply.model_copy(update={"hits": [*reply.hits, *missing]}) if missing else reply

    @on(messages.AnswerBroke)
    async def _show_break(self, message: messages.AnswerBroke) -> None:
        if message.number == self._number and self.answering:
            self._set_answering(False)
            self._show_rest_without_hits()
            await self._show_trouble(message.error)

    async def _show_trouble(self, problem: api.Problem | HoverkiteError) -> None:
        has_text = self.answer.model.has_text
        mark = "interrupted" if has_text else "none from the model"
        await self.answer.cut_off(outcome.interrupted(problem, has_text=has_text), mark)
        self._give_up()

    async def _stop_answer(self) -> None:
        self._set_answering(False)
        self.workers.cancel_group(self, "answer")
        await self.answer.cut_off(outcome.stopped(has_text=self.answer.model.has_text), "stopped")
        self._give_up()
        self._show_rest_without_hits()

    def _give_up(self) -> None:
        """Let the turn stay that this one, which came to no end, was asked instead of."""
        if self.exchange is not None and self.dialogue.give_up(self.exchange):
            self._name_place()
            self.notify("The answer before this one stays in the conversation", markup=False)

    def _show_rest_without_hits(self) -> None:
        if self._shown is None:
            self._show_rest()

    def _set_answering(self, answering: bool) -> None:
        self.answering = answering
        if not answering:
            self._see_to_cursor()
        if self.zoomed:
            self.rearrange()
        self.show_hints()

    def _see_to_cursor(self) -> None:
        """Bring the cursor back that was in the results when a note took their place."""
        if self.focused is None:
            self.go_to("results" if self.results.hits else "query")
