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
    last_edit_s: float | None = None
    unsettled: int = 0
    """Files that changed while they were read."""
    skipped: list[SkippedFile] = field(default_factory=list)
    skipped_total: int = 0

    def status(
        self, seen: Scan, embedding: EmbeddingState, llm: LlmState, pids: Processes
    ) -> FolderStatus:
        """Return it as a message; ``seen`` is the latest scan."""
        return FolderStatus(
            docs=self.docs,
            state=self.state,
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
            last_edit_s=self.last_edit_s,
            embedding=embedding,
            llm=llm,
            pids=pids,
        )
