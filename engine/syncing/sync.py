"""Applies to manifest and index what a folder's plan says: the one writer.

For each batch of files: read, split, embed the texts that have no vector yet, add their rows to
Milvus, then change the manifest in one transaction. Killed anywhere in between, the next reconcile
finds the same work again, less what was embedded and saved.

A sync goes in steps of a fraction of a second, and several may be under way: between two steps of
a long one an edit is made searchable. Of a file that two of them have read, the later read counts.
"""

import logging
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby
from pathlib import Path
from threading import Event
from typing import TypeVar

from engine.config import Settings
from engine.files import ignore, scan
from engine.files.scan import Entry
from engine.files.watch import Hints
from engine.storage.index import Index
from engine.storage.manifest import FileRecord, FileUpdate, Manifest, text_hash
from engine.storage.store import Row
from engine.storage.vectors import NO_VECTOR, Embeds, sound_parts
from engine.syncing import safeguards
from engine.syncing.batch import (
    BATCH_CHUNKS,
    FIRST_BATCH_CHUNKS,
    Batch,
    Edits,
    Outcome,
    Pace,
    UnderWay,
    Vectors,
    rows_of,
)
from engine.syncing.plan import compare
from engine.syncing.reading import Reader
from engine.syncing.writer import Steps, left_early
from engine.wire.api import Progress

log = logging.getLogger(__name__)

FEW_TEXTS = 8
"""So few new texts are embedded with the priority of a query."""
STEP_SECONDS = 0.05
"""A step ends as soon as it has taken so long …"""
EDIT_SECONDS = 1.0
"""… and an edit, which somebody waits for, is one step unless it takes so long."""
LARGE_FILE = 200_000
"""Files of more bytes are read beside the steps of others, as are those of slow kinds."""
STEP_ROWS = 1000
"""More rows than these are not added to Milvus in one step."""
MOST_EDITS = 50
"""More changed files than this are bulk work."""

_T = TypeVar("_T")
_Report = Callable[[Progress], object]


def _to_nobody(_: Progress) -> None: ...


IGNORE_FILES = {name.encode() for name in ignore.NAMES}
"""A change of one of these can change which files belong to the folder."""


class Sync:
    """Brings one folder's manifest and index up to date. Blocking; one step at a time."""

    def __init__(
        self,
        root: Path,
        settings: Settings,
        manifest: Manifest,
        index: Index,
        encoder: Embeds,
        *,
        data: Path,
        stopping: Event,
    ) -> None:
        self._root = root
        self._settings = settings
        self._manifest = manifest
        self._index = index
        self._encoder = encoder
        self._data = data
        self._stopping = stopping
        self._reader = Reader(root, settings, model=encoder.model_id, fits=encoder.fits)
        manifest.texts.keep_saved()
        self._lacking = manifest.vectors.files_without(encoder.model_id)
        """Files to be embedded anew, because the model is another than before."""
        self._lacking |= manifest.texts.files_without()
        self._read_last: dict[bytes, object] = {}
        """What was, or is being, read of each file and is not saved yet; of two, the later."""
        self.under_way = UnderWay(self._read_last)
        self._looked_at: set[bytes] = set()
        """Paths that were looked at since the last scan began."""
        self._step_begun = self._step_seconds = 0.0
        self.last_scan = scan.Scan()
        self.clock = time.monotonic
        """Tells how long a step takes, and a batch."""

    def edits(self, hints: Hints) -> Steps[Edits]:
        """Look at the few files that were hinted at, and say what is left for :meth:`run`.

        Raises:
            FolderError, ManifestError, StoreError: as ``run``.
        """
        self._step_begun, self._step_seconds = self.clock(), EDIT_SECONDS
        wanted = self.narrow(hints)
        if wanted is None:
            return Edits()
        now, left = wanted.paths, wanted if wanted.everything else None
        if len(now) > MOST_EDITS:  # of many, those that are known are more likely a person's
            now, left = set(self._manifest.files_at(now)), wanted
        if not 0 < len(now) <= MOST_EDITS:
            return Edits(left=left)
        safeguards.see_that_folder_is_there(self._root, self._manifest)
        return Edits((yield from self._look_at(now, _to_nobody)), left)

    def run(self, hints: Hints, report: _Report = _to_nobody) -> Steps[Outcome]:
        """Look at the hinted paths, or at the whole folder, and apply what changed.

        ``report`` is told how far that has come.

        Raises:
            FolderError: the folder is gone or can't be read; nothing is removed then.
            ManifestError, StoreError: the index can't be written, or was removed.
        """
        self._step_begun, self._step_seconds = self.clock(), STEP_SECONDS
        safeguards.see_that_folder_is_there(self._root, self._manifest)
        if not hints.everything:
            return (yield from self._look_at(hints.paths, report))
        found = yield from self._scan()
        if not found.complete:
            return Outcome()  # told to stop
        self.last_scan = found
        unlisted, present = tuple(found.unlisted), {entry.path for entry in found.entries}
        self._manifest.texts.keep_saved(present, unlisted)
        for gone in self._read_last.keys() - present:
            if not gone.startswith(unlisted):
                del self._read_last[gone]
        known = self._manifest.files().items()
        # What can't be seen for a moment is not gone.
        seen = {path: file for path, file in known if not path.startswith(unlisted)}
        return (yield from self._apply(found.entries, seen, report))

    def _scan(self) -> Steps[scan.Scan]:
        """List the folder, beside edits; of what these look at meanwhile, they know better."""
        looked_at = self._looked_at = set()
        found = yield from self._beside(
            partial(
                scan.scan,
                self._root,
                self._settings,
                index_root=self._data,
                go_on=lambda: not self._stopping.is_set(),
            )
        )
        look = self._new_look()
        found.entries = [entry for entry in found.entries if entry.path not in looked_at]
        found.entries += [entry for path in looked_at if (entry := look.at(path))]
        return found

    def read_again(self, paths: Collection[bytes]) -> set[bytes]:
        """Have the next look at ``paths`` read them; return those that were read before."""
        known = self._manifest.files_at(paths)
        self._lacking |= {record.id for record in known.values()}
        return set(known)

    def narrow(self, hints: Hints) -> Hints | None:
        """Return ``hints`` without what is not read; None if nothing is left.

        A folder that is or was read, or an ignore file in one, calls for a look at everything.
        """
        look = self._new_look()
        everything = any(self._may_change_much(path, look) for path in hints.paths)
        known = self._manifest.files_at(hints.paths)
        paths = {path for path in hints.paths if path in known or look.may_read(path)}
        return replace(hints, paths=paths, everything=everything) if paths or everything else None

    def _may_change_much(self, path: bytes, look: scan.Look) -> bool:
        if path.endswith(b"/"):
            return look.enters(path) or self._manifest.holds_below(path)
        return path.rpartition(b"/")[2] in IGNORE_FILES and look.enters(path)

    def _new_look(self) -> scan.Look:
        return scan.Look(self._root, self._settings, index_root=self._data)

    def _look_at(self, paths: Collection[bytes], report: _Report) -> Steps[Outcome]:
        """Bring only ``paths`` up to date; each must be a file, or gone."""
        self._looked_at.update(paths)
        look = self._new_look()
        entries = [entry for path in paths if (entry := look.at(path))]
        gone = set(paths) - {entry.path for entry in entries}
        for path in gone:
            self._read_last.pop(path, None)
        self._manifest.texts.drop_unsaved(gone)
        return (yield from self._apply(entries, self._manifest.files_at(paths), report))

    def _apply(
        self, entries: Sequence[Entry], known: dict[bytes, FileRecord], report: _Report
    ) -> Steps[Outcome]:
        plan = compare(entries, known, self._reader, self._lacking | self._index.unfilled)
        moved = []
        for record, entry in plan.moved:
            if self._reader.is_same(record, entry):
                moved.append((record.id, entry))
                # What another sync has read there is of another file.
                self._read_last.pop(entry.path, None)
            else:
                plan.removed.append(record)
                plan.work.append(entry)
        outcome = Outcome(removed=len(plan.removed), renamed=len(moved))
        if plan.removed:
            # A folder that was moved or unmounted while it was listed seems to hold nothing.
            safeguards.see_that_folder_is_there(self._root, self._manifest)
            gone = [record.id for record in plan.removed]
            rows = self._manifest.rows_of(gone)
            self._manifest.save([], removed=gone)
            self._index.retire(rows)
        if moved:
            self._manifest.touch(moved)
        if plan.work:
            with self.under_way.pace_of(plan.work, self.clock()) as pace:
                yield from self._work_through(pace, outcome, report)
        if self._index.needs_purge():
            self._index.purge()
        return outcome

    def _breathe(self) -> Steps[None]:
        """End the step if it has taken long enough."""
        seconds = self._step_seconds
        if self.clock() - self._step_begun >= seconds:
            yield None
            self._step_begun, self._step_seconds = self.clock(), seconds

    def _beside(self, work: Callable[[], _T]) -> Steps[_T]:
        """Do ``work`` beside the steps of others, and return its result."""
        seconds = self._step_seconds
        result: _T = yield work
        self._step_begun, self._step_seconds = self.clock(), seconds
        return result

    def _work_through(self, pace: Pace, outcome: Outcome, report: _Report) -> Steps[None]:
        report(pace.progress(self.clock()))
        most = FIRST_BATCH_CHUNKS
        # What is quick to read is saved before the first slow file is begun.
        for _, alike in groupby(pace.work, key=self._reader.is_slow):
            batch = Batch(self.clock(), most)
            for entry in alike:
                yield from self._breathe()
                if self._stopping.is_set():
                    return
                yield from self._take(batch, entry, outcome)
                if batch.is_full(self.clock()):
                    if not (yield from self._save(batch, outcome)):
                        return
                    most = min(2 * most, BATCH_CHUNKS)
                    report(pace.count(batch, self.clock()))
                    batch = Batch(self.clock(), most)
            if not (yield from self._save(batch, outcome)):
                return
            report(pace.count(batch, self.clock()))

    def _take(self, batch: Batch, entry: Entry, outcome: Outcome) -> Steps[None]:
        """Read a file into ``batch``, unless it is just changing."""
        batch.bytes += entry.size
        record = self._manifest.files_at([entry.path]).get(entry.path)
        read = partial(self._reader.read, record.id if record else self._manifest.new_id(), entry)
        if self._reader.is_slow(entry) or entry.size > LARGE_FILE:
            claim = self._read_last[entry.path] = object()
            update = yield from self._beside(read)
            if self._read_last.get(entry.path) is not claim:
                return  # an edit has read the file since
        else:
            update = read()
        if update is None:
            self._read_last.pop(entry.path, None)
            outcome.unsettled.append(entry.path)
            return
        self._read_last[entry.path] = update
        if (
            record
            and (record.content, record.recipe) == (update.content, update.recipe)
            and record.reason == update.reason
            and record.id not in self._lacking
            and record.id not in self._index.unfilled
            and not self._lacks_vectors(update)
        ):
            batch.touched.append(update)
        else:
            batch.updates.append(update)
            batch.unknown.update({text_hash(c.embedded): c.embedded for c in update.chunks})

    def _lacks_vectors(self, update: FileUpdate) -> bool:
        keys = {text_hash(chunk.embedded) for chunk in update.chunks}
        return len(self._known_vectors(keys)) < len(keys)

    def _known_vectors(self, keys: Iterable[bytes]) -> Vectors:
        return self._manifest.vectors.of(keys, self._encoder.model_id, self._index.dimension)

    def _embed(self, texts: dict[bytes, str], outcome: Outcome) -> Steps[Vectors | None]:
        """Return the texts' vectors, saving new ones as they come; None when told to stop.

        There is none for a text to which the model gives none.
        """
        vectors = self._known_vectors(texts)
        # Neighbours in length are embedded together, whatever file they are from.
        missing = sorted((key for key in texts if key not in vectors), key=lambda k: len(texts[k]))
        if not missing:
            return vectors
        # A small edit goes before another folder's bulk work.
        few = len(missing) <= FEW_TEXTS
        some = [texts[key] for key in missing]
        with left_early(sound_parts(self._encoder, some, at_once=few)) as parts:
            while not self._stopping.is_set():
                made = yield from self._beside(partial(next, parts, None))
                if made is None:
                    return vectors
                fresh = {missing[row]: vector for row, vector in made}
                self._manifest.save([], model=self._encoder.model_id, vectors=fresh)
                outcome.embedded += len(fresh)
                vectors |= fresh
        return None

    def _refuse(self, batch: Batch, texts: Collection[bytes]) -> None:
        """Let no file of ``batch`` in that holds one of ``texts``, which have no vectors."""
        for at, update in enumerate(batch.updates):
            if any(text_hash(chunk.embedded) in texts for chunk in update.chunks):
                refused = update.refused(NO_VECTOR)
                if self._is_latest(update):
                    self._read_last[update.entry.path] = refused
                batch.updates[at] = refused

    def _save(self, batch: Batch, outcome: Outcome) -> Steps[bool]:
        """Make a batch searchable; False when told to stop before it was embedded."""
        self._save_texts(batch)
        embedded = outcome.embedded
        vectors = yield from self._embed(batch.unknown, outcome)
        if vectors is None:
            return False
        unsound = batch.unknown.keys() - vectors.keys()
        outcome.reused += batch.chunks - len(unsound) - (outcome.embedded - embedded)
        if unsound:
            self._refuse(batch, unsound)
        safeguards.see_that_there_is_room(self._data)
        rows = [row for update in batch.updates for row in rows_of(update, vectors)]
        try:
            for begin in range(0, len(rows) - STEP_ROWS, STEP_ROWS):  # the rest is added below
                self._index.add(rows[begin : begin + STEP_ROWS])
                yield from self._breathe()
        except BaseException:  # it was left, too
            self._retire_unknown(rows)
            raise
        updates = [update for update in batch.updates if self._is_latest(update)]
        touched = [update for update in batch.touched if self._is_latest(update)]
        wanted = {row.id: row for update in updates for row in rows_of(update, vectors)}
        before = self._manifest.rows_of(update.file for update in updates)
        known = self._manifest.files_at([update.entry.path for update in updates])
        self._index.add(wanted.values())
        try:
            self._manifest.save(updates)
        except BaseException:
            self._index.retire(wanted.keys() - before)
            raise
        self._manifest.touch([(update.file, update.entry) for update in touched])
        self._index.retire(before - wanted.keys())
        if len(updates) < len(batch.updates):  # others have read some of these files since
            self._retire_unknown(rows)
        for update in (*updates, *touched):
            del self._read_last[update.entry.path]
        for lacking in (self._lacking, self._index.unfilled):
            lacking.difference_update(update.file for update in updates)
        if self._index.needs_purge():
            self._index.purge()
        outcome.changed += len(known)
        outcome.added += len(updates) - len(known)
        return True

    def _save_texts(self, batch: Batch) -> None:
        """Let an exact search find the files of ``batch`` before they are embedded."""
        latest = [update for update in batch.updates if self._is_latest(update)]
        if latest:
            self._manifest.texts.save((u.file, u.entry.path, u.text) for u in latest)

    def _retire_unknown(self, rows: Sequence[Row]) -> None:
        self._index.retire({row.id for row in rows} - self._manifest.all_rows())

    def _is_latest(self, update: FileUpdate) -> bool:
        """Whether no other sync has read, saved or removed the file since."""
        return self._read_last.get(update.entry.path) is update
