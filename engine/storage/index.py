"""Keeps Milvus equal to the manifest and searches it.

Rows that the manifest no longer holds are *dead*: they are dropped from hits, asked around, and
purged in one call when nothing else is to do, because a Milvus Lite delete stops every search.
"""

import logging
import os
import platform
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine import paths
from engine.chunks.lexical import LEXICAL_VERSION, words
from engine.errors import StoreError
from engine.paths import short_hash
from engine.storage import fusion, seal
from engine.storage.filters import Selection
from engine.storage.fusion import Ranked
from engine.storage.manifest import Manifest, StoredChunk
from engine.storage.manifest_file import put_aside
from engine.storage.store import METRIC, MOST_HITS, Neighbour, Row, Store

log = logging.getLogger(__name__)

DEAD_SHARE = 0.05
"""Dead rows above this share of all are purged without waiting for an idle moment."""
DEAD_ALWAYS_FINE = 200
"""So few dead rows never matter."""
_REFILL_BATCH = 2000
_SAMPLE = 20
"""Chunks, and words of one, by which it is seen whether words are found."""
WORDS_OFF = "words are not searched, only meaning: Milvus finds no chunk by its own words"
MILVUS_ENDED = "its Milvus has ended: the next search or edit starts it again"
_CHUNKS_AT_ONCE = 16
"""Chunks that are fetched from the manifest together: more than most searches show."""


@dataclass(frozen=True, slots=True)
class Query:
    """What is searched for."""

    vector: Callable[[], NDArray[np.float32]] | None
    """Makes its unit vector, called while the words are already searched; None where the dense arm
    is not asked."""
    words: str = ""
    """As BM25 compares them; empty where it is not asked."""
    weight: float = 1.0
    """The dense arm's in the fused score."""
    also: frozenset[int] = frozenset()
    """Rows that are among what is found in any case."""
    selection: Selection = field(default_factory=Selection)
    """What filters let in."""


@dataclass(frozen=True, slots=True)
class Found:
    """A chunk that was found, and how it was ranked."""

    stored: StoredChunk
    ranked: Ranked
    template: float = 0.0
    """How much of it is text that stands in many files, from 0 to 1."""
    named: tuple[str, ...] = ()
    """Identifiers of the query that it holds word for word."""
    rerank_score: float | None = None
    """The cross-encoder's; None where it was not asked."""


class Index:
    """The search index of one folder under one embedding model."""

    def __init__(
        self,
        manifest: Manifest,
        target: Path | str,
        model: str,
        dimension: int,
        *,
        owner: str = "",
    ) -> None:
        """Open the store and bring it in line with the manifest; nothing is embedded.

        ``owner`` tells the collections of several folders, machines and people apart that share
        one Milvus server.

        A Milvus Lite file that can't be opened is set aside and filled anew.

        Raises:
            StoreError: even a fresh store can't be opened.
        """
        self._manifest = manifest
        self._target = target
        self._model = model
        self.dimension = dimension
        self._collection = f"chunks_{short_hash(f'{owner} {model} {METRIC} {LEXICAL_VERSION}')}"
        self._rows: set[int] = set()
        self._dead: set[int] = set()
        self.unfilled: set[int] = set()
        """Files with rows that no sound vector could fill; whoever embeds them takes them out."""
        self._executor = ThreadPoolExecutor(4, thread_name_prefix="bm25")
        """Where words are searched while the vector is."""
        self._store: Store | None = None
        self.notices: tuple[str, ...] = ()
        """What a person should know of every search; empty where all is well."""
        self._words_seen = 0
        self.generation = 0
        """Grows with every reopening, so that one failure is mended once."""
        if isinstance(target, Path):
            if seal.is_broken(target):
                self._set_aside(target)
            seal.take_off(target)
        try:
            self.reopen()
        except BaseException:
            self._let_go()
            raise

    @property
    def pid(self) -> int | None:
        """Process id of the Milvus Lite server; None where none runs."""
        return self._store.pid if self._store and not self._store.has_ended else None

    @property
    def trouble(self) -> str:
        """What is wrong with it at the moment, in a person's words; empty for nothing."""
        return MILVUS_ENDED if self._store and self._store.has_ended else ""

    @property
    def dead(self) -> int:
        """How many rows wait to be purged."""
        return len(self._dead)

    def reopen(self) -> None:
        """Close the store, open it again and bring it in line; the cure for every StoreError."""
        try:
            self._try_open()
        except StoreError:
            try:
                self._try_open()  # a passing failure is no reason to throw the file away
            except StoreError:
                if not isinstance(self._target, Path) or not self._target.exists():
                    raise
                self._let_go()
                self._set_aside(self._target)
                self._try_open()

    def _set_aside(self, file: Path) -> None:
        aside = put_aside(file, "damaged.db")
        log.warning("the index file was damaged; it is kept as %s and made anew", aside)

    def _try_open(self) -> None:
        self._let_go()
        self._align(Store(self._target, self._collection, self.dimension))
        # A damaged file may list its rows, and fail at the search alone.
        is_seen = self.generation and self._finds_words()
        self.generation += 1
        self._words_seen = self.generation if is_seen else 0

    def _align(self, store: Store) -> None:
        self._store = store
        self._drop_former(store)
        wanted = self._manifest.all_rows()
        present = store.rows()
        missing = list(wanted - present)
        added = 0
        self.unfilled = set()
        for begin in range(0, len(missing), _REFILL_BATCH):
            batch = self._manifest.sources_of(missing[begin : begin + _REFILL_BATCH])
            vectors = self._manifest.vectors.of(
                (key for _, _, key in batch), self._model, self.dimension
            )
            chunks = self._manifest.chunks_at([row for row, _, _ in batch])
            rows = [
                row_of(row, file, chunks[row].chunk.embedded, vectors[key])
                for row, file, key in batch
                if key in vectors and row in chunks
            ]
            self.unfilled.update(file for _, file, key in batch if key not in vectors)
            store.insert(rows)
            present.update(row.id for row in rows)
            added += len(rows)
        self._rows = present
        self._dead = present - wanted
        if added:
            log.info("%d rows were added to Milvus from the manifest", added)

    def _drop_former(self, store: Store) -> None:
        """Drop the collection of the model used before: it can be filled again from vectors."""
        former = self._manifest.fact("collection")
        if former != self._collection:
            if former:
                store.drop(former)
            self._manifest.set_fact("collection", self._collection)

    def close(self) -> None:
        """Let go of the store, and seal its file."""
        is_whole = self._store is not None
        self._executor.shutdown()
        self._let_go()
        if is_whole and isinstance(self._target, Path):
            seal.put(self._target)

    def _let_go(self) -> None:
        if self._store:
            self._store.close()
            self._store = None

    def add(self, rows: Iterable[Row]) -> None:
        """Make rows searchable; those present already come back to life."""
        wanted = {row.id: row for row in rows}
        new = [row for row in wanted.values() if row.id not in self._rows]
        if new:
            self._open_store().insert(new)
            self._rows.update(row.id for row in new)
        self._dead -= wanted.keys()

    def retire(self, rows: Iterable[int]) -> None:
        """Count rows as dead, after the manifest has let go of them."""
        self._dead.update(self._rows.intersection(rows))

    def needs_purge(self) -> bool:
        """Whether there are so many dead rows that waiting for an idle moment costs more."""
        return len(self._dead) > max(DEAD_ALWAYS_FINE, DEAD_SHARE * len(self._rows))

    def purge(self) -> None:
        """Remove the dead rows from Milvus; searches wait meanwhile."""
        doomed = list(self._dead)
        if doomed:
            self._open_store().delete(doomed)
            self._rows.difference_update(doomed)
            self._dead.difference_update(doomed)

    def census(self) -> tuple[set[int], int]:
        """Return the rows in Milvus that are not dead, and how often one of all is there twice."""
        present, count = self._open_store().census()
        return present - self._dead, count - len(present)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to find."""
        return len(self._rows) <= len(self._dead)

    def search(self, query: Query, limit: int) -> Iterator[Found]:
        """Return the chunks that the arms of ``query`` find, best first: ``limit`` or more.

        Raises:
            StoreError: Milvus failed; ``reopen`` and search again.
        """
        return self._chunks(self._ranked(query, limit))

    def distances(self, rows: Sequence[int], vector: NDArray[np.float32]) -> dict[int, float]:
        """Return how near ``rows`` are to a unit vector, as Milvus would tell it."""
        vectors = self._manifest.vectors.at(rows, self._model, self.dimension)
        return {row: float(known @ vector) for row, known in vectors.items()}

    def usual_distance(self, vector: NDArray[np.float32], least: int, most: int) -> float | None:
        """Return the median distance of up to ``most`` chunks, any of them, to a unit vector.

        None where there are fewer than ``least``.

        Raises:
            ManifestError: the manifest can't be read.
        """
        near = self.distances([*islice(self._rows - self._dead, most)], vector)
        return float(np.median([*near.values()])) if len(near) >= least else None

    def see_that_words_are_found(self) -> None:
        """Once after each opening, see that a chunk is found by its words, or fill Milvus anew.

        Nothing else would tell: a search by words that finds nothing is no error. Where filling
        does not help, each search says so.

        Raises:
            StoreError: Milvus failed.
        """
        if self._words_seen == self.generation:
            return
        if not self._finds_words():
            log.warning("no chunk of %s is found by its words: it is filled anew", self._collection)
            self._open_store().drop(self._collection)
            self._try_open()
            self.notices = () if self._finds_words() else (WORDS_OFF,)
        self._words_seen = self.generation

    def _finds_words(self) -> bool:
        sample = self._manifest.chunks_at([*islice(self._rows - self._dead, _SAMPLE)])
        for stored in sample.values():
            if known := words(stored.chunk.embedded)[:_SAMPLE]:
                return bool(self._neighbours(" ".join(known), _SAMPLE, Selection()))
        return True

    def _ranked(self, query: Query, limit: int) -> Iterator[Ranked]:
        """Return the rows that the arms find, fused; some may have died just now."""
        if self.is_empty:
            return iter(())
        asked = max(limit, fusion.DEPTH)
        try:
            by_words = self._executor.submit(self._neighbours, query.words, asked, query.selection)
        except RuntimeError as error:  # what the executor says once it was shut down
            raise StoreError("the index was closed") from error
        near = self._neighbours(query.vector(), asked, query.selection) if query.vector else []
        found = by_words.result()
        return fusion.fuse(near, found, weight=query.weight, also=query.also)

    def _neighbours(
        self, asked: NDArray[np.float32] | str, limit: int, let_in: Selection
    ) -> list[Neighbour]:
        """Return the best ``limit`` rows of one arm that are let in; nothing without words."""
        left: list[Neighbour] = []
        if isinstance(asked, str) and not asked:
            return left
        for most, among in let_in.ways(limit, len(self._rows)):
            most = min(most + len(self._dead), MOST_HITS)
            near = self._open_store().search(asked, most, among)
            left = [n for n in near if n.row not in self._dead and let_in.has_row(n.row)][:limit]
            if len(left) == limit or len(near) < most:
                break
        return left

    def _chunks(self, ranked: Iterable[Ranked]) -> Iterator[Found]:
        """Yield the chunks of ``ranked``, in order, that the manifest still holds."""
        rows = iter(ranked)
        while some := [*islice(rows, _CHUNKS_AT_ONCE)]:
            chunks = self._manifest.chunks_at([one.row for one in some])
            yield from (Found(chunks[one.row], one) for one in some if one.row in chunks)

    def _open_store(self) -> Store:
        if self._store is None:
            raise StoreError("the index is being reopened")
        return self._store


def row_of(row: int, file: int, text: str, vector: NDArray[np.float32]) -> Row:
    """Return what Milvus keeps of ``text``, which is embedded as ``vector``."""
    return Row(row, file, vector, " ".join(words(text)))


def open_index(root: Path, server: str, manifest: Manifest, model_id: str, dimension: int) -> Index:
    """Open the index of the folder ``root``: on a Milvus ``server``, else in a file of its own."""
    if not server:  # a file needs no name that differs, and so can move with its folder
        return Index(manifest, paths.index_dir(root) / "index.db", model_id, dimension)
    owner = f"{platform.node()} {os.getuid()} {root}"
    return Index(manifest, server, model_id, dimension, owner=owner)
