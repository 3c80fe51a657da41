"""Exact search: the lines that hold a literal or match a regular expression, as ripgrep finds them.

It looks through the texts of the manifest. So it needs neither encoder nor Milvus, and finds a file
as soon as that was read.
"""

import os
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote_from_bytes

from engine import scan
from engine.api_search import Hit, SearchReply, SearchRequest
from engine.manifest import Manifest
from engine.patterns import compiled
from engine.query import Exact, Query
from engine.texts import StoredText, Texts

if TYPE_CHECKING:
    from re2 import _Regexp as Pattern

MOST_LINES = 20_000
"""So many matching lines are counted; of each further file only whether it has one is found out."""
NOT_COUNTED = f"more than {MOST_LINES} lines match: not all were counted, but every file is listed"
CLIP = 300
"""Characters of a longer line that are shown, around its match."""

Keeps = Callable[[str], bool]
"""Whether a line is let in by the phrases and words it must, or must not, hold."""


class Line(NamedTuple):
    """A line that matches: where in the text it begins and ends, and its first match."""

    start: int
    end: int
    match_start: int
    match_end: int


@dataclass
class Matches:
    """What an exact search found."""

    hits: list[Hit] = field(default_factory=list)
    """The first lines, in the order of their files' paths."""
    files: list[str] = field(default_factory=list)
    """Every file with a matching line, in the order of their paths."""
    lines: int = 0
    """How many lines match …"""
    is_whole: bool = True
    """… or at least: not all were counted."""


def find_exact(asked: Query, request: SearchRequest, manifest: Manifest, most: int) -> SearchReply:
    """Return the reply to ``request``, whose query is the exact search ``asked``; see ``find``."""
    assert asked.exact, "it is an exact search"
    begun = time.monotonic()
    found = find(asked.exact, manifest.texts, most=most, per_file=request.per_file or 0)
    return SearchReply(
        query=request.query,
        took_ms=round((time.monotonic() - begun) * 1000, 1),
        mode="exact",
        hits=found.hits,
        matches=found.lines,
        files=found.files,
        notices=[] if found.is_whole else [NOT_COUNTED],
    )


def find(
    exact: Exact,
    texts: Texts,
    *,
    most: int,
    per_file: int = 0,
    files: Collection[int] | None = None,
    keeps: Keeps | None = None,
) -> Matches:
    """Return the lines that match ``exact``, of ``files`` or all; at most ``most`` as hits.

    ``per_file`` limits the hits of one file, unless it is 0. Blocking.

    Raises:
        UsageError: the regular expression can't be used.
        ManifestError: the texts can't be read.
    """
    pattern = compiled(exact)
    known = [file for file, _ in texts.files() if files is None or file in files]
    found = Matches()
    matched = []
    for stored in texts.all(known):
        found.is_whole = found.lines < MOST_LINES
        wanted = None if found.is_whole else 1
        if number := sum(1 for _ in _lines(pattern, stored.text, keeps, wanted)):
            found.lines += number
            found.files.append(scan.decode(stored.path))
            matched.append(stored.file)
    for stored in texts.all(matched):
        left = most - len(found.hits)
        if left <= 0:
            break
        lines = _lines(pattern, stored.text, keeps, min(left, per_file or left))
        found.hits += _hits(stored, lines, len(found.hits) + 1)
    return found


def _lines(
    pattern: "Pattern", text: bytes, keeps: Keeps | None, most: int | None
) -> Iterator[Line]:
    """Yield the first ``most`` lines of ``text`` that match."""
    at, size = 0, len(text)
    while at < size and most != 0:
        match = pattern.search(text, at)
        if match is None:
            return
        begin, end = match.span()
        if begin == size and text.endswith(b"\n"):
            return  # what is after the last line is no line
        start = text.rfind(b"\n", at, begin) + 1 or at
        stop = text.find(b"\n", end)
        at = stop + 1 if stop >= 0 else size
        stop = stop if stop >= 0 else size
        if keeps is None or keeps(text[start:stop].decode("utf-8", "replace")):
            most = None if most is None else most - 1
            yield Line(start, stop, begin, end)


def _hits(stored: StoredText, lines: Iterator[Line], rank: int) -> Iterator[Hit]:
    """Yield lines as hits, with their places in the file."""
    name = scan.decode(stored.path)
    quoted = None if os.fsencode(name) == stored.path else quote_from_bytes(stored.path)
    place = _Places(stored)
    for number, line in enumerate(lines, rank):
        first, last, page = place.of(line)
        yield Hit(
            rank=number,
            path=name,
            quoted_path=quoted,
            start_line=first,
            end_line=last,
            page=page,
            heading="",
            text=_shown(stored.text, line),
            distance=None,
        )


class _Places:
    """Tells line and page of matches in one text, which are asked for in their order."""

    def __init__(self, stored: StoredText) -> None:
        self._text = stored.text
        self._document = stored.document() if stored.places else None
        self._at, self._above, self._characters = 0, 0, 0

    def of(self, line: Line) -> tuple[int, int, int | None]:
        """Return first line, last line and page of a match."""
        passed = self._text[self._at : line.match_start]
        self._at = line.match_start
        self._above += passed.count(b"\n")
        if self._document is None:
            return self._above + 1, self._above + 1, None
        self._characters += len(passed.decode("utf-8", "replace"))
        matched = self._text[line.match_start : line.match_end].decode("utf-8", "replace")
        end = self._characters + max(1, len(matched))
        first, last = self._document.lines(self._characters, end)
        return first, last, self._document.page(self._characters)


def _shown(text: bytes, line: Line) -> str:
    """Return the line, or what is around its match where it is long."""
    if line.end - line.start <= CLIP:
        return text[line.start : line.end].decode("utf-8", "replace").rstrip()
    begin = max(line.start, line.match_start - CLIP)
    matched = min(line.match_end, line.match_start + 4 * CLIP)
    before = text[begin : line.match_start].decode("utf-8", "ignore")[-CLIP // 3 :]
    match = text[line.match_start : matched].decode("utf-8", "ignore")[:CLIP]
    after = text[matched : min(line.end, matched + 4 * CLIP)].decode("utf-8", "ignore")
    around = before + (match + after)[: CLIP - len(before)]
    is_begun = len(before.encode()) == line.match_start - line.start
    is_ended = line.match_start + len((around[len(before) :]).encode()) >= line.end
    return ("" if is_begun else "…") + around.rstrip() + ("" if is_ended else "…")
