"""One question and its answer as a turn of a conversation: what came before it, and its keeping."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncGenerator
from typing import Any

from engine.errors import ConversationsError, NoConversationError
from engine.storage.conversation_file import Entry, Exchange
from engine.storage.conversations import FolderConversations, Kept
from engine.wire.api_answer import (
    AnswerFailed,
    AnswerFinished,
    AskEvent,
    AskRequest,
    ExtractsFound,
    HitsFound,
    PromptMade,
    QuestionRewritten,
    Token,
    TurnBegun,
)
from engine.wire.api_conversations import Turn

BEGIN_SECONDS = 0.5
"""Longest wait until a question is kept; an answer does not wait longer for a slow disk."""
END_SECONDS = 5.0
"""Longest wait until its answer is."""


async def begin(request: AskRequest, kept_in: FolderConversations) -> "Talk":
    """Return the turn that ``request`` becomes; it begins a conversation where none goes on."""
    before: list[Exchange] = []
    notices: list[str] = []
    if request.conversation:
        try:
            before = await kept_in.exchanges(request.conversation, request.instead_of)
        except NoConversationError:
            notices.append("that conversation is not kept any more: another one begins here")
            request = request.model_copy(update={"conversation": ""})
        except ConversationsError as error:
            notices.append(f"what was said before is not known: {error}")
    if notice := kept_in.take_notice():
        notices.append(notice)
    return Talk(request, kept_in, before, notices)


class Talk:
    """A turn that is being answered."""

    def __init__(
        self,
        request: AskRequest,
        kept_in: FolderConversations,
        before: list[Exchange],
        notices: list[str],
    ) -> None:
        self.before = before
        """The turns that it goes on from, oldest first."""
        self._kept_in = kept_in
        self._notices = notices
        self._conversation = request.conversation or secrets.token_hex(8)
        self._instead_of = request.instead_of if request.conversation else None
        self._key, self._asked = secrets.token_hex(8), time.time()
        self._turn: dict[str, Any] = {"question": request.question, "number": 1, "asked": ""}
        self._said: list[str] = []
        self._number = self._prompt_tokens = 0
        self._is_settled = False

    async def kept(self, events: AsyncGenerator[AskEvent, None]) -> AsyncGenerator[AskEvent, None]:
        """Yield ``events``, and keep what they tell: also where they end early, or are closed.

        The last event says where.
        """
        async with contextlib.aclosing(events):
            try:
                async for event in events:
                    self._note(event)
                    if isinstance(event, HitsFound):
                        told = [*event.notices, *self._notices]
                        yield event.model_copy(update={"notices": told})
                    elif isinstance(event, AnswerFinished | AnswerFailed):
                        yield await self._settled(event)
                    else:
                        yield event
                    if isinstance(event, ExtractsFound) and (begun := await self._begun()):
                        yield begun
            finally:
                if not self._is_settled and "extracts" in self._turn:
                    self._finish()  # nobody waits: whoever asked may be gone

    def _note(self, event: AskEvent) -> None:
        match event:
            case QuestionRewritten():
                self._turn["rewritten"] = event.question
            case HitsFound():
                self._turn["hits"] = event.hits
            case ExtractsFound():
                self._turn |= {"extracts": event.extracts, "not_found": event.not_found}
            case PromptMade():
                self._turn |= {"shown": event.hits, "model": event.model}
                self._turn["documents"] = event.documents
                self._prompt_tokens = event.tokens
            case Token():
                self._said.append(event.text)
                self._turn.setdefault("citations", []).extend(event.citations)
            case AnswerFinished():
                told = {"answer", "finish_reason", "citations", "not_found", "documents"}
                self._turn |= {name: getattr(event, name) for name in told}
                self._turn["model"] = event.model or self._turn.get("model", "")
            case AnswerFailed():
                self._said = [event.answer]
                self._turn["citations"] = event.citations

    async def _begun(self) -> TurnBegun | None:
        """Keep question, hits and extracts, so that they outlive even the engine's own end."""
        if self._instead_of:  # the answer it had stays until there is another
            return TurnBegun(conversation=self._conversation, turn=self._instead_of)
        keeping = self._kept_in.keep(self._entry())
        keeping.add_done_callback(self._take_number)
        await asyncio.wait({keeping}, timeout=BEGIN_SECONDS)
        if not self._number:
            return None
        return TurnBegun(conversation=self._conversation, turn=self._number)

    def _take_number(self, keeping: "asyncio.Future[Kept]") -> None:
        if not keeping.cancelled():
            self._number = keeping.result().turn

    async def _settled(self, event: AnswerFinished | AnswerFailed) -> AskEvent:
        """Keep the answer, and return ``event`` with where it is kept."""
        keeping = self._finish()
        told: dict[str, Any] = {"rewritten_question": self._turn.get("rewritten", "")}
        if isinstance(event, AnswerFailed):
            told["prompt_tokens"] = self._prompt_tokens
        if keeping:
            await asyncio.wait({keeping}, timeout=END_SECONDS)
            kept = keeping.result() if keeping.done() else Kept(why_not="the disk is too slow")
            told |= {"turn": kept.turn, "not_kept": kept.why_not}
            told["conversation"] = self._conversation if kept.turn else ""
        return event.model_copy(update=told)

    def _finish(self) -> "asyncio.Future[Kept] | None":
        """Begin to keep what became of the turn; None for nothing in place of another."""
        self._is_settled = True
        self._turn["answer"] = self._turn.get("answer") or "".join(self._said)
        if self._instead_of and not (self._turn["answer"] or self._turn.get("finish_reason")):
            return None
        return self._kept_in.keep(self._entry())

    def _entry(self) -> Entry:
        return Entry(
            key=self._key,
            conversation=self._conversation,
            asked=self._asked,
            turn=Turn.model_validate(self._turn),
            instead_of=self._instead_of,
        )
