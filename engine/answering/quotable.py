"""The quotable units of a text: whole sentences, list items, table rows and lines of code."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from engine.chunks.sentences import ABBREVIATION, SENTENCE_END
from engine.documents import front_matter

_LINE = re.compile(r"[^\n]+")
_FRONT_MATTER = re.compile(r"(---|\+\+\+)[ \t]*\r?\n(?:.*\n)?\1[ \t]*", re.DOTALL)
_FENCE = re.compile(r"\s*(```|~~~)")
_HEADING = re.compile(r"\s{0,3}#{1,6}(\s|$)")
_RULE = re.compile(r"[\s|+:=\-~^*_#.`\"'<>]*$")
_DRAWING = re.compile(r"\s*[\u2500-\u259f]|(?:[^\u2500-\u259f\n]*[\u2500-\u259f]){2}")
"""A line of a screen, a tree or a table that is drawn: words of several of them stand in it."""
_ROW = re.compile(r"\s*\|.*\||\s*<t[dh][ >]")
_TAGGED = re.compile(r"\s*</?[a-zA-Z]")
_UNDERLINE = re.compile(r"\s*([=\-~^\"])\1{2,}\s*$")
_MARKER = re.compile(r"\s*(?:(?:[-*+•]|\d{1,3}[.)]|>)\s+(?:\[[ xX]\]\s+)?)*")
_OUTER_TAGS = re.compile(r"(?:\s*<[^<>]*>)+\s*|\s+")
_ONLY_LINK = re.compile(r"!?\[[^\]]*\]\([^)]*\)$")


LONGEST_INTRODUCTION = 200
"""Characters of a sentence above a list that count for its items."""


class Unit(NamedTuple):
    """A piece of text that can be quoted on its own."""

    start: int
    end: int
    is_code: bool = False
    is_row: bool = False
    context: str = ""
    """Words it stands under: the header of its table, the line that introduces its list."""


def units(text: str) -> Iterator[Unit]:
    """Yield the units of ``text`` in order. Headings, rules and markup alone are none.

    Nor is front matter, where it is all there is.
    """
    paragraph: tuple[int, int] | None = None
    in_code = False
    introduction = header = ""
    found = () if _is_front_matter(text) else _LINE.finditer(text)
    lines = [(match.start(), match.end(), match[0]) for match in found]
    for at, (start, end, line) in enumerate(lines):
        blank_above = at > 0 and text.count("\n", lines[at - 1][1], start) > 1
        following = lines[at + 1][2] if at + 1 < len(lines) else ""
        fence = bool(_FENCE.match(line))
        row = bool(_ROW.match(line))
        item = _is_item(line)
        title = _HEADING.match(line) or (_UNDERLINE.match(following) and not (row or item))
        drawn = _RULE.match(line) or _DRAWING.match(line)
        apart = fence or row or item or title or drawn or _TAGGED.match(line)
        if paragraph and (blank_above or apart or text[paragraph[1] - 1] == ">"):
            said = text[slice(*paragraph)]
            yield from _sentences(text, *paragraph, introduction if _is_item(said) else "")
            introduction = introduction if _is_item(said) else _introduction(said)
            paragraph = None
        if not row and not _RULE.match(line):
            header = ""
        if fence:
            in_code = not in_code
        elif in_code:
            yield from _trimmed(text, Unit(start, end, is_code=True))
        elif title or drawn:
            introduction = "" if title else introduction
        elif row:
            if _RULE.fullmatch(following) and "-" in following:
                header = line
            else:
                yield from _trimmed(text, Unit(start, end, is_row=True, context=header))
        else:
            paragraph = (paragraph[0] if paragraph else start, end)
    if paragraph:
        said = text[slice(*paragraph)]
        yield from _sentences(text, *paragraph, introduction if _is_item(said) else "")


def beyond_marker(text: str) -> int:
    """Return where ``text`` begins to say something, after the marks of a list or a quotation."""
    marker = _MARKER.match(text)
    return marker.end() if marker else 0


def _is_front_matter(text: str) -> bool:
    return bool(_FRONT_MATTER.fullmatch(text) and front_matter.read(text))


def _is_item(line: str) -> bool:
    marker = _MARKER.match(line)
    return bool(marker and marker[0].strip())


def _introduction(paragraph: str) -> str:
    """Return the sentence that leads to a list below ``paragraph``; empty where none does."""
    said = paragraph.rstrip()
    if not said.endswith((":", "：")):
        return ""
    begin = max(0, len(said) - LONGEST_INTRODUCTION)
    ends = [match.end() for match in SENTENCE_END.finditer(said, begin) if match.end() < len(said)]
    return said[ends[-1] if ends else begin :]


def _sentences(text: str, start: int, end: int, context: str) -> Iterator[Unit]:
    begin = start
    for match in SENTENCE_END.finditer(text, start, end):
        following = text[match.end() : match.end() + 1]
        space = match[1] is not None
        stop = match.start(1) if space else match.end()
        if space and (
            following.islower()
            or ABBREVIATION.search(text, max(begin, stop - 12), stop)
            or not following
        ):
            continue
        yield from _trimmed(text, Unit(begin, stop, context=context))
        begin = match.end()
    yield from _trimmed(text, Unit(begin, end, context=context))


def _trimmed(text: str, unit: Unit) -> Iterator[Unit]:
    """Yield ``unit`` without list markers and tags around it, if words are left."""
    start, end = unit.start, unit.end
    marker = _MARKER.match(text, start, end)
    start = marker.end() if marker and not unit.is_code else start
    while not unit.is_code and (tags := _OUTER_TAGS.match(text, start, end)):
        start = tags.end()
    piece = text[start:end].rstrip()
    while not unit.is_code and piece.endswith(">") and "<" in piece:
        tag = piece[piece.rfind("<") :]
        if not re.fullmatch(r"</?[a-zA-Z][^<>]*>", tag):
            break
        piece = piece[: -len(tag)].rstrip()
    if unit.is_code:
        start += len(piece) - len(piece.lstrip())
        piece = piece.lstrip()
    if re.search(r"\w\w|\d", piece) and not _ONLY_LINK.fullmatch(piece):
        yield unit._replace(start=start, end=start + len(piece))
