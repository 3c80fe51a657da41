"""A Markdown text as it is read: links by their text, without addresses, anchors and boxes."""

import re
from bisect import bisect_right
from typing import NamedTuple

from engine.documents import links
from engine.documents.code_spans import without_code

_BOX = re.compile(r"^[ \t>]*(?:[-*+]|\d{1,9}[.)])[ \t]+(\[[ xX]\][ \t]+)", re.MULTILINE)
_WORD = re.compile(r"\w")
_ANCHOR = re.compile(r"[ \t]?\{#[\w:.-]{1,200}\}")


class Mark(NamedTuple):
    """What is left out of a text, and what stands there instead."""

    start: int
    end: int
    instead: str = ""


class Readable:
    """How the parts of one Markdown text read."""

    def __init__(self, text: str, begin: int = 0) -> None:
        """Find the marks of ``text`` from ``begin`` on; linear in its length."""
        self._text = text
        masked = without_code(text, begin)
        self._marks = _tidied([*_marks(masked)])
        self._starts = [start for start, _, _ in self._marks]

    def part(self, start: int, end: int) -> str | None:
        """Return how ``text[start:end]`` reads; None where that is no other, or no word."""
        pieces: list[str] = []
        done = start
        for at in range(max(0, bisect_right(self._starts, start) - 1), len(self._marks)):
            begin, stop, instead = self._marks[at]
            if begin >= end:
                break
            if stop > done:
                pieces += self._text[done : max(done, begin)], instead
                done = min(stop, end)
        if not pieces:
            return None
        read = "".join([*pieces, self._text[done:end]]).strip()
        return read if _WORD.search(read) else None


def _marks(masked: str) -> list[Mark]:
    """Return the marks of a text whose code is hidden."""
    found = links.find(masked)
    marks = [Mark(match.start(1), match.end(1)) for match in _BOX.finditer(masked)]
    marks += [Mark(match.start(), match.end()) for match in _ANCHOR.finditer(masked)]
    marks += [Mark(tag.start, tag.end) for tag in found.anchors]
    marks += [Mark(line.start, line.end) for line in found.definitions.values()]
    for link in found.links:
        marks += [Mark(link.start, link.label), Mark(link.label_end, link.end)]
        if link.is_wiki and (at := masked.find("#", link.label, link.label_end)) >= 0:
            marks.append(Mark(at, at + 1, " " if at > link.label else ""))
    return marks


def _tidied(marks: list[Mark]) -> list[Mark]:
    """Return ``marks`` in order, without those that begin inside another."""
    kept: list[Mark] = []
    for mark in sorted(marks):
        if mark.start < mark.end and (not kept or mark.start >= kept[-1].end):
            kept.append(mark)
    return kept
