"""Applies to manifest and index what a folder's plan says: the one writer.

For each batch of files: read, split, embed the texts that have no vector yet, add their rows to
Milvus, then change the manifest in one transaction. Killed anywhere in between, the next reconcile
finds the same work again, less what was embedded and saved.
"""

import logging
import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path, PurePosixPath
from threading import Event
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine import chunking, documents, ignore, scan
from engine.api import Progress
from engine.config import Settings
from engine.errors import FolderError, LoadError
from engine.index import Index
from engine.manifest import FileRecord, FileUpdate, Manifest, row_id, text_hash
from engine.plan import Work, compare, is_slow
from engine.scan import Entry
from engine.store import Row
from engine.watch import Hints

log = logging.getLogger(__name__)

BATCH_CHUNKS = 128
"""A batch is embedded and saved once it holds so many unknown chunks …"""
BATCH_FILES = 200
"""… or so many files, …"""
BATCH_SECONDS = 2.0
"""… or once reading it has taken so long."""
FEW_TEXTS = 8
"""So few new texts are embedded with the priority of a query."""

_Vectors = dict[bytes, NDArray[np.float32]]

IGNORE_FILES = {name.encode() for name in ignore.NAMES}
"""A change of one of these can change which files belong to the folder."""


class Embeds(Protocol):
    """The part of the encoder that a sync needs."""

    model_id: str

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one normalised vector a text: shape (n, dimension)."""
        ...

    def encode_now(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The same for a few short texts, ahead of all that wait in ``encode``."""
        ...


@dataclass
class Outcome:
    """What a sync did."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    renamed: int = 0
    embedded: int = 0
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
            other.unsettled,
        )

    @property
    def any_change(self) -> bool:
        """Whether a search could now find something else."""
        return bool(self.added or self.changed or self.removed or self.renamed)


@dataclass
class _Batch:
    updates: list[FileUpdate] = field(default_factory=list)
    touched: list[tuple[int, Entry]] = field(default_factory=list)
    unknown: dict[bytes, str] = field(default_factory=dict)
    bytes: int = 0


class Sync:
    """Brings one folder's manifest and index up to date. Blocking; one call at a time."""

    def __init__(
        self,
        root: Path,
        settings: Settings,
        manifest: Manifest,
        index: Index,
        encoder: Embeds,
        *,
        data: Path,
        report: Callable[[Progress], None],
        stopping: Event,
    ) -> None:
        self._root = root
        self._settings = settings
        self._manifest = manifest
        self._index = index
        self._encoder = encoder
        self._data = data
        self._report = report
        self._stopping = stopping
        self._recipe = (
            f"{documents.LOADER_VERSION}.{chunking.CHUNKER_VERSION}"
            f".{settings.chunk_size}.{settings.chunk_overlap}"
        )
        self._lacking = manifest.files_without_vectors(encoder.model_id)
        """Files to be embedded anew, because the model is another than before."""
        self.last_scan = scan.Scan()
        self.clock = time.monotonic
        """Tells how long a batch has been read."""

    def run(self, hints: Hints | None) -> Outcome:
        """Look at the hinted paths, or at the whole folder, and apply what changed.

        Raises:
            FolderError: the folder is gone or can't be read; nothing is removed then.
            ManifestError, StoreError: the index can't be written, or was removed.
        """
        self._manifest.see_that_it_is_there()
        self._see_that_the_folder_is_there()
        if hints and not hints.everything:
            return self._look_at(hints.paths)
        found = scan.scan(
            self._root,
            self._settings,
            index_root=self._data,
            go_on=lambda: not self._stopping.is_set(),
        )
        if not found.complete:
            return Outcome()  # told to stop
        self.last_scan = found
        unlisted = tuple(found.unlisted)
        known = self._manifest.files().items()
        # What can't be seen for a moment is not gone.
        return self._apply(
            found.entries, {path: file for path, file in known if not path.startswith(unlisted)}
        )

    def narrow(self, hints: Hints) -> Hints | None:
        """Return ``hints`` without what is not read; None if nothing is left.

        A folder that is or was read, or an ignore file in one, calls for a look at everything.
        """
        if hints.everything:
            return hints
        look = self._new_look()
        if any(self._may_change_much(path, look) for path in hints.paths):
            return replace(hints, everything=True)
        known = self._manifest.files_at(hints.paths)
        paths = {path for path in hints.paths if path in known or look.may_read(path)}
        return replace(hints, paths=paths) if paths else None

    def _may_change_much(self, path: bytes, look: scan.Look) -> bool:
        if path.endswith(b"/"):
            return look.enters(path) or self._manifest.holds_below(path)
        return path.rpartition(b"/")[2] in IGNORE_FILES and look.enters(path)

    def _new_look(self) -> scan.Look:
        return scan.Look(self._root, self._settings, index_root=self._data)

    def _see_that_the_folder_is_there(self) -> None:
        try:
            status = self._root.stat()
            with os.scandir(self._root) as listing:  # its first name, however many there are
                is_empty = next(listing, None) is None
        except OSError:
            status = None
        if status is None or os.path.realpath(self._root) != str(self._root):
            raise FolderError(
                f"{self._root} is gone or closed to you", "Its index is kept and used again"
            )
        identity = f"{status.st_dev} {status.st_ino}"
        before = self._manifest.fact("identity")
        if before not in (None, identity) and is_empty:
            raise FolderError(
                f"{self._root} is empty and not the folder it was; perhaps a disk is missing",
                "Its index is kept, and compared with the folder once something is in it",
            )
        if before != identity:
            self._manifest.set_fact("identity", identity)

    def _look_at(self, paths: Collection[bytes]) -> Outcome:
        """Bring only ``paths`` up to date; each must be a file, or gone."""
        look = self._new_look()
        entries = [entry for path in paths if (entry := look.at(path))]
        return self._apply(entries, self._manifest.files_at(paths))

    def _apply(self, entries: Sequence[Entry], known: dict[bytes, FileRecord]) -> Outcome:
        plan = compare(entries, known, self._recipe, self._lacking | self._index.unfilled)
        outcome = Outcome(removed=len(plan.removed), renamed=len(plan.moved))
        if plan.moved:
            self._manifest.touch(plan.moved)
        if plan.removed:
            gone = [record.id for record in plan.removed]
            rows = self._manifest.rows_of(gone)
            self._manifest.save([], removed=gone)
            self._index.retire(rows)
        if plan.work:
            self._work_through(plan.work, outcome)
        if self._index.needs_purge():
            self._index.purge()
        return outcome

    def _work_through(self, work: Work, outcome: Outcome) -> None:
        begun = self.clock()
        all_bytes = sum(entry.size for entry, _ in work) or 1
        files = chunks = done_bytes = 0
        self._report(Progress(files_total=len(work)))
        for batch in self._batches(work, outcome):
            if self._stopping.is_set() or not self._save(batch, outcome):
                return
            files += len(batch.updates) + len(batch.touched)
            chunks += sum(len(update.chunks) for update in batch.updates)
            done_bytes += batch.bytes
            elapsed = self.clock() - begun
            self._report(
                Progress(
                    files_done=files,
                    files_total=len(work),
                    chunks_done=chunks,
                    chunks_per_s=round(chunks / elapsed, 1) if elapsed else 0,
                    seconds_left=elapsed * (all_bytes - done_bytes) / max(done_bytes, 1),
                )
            )

    def _batches(self, work: Work, outcome: Outcome) -> Iterator[_Batch]:
        ids = self._manifest.reserve_ids([entry.path for entry, _ in work])
        # What is quick to read is saved before the first slow file is begun.
        for _, alike in groupby(work, key=lambda item: is_slow(item[0])):
            yield from self._batches_of(alike, ids, outcome)

    def _batches_of(
        self,
        work: Iterable[tuple[Entry, FileRecord | None]],
        ids: dict[bytes, int],
        outcome: Outcome,
    ) -> Iterator[_Batch]:
        batch, begun = _Batch(), self.clock()
        for entry, record in work:
            if self._stopping.is_set():
                break
            batch.bytes += entry.size
            update = self._read(ids[entry.path], entry)
            if update is None:
                outcome.unsettled.append(entry.path)
                continue
            if (
                record
                and update.content
                and (record.content, record.recipe) == (update.content, update.recipe)
                and record.id not in self._lacking
                and record.id not in self._index.unfilled
                and not self._lacks_vectors(update)
            ):
                batch.touched.append((record.id, entry))
            else:
                batch.updates.append(update)
                batch.unknown.update({text_hash(c.text): c.text for c in update.chunks})
            files = len(batch.updates) + len(batch.touched)
            if (
                len(batch.unknown) >= BATCH_CHUNKS
                or files >= BATCH_FILES
                or self.clock() - begun >= BATCH_SECONDS
            ):
                yield batch
                batch, begun = _Batch(), self.clock()
        yield batch

    def _lacks_vectors(self, update: FileUpdate) -> bool:
        keys = {text_hash(chunk.text) for chunk in update.chunks}
        return len(self._known_vectors(keys)) < len(keys)

    def _known_vectors(self, keys: Iterable[bytes]) -> _Vectors:
        return self._manifest.vectors_of(keys, self._encoder.model_id, self._index.dimension)

    def _read(self, file: int, entry: Entry) -> FileUpdate | None:
        """Return the file's chunks, or the reason it has none; None when it is just changing."""
        limit = int(self._settings.max_file_mb * 1_000_000)
        try:
            document, content = documents.load(
                self._root / PurePosixPath(os.fsdecode(entry.path)), max_bytes=limit
            )
            pieces = chunking.split(
                document, size=self._settings.chunk_size, overlap=self._settings.chunk_overlap
            )
        except documents.Changing:
            return None
        except LoadError as error:
            return FileUpdate(file, entry, "", self._recipe, reason=str(error))
        except Exception:  # one file's trouble must not stop the others
            log.exception("file %s of %s could not be read", file, self._root)
            reason = "reading it failed in an unforeseen way; the engine's log tells"
            return FileUpdate(file, entry, "", self._recipe, reason=reason)
        return FileUpdate(file, entry, content, self._recipe, pieces)

    def _embed(self, texts: dict[bytes, str], outcome: Outcome) -> _Vectors:
        """Return the texts' vectors, saving new ones as they come; fewer when told to stop."""
        model = self._encoder.model_id
        vectors = self._known_vectors(texts)
        missing = [key for key in texts if key not in vectors]
        # A small edit goes before another folder's bulk work.
        encode = self._encoder.encode_now if len(missing) <= FEW_TEXTS else self._encoder.encode
        for begin in range(0, len(missing), BATCH_CHUNKS):
            if self._stopping.is_set():
                break
            keys = missing[begin : begin + BATCH_CHUNKS]
            fresh = dict(zip(keys, encode([texts[key] for key in keys]), strict=True))
            self._manifest.save([], model=model, vectors=fresh)
            outcome.embedded += len(fresh)
            vectors |= fresh
        return vectors

    def _save(self, batch: _Batch, outcome: Outcome) -> bool:
        """Make a batch searchable; False when told to stop before it was embedded."""
        vectors = self._embed(batch.unknown, outcome)
        if len(vectors) < len(batch.unknown):
            return False
        rows = {
            (row := row_id(update.file, key)): Row(row, update.file, vectors[key])
            for update in batch.updates
            for key in (text_hash(chunk.text) for chunk in update.chunks)
        }
        before = self._manifest.rows_of(update.file for update in batch.updates)
        known = self._manifest.files_at([u.entry.path for u in batch.updates])
        self._index.add(rows.values())
        self._manifest.save(batch.updates)
        self._manifest.touch(batch.touched)
        self._index.retire(before - rows.keys())
        for lacking in (self._lacking, self._index.unfilled):
            lacking.difference_update(update.file for update in batch.updates)
        if self._index.needs_purge():
            self._index.purge()
        outcome.changed += len(known)
        outcome.added += len(batch.updates) - len(known)
        return True
