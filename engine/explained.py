"""Why a hit is there and what was left out, as ``search --explain`` prints it."""

from engine.api_search import Cut, Hit, Place

LEAST_TEMPLATE = 0.01
"""Share of template text from which it is told."""


def provenance(hit: Hit) -> str:
    """Return everything known of how ``hit`` was found and ranked, in one line.

    Text from outside in it still has to be made safe.
    """
    facts = [
        _fact("distance", hit.distance, ".4f"),
        _fact("dense rank", hit.dense_rank),
        _fact("BM25 rank", hit.bm25_rank) + _fact(" with", hit.bm25_score, ".2f"),
        _fact("fused score", hit.score, ".3f"),
        _fact("reranked", hit.rerank_score, ".3f"),
        f"{hit.template:.0%} template text" if hit.template >= LEAST_TEMPLATE else "",
        f"holds {', '.join(hit.named)}" if hit.named else "",
        f"says the same as {', '.join(map(place, hit.folded))}" if hit.folded else "",
    ]
    return " · ".join(filter(None, facts))


def left_out(cut: Cut) -> str:
    """Return what was found and is not shown, and why, in one line."""
    return f"left out: {place(cut.place)} ({cut.score:.3f}): {cut.reason}"


def place(of: Place) -> str:
    """Return where a chunk stands, as ``path:first-last``."""
    return f"{of.path}:{of.start_line}-{of.end_line}"


def _fact(label: str, value: float | None, form: str = "") -> str:
    return "" if value is None else f"{label} {value:{form}}"
