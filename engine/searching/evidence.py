"""What became of the passages that an answer stands on, from the texts as they are now."""

import re
from collections.abc import Iterator, Sequence

from engine import wanted
from engine.documents import Document
from engine.searching.around import span
from engine.searching.place import path_of, place_at
from engine.storage.manifest import Manifest
from engine.wire.api_around import AroundRequest
from engine.wire.api_conversations import Evidence, EvidenceReply, EvidenceRequest
from engine.wire.api_search import Hit, Place

LONGEST = 4000
"""Characters of what stands in the place of a hit now."""
SHORTEST_PIECE = 16
"""Characters; what is shorter stands in too many places to tell one."""
NEAR = 80
"""Characters from which on the end of a line is too far to show all of it."""
_PIECE = re.compile(r"[^\n]+?(?:[.!?。！？](?=\s|$)|(?<=[。！？])|$)", re.MULTILINE)
"""A sentence, or what stands of it on one line."""


def evidence(request: EvidenceRequest, manifest: Manifest) -> EvidenceReply:
    """Return what became of each hit. Blocking.

    Raises:
        ManifestError: the texts can't be read.
    """
    documents: dict[bytes, Document | None] = {}
    found: list[Evidence | None] = []
    for hit in request.hits:
        wanted.check()
        path = path_of(hit.path, hit.quoted_path)
        if path not in documents:
            documents[path] = manifest.texts.document_at(path)
        document = documents[path]
        found.append(_in_its_file(hit, path, document) if document else None)
    lost = [hit for hit, told in zip(request.hits, found, strict=True) if told is None]
    elsewhere = _elsewhere(lost, manifest) if lost else {}
    gone = (told or _renamed(hit, elsewhere) for hit, told in zip(request.hits, found, strict=True))
    return EvidenceReply(evidence=list(gone))


def _in_its_file(hit: Hit, path: bytes, document: Document) -> Evidence:
    """Return what became of a hit whose file is where it was."""
    stands = span(document, AroundRequest.of(hit, 0))
    if stands is None:
        return _changed(hit, path, document)
    lines, part = document.lines(*stands), document.part(stands[0])
    is_same = (*lines, part) == (hit.start_line, hit.end_line, hit.part)
    place = place_at(path, *lines, part)
    return Evidence(rank=hit.rank, state="same" if is_same else "moved", place=place)


# --- what was written in its place ---------------------------------------------------------------


def _changed(hit: Hit, path: bytes, document: Document) -> Evidence:
    start, end = _trimmed(document.text, *_span_now(hit, document))
    place = place_at(path, *document.lines(start, end), document.part(start))
    text = document.text[start : min(end, start + LONGEST)]
    return Evidence(rank=hit.rank, state="changed", place=place, text=text)


def _span_now(hit: Hit, document: Document) -> tuple[int, int]:
    """Return where what took the place of ``hit`` stands.

    It is told by what is left of the hit; where nothing is, it is the lines at the same place.
    """
    text = document.text
    first, last = document.span(hit.start_line, hit.end_line, hit.part)
    left = [*_left(hit.text, text, first)]
    if not left:
        return (first, last) if first < len(text) else (max(0, len(text) - 1), len(text))
    shifts = [there - here for here, there, _ in left]
    if max(shifts) - min(shifts) > LONGEST:  # pieces of it were taken to other places
        left, shifts = left[:1], shifts[:1]
    here, there, _ = left[0]
    above = hit.text.count("\n", 0, here)
    start = _lines_up(text, there, above) if above else _snapped(text, max(0, shifts[0]))
    end = max(there + length for _, there, length in left)
    likely = min(len(text), shifts[-1] + len(hit.text))
    lines = hit.text.count("\n")
    return start, _line_end(text, max(end, _lines_on(text, start, lines) if lines else likely))


def _left(before: str, now: str, expected: int) -> Iterator[tuple[int, int, int]]:
    """Yield where pieces of a text stood in it, where each stands ``now``, and its length.

    Of several places, it is the one nearest to where the text is expected.
    """
    for piece in _PIECE.finditer(before):
        words = piece[0].strip()
        if len(words) < SHORTEST_PIECE:
            continue
        here = piece.start() + len(piece[0]) - len(piece[0].lstrip())
        below, above = now.find(words, expected), now.rfind(words, 0, expected + len(words))
        places = [place for place in (below, above) if place >= 0]
        if places:
            there = min(places, key=lambda place: abs(place - expected - here))
            yield here, there, len(words)


def _lines_up(text: str, at: int, lines: int) -> int:
    """Return where the line begins that is so many above the one of ``at``."""
    for _ in range(lines + 1):
        at = text.rfind("\n", 0, max(0, at))
    return at + 1


def _snapped(text: str, at: int) -> int:
    """Return where the line of ``at`` begins; in a long one its sentence, else its word."""
    line = text.rfind("\n", 0, at) + 1
    if at - line <= NEAR:
        return line
    sentence = max(text.rfind(end, at - NEAR, at) + len(end) for end in (". ", "! ", "? ", "。"))
    return sentence if sentence > at - NEAR else text.rfind(" ", 0, at) + 1


def _line_end(text: str, at: int) -> int:
    """Return where the line of ``at`` ends, or its word, in a line that is long after it."""
    line, word = text.find("\n", at), text.find(" ", at)
    line, word = (len(text) if end < 0 else end for end in (line, word))
    return line if line - at <= NEAR else min(line, word)


def _lines_on(text: str, at: int, lines: int) -> int:
    """Return where the line ends that is so many below the one of ``at``."""
    for _ in range(lines + 1):
        at = text.find("\n", at) + 1
        if not at:
            return len(text)
    return at - 1


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the span without the blank lines around it."""
    told = text[start:end]
    begin = start + len(told) - len(told.lstrip())
    return (start, start) if begin >= end else (begin, start + len(told.rstrip()))


# --- files that are elsewhere --------------------------------------------------------------------


def _elsewhere(hits: Sequence[Hit], manifest: Manifest) -> dict[str, list[Place]]:
    """Return where the texts of ``hits``, whose files are gone, stand now as whole chunks."""
    texts = {hit.text for hit in hits}
    found: dict[str, list[Place]] = {}
    for path, text, first, last, part in manifest.chunks_of_text(texts):
        found.setdefault(text, []).append(place_at(path, first, last, part))
    return found


def _renamed(hit: Hit, elsewhere: dict[str, list[Place]]) -> Evidence:
    """Return the hit at its new place; of several, in the file that is called as it was."""
    places = elsewhere.get(hit.text, [])
    if not places:
        return Evidence(rank=hit.rank, state="gone")
    name = hit.path.rpartition("/")[2]
    best = min(
        places,
        key=lambda place: (
            place.path.rpartition("/")[2] != name,
            abs(place.start_line - hit.start_line),
        ),
    )
    return Evidence(rank=hit.rank, state="moved", place=best)
