"""Where a hit came from, as the command line tells it."""

from collections.abc import Iterator

from engine.part import short
from engine.safe_text import clean_line
from engine.wire.api_search import Cut, Hit, Place


def explained(hit: Hit) -> str:
    """Return in a line what led to the place of ``hit``."""
    return " · ".join(_facts(hit))


def _facts(hit: Hit) -> Iterator[str]:
    if hit.distance is None and hit.score is None:
        yield "no distance: it was not ranked"
        return
    yield "no distance" if hit.distance is None else f"distance {hit.distance:.4f}"
    yield f"{_ranked(hit.dense_rank)} by meaning"
    score = "" if hit.bm25_score is None else f" (BM25 {hit.bm25_score:.2f})"
    yield f"{_ranked(hit.bm25_rank)} by words{score}"
    if hit.score is not None:
        yield f"fused score {hit.score:.3f}"
    if hit.rerank_score is not None:
        yield f"reranked at {hit.rerank_score:.3f}"
    if hit.named:
        yield f"holds {', '.join(map(clean_line, hit.named))}"
    if hit.template >= 0.01:
        yield f"{hit.template:.0%} of it stands in many files"
    if hit.folded:
        yield f"as good as the same: {', '.join(map(_at, hit.folded))}"


def cut(left: Cut) -> str:
    """Return in a line which chunk was left out, and why."""
    return f"left out: {_at(left.place)} · score {left.score:.3f} · {left.reason}"


def _ranked(rank: int | None) -> str:
    return "not found" if rank is None else f"place {rank}"


def _at(place: Place) -> str:
    return clean_line(place.path + short(place.part, place.start_line, place.start_line))
