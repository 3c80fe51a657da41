"""What stands around a hit, from the texts as they were read."""

from collections.abc import Iterator

from engine.documents import Document
from engine.searching.place import path_of
from engine.storage.manifest import Manifest
from engine.wire.api_around import AroundLine, AroundReply, AroundRequest

LONGEST = 20_000
"""Characters of one reply."""
LEAST_TELLING = 16
"""Characters that are likely to stand only once in a text."""


def around(request: AroundRequest, manifest: Manifest) -> AroundReply:
    """Return the lines around the place that ``request`` names; none where it is gone. Blocking.

    Raises:
        ManifestError: the texts can't be read.
    """
    document = manifest.texts.document_at(path_of(request.path, request.quoted_path))
    stands = span(document, request) if document else None
    if document is None or stands is None:
        return AroundReply()
    start, end = stands[0], min(stands[1], stands[0] + LONGEST)
    room = LONGEST - (end - start)
    begin = max(_line_before(document.text, start, request.before), start - room // 2)
    finish = min(_line_after(document.text, end, request.after), end + room - (start - begin))
    return AroundReply(
        lines=[*_lines(document, begin, finish, start, end)],
        start=_length(document.text, begin, start),
        end=_length(document.text, begin, end),
    )


def span(document: Document, request: AroundRequest) -> tuple[int, int] | None:
    """Return where the hit begins and ends in the text; None where it is gone."""
    text, wanted = document.text, request.text
    if wanted and request.start is not None and text.startswith(wanted, request.start):
        return request.start, request.start + len(wanted)
    first, last = request.start_line, max(request.start_line, request.end_line)
    start, end = document.span(first, last, request.part)
    if not wanted.strip():
        is_there = start < len(text) or (start == len(text) == 0 and first == 1)
        return (start, start + len(text[start:end].rstrip("\r\n"))) if is_there else None
    for words in dict.fromkeys((wanted, wanted.strip("…"))):  # a long line was cut there
        at = _nearest(text, words, start, end) if words else -1
        if at >= 0:
            return at, at + len(words)
    return None


def likely_span(document: Document, request: AroundRequest) -> tuple[int, int] | None:
    """Return where a hit that was edited begins and ends now; None where nothing tells.

    It begins as it began, or ends as it ended: the longest such part tells, of half of the text at
    most and of :data:`LEAST_TELLING` characters at least.
    """
    text, words = document.text, request.text.strip("…\n ")
    near, _ = document.span(request.start_line, request.start_line, request.part)
    lengths = [length for n in range(1, 8) if (length := len(words) >> n) >= LEAST_TELLING]
    heads = (_nearest(text, words[:length], near, near) for length in lengths)
    start = next((at for at in heads if at >= 0), None)
    tails = ((_nearest(text, words[-length:], near, near), length) for length in lengths)
    end = next((at + length for at, length in tails if at >= 0), None)
    if start is not None and (end is None or not start < end <= start + 2 * len(words)):
        return start, _line_after(text, start, words.count("\n"))
    if start is None and end is not None:
        return _line_before(text, end, words.count("\n")), end
    return (start, end) if start is not None and end is not None else None


def _nearest(text: str, words: str, start: int, end: int) -> int:
    """Return where ``words`` stand in ``text[start:end]``, else nearest to it; -1 for nowhere."""
    inside = text.find(words, start, end)
    if inside >= 0:
        return inside
    below, above = text.find(words, start), text.rfind(words, 0, start + len(words))
    if below < 0 or above < 0:
        return max(below, above)
    return below if below - start <= start - above else above


def _line_before(text: str, at: int, lines: int) -> int:
    """Return where the line begins that is so many above the one of ``at``."""
    for _ in range(lines + 1):
        at = text.rfind("\n", 0, at)
        if at < 0:
            return 0
    return at + 1


def _line_after(text: str, at: int, lines: int) -> int:
    """Return where the line ends that is so many below the one of ``at``."""
    end = max(at, len(text) - text.endswith("\n"))
    for _ in range(lines + 1):
        found = text.find("\n", at, end)
        if found < 0:
            return end
        at = found + 1
    return at - 1


def _lines(
    document: Document, begin: int, finish: int, start: int, end: int
) -> Iterator[AroundLine]:
    at = begin
    for line in document.text[begin:finish].split("\n"):
        after = at + len(line)
        yield AroundLine(
            line=document.lines(at, at + 1)[0],
            part=document.part(at),
            text=line.removesuffix("\r"),
            is_hit=at <= start <= after or start < at < end,
        )
        at = after + 1


def _length(text: str, begin: int, end: int) -> int:
    """Return how many characters ``text[begin:end]`` has, Windows' ends of lines counted as one."""
    return end - begin - text.count("\r\n", begin, end)
