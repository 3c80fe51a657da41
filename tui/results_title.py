"""The title of the results: what was searched, how much was found, and how fast."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from engine import figures
from engine.safe_text import clean_line
from tui import hit_row
from tui.search import MODES

if TYPE_CHECKING:
    from engine.wire.api_search import SearchReply

LONGEST_ABOUT = 18
"""Cells of a query that the title names."""


def results_title(reply: SearchReply, chunks: int | None, about: str) -> Content:
    """What was searched where the query does not tell it, how much was found, and how fast."""
    facts = [f"“{hit_row.elide_end(clean_line(about), LONGEST_ABOUT)}”"] if about else []
    if reply.mode == "exact":
        facts.append(_matches(reply))
    else:
        facts += [] if reply.mode == MODES[0] else [reply.mode]
        found = len(reply.hits)
        of = "" if chunks is None or about else f"{found} of "
        facts.append(of + figures.counted(chunks if of and chunks is not None else found, "chunk"))
    is_cut = reply.matches is not None and len(reply.hits) < reply.matches
    took = not (about or is_cut) and reply.took_ms > 0
    facts += [figures.milliseconds(reply.took_ms)] if took else []
    told = "".join(f" · {fact}" for fact in facts)
    return Content.assemble("results", (told, "not bold $quiet"))


def _matches(reply: SearchReply) -> str:
    lines = len(reply.hits) if reply.matches is None else reply.matches
    plural = "es" if lines != 1 else ""
    first = f"first {len(reply.hits)} of " if len(reply.hits) < lines else ""
    files = figures.counted(len(reply.files), "file")
    return f"{first}{figures.count(lines)} match{plural} in {files}"
