"""From which line of an HTML file a piece of extracted text came.

The words of both are aligned like the lines of a patience diff: runs of words that occur once in
both anchor the alignment, and what lies between two anchors is aligned within their bounds.
"""

import html
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from engine.documents.formats.web_page import NOT_TEXT

_TAG_OR_TEXT = re.compile(r"</?[a-zA-Z!][^<>]*>|(?:[^<]|<(?![a-zA-Z!/]))+|<")
_NAME = re.compile(r"</?([a-zA-Z]+)")
_WORD = re.compile(r"\w+")
_WITHOUT_TEXT = {"title", *filter(str.isalpha, NOT_TEXT)}
_RUNS = (4, 2, 1)
"""Words in the runs that are looked for, one length after the other."""


class _Span(NamedTuple):
    """A part of both word lists: ``made[made_from:made_to]`` stands in that part of the source."""

    made_from: int
    source_from: int
    made_to: int
    source_to: int


def map_lines(source: str, text: str) -> list[tuple[int, int]]:
    """Return (offset in ``text``, line of ``source`` from there on), both rising; never empty."""
    if "\n" not in source:
        return [(0, 1)]
    source_words, lines = _source_words(source)
    found = [(match[0].casefold(), match.start()) for match in _WORD.finditer(text)]
    marks: list[tuple[int, int]] = []
    last_line = last_offset = 0
    for made, at in _align([word for word, _ in found], source_words):
        offset = found[made][1]
        if lines[at] > last_line:
            # the first known word of a line of text speaks for the line's beginning too
            beginning = text.rfind("\n", last_offset, offset) + 1
            last_line = lines[at]
            marks.append((beginning or offset, last_line) if marks else (0, last_line))
        last_offset = offset
    return marks or [(0, 1)]


def _source_words(source: str) -> tuple[list[str], list[int]]:
    """Return the words a reader of the page sees, and the line of each."""
    words: list[str] = []
    lines: list[int] = []
    line, inside = 1, ""
    for match in _TAG_OR_TEXT.finditer(source):
        piece = match[0]
        if piece[0] == "<" and len(piece) > 1:
            inside = _follow_tag(piece, inside)
        elif not inside and not piece.isspace():
            for below, part in enumerate(piece.split("\n")):
                seen = _WORD.findall(_unescaped(part).casefold())
                words += seen
                lines += [line + below] * len(seen)
        line += piece.count("\n")
    return words, lines


def _unescaped(part: str) -> str:
    try:
        return html.unescape(part)
    except ValueError:  # a character reference of more digits than Python turns into a number
        return part


def _follow_tag(tag: str, inside: str) -> str:
    """Return the name of the element without text that is open after ``tag``."""
    named = _NAME.match(tag)
    name = named[1].lower() if named else ""
    if inside:
        return "" if name == inside and tag[1] == "/" else inside
    return name if name in _WITHOUT_TEXT and tag[1] != "/" and not tag.endswith("/>") else ""


def _align(made: Sequence[str], source: Sequence[str]) -> list[tuple[int, int]]:
    """Return pairs of places of equal words, rising in both lists."""
    pairs: list[tuple[int, int]] = []
    _align_span(made, source, _Span(0, 0, len(made), len(source)), _RUNS, pairs)
    return pairs


def _align_span(
    made: Sequence[str],
    source: Sequence[str],
    span: _Span,
    runs: Sequence[int],
    pairs: list[tuple[int, int]],
) -> None:
    made_at, source_at, made_to, source_to = span
    anchors = _anchors(made, source, span, runs[0]) if runs else []
    for made_anchor, source_anchor in [(made_at, source_at), *anchors]:
        if made_anchor < made_at or source_anchor < source_at:
            continue
        if made_anchor > made_at and source_anchor > source_at:
            gap = _Span(made_at, source_at, made_anchor, source_anchor)
            _align_span(made, source, gap, runs[1:], pairs)
        made_at, source_at = made_anchor, source_anchor
        while made_at < made_to and source_at < source_to and made[made_at] == source[source_at]:
            pairs.append((made_at, source_at))
            made_at += 1
            source_at += 1
    if runs and made_at < made_to and source_at < source_to:
        rest = _Span(made_at, source_at, made_to, source_to)
        _align_span(made, source, rest, runs[1:], pairs)


def _anchors(
    made: Sequence[str], source: Sequence[str], span: _Span, run: int
) -> list[tuple[int, int]]:
    """Return where runs of words that occur once in both begin: the longest rising series."""
    in_made = _unique_runs(made[span.made_from : span.made_to], run)
    in_source = _unique_runs(source[span.source_from : span.source_to], run)
    pairs = sorted(
        (span.made_from + at, span.source_from + in_source[words])
        for words, at in in_made.items()
        if words in in_source
    )
    return _longest_rising(pairs)


def _unique_runs(words: Sequence[str], run: int) -> dict[tuple[str, ...], int]:
    runs = list(zip(*(words[at:] for at in range(run)), strict=False))
    counts = Counter(runs)
    return {words: at for at, words in enumerate(runs) if counts[words] == 1}


def _longest_rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the longest series of pairs that rises in both parts (patience sorting)."""
    tails: list[int] = []
    tops: list[int] = []
    before = [-1] * len(pairs)
    for at, (_, place) in enumerate(pairs):
        pile = bisect_left(tails, place)
        before[at] = tops[pile - 1] if pile else -1
        if pile == len(tails):
            tails.append(place)
            tops.append(at)
        else:
            tails[pile] = place
            tops[pile] = at
    series = []
    at = tops[-1] if tops else -1
    while at >= 0:
        series.append(pairs[at])
        at = before[at]
    return series[::-1]
