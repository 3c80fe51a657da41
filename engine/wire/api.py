"""The typed messages between the engine and its clients, and the routes they travel on.

Requests and replies are JSON over HTTP on a unix socket; streams are newline-delimited JSON, one
message a line, told apart by ``type``. Paths are relative to the folder, with ``/`` between parts.
"""

from functools import cache
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter

from engine.wire.api_message import Message

PROTOCOL_VERSION = 4

HELLO = "/v1/hello"
FOLDERS = "/v1/folders"
SEARCH = "/v1/folders/{folder}/search"
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
    can_ask: bool = False
    """Whether a person can be asked about a small folder, too, where the settings want that."""


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
    left_out: "list[SkippedFile]" = []
    """Some of what is not read, and why; a folder stands for all that is in it."""
    kept_bytes: int = 0
    """Expected size of the index on disk."""
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


class LlmFigures(Message):
    """What the server of the answer model counts since it started; None where it does not say."""

    running: int | None = None
    """Requests it works on, of all clients …"""
    waiting: int | None = None
    """… and those that wait for their turn."""
    prefix_cache_hit_rate: float | None = None
    """Share of prompt tokens that were known from an earlier prompt's beginning, 0 to 1."""
    ttft_ms: float | None = None
    """Time to the first token, on average."""
    tokens_per_s: float | None = None
    """Speed of one answer once it is being written, on average."""


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
    on_purpose: bool = False
    """True where a setting turned it off: nothing is wrong then."""
    log: list[str] = []
    """The last lines that vLLM's log has on why it ended, made safe; no document's text."""
    context: int = 0
    """Tokens that a prompt and its answer may have together, 0 where it is not known, …"""
    dtype: str = ""
    """… the type of its numbers, as in ``bfloat16``, …"""
    device: str = ""
    """… ``cpu`` or ``cuda``, both empty where another's server answers, …"""
    said: list[str] = []
    """… and the last lines that its log has on itself: in a reply to ``LLM`` alone."""
    figures: LlmFigures | None = None
    """What its server counts, in a reply to ``LLM`` or ``STATUS`` alone."""


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
    """A sentence when the state needs one: why it failed, why the watch is partial, that its Milvus
    has ended."""
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
def sync_events() -> TypeAdapter[SyncEvent]:
    """Return the reader of a sync's stream."""
    return TypeAdapter(SyncEvent)


@cache
def status_events() -> TypeAdapter[FolderStatus]:
    """Return the reader of the event stream."""
    return TypeAdapter(FolderStatus)
