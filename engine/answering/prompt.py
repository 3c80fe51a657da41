"""What is asked and what was found as messages for the model, inside its context.

Passages are data: each is fenced with a mark that no document can know, and what a chat template
would read as its own is taken out of passages, question and history alike.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from engine.answering.fences import Unfenced
from engine.answering.neutral import NONE, Tokens, neutralise
from engine.answering.passages import Stretch, alone, joined, quoted, widened
from engine.answering.prompt_writer import Count, CountText, Draft, Writer, Written
from engine.config import Settings
from engine.errors import ModelError, UsageError
from engine.serving.generate import ChatMessage, estimate_tokens, longest_answer
from engine.serving.models import is_demonstration
from engine.wire import api_answer
from engine.wire.api_answer import Extract, PromptMade, ShownPassage
from engine.wire.api_search import Hit

__all__ = ["Material", "Prompt", "Unfenced", "build", "checked", "measured", "told"]

LONGEST_QUESTION = 8000
"""Characters a question may have."""

UNKNOWN_CONTEXT = 4096
"""Tokens assumed where the server does not say how many it takes."""

SMALLER = 0.6
"""A prompt that a server refuses as too long is made again for so much of the context …"""
LEAST_CONTEXT = 400
"""… and no more below so many tokens."""

MEASURE_S = 1.0
"""Longest time to count the passages, which is done while the model writes."""

HISTORY_SHARE = 4
"""Earlier turns take at most one part in so many of the room for a prompt."""


@dataclass(frozen=True)
class Material:
    """What a prompt is made of."""

    question: str
    hits: Sequence[Hit] = ()
    """What the model is shown, the most important first."""
    around: Sequence[Stretch | None] = ()
    """What stands around each of the hits; left out first where not all of it fits."""
    extracts: Sequence[Extract] = ()
    """Sentences of the hits, which are all that the demonstration model is shown of them."""
    history: Sequence[ChatMessage] = ()
    """Questions and answers before this one, oldest first; the oldest are left out first."""
    documents: bool = True
    """Whether there are documents to answer from."""
    own_tokens: Tokens = NONE
    """What the model's tokenizer reads as tokens of its own, where it is known."""


@dataclass(frozen=True)
class Prompt:
    """What the model is shown."""

    messages: list[ChatMessage]
    hits: list[int]
    """Ranks of the hits in prompt order, best last."""
    tokens: int
    """The prompt's length …"""
    mark: str
    """What fences the passages."""
    notice: str = ""
    """What was left out to fit the context, in plain words."""
    counted: bool = False
    """… and whether the server counted it; else it is an estimate."""
    passages: list[ShownPassage] = field(default_factory=list)
    """In prompt order, best last; how long each is, is estimated: see :func:`measured`."""
    texts: list[str] = field(default_factory=list)
    """What of each stands in the prompt."""
    documents: bool = True


async def build(
    material: Material,
    *,
    settings: Settings,
    context: int,
    count: Count,
    mark: str | None = None,
) -> Prompt:
    """Return the prompt for ``material``, trimmed to fit ``context``.

    ``mark`` fences the passages; without it, one is made from them.

    Raises:
        UsageError: the question is empty, or too long to be answered.
    """
    size = context or UNKNOWN_CONTEXT
    limit = size - min(longest_answer(settings), size // 4)
    writer = Writer(
        checked(material.question, material.own_tokens),
        count,
        history=_recent(material, limit // HISTORY_SHARE),
        brief=is_demonstration(settings),
        documents=material.documents,
        own_tokens=material.own_tokens,
        mark=mark,
    )
    cut = _Cut()
    draft = await _fitting(material, writer, limit, cut)
    cut.turns = _turns(material.history) - _turns(writer.history)
    return _prompt(draft, writer, str(cut))


def rooms(context: int) -> Iterator[int]:
    """Yield for how many tokens a prompt is made, at first and whenever the server refuses it."""
    yield context
    room = int((context or UNKNOWN_CONTEXT) * SMALLER)
    while room >= LEAST_CONTEXT:
        yield room
        room = int(room * SMALLER)


async def measured(made: Prompt, count_text: CountText) -> list[ShownPassage]:
    """Return the passages with their lengths counted; none where the server does not count."""
    try:
        async with asyncio.timeout(MEASURE_S):
            lengths = await asyncio.gather(*map(count_text, made.texts))
    except (ModelError, TimeoutError):  # the answer itself will tell what is wrong
        return []
    return [
        passage.model_copy(update={"tokens": length, "counted": True})
        for passage, length in zip(made.passages, lengths, strict=True)
        if length is not None
    ]


def told(made: Prompt, model: str) -> PromptMade:
    """Return the message that says what the model is shown."""
    return PromptMade(
        model=model,
        hits=made.hits,
        notice=made.notice,
        tokens=made.tokens,
        counted=made.counted,
        passages=made.passages,
        messages=[api_answer.ChatMessage.model_validate(message) for message in made.messages],
        documents=made.documents,
    )


def checked(question: str, own: Tokens = NONE) -> str:
    """Return ``question`` as the model is asked it.

    Raises:
        UsageError: it is empty, or too long to be answered.
    """
    asked = neutralise(question, own).strip()
    if not asked:
        raise UsageError("The question is empty", "Type a question first")
    if len(asked) > LONGEST_QUESTION:
        raise UsageError(
            f"The question is too long: {len(asked):,} characters, at most "
            f"{LONGEST_QUESTION:,} can be answered",
            "Ask a shorter question",
        )
    return asked


def _prompt(draft: Draft, writer: Writer, notice: str) -> Prompt:
    best_last = draft.passages[::-1]
    return Prompt(
        messages=draft.messages,
        hits=[rank for each in best_last for rank in reversed(each.ranks)],
        tokens=draft.tokens,
        mark=draft.mark,
        notice=notice,
        counted=draft.counted,
        passages=[writer.told(each, draft.mark) for each in best_last],
        texts=[writer.fenced(each, draft.mark) for each in best_last],
        documents=writer.documents,
    )


# --- what fits ---------------------------------------------------------------------------------


@dataclass
class _Cut:
    """What was left out to fit the context."""

    turns: int = 0
    around: int = 0
    """Hits that are shown alone."""
    passages: int = 0
    of: int = 0
    """How many passages there would have been."""
    shortened: bool = False

    def __str__(self) -> str:
        parts = []
        if self.turns:
            parts.append("1 earlier turn" if self.turns == 1 else f"{self.turns} earlier turns")
        if self.around:
            hits = "1 hit" if self.around == 1 else f"{self.around} hits"
            parts.append(f"the text around {hits}")
        if self.passages:
            parts.append(f"{self.passages} of {self.of} passages")
        told = [_listed(parts) + " left out"] if parts else []
        told += ["1 passage shortened"] if self.shortened else []
        return f"{_listed(told)} to fit the model's context" if told else ""


def _listed(parts: Sequence[str]) -> str:
    *most, last = parts
    return f"{', '.join(most)} and {last}" if most else last


async def _fitting(material: Material, writer: Writer, limit: int, cut: _Cut) -> Draft:
    if writer.brief or not material.documents:
        passages = quoted(material.hits, material.extracts) if material.documents else []
        return await _fit(writer, writer.written(passages), limit, cut)
    places = widened(material.hits, material.around)
    number = len(places)
    while number:
        wide = joined(material.hits, material.around, places[number - 1] + 1)
        draft = await writer.draft(writer.written(wide))
        if draft.tokens <= limit:
            cut.around = len(places) - number
            return draft
        number //= 2
    cut.around = len(places)
    return await _fit(writer, writer.written(alone(material.hits)), limit, cut)


async def _fit(writer: Writer, passages: list[Written], limit: int, cut: _Cut) -> Draft:
    """Leave out the last passages until the prompt fits."""
    draft = await writer.draft(passages)
    while len(draft.passages) > 1 and draft.tokens > limit:
        draft = await writer.draft(draft.passages[:-1])
    cut.passages, cut.of = len(passages) - len(draft.passages), len(passages)
    if draft.tokens <= limit:
        return draft
    empty = await writer.draft([]) if draft.passages else draft
    if empty.tokens > limit and writer.history:
        writer.history = []
        return await _fit(writer, passages, limit, cut)
    return await _shorten(writer, draft, empty, limit, cut)


async def _shorten(writer: Writer, draft: Draft, empty: Draft, limit: int, cut: _Cut) -> Draft:
    """Cut the end of the one passage that is left until the prompt fits."""
    if empty.tokens > limit:
        raise UsageError(
            f"The question is too long for the model: {empty.tokens} tokens, {limit} fit",
            "Ask a shorter question, or raise llm_context",
        )
    while draft.tokens > limit:
        (best,) = draft.passages
        share = (limit - empty.tokens) / max(1, draft.tokens - empty.tokens)
        shorter = best.cut(int(len(best.text) * min(share, 0.9)))
        if not shorter.text:
            cut.passages += 1
            return empty
        cut.shortened = True
        draft = await writer.draft([shorter])
    return draft


# --- earlier turns -----------------------------------------------------------------------------


def _recent(material: Material, most: int) -> list[ChatMessage]:
    """Return the latest turns of the history that have at most so many tokens, as estimated."""
    kept: list[ChatMessage] = []
    turn: list[ChatMessage] = []
    for message in reversed(material.history):
        text = neutralise(message["content"], material.own_tokens)
        turn.insert(0, {"role": message["role"], "content": text})
        if message["role"] != "user":
            continue
        if estimate_tokens([*turn, *kept]) > most:
            break
        kept, turn = [*turn, *kept], []
    return kept


def _turns(history: Sequence[ChatMessage]) -> int:
    return sum(message["role"] == "user" for message in history)
