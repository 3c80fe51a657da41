"""The work of a sync in numbers: a batch in hand, the pace so far, and the outcome."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.files.scan import Entry
from engine.files.watch import Hints
from engine.storage.manifest import FileUpdate
from engine.wire.api import Progress, SkippedFile, SyncFinished

BATCH_CHUNKS = 256
"""A batch is embedded and saved once it holds so many unknown chunks …"""
FIRST_BATCH_CHUNKS = 16
"""… the first one sooner and each next one at twice as many, so that there is soon a hit …"""
BATCH_FILES = 200
"""… or so many files, …"""
BATCH_SECONDS = 2.0
"""… or once reading it has taken so long."""


@dataclass
class Outcome:
    """What a sync did."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    renamed: int = 0
    embedded: int = 0
    reused: int = 0
    """Chunks of files that were read whose vector was known."""
    unsettled: list[bytes] = field(default_factory=list)
    """Files that changed while they were read; to be looked at again in a moment."""

    def __add__(self, other: "Outcome") -> "Outcome":
        """Return what two syncs did, one after the other."""
        return Outcome(
            self.added + other.added,
            self.changed + other.changed,
            self.removed + other.removed,
            self.renamed + other.renamed,
            self.embedded + other.embedded,
            self.reused + other.reused,
            other.unsettled,
        )

    @property
    def any_change(self) -> bool:
        """Whether a search could now find something else."""
        return bool(self.added or self.changed or self.removed or self.renamed)

    def summary(
        self, counts: tuple[int, int], skipped: list[SkippedFile], seconds: float
    ) -> SyncFinished:
        """Return it as a message; ``counts`` are the files and chunks there are now."""
        return SyncFinished(
            files=counts[0],
            chunks=counts[1],
            added=self.added,
            changed=self.changed + self.renamed,
            removed=self.removed,
            embedded=self.embedded,
            reused=self.reused,
            skipped=skipped,
            seconds=round(seconds, 3),
        )


@dataclass(frozen=True)
class Edits:
    """What came of hints at some files."""

    outcome: Outcome | None = None
    """None when there was nothing to look at."""
    left: Hints | None = None
    """What is bulk work."""


@dataclass
class Batch:
    """Files that were read, on their way to be embedded and saved together."""

    begun: float
    most_chunks: int
    updates: list[FileUpdate] = field(default_factory=list)
    touched: list[FileUpdate] = field(default_factory=list)
    unknown: dict[bytes, str] = field(default_factory=dict)
    bytes: int = 0

    @property
    def chunks(self) -> int:
        """How many chunks its files have."""
        return sum(len(update.chunks) for update in self.updates)

    def is_full(self, now: float) -> bool:
        """Whether it is time to embed and save."""
        return (
            len(self.unknown) >= self.most_chunks
            or len(self.updates) + len(self.touched) >= BATCH_FILES
            or now - self.begun >= BATCH_SECONDS
        )


class Pace:
    """How far the work has come, and how long the rest will take."""

    def __init__(self, work: Sequence[Entry], now: float) -> None:
        self._begun = now
        self._files_total = len(work)
        self._bytes_total = sum(entry.size for entry in work)
        self._files = self._chunks = self._bytes = 0

    def count(self, batch: Batch) -> None:
        """Add what a batch has done."""
        self._files += len(batch.updates) + len(batch.touched)
        self._chunks += batch.chunks
        self._bytes += batch.bytes

    def progress(self, now: float) -> Progress:
        """Return the message that tells it."""
        elapsed = now - self._begun
        left = self._bytes_total - self._bytes
        return Progress(
            files_done=self._files,
            files_total=self._files_total,
            chunks_done=self._chunks,
            chunks_per_s=round(self._chunks / elapsed, 1) if elapsed else 0,
            seconds_left=elapsed * left / self._bytes if self._bytes else None,
        )
