"""The typed messages between the engine and its clients, and the routes they travel on.

Requests and replies are JSON over HTTP on a unix socket; streams are newline-delimited JSON, one
message a line, told apart by ``type``. Paths are relative to the folder, with ``/`` between parts.
"""

from functools import cache
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter

from engine.api_message import Message, Text
from engine.api_search import Filters, Hit, Mode

PROTOCOL_VERSION = 3

HELLO = "/v1/hello"
FOLDERS = "/v1/folders"
SEARCH = "/v1/folders/{folder}/search"
ASK = "/v1/folders/{folder}/ask"
SYNC = "/v1/folders/{folder}/sync"
STATUS = "/v1/folders/{folder}/status"
PAUSE = "/v1/folders/{folder}/pause"
EVENTS = "/v1/folders/{folder}/events"
STOP = "/v1/stop"


class Problem(Message):
    """An error in a person's words; the body of every HTTP reply of status 400 and above."""

    type: Literal["problem"] = "problem"
    kind: str
    """Class name in ``engine.errors``, such as ``FolderError``."""
    title: str
    detail: str
    next_step: str


class Hello(Message):
    """The handshake: which engine answers. Every version can read every other's."""

    model_config = ConfigDict(extra="ignore")

    protocol: int
    version: str
    """Version and hash of the engine's code; see ``engine.build``."""
    pid: int
    settings: str
    """Fingerprint of the settings the engine runs with."""
    clients: int
    """Streams and searches under way."""


# --- folders ---------------------------------------------------------------------------------


class OpenFolder(Message):
    """Open (and begin to watch) a folder; agreed is a person's yes to a large new one."""

    path: str = Field(min_length=1)
    agreed: bool = False
    start_llm: bool = False
    """Begin loading the answer model now: set by the screen when the settings say so."""


class FolderSurvey(Message):
    """What indexing a folder would take, counted without reading any document."""

    files: int
    bytes: int
    seconds: float
    """Expected time to index it all."""
    chunks: int = 0
    """Expected number of chunks."""
    ignored: int
    """Files and whole folders left out by the rules: version control, builds, lock files …"""
    unread: dict[str, int]
    """Files of kinds that are not read yet, by kind: ``{"Word": 12}``."""
    reason: str
    """Why a person is asked first: ``"it is your home folder"``; empty when nobody has to be."""


class FolderOpened(Message):
    """Reply to ``OpenFolder``. ``folder`` names it in every further request."""

    folder: str
    path: str
    """Absolute, links resolved."""
    survey: FolderSurvey | None = None
    """Set when the folder is seen for the first time. With a ``reason`` in it nothing is indexed
    until ``agreed`` is sent."""


# --- answers ---------------------------------------------------------------------------------

LlmStateName = Literal[
    "off",  # not started; the first question starts it
    "starting",
    "ready",
    "answering",
    "unavailable",  # failed or not installed; search goes on
]


class LlmState(Message):
    """What the answer model is doing."""

    type: Literal["llm"] = "llm"
    state: LlmStateName
    model: str
    demonstration: bool = False
    """True for the embedded 135M model, which only shows that the path works."""
    detail: str = ""
    """The reason it is unavailable, or how far starting has come."""
    next_step: str = ""
    """What a person can do when it is unavailable."""


class AskRequest(Message):
    """Ask a question of a folder."""

    question: Text
    hits: int | None = Field(None, ge=1, le=100)
    mode: Mode | None = None
    """Defaults to the setting."""
    filters: Filters = Filters()


class HitsFound(Message):
    """First message of an answer: the search's result."""

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
    """Second message of an answer: one to three quotations; empty when no hit has one."""

    type: Literal["extracts"] = "extracts"
    extracts: list[Extract]


class PromptMade(Message):
    """What the model is shown."""

    type: Literal["prompt"] = "prompt"
    model: str
    hits: list[int]
    """Ranks of the hits in the prompt, in prompt order (best last)."""
    notice: str = ""
    """What was cut to fit the model's context; empty when nothing was."""


class Token(Message):
    """A piece of the answer, as the model streams it."""

    type: Literal["token"] = "token"
    text: str


class AnswerFinished(Message):
    """Last message of an answer that the model ended."""

    type: Literal["finished"] = "finished"
    answer: str
    finish_reason: str
    """``stop`` or ``length``."""
    model: str
    ttft_ms: float
    """Time from the request to vLLM until its first token."""
    completion_tokens: int
    tokens_per_s: float
    sources: list[str]
    """``path:line`` of the hits the model was shown, best first, without repeats."""


class AnswerFailed(Message):
    """Last message of an answer that was cut off, or never began; what came before stands."""

    type: Literal["failed"] = "failed"
    answer: str
    problem: Problem


AskEvent = Annotated[
    HitsFound | ExtractsFound | LlmState | PromptMade | Token | AnswerFinished | AnswerFailed,
    Field(discriminator="type"),
]

# --- state -----------------------------------------------------------------------------------

FolderState = Literal[
    "new",  # never indexed
    "closed",  # indexed before, not open now
    "loading",  # the encoder or the index is being opened
    "indexing",  # documents are being read and embedded
    "watching",  # the index equals the folder
    "paused",  # nothing is read until a person resumes; search goes on
    "partial watch",  # some changes are only seen by the regular reconcile
    "missing",  # the folder is gone; its index is kept
    "failed",
]


WatchState = Literal[
    "off",  # the folder is not open
    "events",  # every change is noticed at once
    "partial",  # some changes are only noticed by the regular reconcile
    "paused",  # changes are noticed, and wait
]


class EmbeddingState(Message):
    """The encoder in use."""

    model: str
    dimension: int
    """0 until the encoder is loaded for the first time."""
    max_tokens: int
    device: str


class Processes(Message):
    """Process ids; None where none runs."""

    engine: int | None
    milvus: int | None = None
    vllm: int | None = None


class Progress(Message):
    """How far the current sync has come; all zero when idle."""

    files_done: int = 0
    files_total: int = 0
    chunks_done: int = 0
    chunks_per_s: float = 0
    seconds_left: float | None = None


class PauseRequest(Message):
    """Let indexing of a folder wait, or go on. The reply is its ``FolderStatus``."""

    paused: bool


class SkippedFile(Message):
    """A file that is not in the index, and why."""

    path: str
    reason: str


class FolderStatus(Message):
    """Everything about a folder; also the message of the event stream, sent on every change."""

    type: Literal["status"] = "status"
    docs: str
    """The folder's absolute path."""
    state: FolderState
    detail: str = ""
    """A sentence when the state needs one: why it failed, or why the watch is partial."""
    files: int
    chunks: int
    ignored: int = 0
    unread: dict[str, int] = {}
    skipped: list[SkippedFile] = []
    """At most 50; ``skipped_total`` counts all."""
    skipped_total: int = 0
    pending: int = 0
    """Files known to have changed and not yet searchable."""
    progress: Progress = Progress()
    revision: int = 0
    """Grows by one whenever the index changed."""
    last_edit_ms: float | None = None
    """From the latest noticed save until it was searchable."""
    embedded_total: int = 0
    """Chunks embedded since the index was made: a rename or a moved line adds none."""
    watch: WatchState = "off"
    embedding: EmbeddingState
    llm: LlmState
    pids: Processes


class SyncFinished(Message):
    """Last message of a sync: the summary."""

    type: Literal["synced"] = "synced"
    files: int
    chunks: int
    added: int
    changed: int
    removed: int
    embedded: int
    """Chunks that had to be embedded …"""
    reused: int = 0
    """… and those whose vector was known, in the files that were worked on."""
    skipped: list[SkippedFile]
    seconds: float


SyncEvent = Annotated[FolderStatus | SyncFinished, Field(discriminator="type")]


@cache
def ask_events() -> TypeAdapter[AskEvent]:
    """Return the reader of an answer's stream."""
    return TypeAdapter(AskEvent)


@cache
def sync_events() -> TypeAdapter[SyncEvent]:
    """Return the reader of a sync's stream."""
    return TypeAdapter(SyncEvent)


@cache
def status_events() -> TypeAdapter[FolderStatus]:
    """Return the reader of the event stream."""
    return TypeAdapter(FolderStatus)
