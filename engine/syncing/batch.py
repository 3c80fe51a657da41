"""The work of a sync in numbers: a batch in hand, the pace so far, and the outcome."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.files.scan import Entry
from engine.files.watch import Hints
from engine.storage.index import row_of
from engine.storage.manifest import FileUpdate, row_id, text_hash
from engine.storage.store import Row
from engine.wire.api import Progress, SkippedFile, SyncFinished

BATCH_CHUNKS = 256
"""A batch is embedded and saved once it holds so many unknown chunks …"""
FIRST_BATCH_CHUNKS = 16
"""… the first one sooner and each next one at twice as many, so that there is soon a hit …"""
BATCH_FILES = 200
"""… or so many files, …"""
BATCH_SECONDS = 2.0
"""… or once reading it has taken so long."""


Vectors = dict[bytes, NDArray[np.float32]]
"""By the hashes of their texts."""


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


def rows_of(update: FileUpdate, vectors: Vectors) -> Iterator[Row]:
    """Yield the Milvus rows of a file: one for each text in it."""
    texts = {text_hash(chunk.embedded): chunk.embedded for chunk in update.chunks}
    for key, text in texts.items():
        yield row_of(row_id(update.file, key), update.file, text, vectors[key])


class Pace:
    """How far the work has come, and how long the rest will take."""

    def __init__(self, work: Sequence[Entry], now: float) -> None:
        self.work = work
        self._begun = now
        self._files_total = len(work)
        self._bytes_total = sum(entry.size for entry in work)
        self._files = self._chunks = self._bytes = 0
        self.left = {entry.path: entry for entry in work}
        """What is not saved yet."""

    def count(self, batch: Batch, now: float) -> Progress:
        """Add what a batch has done, and return the message that tells it."""
        for update in (*batch.updates, *batch.touched):
            self.left.pop(update.entry.path, None)
        self._files += len(batch.updates) + len(batch.touched)
        self._chunks += batch.chunks
        self._bytes += batch.bytes
        return self.progress(now)

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


class UnderWay:
    """The work that is not at its end, of all syncs of a folder. It may be read in any thread."""

    def __init__(self, in_hand: Mapping[bytes, object]) -> None:
        """``in_hand`` are the files that are being read, or were and are not saved yet."""
        self._in_hand = in_hand
        self._paces: tuple[Pace, ...] = ()

    @contextmanager
    def pace_of(self, work: Sequence[Entry], now: float) -> Iterator[Pace]:
        """Give the pace of ``work``, which is under way until the context ends."""
        pace = Pace(work, now)
        self._paces += (pace,)
        try:
            yield pace
        finally:
            self._paces = tuple(each for each in self._paces if each is not pace)

    def in_hand(self) -> set[bytes]:
        """Return the files that are being read and embedded."""
        return set(self._in_hand)

    def left(self) -> dict[bytes, Entry]:
        """Return the files that wait to be read or saved, by their paths."""
        left: dict[bytes, Entry] = {}
        for pace in self._paces:
            left |= pace.left.copy()  # in one go, since the writer counts meanwhile
        return left
