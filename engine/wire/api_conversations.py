"""The messages about kept conversations and the evidence of their answers, and their routes."""

from typing import Literal

from pydantic import Field

from engine.wire.api_answer import Citation, Extract
from engine.wire.api_message import Message
from engine.wire.api_search import Hit, Place

CONVERSATIONS = "/v1/folders/{folder}/conversations"
"""With GET, those of the folder: ``Conversations``."""
CONVERSATION = "/v1/folders/{folder}/conversations/{conversation}"
"""With GET, one of them: ``Conversation``. With DELETE, it is deleted, and ``ConversationSummary``
says what it was."""
QUESTIONS = "/v1/folders/{folder}/questions"
"""With GET, what was asked lately: ``Questions``."""
EVIDENCE = "/v1/folders/{folder}/evidence"
"""With POST, an ``EvidenceRequest``: what became of the hits of an answer."""


class ConversationSummary(Message):
    """A kept conversation, as a list shows it."""

    id: str
    title: str
    """Its first question."""
    turns: int
    began: str
    """When its first question was asked, as ``2026-05-01T09:30:00+02:00``."""
    last: str
    """When its last one was."""


class Conversations(Message):
    """The kept conversations of a folder, latest first."""

    conversations: list[ConversationSummary]
    notice: str = ""
    """What a person should know: that a damaged file was set aside."""


class Questions(Message):
    """What was asked lately in the kept conversations of a folder."""

    questions: list[str]
    """Each once, the latest first; some hundreds at most."""


class Turn(Message):
    """A question, what was found for it, and what was answered."""

    number: int
    """From 1."""
    asked: str
    """When, as ``2026-05-01T09:30:00+02:00``."""
    question: str
    rewritten: str = ""
    """What was searched for in place of the question; empty where that was the question."""
    hits: list[Hit]
    shown: list[int] = []
    """Ranks of the hits that the model was shown, in prompt order."""
    extracts: list[Extract] = []
    answer: str = ""
    citations: list[Citation] = []
    model: str = ""
    finish_reason: str = ""
    """As in ``AnswerFinished``; empty for an answer that was cut off."""
    not_found: bool = False
    documents: bool = True


class Conversation(Message):
    """A kept conversation, whole."""

    id: str
    title: str
    began: str
    last: str
    turns: list[Turn]


class EvidenceRequest(Message):
    """Ask what became of the hits that an answer stands on."""

    hits: list[Hit] = Field(max_length=200)


class Evidence(Message):
    """What became of one hit."""

    rank: int
    state: Literal[
        "same",
        "moved",  # the same text, elsewhere in its file or in a renamed one
        "changed",  # other text stands there now
        "gone",  # neither the text nor its file is there
    ]
    place: Place | None = None
    """Where it stands now; None where it is gone."""
    text: str = ""
    """What stands there now, where it changed."""


class EvidenceReply(Message):
    """What became of each hit, in the order they were asked for."""

    evidence: list[Evidence]
