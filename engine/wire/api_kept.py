"""The messages about what is kept of folders on this machine, and the routes they travel on."""

from typing import Literal

from pydantic import Field

from engine.wire.api import FolderState, FolderStatus
from engine.wire.api_message import Message

FOLDER = "/v1/folders/{folder}"
"""With DELETE, what is kept of a folder is forgotten."""
EXAMINE = "/v1/examine"


class OpenFolders(Message):
    """The folders that are open now."""

    folders: list[FolderStatus]


class KeptIndex(Message):
    """What is kept of a folder on this machine."""

    docs: str
    """The folder's absolute path; empty where the manifest can't tell it."""
    place: str
    """Where its manifest and Milvus file lie."""
    state: FolderState | Literal["damaged"]
    detail: str = ""
    files: int
    chunks: int
    bytes: int
    """Size on disk."""
    last_used: str
    """When it was last opened or written, as ``2026-05-01T09:30:00+02:00``."""


class Forgotten(Message):
    """Reply to a DELETE of a folder."""

    index: KeptIndex
    """What it was."""
    left: tuple[str, ...] = ()
    """What could not be removed, and why."""


class ExamineRequest(Message):
    """Compare a folder with its manifest and with Milvus; with ``repair``, put it right."""

    path: str = Field(min_length=1)
    repair: bool = False


class Finding(Message):
    """One thing that was looked at, and how it was found."""

    about: str
    """A folder's path, or ``machine``."""
    level: Literal["ok", "note", "fault", "mended"]
    what: str
    examples: tuple[str, ...] = ()
    """Some of the paths it is about."""
    step: str = ""
    """What to do about it."""


class Examined(Message):
    """Reply to ``ExamineRequest``."""

    findings: list[Finding]
    left: list[Finding]
    """The faults that are there still: without ``repair`` all of them."""
