"""Exact search: the lines that hold a literal or match a regular expression, as ripgrep finds them.

It looks through the texts of the manifest. So it needs neither encoder nor Milvus, and finds a file
as soon as that was read.
"""

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from engine import wanted
from engine.errors import UsageError
from engine.files import scan
from engine.part import Part
from engine.searching.place import place_at
from engine.storage.filters import Keeps, keeps
from engine.storage.manifest import Manifest
from engine.storage.patterns import compiled
from engine.storage.texts import StoredText, Texts
from engine.wire.api_search import Hit, SearchReply, SearchRequest
from engine.wire.query import Exact, Query

if TYPE_CHECKING:
    from re2 import _Regexp as Pattern

MOST_LINES = 2_000
"""So many matching lines are counted; of each further file only whether it has one is found out."""
NOT_COUNTED = f"more than {MOST_LINES} lines match: not all were counted, but every file is listed"
LOOK_EVERY = 1_000
"""Lines after which it is asked whether the search is still wanted and has time left."""
SECONDS = 5.0
"""An expression that takes longer, in a very large folder, is given up."""
CLIP = 300
"""Characters of a longer line that are shown, around its match."""


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
    files, notices = manifest.narrowing.files(asked.filters)
    found = find(
        asked.exact,
        manifest.texts,
        most=most,
        per_file=request.per_file or 0,
        files=files,
        keep=keeps(asked.filters),
    )
    if not found.is_whole:
        notices = (*notices, NOT_COUNTED)
    return SearchReply(
        query=request.query,
        took_ms=round((time.monotonic() - begun) * 1000, 1),
        mode="exact",
        hits=found.hits,
        matches=found.lines,
        files=found.files,
        notices=list(notices),
    )


def find(
    exact: Exact,
    texts: Texts,
    *,
    most: int,
    per_file: int = 0,
    files: Collection[int] | None = None,
    keep: Keeps | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Matches:
    """Return the lines that match ``exact``, of ``files`` or all; at most ``most`` as hits.

    ``per_file`` limits the hits of one file, unless it is 0; a line counts if ``keep`` lets it in.
    Blocking.

    Raises:
        UsageError: the regular expression can't be used, or takes too long.
        ManifestError: the texts can't be read.
    """
    pattern, whole_lines = compiled(exact), compiled(exact, to_line_end=True)
    found = Matches()
    matched: list[tuple[bytes, int]] = []
    end = clock() + SECONDS

    def look() -> None:
        wanted.check()
        if clock() > end:
            raise UsageError(
                f"it took longer than {SECONDS:g} seconds", "Look for something simpler"
            )

    for stored in texts.all() if files is None else texts.of(files):
        look()
        found.is_whole = found.lines < MOST_LINES
        text = _unix(stored).text if exact.is_regex else stored.text
        if found.is_whole and keep is None:
            number = _count(whole_lines, text, look)
        else:
            most_lines = None if found.is_whole else 1
            number = sum(1 for _ in _lines(pattern, text, keep, most_lines, look))
        if number:
            found.lines += number
            matched.append((stored.path, stored.file))
    matched.sort()
    found.files = [scan.decode(path) for path, _ in matched]
    for stored in texts.of(file for _, file in matched):
        left = most - len(found.hits)
        if left <= 0:
            break
        read = _unix(stored)
        lines = _lines(pattern, read.text, keep, min(left, per_file or left), wanted.check)
        found.hits += _hits(texts, read, lines, len(found.hits) + 1)
    return found


def _unix(stored: StoredText) -> StoredText:
    """Return a text whose lines all end with a newline alone, so that ``$`` finds their ends."""
    if stored.places or b"\r\n" not in stored.text:  # places are told by characters
        return stored
    return stored._replace(text=stored.text.replace(b"\r\n", b"\n"))


def _count(whole_lines: "Pattern", text: bytes, look: Callable[[], None]) -> int:
    """Return how many lines of ``text`` match, faster than by looking at each."""
    number, end = 0, -1
    last = len(text) if text[-1:] in (b"", b"\n") else -1  # what is after the last line is no line
    for at, match in enumerate(whole_lines.finditer(text), 1):
        if at % LOOK_EVERY == 0:
            look()
        begin, stop = match.span()
        number += begin not in (end, last)
        end = stop
    return number


def _lines(
    pattern: "Pattern",
    text: bytes,
    keep: Keeps | None,
    most: int | None,
    look: Callable[[], None],
) -> Iterator[Line]:
    """Yield the first ``most`` lines of ``text`` that match; ``look`` is called now and then."""
    at, size, seen = 0, len(text), 0
    while at < size and most != 0:
        seen += 1
        if seen % LOOK_EVERY == 0:
            look()
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
        if keep is None or keep(text[start:stop]):
            most = None if most is None else most - 1
            yield Line(start, stop, begin, end)


def _hits(texts: Texts, stored: StoredText, lines: Iterator[Line], rank: int) -> Iterator[Hit]:
    """Yield lines as hits, with their places in the file."""
    places = _Places(stored)
    for number, line in enumerate(lines, rank):
        first, last, part = places.of(line)
        yield Hit(
            rank=number,
            **place_at(stored.path, first, last, part).model_dump(),
            heading=texts.heading(stored.file, first, part),
            text=_shown(stored.text, line),
            distance=None,
        )


class _Places:
    """Tells line and part of matches in one text, which are asked for in their order."""

    def __init__(self, stored: StoredText) -> None:
        self._text = stored.text
        self._document = stored.document() if stored.places else None
        self._at, self._above, self._characters = 0, 0, 0

    def of(self, line: Line) -> tuple[int, int, Part | None]:
        """Return first line, last line and part of a match."""
        passed = self._text[self._at : line.match_start]
        self._at = line.match_start
        self._above += passed.count(b"\n")
        if self._document is None:
            return self._above + 1, self._above + 1, None
        self._characters += len(passed.decode("utf-8", "replace"))
        matched = self._text[line.match_start : line.match_end].decode("utf-8", "replace")
        end = self._characters + max(1, len(matched))
        first, last = self._document.lines(self._characters, end)
        return first, last, self._document.part(self._characters)


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
