"""What filters alone ask for: the chunks of the files they let in, without any ranking."""

import time

from engine.searching.place import place_at
from engine.storage.manifest import Manifest, StoredChunk
from engine.wire.api_search import Hit, SearchReply, SearchRequest
from engine.wire.query import Query


def find_listed(asked: Query, request: SearchRequest, manifest: Manifest, most: int) -> SearchReply:
    """Return the first chunks that the filters of ``asked`` let in: newest files first.

    Within a file they are in its order. Blocking.

    Raises:
        UsageError: a path is no pattern.
        ManifestError: the manifest can't be read.
    """
    begun = time.monotonic()
    selection = manifest.narrowing.select(asked.filters)
    rows = manifest.narrowing.newest_rows(selection, most, request.per_file or 0)
    chunks = manifest.chunks_at(rows)
    known = [chunks[row] for row in rows if row in chunks]
    return SearchReply(
        query=request.query,
        took_ms=round((time.monotonic() - begun) * 1000, 1),
        hits=[_hit(rank, stored) for rank, stored in enumerate(known, 1)],
        notices=list(selection.notices),
    )


def _hit(rank: int, stored: StoredChunk) -> Hit:
    chunk = stored.chunk
    place = place_at(stored.path, chunk.start_line, chunk.end_line, chunk.part)
    return Hit(
        rank=rank, **place.model_dump(), heading=chunk.heading, text=chunk.text, distance=None
    )
