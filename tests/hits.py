"""A hit for tests that only care about some of its fields."""

from typing import Any

from engine.wire.api_search import Hit, SearchRequest


def hit(rank: int = 1, **changes: Any) -> Hit:
    """Return a hit with every field filled; ``changes`` replace fields."""
    values: dict[str, Any] = {
        "rank": rank,
        "path": f"docs/page{rank}.md",
        "start_line": rank * 10,
        "end_line": rank * 10 + 8,
        "heading": f"Guide > Section {rank}",
        "text": f"Text of hit {rank}.",
        "distance": round(0.8 - rank * 0.05, 3),
    }
    return Hit(**(values | changes))


def wanted(query: str, hits: int) -> SearchRequest:
    """Return the request for so many hits, whatever they say and wherever they stand."""
    return SearchRequest(query=query, hits=hits, per_file=0, fold=False)
