"""The messages of an answer: what is asked, and the events that come back in their order.

``QuestionRewritten`` (a follow-up only), ``HitsFound``, ``ExtractsFound``, ``TurnBegun`` where the
question is kept, then as often as it changes ``LlmState``, then ``PromptMade``, the ``Token``s,
``PassagesCounted`` where the server counts them, and last ``AnswerFinished`` or ``AnswerFailed``.
"""

from functools import cache
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from engine.wire.api import LlmState, Problem
from engine.wire.api_message import Message, Text
from engine.wire.api_search import Filters, Hit, Mode, Place

ASK = "/v1/folders/{folder}/ask"

NOT_FOUND = "not_found"
"""``finish_reason`` of an answer that ended before the model, since no passage is near enough."""

TURNED_OFF = "off"
"""``finish_reason`` of an answer that is its extracts alone, since ``llm_start`` is ``never``."""


class Tray(Message):
    """What a person put into the model's context by hand, and took out of it."""

    pinned: list[Hit] = Field([], max_length=100)
    """Shown to the model first, best first, whatever the search finds. One whose text no longer
    stands in its file is left out, with a notice."""
    dropped: list[Place] = Field([], max_length=1000)
    """Never shown to the model."""
    exactly: bool = False
    """Whether nothing but the pinned hits is shown; then nothing is searched."""


class AskRequest(Message):
    """Ask a question of a folder."""

    question: Text
    hits: int | None = Field(None, ge=1, le=100)
    mode: Mode | None = None
    """Defaults to the setting."""
    filters: Filters = Filters()
    tray: Tray = Tray()
    conversation: str = ""
    """The conversation that this question goes on with; empty begins one."""
    instead_of: int | None = Field(None, ge=1)
    """The turn of that conversation whose answer is made again; the turns after it are dropped."""
    rewritten: Text | None = None
    """What to search for in place of the question, as a person wrote it; empty for the question
    itself. None: a follow-up is rewritten where it needs to be and the settings say so."""
    anyway: bool = False
    """Whether the model answers even where no passage is near enough to hold the answer."""
    bulk: bool = False
    """Whether a program asks rather than a person: it waits until no person's answer is written,
    and for its turn among its like."""
    gather_ms: int = Field(0, ge=0, le=1000)
    """Tokens that come within so many milliseconds of others are sent as one; 0: each by itself."""


class QuestionRewritten(Message):
    """First message of a follow-up that is searched for in other words."""

    type: Literal["rewritten"] = "rewritten"
    question: str
    by: Literal["model", "words", "person"]
    """``words``: the words of the question before were added, since no model could be asked."""


class HitsFound(Message):
    """The search's result; pinned hits that it did not find stand at its end."""

    type: Literal["hits"] = "hits"
    query: str
    took_ms: float
    mode: Mode | Literal["exact"] = "hybrid"
    hits: list[Hit]
    notices: list[str] = []
    """As in a ``SearchReply``."""


class Extract(Message):
    """Text quoted word for word from a hit."""

    text: str
    hit: int
    """Rank of the hit it stands in."""


class ExtractsFound(Message):
    """One to three quotations; empty when no hit has one."""

    type: Literal["extracts"] = "extracts"
    extracts: list[Extract]
    not_found: bool = False
    """Whether no passage is near enough to hold an answer, as far as retrieval can tell …"""
    searched: str = ""
    """… and then what was searched, in plain words: ``264 files, 6 848 chunks``."""


class TurnBegun(Message):
    """The question, its hits and extracts are kept, whatever becomes of the answer."""

    type: Literal["turn"] = "turn"
    conversation: str
    turn: int
    """Its number in that conversation, from 1; as what ``instead_of`` names it."""


class ShownPassage(Message):
    """A passage in the prompt."""

    hits: list[int]
    """Ranks of the hits it holds, best first."""
    title: str
    """Its path and heading."""
    start_line: int
    end_line: int
    tokens: int
    """Its length, …"""
    counted: bool = False
    """… and whether the server counted it; else it is an estimate."""


class ChatMessage(Message):
    """One message of the prompt."""

    role: Literal["system", "user", "assistant"]
    content: str


class PromptMade(Message):
    """What the model is shown."""

    type: Literal["prompt"] = "prompt"
    model: str
    hits: list[int]
    """Ranks of the hits in the prompt, in prompt order (best last)."""
    notice: str = ""
    """What was cut to fit the model's context; empty when nothing was."""
    tokens: int = 0
    """Length of the whole prompt …"""
    counted: bool = False
    """… and whether the server counted it; else it is an estimate."""
    passages: list[ShownPassage] = []
    """In prompt order (best last)."""
    messages: list[ChatMessage] = []
    """The prompt itself, as it is sent."""
    documents: bool = True
    """False for an answer without documents."""


class Citation(Message):
    """What one sentence of an answer stands on."""

    n: int | None
    """Rank of the hit that supports it; None where none does."""
    path: str = ""
    start_line: int = 0
    end_line: int = 0
    location: str = ""
    """The hit's place; nothing where there is none."""
    supported: bool
    start: int
    """Where the sentence begins in the answer, in characters …"""
    end: int
    """… and where it ends, before its mark."""


class PassagesCounted(Message):
    """How long the passages of the prompt are. It comes late, so that no answer waits for it."""

    type: Literal["passages_counted"] = "passages_counted"
    passages: list[ShownPassage]
    """Those of ``PromptMade``, in its order."""


class Token(Message):
    """A piece of the answer: the model's words, and the marks that the program puts among them.

    After each sentence that passages support stands ``[n]``, the rank of the hit; after each that
    none supports, ``[?]``. What the model wrote of this kind itself is taken out.
    """

    type: Literal["token"] = "token"
    text: str
    citations: list[Citation] = []
    """What the marks in ``text`` stand for, in their order; brackets without one are no mark."""


class AnswerFinished(Message):
    """Last message of an answer that the model ended, or that was not begun (``NOT_FOUND``,
    ``TURNED_OFF``)."""

    type: Literal["finished"] = "finished"
    answer: str
    finish_reason: str
    """``stop``, ``length``, ``NOT_FOUND`` or ``TURNED_OFF``."""
    model: str
    ttft_ms: float
    """Time from the request to vLLM until its first token."""
    completion_tokens: int
    tokens_per_s: float
    sources: list[str]
    """``path:line`` of the hits the model was shown, best first, without repeats."""
    citations: list[Citation] = []
    """One for each sentence that says something, in the order of the answer."""
    not_found: bool = False
    """As in ``ExtractsFound``; there may be an answer all the same."""
    rewritten_question: str = ""
    """What was searched for in place of the question; empty where that was the question."""
    prompt_tokens: int = 0
    documents: bool = True
    """False where the model answered without documents."""
    conversation: str = ""
    """Where this turn is kept; empty where it is not."""
    turn: int = 0
    """Its number in that conversation, from 1; 0 where it is not kept."""
    not_kept: str = ""
    """Why it is not kept, where something went wrong."""


class AnswerFailed(Message):
    """Last message of an answer that was cut off, or never began; what came before stands."""

    type: Literal["failed"] = "failed"
    answer: str
    problem: Problem
    citations: list[Citation] = []
    not_found: bool = False
    rewritten_question: str = ""
    prompt_tokens: int = 0
    conversation: str = ""
    turn: int = 0
    not_kept: str = ""


AskEvent = Annotated[
    QuestionRewritten
    | HitsFound
    | ExtractsFound
    | TurnBegun
    | LlmState
    | PromptMade
    | PassagesCounted
    | Token
    | AnswerFinished
    | AnswerFailed,
    Field(discriminator="type"),
]


@cache
def ask_events() -> TypeAdapter[AskEvent]:
    """Return the reader of an answer's stream."""
    return TypeAdapter(AskEvent)
