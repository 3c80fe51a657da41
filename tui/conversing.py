"""The conversation around a question: its turns, its evidence, its tray, and what is offered."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING

from textual import on, work

from engine.errors import HoverkiteError
from tui import errand, messages
from tui.asking import Asking
from tui.changes import changes
from tui.dialogue import Dialogue
from tui.exchange import Manner, of_turn
from tui.key_names import key_of
from tui.outcome import again, better_model
from tui.search import Found, Search

if TYPE_CHECKING:
    from engine.wire.api_models import OfferedModel
    from tui.exchange import Exchange
    from tui.link import EngineLink

log = logging.getLogger(__name__)

EVIDENCE_PAUSE = 0.3
"""Seconds after a change of the index until the evidence is looked at: more edits may follow."""


class Conversing(Asking):
    """Goes on with a conversation, and back in it."""

    def __init__(self, link: EngineLink) -> None:
        super().__init__(link)
        self._edited: Exchange | None = None
        """The turn whose words to search for a person edits in the query."""
        self._offered_model: OfferedModel | None = None
        """A better model than the one that answers, once the engine told of it."""
        self._asked_for_models = False
        self._evidence_unsure = asyncio.Event()
        """Set when the passages that the answer stands on may not be what they were."""

    def on_mount(self) -> None:
        """Begin to follow what becomes of the evidence."""
        self._keep_evidence_checked()

    # --- turns -------------------------------------------------------------------------------

    @on(messages.TurnWanted)
    async def _go_to_turn(self, message: messages.TurnWanted) -> None:
        if self._is_busy():
            return
        exchange = self.dialogue.beside(self.exchange, message.step)
        if exchange is not None:
            await self._show_exchange(exchange)

    def _is_busy(self) -> bool:
        if self.answering:
            self.notify(f"{key_of('screen.back')} stops the answer first", markup=False)
        return self.answering

    async def _stop_if_answering(self) -> None:
        """Leave an answer for another conversation: what came of it is kept."""
        if self.answering:
            await self._stop_answer()

    async def _show_exchange(self, exchange: Exchange) -> None:
        """Show a turn as it was: its hits and its answer."""
        self._forget_typed()
        self.exchange = exchange
        self._asked = Search(
            exchange.question,
            exchange.mode,
            asked=True,
            words=exchange.rewritten,
            fixed=exchange.manner.exactly or self.dialogue.after(exchange) > 0,
        )
        reply = exchange.reply
        self._evidence = exchange.hits
        self._found = None if reply is None else Found(reply, exchange.edition)
        self._end_editing()
        self.query_pane.input.show_asked(exchange.question)
        await self.answer.restore(exchange)
        self._name_place()
        if self._found is None:
            self._show_rest()
        else:
            self._show(self._asked, self._found, again=False)
        self._offer()
        self._evidence_unsure.set()

    @on(messages.NewConversationWanted)
    async def _start_anew(self, message: messages.NewConversationWanted) -> None:
        await self._begin_anew(message.query)

    async def _begin_anew(self, query: str) -> None:
        """Begin a conversation; ``query`` is taken away, what else is typed stays, and its hits."""
        await self._stop_if_answering()
        await self.answer.empty()
        self.dialogue, self.exchange = Dialogue(), None
        self._asked, self._evidence, self._found = None, (), None
        self.tray.clear()
        self._show_tray()
        self._name_place()
        self._keep_typed(query)
        if self._sought is not None and self._sought is self._shown:
            self._note_unasked()
        else:
            self._show_rest()
        self._name_question()

    def _keep_typed(self, query: str) -> None:
        """Take ``query`` away; what else stands there was typed, and is searched."""
        box = self.query_pane.input
        self._end_editing()
        box.clear_of(query)
        if not box.text or (self._sought is not None and self._sought.asked):
            self._forget_typed()
        self.post_message(messages.QueryTyped(box.text, box.without_begun))

    async def open_conversation(self, turns: list[Exchange], conversation: str) -> None:
        """Go on with a kept conversation; its last turn is shown."""
        self.dialogue = Dialogue(turns, conversation)
        if turns:
            await self._show_exchange(turns[-1])

    @on(messages.ConversationOpened)
    async def _resume(self, message: messages.ConversationOpened) -> None:
        await self._stop_if_answering()
        kept = message.conversation
        turns = [of_turn(turn, kept.id, self._edition) for turn in kept.turns]
        await self.open_conversation(turns, kept.id)

    @on(messages.ConversationDeleted)
    async def _forget_conversation(self, message: messages.ConversationDeleted) -> None:
        """Go on in a new one, should it be the one that is shown."""
        if message.name == self.dialogue.id:
            await self._begin_anew(self.query_pane.untyped)
            self.go_to("query")

    # --- the words that are searched for -----------------------------------------------------

    @on(messages.RewritingWanted)
    def _edit_rewritten(self) -> None:
        """Put what was searched for into the query, to be asked as a person changes it."""
        if self.exchange is not None and not self._is_busy():
            self._edit_words_of(self.exchange)

    def _edit_words_of(self, exchange: Exchange, so_far: str | None = None) -> None:
        """Have the words of a turn edited, which are ``so_far`` something else already."""
        self._edited = exchange
        self.query_pane.edit_words(exchange.rewritten or exchange.question, exchange.question)
        if so_far is not None:
            self.query_pane.input.take(so_far)
        self.go_to("query")

    def _end_editing(self) -> None:
        if self._edited is not None:
            self._edited = None
            self.query_pane.end_editing()

    @on(messages.WordsEdited)
    async def _ask_with_words(self, message: messages.WordsEdited) -> None:
        exchange = self._edited
        self._end_editing()
        if exchange is not None:
            self.query_pane.input.text = ""  # the words are asked, and with them the question
            self.query_pane.input.show_asked(exchange.question)
            words = "" if message.words == exchange.question else message.words
            go_on = partial(self._edit_words_of, exchange, message.words)
            await self._ask_in_place(exchange, Manner(exchange, words), declined=go_on)

    @on(messages.AsTypedWanted)
    def _toggle_rewriting(self) -> None:
        self._as_typed = not self._as_typed
        how = "as they are typed" if self._as_typed else "in words that say what they are about"
        self.notify(f"Follow-ups are searched for {how}", markup=False)

    # --- the tray ----------------------------------------------------------------------------

    @on(messages.HitPinned)
    def _pin(self, message: messages.HitPinned) -> None:
        self.tray.toggle_pin(message.hit)
        self._show_tray()

    @on(messages.HitDropped)
    def _drop(self, message: messages.HitDropped) -> None:
        self.tray.toggle_drop(message.hit)
        self._show_tray()

    def _show_tray(self) -> None:
        self.results.show_tray(self.tray)
        self.show_hints()

    def action_tray(self) -> None:
        """Show what is in the tray, to take things out, or to ask with exactly that."""
        from tui.tray_page import TrayPage

        self.app.push_screen(TrayPage(self.tray), self._leave_tray)

    def _leave_tray(self, exactly: bool | None) -> None:
        self._show_tray()
        if exactly:
            self.post_message(messages.ExactlyAsked())

    @on(messages.ExactlyAsked)
    async def _ask_exactly(self) -> None:
        """Ask with exactly the pinned hits: what is typed, or the shown question again."""
        typed = self.query_pane.input.text.strip()
        if typed and typed != self.question:
            await self._start_question(messages.QueryAsked(typed, Manner(exactly=True)))
        elif self.exchange is not None:
            await self._ask_again(self.exchange, exactly=True)
        else:
            self.notify("Type a question first", markup=False)

    # --- what the answer stands on -----------------------------------------------------------

    def _set_answering(self, answering: bool) -> None:
        super()._set_answering(answering)
        exchange = self.exchange
        if exchange is not None and not answering and exchange.edition != self._edition:
            self._evidence_unsure.set()  # it changed while the answer was written

    def _count_change(self) -> None:
        super()._count_change()
        self._evidence_unsure.set()

    @work(group="evidence", exit_on_error=False)
    async def _keep_evidence_checked(self) -> None:
        while True:
            await self._evidence_unsure.wait()
            await asyncio.sleep(EVIDENCE_PAUSE)
            self._evidence_unsure.clear()
            if self.exchange is None or self.answering:
                continue  # the end of the answer asks for it
            try:
                await self._check_evidence(self.exchange)
            except Exception as error:  # later changes must still be followed
                log.warning("looking at the evidence failed: %r", error)

    async def _check_evidence(self, exchange: Exchange) -> None:
        """Find out what became of the passages that an answer stands on."""
        if hits := exchange.evidence:
            engine, folder = await self._link.ready()
            found = list(zip(hits, await engine.evidence(folder, hits), strict=False))
            self.post_message(messages.EvidenceFound(exchange, found))

    @on(messages.EvidenceFound)
    def _mark_stale(self, message: messages.EvidenceFound) -> None:
        exchange = message.exchange
        exchange.changed = [
            (hit, evidence)
            for hit, evidence in message.evidence
            if evidence.state in ("changed", "gone")
        ]
        if exchange is self.exchange and not self.answering:
            self.answer.mark_stale(exchange.changed)
            self._offer()

    # --- what is offered ---------------------------------------------------------------------

    def _end(self, exchange: Exchange) -> None:
        super()._end(exchange)
        replaced = exchange.manner.instead_of
        if replaced is not None and replaced.changed:
            self.answer.show_changes(changes(replaced.changed))
        self._offer()
        if exchange.is_demonstration and not self._asked_for_models:
            self._look_for_model()

    @property
    def hint_words(self) -> dict[str, str]:
        """What keys do where the conversation is; an answer is stopped before one leaves it."""
        turns = 0 if self.answering else len(self.dialogue.turns)
        cites = self.exchange is not None and any(each.n for each in self.exchange.citations)
        return {
            **({} if cites else {"answer.next": "", "answer.open": ""}),
            "screen.offer": self.offered,
            "screen.next_folder": "folders" if self.query_pane.place else "",
            "screen.new": "new" if self.dialogue.turns else "",
            "screen.turn_before": "turns" if turns > 1 else "",
            "screen.tray": "tray" if self.tray else "",
            "screen.prompt": "prompt" if self.exchange and self.exchange.prompt else "",
        }

    @property
    def offered(self) -> str:
        """What one key does now, in two words; empty for nothing."""
        exchange = self.exchange
        if exchange is None or self.answering:
            return ""
        if exchange.changed:
            return "ask again"
        if exchange.can_be_answered_anyway:
            return "answer anyway"
        return "better model" if self._offered_model is not None else ""

    def _offer(self) -> None:
        """Say what one key does now."""
        self.show_hints()
        exchange, model = self.exchange, self._offered_model
        found = None if exchange is None else exchange.found
        if exchange is not None and found is not None and exchange.can_be_answered_anyway:
            self.answer.offer_anyway(found.searched)
        elif exchange is not None and exchange.is_demonstration:
            self.answer.offer("" if model is None else better_model(model))

    @work(exclusive=True, group="offer", exit_on_error=False)
    async def _look_for_model(self) -> None:
        """Ask once whether a better model is within reach; after a fault the next answer does."""
        self._asked_for_models = True
        try:
            engine, _ = await self._link.ready()
            offer = await engine.model_offer()
        except HoverkiteError as error:
            log.warning("looking for a better model failed: %s", error)
            self._asked_for_models = False
            return
        if offer.model is not None:
            self.post_message(messages.ModelOffered(offer.model))

    @on(messages.ModelOffered)
    def _offer_model(self, message: messages.ModelOffered) -> None:
        self._offered_model = message.model
        if not self.answering:
            self._offer()

    def _take_model(self, model: OfferedModel) -> None:
        from tui.confirm import model_question

        def decided(agreed: bool | None) -> None:
            if agreed:
                self._use_model(model)

        self.app.push_screen(model_question(model), decided)

    @work(exclusive=True, group="offer", exit_on_error=False)
    async def _use_model(self, model: OfferedModel) -> None:
        from engine.wire.api_models import UseModel

        wanted = UseModel(name=model.name, url=model.url)
        chosen = await errand.reply(self, self._link, lambda engine, _: engine.use_model(wanted))
        if chosen is None:
            return
        said = [f"{model.name} answers from now on", chosen.note]
        said.append(f"It is written into {chosen.written}" if chosen.written else "")
        said.append(f"{again()} with it")
        self.notify("\n".join(part for part in said if part), markup=False)
        self.post_message(messages.ModelTaken())

    def end_offer(self) -> None:
        """Offer no better model any more: one was taken, here or in another folder."""
        self.workers.cancel_group(self, "offer")
        self._asked_for_models = True
        if self._offered_model is not None:
            self._offered_model = None
            self.answer.offer("")
            self.show_hints()

    @on(messages.OfferTaken)
    async def _take_offer(self) -> None:
        exchange = self.exchange
        if exchange is None or self._is_busy():
            return
        if exchange.changed:
            await self._ask_again(exchange)
        elif exchange.can_be_answered_anyway:
            await self._ask_again(exchange, anyway=True)
        elif self._offered_model is not None:
            self._take_model(self._offered_model)
