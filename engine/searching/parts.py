"""A whole file's text in parts, from the texts as they were read."""

from collections import deque
from collections.abc import Iterator

from engine.documents import Document
from engine.paths import short_hash
from engine.searching.around import likely_span, span
from engine.searching.place import path_of
from engine.storage.manifest import Manifest
from engine.wire.api_around import AroundLine
from engine.wire.api_parts import PART_LINES, PartReply, PartRequest, finder

LONGEST_LINE = 4000
"""Characters of a line; the others are cut off, as in minified code. The hit stays in it."""
CUT = "…"


def part(request: PartRequest, manifest: Manifest) -> PartReply:
    """Return the part that ``request`` asks for, the last one for any behind it. Blocking.

    Raises:
        ManifestError: the texts can't be read.
    """
    document = manifest.texts.document_at(path_of(request.place.path, request.place.quoted_path))
    if document is None:
        return PartReply()
    stands = span(document, request.place) or likely_span(document, request.place)
    total = document.line_count
    parts = -(-total // PART_LINES)
    found = _found(document, request) if request.find else None
    shown = found or (document.text_line(stands[0]) if stands else 1)
    of_line = (shown - 1) // PART_LINES
    number = min(of_line if request.part is None else request.part, parts - 1)
    first = number * PART_LINES + 1
    return PartReply(
        lines=[*_lines(document, first, min(first + PART_LINES - 1, total), stands)],
        part=number,
        parts=parts,
        first=first,
        total=total,
        version=short_hash(document.text.encode("utf-8", "surrogatepass")),
        found=found,
        has_hit=stands is not None,
    )


def _found(document: Document, request: PartRequest) -> int | None:
    """Return the line that ``request`` looks for; None where its words stand nowhere."""
    words, text = finder(request.find), document.text
    if request.back:
        above = deque(words.finditer(text, 0, document.offset(request.line)), 1)
        match = (above or deque(words.finditer(text), 1) or [None])[0]
    else:
        match = words.search(text, document.offset(request.line)) or words.search(text)
    return document.text_line(match.start()) if match else None


def _lines(
    document: Document, first: int, last: int, stands: tuple[int, int] | None
) -> Iterator[AroundLine]:
    start, end = stands or (-1, -1)
    for number in range(first, last + 1):
        begin, after = document.offset(number), document.offset(number + 1)
        is_far = begin + LONGEST_LINE // 2 < start < after
        shown = start - LONGEST_LINE // 4 if is_far else begin
        text = document.text[shown : min(after, shown + LONGEST_LINE + 2)].rstrip("\r\n")
        if len(text) > LONGEST_LINE:
            text = text[:LONGEST_LINE] + CUT
        if is_far:
            text = CUT + text
        yield AroundLine(
            line=document.lines(begin, begin + 1)[0],
            part=document.part(begin),
            text=text,
            is_hit=begin <= start < after or start < begin < end,
        )
