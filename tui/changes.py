"""What became of the passages that an answer stood on, word by word."""

from __future__ import annotations

import re
from collections import Counter
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from textual.content import Content

from engine.safe_text import clean, clean_line
from tui import hit_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from engine.wire.api_conversations import Evidence
    from engine.wire.api_search import Hit

LONGEST_COMPARED = 6_000
"""Characters of a passage that are compared."""
MOST_PAIRS = 20_000
"""Pairs of equal words up to which they are compared one by one: in a table the same sign stands in
a thousand places, and comparing each with each would take minutes."""
MOST_PASSAGES = 3
"""Passages whose change is shown; of further ones only where they are."""
WORDS_AROUND = 4
"""Words that stay the same which are shown on each side of a change."""

_PIECE = re.compile(r"\s*(?:\w+|[^\w\s])")


def changes(changed: Sequence[tuple[Hit, Evidence]]) -> Content:
    """What changed in each of the passages; empty where there are none."""
    if not changed:
        return Content()
    rows = [Content.styled("what changed since the answer before", "bold $heading")]
    for number, (hit, evidence) in enumerate(changed):
        place = hit_row.location(evidence.place or hit)
        gone = " is gone" if evidence.state == "gone" else ""
        rows.append(Content.assemble((place, "$cite"), (gone, "$quiet")))
        if number < MOST_PASSAGES and evidence.state == "changed":
            rows.append(word_diff(hit.text, evidence.text))
    return Content("\n").join(rows)


def word_diff(old: str, new: str) -> Content:
    """How ``old`` became ``new``: what went struck through, what came underlined."""
    before, after = _pieces(old), _pieces(new)
    diff = Content()
    for how, a, b, c, d in _steps(before, after):
        if how == "equal":
            is_first, is_last = a == 0, b == len(before)
            diff += Content.styled(_kept(before[a:b], is_first, is_last), "$quiet")
            continue
        for pieces, style in ((before[a:b], REMOVED_STYLE), (after[c:d], ADDED_STYLE)):
            text = "".join(pieces)
            words = text.lstrip()
            diff += Content(text[: len(text) - len(words)]) + Content.styled(words, style)
    return diff[len(diff.plain) - len(diff.plain.lstrip()) :]


def _steps(before: list[str], after: list[str]) -> Sequence[tuple[str, int, int, int, int]]:
    """How one became the other, as ``SequenceMatcher`` tells it, or only from where to where."""
    there = Counter(after)
    if sum(times * there[piece] for piece, times in Counter(before).items()) <= MOST_PAIRS:
        # Without autojunk: it takes words that are frequent in a long text for noise.
        return SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    start = _same(before, after)
    end = _same(before[start:][::-1], after[start:][::-1])
    b, d = len(before) - end, len(after) - end
    return [
        ("equal", 0, start, 0, start),
        ("replace", start, b, start, d),
        ("equal", b, len(before), d, len(after)),
    ]


def _same(one: list[str], other: list[str]) -> int:
    """With how many equal pieces both begin."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


REMOVED_STYLE, ADDED_STYLE = "$text-error strike", "$text-success underline"


def _pieces(text: str) -> list[str]:
    """Words and signs, each with the space before it, made plain."""
    found: Iterable[str] = _PIECE.findall(clean(text[:LONGEST_COMPARED]))
    return [(" " if piece[0].isspace() else "") + clean_line(piece.strip()) for piece in found]


def _kept(pieces: list[str], is_first: bool, is_last: bool) -> str:
    """What stayed the same, where it is long only what is next to a change."""
    if len(pieces) <= 2 * WORDS_AROUND:
        return "".join(pieces)
    begin = "" if is_first else "".join(pieces[:WORDS_AROUND])
    end = "" if is_last else "".join(pieces[-WORDS_AROUND:])
    return f"{begin} …{end}"
