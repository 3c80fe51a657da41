"""What there is to show of an open folder."""

from dataclasses import dataclass, field

from engine.api import (
    EmbeddingState,
    FolderState,
    FolderStatus,
    LlmState,
    Processes,
    Progress,
    SkippedFile,
    WatchState,
)
from engine.scan import Scan


@dataclass
class Shown:
    """The state of a folder, as its status tells it."""

    docs: str
    counts: tuple[int, int]
    """Files that were read, and chunks in them."""
    state: FolderState = "loading"
    detail: str = ""
    progress: Progress = field(default_factory=Progress)
    revision: int = 0
    last_edit_ms: float | None = None
    unsettled: int = 0
    """Files that changed while they were read."""
    skipped: list[SkippedFile] = field(default_factory=list)
    skipped_total: int = 0

    embedded_total: int = 0
    partial: str | None = None
    """Why changes may be noticed late; empty while all are noticed, None before the watch."""

    def watched(self) -> None:
        """Show that the index equals the folder, as far as changes are noticed."""
        self.state = "partial watch" if self.partial else "watching"
        self.detail = self.partial or ""

    def status(
        self, seen: Scan, embedding: EmbeddingState, llm: LlmState, pids: Processes, *, paused: bool
    ) -> FolderStatus:
        """Return it as a message; ``seen`` is the latest scan."""
        at_work = self.state in ("indexing", "watching", "partial watch")
        return FolderStatus(
            docs=self.docs,
            state="paused" if paused and at_work else self.state,
            detail=self.detail,
            files=self.counts[0],
            chunks=self.counts[1],
            ignored=seen.ignored,
            unread=dict(seen.unread),
            skipped=self.skipped,
            skipped_total=self.skipped_total,
            pending=self.progress.files_total - self.progress.files_done + self.unsettled,
            progress=self.progress,
            revision=self.revision,
            last_edit_ms=self.last_edit_ms,
            embedded_total=self.embedded_total,
            watch="paused" if paused else _watch_state(self.partial),
            embedding=embedding,
            llm=llm,
            pids=pids,
        )


def _watch_state(partial: str | None) -> WatchState:
    return "off" if partial is None else "partial" if partial else "events"
