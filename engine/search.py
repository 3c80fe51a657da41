"""Query → ranked hits, with where each came from."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote_from_bytes

from engine import extracts, folding, scan, wanted
from engine.api import Extract
from engine.api_search import Cut, Hit, Mode, Place, SearchReply, SearchRequest
from engine.config import Settings
from engine.fusion import DENSE_WEIGHT
from engine.index import Found, Index, Query
from engine.lexical import words

if TYPE_CHECKING:
    from engine.embedding import Encoder

MOST_WORDS = 1000
"""Words of a query that BM25 compares: a question of a hundred pages must not hold up others."""


def search(
    request: SearchRequest, settings: Settings, *, encoder: "Encoder", index: Index
) -> SearchReply:
    """Return the hits of ``request``, best first; blocking. ``took_ms`` is left at 0.

    Raises:
        StoreError: Milvus failed.
    """
    mode = request.mode or settings.search_mode
    if not request.query.strip():
        return SearchReply(query=request.query, took_ms=0, mode=mode, hits=[])
    limit = request.hits or settings.hits
    per_file = settings.hits_per_file if request.per_file is None else request.per_file
    query = _query(request.query, mode, encoder)
    wanted.check()
    found = index.search(query, limit)
    wanted.check()
    kept, left = folding.choose(found, limit, per_file=per_file, fold=request.fold)
    return SearchReply(
        query=request.query,
        took_ms=0,
        mode=mode,
        hits=[_hit(rank, one) for rank, one in enumerate(kept, 1)],
        cut=[_cut(one) for one in left] if request.explain else [],
    )


def _query(text: str, mode: Mode, encoder: "Encoder") -> Query:
    weight = {"dense": 1.0, "bm25": 0.0}.get(mode)
    return Query(
        vector=encoder.encode_query(text),
        words="" if mode == "dense" else " ".join(words(text)[:MOST_WORDS]),
        weight=DENSE_WEIGHT * encoder.trust(text) if weight is None else weight,
        by_vector=mode != "bm25",
    )


def quote(question: str, hits: Sequence[Hit], *, encoder: "Encoder") -> list[Extract]:
    """Return one to three quotations from ``hits`` that bear on ``question``; blocking."""

    def similarity(sentences: list[str]) -> list[float]:
        wanted.check()
        asked = encoder.encode_query(question)
        return [float(value) for value in encoder.encode_now(sentences) @ asked]

    return extracts.choose(question, hits, similarity=similarity)


def _hit(rank: int, kept: folding.Kept) -> Hit:
    chunk, ranked = kept.found.stored.chunk, kept.found.ranked
    return Hit(
        rank=rank,
        **_place(kept.found).model_dump(),
        heading=chunk.heading,
        text=chunk.text,
        start=chunk.start,
        end=chunk.end,
        distance=ranked.distance,
        score=ranked.score,
        dense_rank=ranked.dense_rank,
        bm25_rank=ranked.bm25_rank,
        bm25_score=ranked.bm25_score,
        folded=[_place(one) for one in kept.folded],
    )


def _cut(left: folding.Left) -> Cut:
    return Cut(place=_place(left.found), score=left.found.ranked.score, reason=left.reason)


def _place(found: Found) -> Place:
    path, chunk = found.stored.path, found.stored.chunk
    name = scan.decode(path)
    return Place(
        path=name,
        start_line=chunk.start_line,
        end_line=chunk.end_line,
        page=chunk.page,
        quoted_path=None if os.fsencode(name) == path else quote_from_bytes(path),
    )
