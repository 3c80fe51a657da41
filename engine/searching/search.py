"""Query → ranked hits, with where each came from."""

import time
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING

from engine import wanted
from engine.chunks.lexical import words
from engine.config import Settings
from engine.searching import echo, folding, template_text
from engine.searching.demotion import demoted
from engine.searching.named import named, names_first
from engine.searching.place import place_at
from engine.searching.reranker import Reranker
from engine.storage.filters import Selection
from engine.storage.fusion import DENSE_WEIGHT
from engine.storage.index import Found, Index, Query
from engine.storage.manifest import Manifest
from engine.storage.names import begins_of, called
from engine.wire.api_search import Cut, Hit, Mode, Place, SearchReply, SearchRequest
from engine.wire.query import Query as Asked

if TYPE_CHECKING:
    from engine.encoding.embedding import Encoder

MOST_QUERY_WORDS = 1000
"""Words of a query that BM25 compares: a question of a hundred pages must not hold up others."""

MOST_LOOKED_UP = 4
"""Names in a query that are looked up in all texts, which takes some milliseconds each."""
RARE = 100
"""Chunks that hold a name, at most, for it to be a rare one."""


class Searcher:
    """Searches one open folder. Blocking; may be called from several threads at once."""

    def __init__(
        self,
        settings: Settings,
        manifest: Manifest,
        index: Index,
        encoder: "Encoder",
        reranker: Reranker,
    ) -> None:
        self._settings, self._manifest = settings, manifest
        self._index, self._encoder, self._reranker = index, encoder, reranker

    def search(self, request: SearchRequest, asked: Asked) -> SearchReply:
        """Return the hits of ``asked``, which is what ``request`` says, best first.

        Raises:
            UsageError: a filter is none.
            StoreError: Milvus failed.
            NoLongerWantedError: whoever asked has left.
        """
        begun = time.monotonic()
        mode = request.mode or self._settings.search_mode
        selection = self._manifest.narrowing.select(asked.filters)
        limit = request.hits or self._settings.hits
        per_file = request.per_file
        if per_file is None:  # of a single file, all that is found may be shown
            is_one = self._manifest.narrowing.is_one_file(selection)
            per_file = 0 if is_one else self._settings.hits_per_file
        found: Iterable[Found] = ()
        notices: list[str] = []
        if asked.text.strip() and not selection.is_empty:
            names = named(asked.text) if mode == "hybrid" else []
            files = self._called(asked.text, selection) if mode == "hybrid" else {}
            query = self._query(asked.text, mode, selection, names, files)
            wanted.check()
            found = self._index.search(query, limit)
            wanted.check()
            if mode == "hybrid":
                if names or files:
                    name = " ".join(asked.text.split())
                    found = names_first(found, names, dict.fromkeys(files.values(), name))
                found = self._weighed(found, asked.text)
                if request.rerank:
                    found, notices = self._reranker.best_first(asked.text, found)
        kept, left = folding.choose(
            found, limit, per_file=per_file, fold=request.fold, to_the_end=request.explain
        )
        far = [one.found.ranked.row for one in kept if one.found.ranked.distance is None]
        distances = (
            self._index.distances(far, self._encoder.encode_query(asked.text)) if far else {}
        )
        return SearchReply(
            query=request.query,
            took_ms=round((time.monotonic() - begun) * 1000, 1),
            mode=mode,
            hits=[_hit(rank, one, distances) for rank, one in enumerate(kept, 1)],
            notices=[*selection.notices, *self._index.notices, *notices],
            cut=[_cut(one) for one in left] if request.explain else [],
        )

    def _query(
        self,
        text: str,
        mode: Mode,
        selection: Selection,
        names: Sequence[str],
        files: Iterable[int],
    ) -> Query:
        weight = {"dense": 1.0, "bm25": 0.0}.get(mode)
        return Query(
            vector=None if mode == "bm25" else partial(self._encoder.encode_query, text),
            words="" if mode == "dense" else " ".join(words(text)[:MOST_QUERY_WORDS]),
            weight=DENSE_WEIGHT * self._encoder.trust(text) if weight is None else weight,
            also=frozenset(self._wanted_rows(names, files, selection)),
            selection=selection,
        )

    def _weighed(self, found: Iterable[Found], question: str) -> Iterator[Found]:
        """Yield ``found``, where template text and mere examples of the question weigh less.

        Those that hold more of the names in the question stay before the others.
        """
        by_template = partial(template_text.weigh, manifest=self._manifest)
        by_echo = echo.weigher(question)
        for _, alike in groupby(found, key=lambda one: len(one.named)):
            yield from demoted(alike, lambda one: by_echo(by_template(one)))

    def _called(self, text: str, selection: Selection) -> dict[int, bytes]:
        """Return id → path of the files that are let in and called as all of ``text``."""
        found = self._manifest.read(partial(called, name=text))
        let_in = selection.files
        return {file: path for file, path in found.items() if let_in is None or file in let_in}

    def _wanted_rows(
        self, names: Sequence[str], files: Iterable[int], selection: Selection
    ) -> Iterator[int]:
        """Yield rows that are shown though neither arm may rank them high enough.

        Those hold rare ones of ``names``, or begin one of ``files``.
        """
        yield from filter(
            selection.has_row, self._manifest.read(partial(begins_of, files=[*files]))
        )
        for name in names[:MOST_LOOKED_UP]:
            rows = self._manifest.narrowing.rows_with(name, selection.files)
            if len(rows) <= RARE:
                yield from filter(selection.has_row, rows)


def _hit(rank: int, kept: folding.Kept, distances: dict[int, float]) -> Hit:
    chunk, ranked = kept.found.stored.chunk, kept.found.ranked
    return Hit(
        rank=rank,
        **_place(kept.found).model_dump(),
        heading=chunk.heading,
        text=chunk.text,
        start=chunk.start,
        end=chunk.end,
        distance=distances.get(ranked.row, ranked.distance),
        score=ranked.score,
        dense_rank=ranked.dense_rank,
        bm25_rank=ranked.bm25_rank,
        bm25_score=ranked.bm25_score,
        rerank_score=kept.found.rerank_score,
        template=kept.found.template,
        named=list(kept.found.named),
        folded=[_place(one) for one in kept.folded],
    )


def _cut(left: folding.Left) -> Cut:
    return Cut(place=_place(left.found), score=left.found.ranked.score, reason=left.reason)


def _place(found: Found) -> Place:
    chunk = found.stored.chunk
    return place_at(found.stored.path, chunk.start_line, chunk.end_line, chunk.part)
