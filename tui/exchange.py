"""One turn of a conversation on the screen: a question, what was found, and what was answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.wire.api import LlmState
    from engine.wire.api_answer import (
        AnswerFailed,
        AnswerFinished,
        AskEvent,
        Citation,
        ExtractsFound,
        HitsFound,
        PromptMade,
    )
    from engine.wire.api_conversations import Evidence, Turn
    from engine.wire.api_search import Hit, Mode, SearchReply


@dataclass(frozen=True)
class Manner:
    """How a question is asked, where that is not as usual."""

    instead_of: Exchange | None = None
    """The turn whose answer is made again, in the place of it and of those after it."""
    rewritten: str | None = None
    """What a person wants searched for in place of the question; empty for the question itself."""
    anyway: bool = False
    """Whether the model answers though nothing near enough was found."""
    exactly: bool = False
    """Whether the model is shown nothing but what is pinned."""


USUAL = Manner()


@dataclass(eq=False)
class Exchange:
    """A question and what came of it so far."""

    question: str
    mode: Mode | None = None
    manner: Manner = USUAL
    rewritten: str = ""
    """What was searched for in place of the question; empty where that was the question."""
    by: str = ""
    """Who chose those words, as in ``QuestionRewritten``."""
    pinned: Sequence[Hit] = ()
    """What a person had pinned."""
    edition: int = 0
    """That of the index when it was asked, or was opened again."""
    reply: SearchReply | None = None
    """What was found, as a search tells it."""
    hits: Sequence[Hit] = ()
    found: ExtractsFound | None = None
    llm: LlmState | None = None
    """What the model was doing last."""
    prompt: PromptMade | None = None
    shown: Sequence[int] = ()
    """Ranks of the hits that the model was shown."""
    ending: AnswerFinished | AnswerFailed | None = None
    """None while it goes on, and where it was stopped."""
    said: list[str] = field(default_factory=list)
    """The pieces of the model's text that came."""
    cited: list[Citation] = field(default_factory=list)
    """What the marks in them stand for."""
    conversation: str = ""
    """Where it is kept; empty where it is not."""
    turn: int = 0
    """Its number there."""
    changed: list[tuple[Hit, Evidence]] = field(default_factory=list)
    """What it stands on and what became of that since, where it is no longer the same."""

    def take(self, event: AskEvent) -> None:
        """Know the next event of the answer."""
        if event.type == "rewritten":
            self.rewritten, self.by = event.question, event.by
        elif event.type == "hits":
            self.hits, self.reply = event.hits, _reply(event)
        elif event.type == "extracts":
            self.found = event
        elif event.type == "llm":
            self.llm = event
        elif event.type == "prompt":
            self.prompt, self.shown = event, event.hits
        elif event.type == "passages_counted" and self.prompt:
            self.prompt = self.prompt.model_copy(update={"passages": event.passages})
        elif event.type == "token":
            self.said.append(event.text)
            self.cited += event.citations
        elif event.type == "turn":
            self._keep_as(event.conversation, event.turn)
        elif event.type in ("finished", "failed"):
            self.ending = event
            self._keep_as(event.conversation, event.turn)

    def _keep_as(self, conversation: str, turn: int) -> None:
        if turn:
            self.conversation, self.turn = conversation, turn

    @property
    def answer(self) -> str:
        """The model's text so far."""
        return "".join(self.said) if self.ending is None else self.ending.answer

    @property
    def citations(self) -> Sequence[Citation]:
        """What the sentences of the answer stand on."""
        return self.cited if self.ending is None else self.ending.citations

    @property
    def is_whole(self) -> bool:
        """Whether it came to its end, with an answer or without."""
        return self.ending is not None and self.ending.type == "finished"

    @property
    def not_found(self) -> bool:
        """Whether no passage was near enough to hold an answer."""
        return self.found is not None and self.found.not_found

    @property
    def can_be_answered_anyway(self) -> bool:
        """Whether it ended for that reason, before the model."""
        return self.not_found and self.ending is not None and not self.ending.answer

    @property
    def is_demonstration(self) -> bool:
        """Whether the embedded model wrote an answer, though a better one may be within reach."""
        wrote = self.ending is not None and bool(self.ending.answer)
        return wrote and self.llm is not None and self.llm.demonstration

    @property
    def evidence(self) -> list[Hit]:
        """The hits it stands on: those cited, quoted, or shown to the model."""
        ranks = {citation.n for citation in self.citations if citation.n} | set(self.shown)
        if self.found is not None:
            ranks |= {extract.hit for extract in self.found.extracts}
        return [hit for hit in self.hits if hit.rank in ranks]


def _reply(found: HitsFound) -> SearchReply:
    from engine.wire.api_search import SearchReply

    return SearchReply(
        query=found.query,
        took_ms=found.took_ms,
        mode=found.mode,
        hits=found.hits,
        notices=found.notices,
    )


def of_turn(turn: Turn, conversation: str, edition: int = 0) -> Exchange:
    """A turn of a kept conversation, opened while the index is of that ``edition``."""
    from engine.wire.api_answer import AnswerFinished, ExtractsFound
    from engine.wire.api_search import SearchReply

    exchange = Exchange(
        question=turn.question,
        rewritten=turn.rewritten,
        reply=SearchReply(query=turn.rewritten or turn.question, took_ms=0, hits=turn.hits),
        hits=turn.hits,
        found=ExtractsFound(extracts=turn.extracts, not_found=turn.not_found),
        shown=turn.shown,
        said=[turn.answer],
        cited=turn.citations,
        conversation=conversation,
        turn=turn.number,
        edition=edition,
    )
    if turn.finish_reason:
        exchange.ending = AnswerFinished(
            answer=turn.answer,
            finish_reason=turn.finish_reason,
            model=turn.model,
            ttft_ms=0,
            completion_tokens=0,
            tokens_per_s=0,
            sources=_sources(turn),
            citations=turn.citations,
            not_found=turn.not_found,
            rewritten_question=turn.rewritten,
            documents=turn.documents,
            conversation=conversation,
            turn=turn.number,
        )
    return exchange


def _sources(turn: Turn) -> list[str]:
    """As ``AnswerFinished`` tells them: each file once, at its best hit."""
    places: dict[str, str] = {}
    for hit in turn.hits:
        if hit.rank in turn.shown:
            places.setdefault(hit.path, f"{hit.path}:{hit.start_line}")
    return list(places.values())
