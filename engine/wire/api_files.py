"""The messages about the files of a folder, one by one, and the routes they travel on."""

from typing import Literal
from urllib.parse import quote

from pydantic import Field

from engine.wire.api_message import Message, Text

FILES = "/v1/folders/{folder}/files"
READ_AGAIN = "/v1/folders/{folder}/files/read-again"

MOST_FILES = 1000
"""Of one reply, and of one request to read files again."""

FileState = Literal[
    "indexed",  # in the index as it is on disk, as far as is known
    "stale",  # in the index as it was; it changed since and waits to be read
    "waiting",  # not in the index yet; it waits to be read
    "reading",  # being read and embedded
    "skipped",  # could not be read, or was left out for what it is; the reason tells
]

FileChoice = Literal["all", "skipped", "waiting", "indexed", "stale", "reading"]
"""Which files are listed: ``waiting`` are all that wait or are being read."""

CHOSEN: dict[FileChoice, tuple[FileState, ...]] = {
    "all": ("indexed", "stale", "waiting", "reading", "skipped"),
    "skipped": ("skipped",),
    "waiting": ("stale", "waiting", "reading"),
    "indexed": ("indexed",),
    "stale": ("stale",),
    "reading": ("reading",),
}
"""The states that a choice stands for."""


class FilesRequest(Message):
    """Ask for a page of a folder's files in the order of their paths; sent as a query string."""

    match: Text = Field("", max_length=200)
    """Words that the path or the reason must hold, all of them, in any case; empty for any."""
    state: FileChoice = "all"
    after: str = Field("", max_length=20_000)
    """The files behind this path are meant, given as ``FilesReply.next`` or percent-encoded …"""
    skip: int = Field(0, ge=0, le=2**31)
    """… less so many of them."""
    limit: int = Field(200, ge=1, le=MOST_FILES)
    counted: bool = True
    """Whether ``before``, ``total`` and ``counts`` are wanted: they take a look at every file."""


class ListedFile(Message):
    """A file of the folder."""

    path: str
    quoted_path: str | None = None
    """As in a hit: percent-encoded bytes of a path that is not valid UTF-8."""
    state: FileState
    reason: str = ""
    """Why it is not in the index, where that is a matter of the file …"""
    next_step: str = ""
    """… and what to do about it."""
    chunks: int = 0
    characters: int | None = None
    """Of its text; None where it has none, or where that is not known yet."""
    bytes: int | None = None
    """Its size when it was looked at last; None for a file that was left out."""
    modified: str | None = None
    """When its content changed, as far as known: ``2026-05-01T09:30:00+02:00``."""
    loader: str = ""
    """What read it, or tried to: ``pdf``, ``text (cp1251, 93 % sure)``; empty before that."""
    seconds: float | None = None
    """What reading and splitting it took; None before that."""

    @property
    def cursor(self) -> str:
        """``FilesRequest.after`` for the files behind it."""
        return quote(self.path) if self.quoted_path is None else self.quoted_path


class FilesReply(Message):
    """A page of files. What changes between two pages is missed or seen, but nothing twice."""

    files: list[ListedFile] = []
    before: int = 0
    """How many files of the list stand before this page; 0 where nothing was to be counted …"""
    total: int = 0
    """… how many the whole list has, likewise …"""
    counts: dict[FileState, int] = {}
    """… and how many there are of each state, among those that hold the words."""
    next: str | None = None
    """``after`` for the next page; None behind the last file."""


class NamedFile(Message):
    """A file as a message names it."""

    path: str
    quoted_path: str | None = None


class ReadAgainRequest(Message):
    """Have files read again though they have not changed."""

    files: list[NamedFile] = Field([], max_length=MOST_FILES)
    failed: bool = False
    """Whether all files that could not be read are meant, too."""


class ReadAgainReply(Message):
    """Reply to ``ReadAgainRequest``, sent before the work is done."""

    files: int
    """How many files are looked at again …"""
    unknown: list[NamedFile] = []
    """… and those named that are none of the folder's, as far as is known."""
