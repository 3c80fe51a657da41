"""Milvus: the search index, a cache of the manifest. Every Milvus trap is met here, nowhere else.

Seen with pymilvus 3.0.2 and milvus-lite 2.5.1: a call without a time limit may be retried for
minutes; after reopening a collection must be loaded; a delete stops all searches for its duration;
a query returns at most 16 384 rows; assertions print to standard output; pings make its server hang
up; searching an empty collection by words is an error. How its server starts is in
``lite_server.py``.
"""

import contextlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine import slim_pymilvus
from engine.errors import StoreError

if TYPE_CHECKING:
    from pymilvus import MilvusClient

log = logging.getLogger(__name__)

CALL_SECONDS = 30
"""Limit of one call; loading and listing a large collection get ``LOAD_SECONDS``."""
LOAD_SECONDS = 300
MOST_HITS = 16_384
"""Milvus's own limit of rows in one reply."""
MOST_WORD_BYTES = 65_000
"""Bytes of a chunk's words that Milvus takes; it allows no longer texts than 65 535."""
SERVER_STEP = "Check milvus_uri, and that its server runs and can be reached; then try again"
METRIC = "IP"
"""The inner product, which for unit vectors is the cosine: Milvus Lite would compute the length of
every vector again for each search, a third of its time."""
_INSERT_BATCH = 1000
_LIST_BATCH = 10_000
_DELETE_BATCH = 5000

_NO_KEEPALIVE = {"grpc.keepalive_time_ms": 2**31 - 1, "grpc.keepalive_permit_without_calls": 0}
"""pymilvus pings every 10 s; Milvus Lite's server answers "too many pings" and hangs up."""


@dataclass(frozen=True, slots=True)
class Row:
    """What Milvus keeps of a chunk: one (file, text) pair, its vector and its words."""

    id: int
    file: int
    vector: NDArray[np.float32]
    words: str
    """As BM25 compares them, with spaces between them."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A row Milvus found near a query, and the distance (for BM25 the score) it returned."""

    row: int
    distance: float


class Store:
    """One folder's collection, in a Milvus Lite file or on a Milvus server."""

    def __init__(self, target: Path | str, name: str, dimension: int) -> None:
        """Open ``target`` (a file, or a server's URI) and its collection, made when absent.

        Raises:
            StoreError: Milvus can't open it; the file may be damaged or held by a process.
        """
        self.target = target
        self._name = name
        self._dimension = dimension
        step = None if isinstance(target, Path) else SERVER_STEP
        with _as_store_error(f"{target} can't be opened", step):
            self._client = _connect(target)
            try:
                if not self._client.has_collection(name, timeout=CALL_SECONDS):
                    self._create()
                self._client.load_collection(name, timeout=LOAD_SECONDS)
            except BaseException:
                self.close()
                raise
        self.pid = _server_pid(target) if isinstance(target, Path) else None
        """Process id of the Milvus Lite server; None for a remote one."""

    @property
    def has_ended(self) -> bool:
        """Whether its Milvus Lite server has ended by itself."""
        if not isinstance(self.target, Path):
            return False
        from engine.storage import lite_server

        return lite_server.has_ended(self.target)

    def _create(self) -> None:
        from pymilvus import DataType, Function, FunctionType

        local = isinstance(self.target, Path)
        schema = self._client.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("id", DataType.INT64, is_primary=True)
        schema.add_field("file", DataType.INT64)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=self._dimension)
        schema.add_field(
            "words",
            DataType.VARCHAR,
            max_length=65_535,
            enable_analyzer=True,
            analyzer_params={"tokenizer": "whitespace"},
        )
        schema.add_field("bm25", DataType.SPARSE_FLOAT_VECTOR)
        schema.add_function(Function("bm25", FunctionType.BM25, ["words"], ["bm25"]))
        index = self._client.prepare_index_params()
        index.add_index("vector", index_type="FLAT" if local else "AUTOINDEX", metric_type=METRIC)
        index.add_index("bm25", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25")
        self._client.create_collection(self._name, schema=schema, timeout=CALL_SECONDS)
        # Waiting for it would take half a second, and there is nothing to index yet.
        self._client.create_index(self._name, index, timeout=CALL_SECONDS, sync=False)

    def insert(self, rows: Sequence[Row]) -> None:
        """Add rows; the caller makes sure that no id is present yet."""
        with _as_store_error("rows could not be added"):
            for begin in range(0, len(rows), _INSERT_BATCH):
                self._client.insert(
                    self._name,
                    [
                        {
                            "id": row.id,
                            "file": row.file,
                            "vector": row.vector,
                            "words": _fitting(row.words),
                        }
                        for row in rows[begin : begin + _INSERT_BATCH]
                    ],
                    timeout=CALL_SECONDS,
                )

    def delete(self, rows: Sequence[int]) -> None:
        """Remove rows. Searches wait meanwhile, so call it when idle."""
        with _as_store_error("rows could not be removed"):
            for begin in range(0, len(rows), _DELETE_BATCH):
                self._client.delete(
                    self._name,
                    ids=list(rows[begin : begin + _DELETE_BATCH]),
                    timeout=LOAD_SECONDS,
                )

    def drop(self, name: str) -> None:
        """Remove another collection, if it is there."""
        with _as_store_error(f"the collection {name} could not be removed"):
            if self._client.has_collection(name, timeout=CALL_SECONDS):
                self._client.drop_collection(name, timeout=LOAD_SECONDS)

    def search(
        self, query: NDArray[np.float32] | str, limit: int, among: str = ""
    ) -> list[Neighbour]:
        """Return up to ``limit`` rows, each once, best first.

        They are nearest to ``query`` where it is a vector; where it is words, best by BM25. The
        filter ``among`` is made of numbers alone.
        """
        with _as_store_error("the search failed"):
            (found,) = self._client.search(
                self._name,
                data=[query],
                anns_field="bm25" if isinstance(query, str) else "vector",
                filter=among,
                limit=min(limit, MOST_HITS),
                timeout=CALL_SECONDS,
            )
        best: dict[int, float] = {}
        for row, distance in zip(found.ids, found.distances, strict=True):
            best.setdefault(row, distance)
        return [Neighbour(row, distance) for row, distance in best.items()]

    def rows(self) -> set[int]:
        """Return the ids of all rows; a collection that holds one twice is emptied before.

        Such a collection, written by two programs at once, hides rows: a search finds the same one
        again and again, while listing shows each once.
        """
        found = self._list()
        if self._count() == len(found):
            return found
        log.warning("%s holds rows twice: it is filled anew", self._name)
        with _as_store_error("the rows could not be removed"):
            self._client.drop_collection(self._name, timeout=LOAD_SECONDS)
            self._create()
            self._client.load_collection(self._name, timeout=LOAD_SECONDS)
        return set()

    def census(self) -> tuple[set[int], int]:
        """Return the ids of all rows, and how many rows there are: more where one is twice."""
        return self._list(), self._count()

    def _count(self) -> int:
        with _as_store_error("the rows could not be counted"):
            (counted,) = self._client.query(
                self._name, filter="", output_fields=["count(*)"], timeout=LOAD_SECONDS
            )
        return int(counted["count(*)"])

    def _list(self) -> set[int]:
        with _as_store_error("the rows could not be listed"):
            listing = self._client.query_iterator(
                self._name, batch_size=_LIST_BATCH, output_fields=["id"], timeout=LOAD_SECONDS
            )
            found: set[int] = set()
            try:
                while batch := listing.next():
                    found.update(int(row["id"]) for row in batch)
            finally:
                listing.close()
        return found

    def close(self) -> None:
        """Close the connection; a Milvus Lite server ends."""
        with contextlib.suppress(Exception):  # a broken store must still be let go of
            self._client.close()
        if isinstance(self.target, Path):
            from engine.storage import lite_server

            lite_server.release(self.target)


def drop_collection(server: str, name: str) -> None:
    """Remove the collection of a forgotten folder from a Milvus server, if it is there.

    Raises:
        StoreError: the server can't be reached, or refuses.
    """
    what = f"the collection {name} could not be removed from {server}"
    with _as_store_error(what, SERVER_STEP):
        client = _connect(server)
        try:
            if client.has_collection(name, timeout=CALL_SECONDS):
                client.drop_collection(name, timeout=LOAD_SECONDS)
        finally:
            client.close()


def _connect(target: Path | str) -> "MilvusClient":
    slim_pymilvus.load()
    from pymilvus import MilvusClient

    if not isinstance(target, Path):
        return MilvusClient(target, timeout=CALL_SECONDS)
    from engine.storage import lite_server

    lite_server.start(target)
    try:
        return MilvusClient(str(target), timeout=CALL_SECONDS, grpc_options=_NO_KEEPALIVE)
    except BaseException:
        lite_server.release(target)
        raise


def _fitting(words: str) -> str:
    """Return as many of ``words`` as Milvus takes: all, unless a chunk is huge."""
    if len(words) * 4 <= MOST_WORD_BYTES:
        return words
    cut = words.encode("utf-8", "replace")[:MOST_WORD_BYTES]
    return cut.decode("utf-8", "ignore")


@contextlib.contextmanager
def _as_store_error(what: str, next_step: str | None = None) -> Iterator[None]:
    """Turn whatever pymilvus raises (its own, gRPC's, bare RuntimeErrors) into StoreError."""
    try:
        yield
    except StoreError:
        raise
    except Exception as error:
        reason: Any = getattr(error, "message", None) or error
        log.warning("%s: %s", what, reason)
        raise StoreError(f"{what}: {reason}", next_step) from error


def _server_pid(target: Path) -> int | None:
    from engine.storage import lite_server

    return lite_server.pid(target)
