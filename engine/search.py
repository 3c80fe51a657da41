"""Query → ranked hits."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote_from_bytes

from engine import extracts, scan, wanted
from engine.api import Extract
from engine.api_search import Hit
from engine.index import Found, Index

if TYPE_CHECKING:
    from engine.embedding import Encoder


def search(query: str, limit: int, *, encoder: "Encoder", index: Index) -> list[Hit]:
    """Return the ``limit`` chunks nearest to ``query``, best first; blocking.

    Raises:
        StoreError: Milvus failed.
    """
    if not query.strip():
        return []
    vector = encoder.encode_query(query)
    wanted.check()
    return [_hit(rank, found) for rank, found in enumerate(index.search(vector, limit), 1)]


def quote(question: str, hits: Sequence[Hit], *, encoder: "Encoder") -> list[Extract]:
    """Return one to three quotations from ``hits`` that bear on ``question``; blocking."""

    def similarity(sentences: list[str]) -> list[float]:
        wanted.check()
        asked = encoder.encode_query(question)
        return [float(value) for value in encoder.encode_now(sentences) @ asked]

    return extracts.choose(question, hits, similarity=similarity)


def _hit(rank: int, found: Found) -> Hit:
    path, chunk = found.stored.path, found.stored.chunk
    name = scan.decode(path)
    return Hit(
        rank=rank,
        path=name,
        start_line=chunk.start_line,
        end_line=chunk.end_line,
        page=chunk.page,
        heading=chunk.heading,
        text=chunk.text,
        distance=found.distance,
        quoted_path=None if os.fsencode(name) == path else quote_from_bytes(path),
    )
