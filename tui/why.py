"""Why a hit is there: what the search knows of it, and what it left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from engine.safe_text import clean_line
from tui import hit_row
from tui.hanging import NARROWEST, Line, hang
from tui.search import MODE_WORDS

if TYPE_CHECKING:
    from engine.wire.api_search import Hit, Place, SearchReply

LABEL_CELLS = 13
MOST_CUT = 8
"""Chunks left out that are named; of further ones only how many."""

LEAST_TEMPLATE = 0.01
"""Share of template text from which it is told."""


def explanation(hit: Hit, reply: SearchReply | None, width: int) -> Content:
    """Tell everything known of ``hit``, then of the search that found it, in ``width`` cells."""
    exact = reply is not None and reply.mode == "exact"
    ranked = hit.distance is not None or hit.score is not None
    facts = _facts(hit) if ranked else _facts_without_distance(exact)
    lines: list[Line] = [_labelled(label, text) for label, text in facts]
    for number, place in enumerate(hit.folded):
        lines.append(_labelled("" if number else "folded", _place(place)))
    if hit.folded:
        lines.append(_labelled("", "these say nearly the same"))
    if reply is not None:
        lines += _lines_of_search(reply, max(width - LABEL_CELLS, NARROWEST))
    return Content("\n").join(hang(label, text, width) for label, text in lines)


def _facts(hit: Hit) -> list[tuple[str, str]]:
    rank, score = hit.bm25_rank, hit.bm25_score
    words = "" if score is None else f" · score {score:.2f}"
    facts = [
        ("distance", "none" if hit.distance is None else f"{hit.distance:.4f}; larger is closer"),
        ("dense rank", _rank(hit.dense_rank, "among those near in meaning", hit_row.NEAR_SIGN)),
        ("BM25 rank", _rank(rank, f"among those with its words{words}", hit_row.WORDS_SIGN)),
    ]
    if hit.score is not None:
        end = "" if hit.rerank_score is not None else "; by this hits are ranked"
        facts.append(("fused score", f"{hit.score:.3f} of 1{end}"))
    if hit.rerank_score is not None:
        facts.append(("reranked", f"{hit.rerank_score:.3f}; by this the best hits are ranked"))
    if hit.template >= LEAST_TEMPLATE:
        facts.append(("template", f"{hit.template:.0%} of it stands in many files: scored lower"))
    if hit.named:
        names = ", ".join(clean_line(name) for name in hit.named)
        facts.append(("named", f"{names}: in it word for word, or its file's name"))
    return facts


def _facts_without_distance(exact: bool) -> list[tuple[str, str]]:
    if exact:
        order = "no distance: lines come in the order of their files"
        return [("exact", "the line holds what you typed"), ("", order)]
    order = "no distance, since there are no words to rank by: newest files first"
    return [("filters", "they let its file in"), ("", order)]


def _rank(rank: int | None, words: str, sign: str) -> str:
    return f"{rank} {words}  {sign}" if rank is not None else "none: it is not among the best there"


def _lines_of_search(reply: SearchReply, room: int) -> list[Line]:
    lines: list[Line] = [("", "")]
    if reply.mode in MODE_WORDS:
        lines.append(_labelled("mode", f"{reply.mode}: {MODE_WORDS[reply.mode].lower()}"))
    lines += [_labelled("note", clean_line(notice)) for notice in reply.notices]
    for number, cut in enumerate(reply.cut[:MOST_CUT]):
        place = hit_row.elide_path(_place(cut.place), room)
        lines.append(_labelled("" if number else "left out", place))
        lines.append(_labelled("", f"{cut.score:.3f}  {clean_line(cut.reason)}", "$quiet"))
    more = len(reply.cut) - MOST_CUT
    if more > 0:
        lines.append(_labelled("", f"and {more} more"))
    return lines if len(lines) > 1 else []


def _place(place: Place) -> str:
    return hit_row.location(place)


def _labelled(label: str, text: str, style: str = "$foreground") -> Line:
    return Content.styled(f"{label:<{LABEL_CELLS}}", "$quiet"), Content.styled(text, style)
