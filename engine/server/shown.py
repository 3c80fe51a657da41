"""What there is to show of an open folder."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from engine.files.scan import Scan, decode
from engine.storage.manifest import Manifest
from engine.wire.api import FolderState, FolderStatus, Progress, SkippedFile, WatchState

if TYPE_CHECKING:
    from engine.syncing.sync import Sync

SHOWN_SKIPS = 50
"""Skipped files named in a status; the others are counted."""


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

    def skip(self, manifest: Manifest, sync: "Sync | None") -> None:
        """Show which files could not be read, or were left out by the latest scan. Blocking."""
        seen = sync.last_scan if sync else Scan()
        unread, total = manifest.unread_files(SHOWN_SKIPS)
        self.skipped = [
            SkippedFile(path=decode(path), reason=reason)
            for path, reason in [*unread, *seen.skipped][:SHOWN_SKIPS]
        ]
        self.skipped_total = total + len(seen.skipped)

    def advance(self, progress: Progress, counts: tuple[int, int]) -> None:
        """Show how far reading has come, and how many files and chunks there are now."""
        self.state, self.detail = "indexing", ""
        self.progress, self.counts = progress, counts
        if progress.files_done:
            self.revision += 1

    def watched(self, partial: str) -> None:
        """Show that the index equals the folder; ``partial`` says why some changes come late."""
        self.state = "partial watch" if partial else "watching"
        self.detail = partial

    def status(
        self, seen: Scan, *, watch: WatchState, waiting: int, trouble: str, **others: Any
    ) -> FolderStatus:
        """Return it as a message, with ``others`` of its fields; ``seen`` is the latest scan.

        ``waiting`` is how many saved files are not looked at yet, which takes long in a pause only;
        ``trouble`` what is wrong with the index where nothing else is.
        """
        pending = self.progress.files_total - self.progress.files_done + self.unsettled
        pending += waiting if watch == "paused" else 0
        at_work = self.state in ("indexing", "watching", "partial watch")
        return FolderStatus(
            docs=self.docs,
            state="paused" if watch == "paused" and at_work else self.state,
            detail=self.detail or trouble,
            files=self.counts[0],
            chunks=self.counts[1],
            ignored=seen.ignored,
            unread=dict(seen.unread),
            skipped=self.skipped,
            skipped_total=self.skipped_total,
            pending=pending,
            progress=self.progress,
            revision=self.revision,
            last_edit_ms=self.last_edit_ms,
            watch=watch,
            **others,
        )
