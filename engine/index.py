"""Keeps Milvus equal to the manifest and searches it.

Rows that the manifest no longer holds are *dead*: they are dropped from hits, asked around, and
purged in one call when nothing else is to do, because a Milvus Lite delete stops every search.
"""

import logging
import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine import paths, seal
from engine.errors import StoreError
from engine.manifest import Manifest, StoredChunk
from engine.manifest_file import put_aside
from engine.paths import short_hash
from engine.store import Row, Store

log = logging.getLogger(__name__)

DEAD_SHARE = 0.05
"""Dead rows above this share of all are purged without waiting for an idle moment."""
DEAD_ALWAYS_FINE = 200
"""So few dead rows never matter."""
_REFILL_BATCH = 2000


@dataclass(frozen=True, slots=True)
class Found:
    """A chunk near a query, with the distance Milvus returned."""

    stored: StoredChunk
    distance: float


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
        self._collection = f"chunks_{short_hash(f'{owner} {model}')}"
        self._rows: set[int] = set()
        self._dead: set[int] = set()
        self.unfilled: set[int] = set()
        """Files with rows that no sound vector could fill; whoever embeds them takes them out."""
        self._store: Store | None = None
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
        """Process id of the Milvus Lite server."""
        return self._store.pid if self._store else None

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
        self.generation += 1

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
            vectors = self._manifest.vectors_of(
                (key for _, _, key in batch), self._model, self.dimension
            )
            rows = [Row(row, file, vectors[key]) for row, file, key in batch if key in vectors]
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

    def search(self, vector: NDArray[np.float32], limit: int) -> Sequence[Found]:
        """Return the ``limit`` chunks nearest to ``vector``, best first.

        Raises:
            StoreError: Milvus failed; ``reopen`` and search again.
        """
        if not self._rows:
            return []
        near = self._open_store().search(vector, limit + len(self._dead))
        # Twice as many as asked for: some may have died since the last write was counted.
        near = [neighbour for neighbour in near if neighbour.row not in self._dead][: 2 * limit]
        chunks = self._manifest.chunks_at([neighbour.row for neighbour in near])
        return [Found(chunks[n.row], n.distance) for n in near if n.row in chunks][:limit]

    def _open_store(self) -> Store:
        if self._store is None:
            raise StoreError("the index is being reopened")
        return self._store


def open_index(root: Path, server: str, manifest: Manifest, model_id: str, dimension: int) -> Index:
    """Open the index of the folder ``root``: on a Milvus ``server``, else in a file of its own."""
    if not server:  # a file needs no name that differs, and so can move with its folder
        return Index(manifest, paths.index_dir(root) / "index.db", model_id, dimension)
    owner = f"{platform.node()} {os.getuid()} {root}"
    return Index(manifest, server, model_id, dimension, owner=owner)
