"""Hits joined with their neighbours into passages for the model; nothing stands in two of them."""

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from engine.config import Settings
from engine.documents import Document
from engine.part import Part, unpacked
from engine.searching.place import path_of
from engine.serving.models import is_demonstration
from engine.storage.manifest import Manifest
from engine.wire.api_answer import Extract
from engine.wire.api_search import Hit, Place


class Stretch(NamedTuple):
    """A part of a document's text: ``document.text[start:end] == text``."""

    start: int
    end: int
    text: str
    first_line: int = 0
    """Its lines in the file, as a hit's …"""
    last_line: int = 0
    part: Part | None = None
    """… and the part, such as a page, in which it begins."""

    def touches(self, other: "Stretch") -> bool:
        """Whether nothing stands between the two."""
        return self.start <= other.end and other.start <= self.end

    def with_(self, other: "Stretch") -> "Stretch":
        """Return both, which touch, as one."""
        first, second = sorted((self, other))
        text = first.text + second.text[first.end - second.start :]
        last = max(first.last_line, second.last_line)
        if first.part != second.part:  # in another part, lines are counted anew
            last = first.first_line + text.count("\n")
        return first._replace(end=max(first.end, second.end), text=text, last_line=last)


@dataclass(frozen=True)
class Passage:
    """What the model is shown of one hit, or of several that stand next to each other."""

    hits: tuple[Hit, ...]
    """Best first."""
    text: str
    stretch: Stretch | None = None
    """Where it stands; None for a hit that is shown alone."""

    @property
    def lines(self) -> tuple[int, int]:
        """Its first and last line in the file."""
        if self.stretch:
            return self.stretch.first_line, self.stretch.last_line
        return self.hits[0].start_line, self.hits[0].end_line


Key = tuple[bytes, int, int, Part | None]
"""What tells places apart: file, lines, part."""


def key_of(place: Place) -> Key:
    """Return what ``place`` has in common with every other message about it."""
    path = path_of(place.path, place.quoted_path)
    return path, place.start_line, place.end_line, place.part


def stretches(
    hits: Sequence[Hit], settings: Settings, manifest: Manifest, dropped: Collection[Key] = ()
) -> "list[Stretch | None]":
    """Return each hit with the chunks around it in its section, as many as the settings say.

    A chunk that was ``dropped`` is not among them, nor what stands behind it. None for a hit that
    is shown alone: its file is gone or has changed, or nothing is to be shown around it. Blocking.

    Raises:
        ManifestError: the manifest can't be read.
    """
    # The demonstration model answers worse the more it is shown.
    chunks = 0 if is_demonstration(settings) else settings.prompt_context
    if not chunks:
        return [None for _ in hits]
    texts: dict[bytes, tuple[int, Document] | None] = {}
    return [_stretch(hit, chunks, manifest, texts, dropped) for hit in hits]


def _stretch(
    hit: Hit,
    chunks: int,
    manifest: Manifest,
    texts: dict[bytes, tuple[int, Document] | None],
    dropped: Collection[Key],
) -> Stretch | None:
    path = path_of(hit.path, hit.quoted_path)
    if path not in texts:
        stored = manifest.texts.at(path)
        texts[path] = stored and (stored.file, stored.document())
    found = texts[path]
    if found is None or hit.start is None or hit.end is None:
        return None
    file, document = found
    text = document.text
    if text[hit.start : hit.end] != hit.text:
        return None
    left_out = {key[1:] for key in dropped if key[0] == path}

    def look(connection: sqlite3.Connection) -> list[tuple[int, int]]:
        return [*_section(connection, file, hit, chunks, left_out)]

    section = [(hit.start, hit.end), *manifest.read(look)]
    start, end = min(a for a, _ in section), max(b for _, b in section)
    first, last = document.lines(start, end)
    end += len(text[end:]) - len(text[end:].lstrip())  # as far as what comes next
    return Stretch(start, end, text[start:end], first, last, document.part(start))


_POSITION = "SELECT position FROM chunks WHERE file = ? AND start = ? AND end = ?"
_NEAR = (
    "SELECT position, start, end, heading, start_line, end_line, part FROM chunks "
    "WHERE file = ? AND position BETWEEN ? AND ? ORDER BY position"
)


def _section(
    connection: sqlite3.Connection,
    file: int,
    hit: Hit,
    chunks: int,
    left_out: Collection[tuple[int, int, Part | None]],
) -> Iterator[tuple[int, int]]:
    """Yield where the neighbours of a hit begin and end, as far as they have its heading."""
    row = connection.execute(_POSITION, (file, hit.start, hit.end)).fetchone()
    if row is None:
        return
    (at,) = row
    near = connection.execute(_NEAR, (file, at - chunks, at + chunks)).fetchall()
    above = [chunk for chunk in reversed(near) if chunk[0] < at]
    below = [chunk for chunk in near if chunk[0] > at]
    for side in (above, below):
        for _, start, end, heading, first, last, part in side:
            if heading != hit.heading or (first, last, unpacked(part)) in left_out:
                break
            yield start, end


def widened(hits: Sequence[Hit], around: Sequence[Stretch | None]) -> list[int]:
    """Return the indices of the hits around which there is something to show."""
    return [
        at
        for at, (hit, stretch) in enumerate(zip(hits, around, strict=False))
        if stretch is not None and stretch.text.strip() != hit.text
    ]


def alone(hits: Sequence[Hit]) -> list[Passage]:
    """Return each hit as a passage of its own."""
    return [Passage((hit,), hit.text) for hit in hits]


def quoted(hits: Sequence[Hit], extracts: Sequence[Extract]) -> list[Passage]:
    """Return of each hit the sentences quoted from it, in their order, or else the whole hit."""
    sentences = {hit.rank: [each.text for each in extracts if each.hit == hit.rank] for hit in hits}
    return [
        Passage((hit,), "\n".join(sorted(sentences[hit.rank], key=hit.text.find)) or hit.text)
        for hit in hits
    ]


def joined(hits: Sequence[Hit], around: Sequence[Stretch | None], wide: int) -> list[Passage]:
    """Return the passages of ``hits``, the best first; the best ``wide`` of them with ``around``.

    Hits of one file that touch or overlap are one passage, in the place of the best of them.
    """
    passages: list[Passage] = []
    for number, (hit, stretch) in enumerate(zip(hits, around, strict=True)):
        if stretch is None or hit.start is None or hit.end is None:
            passages.append(Passage((hit,), hit.text))
            continue
        shown = stretch if number < wide else _own(hit, hit.start, hit.end)
        _add(passages, Passage((hit,), shown.text, shown))
    return [Passage(each.hits, each.text.rstrip(), each.stretch) for each in passages]


def _own(hit: Hit, start: int, end: int) -> Stretch:
    return Stretch(start, end, hit.text, hit.start_line, hit.end_line, hit.part)


def _add(passages: list[Passage], new: Passage) -> None:
    """Add a passage, joined with those that it touches."""
    joined_at = len(passages)
    for at in range(len(passages) - 1, -1, -1):
        both = _both(passages[at], new)
        if both:
            new, joined_at = both, at
            del passages[at]
    passages.insert(joined_at, new)


def _both(better: Passage, other: Passage) -> Passage | None:
    """Return two passages as one; None if they do not touch."""
    a, b = better.stretch, other.stretch
    if a is None or b is None or not a.touches(b) or not _same_file(better.hits[0], other.hits[0]):
        return None
    whole = a.with_(b)
    return Passage((*better.hits, *other.hits), whole.text, whole)


def _same_file(one: Hit, other: Hit) -> bool:
    return (one.path, one.quoted_path) == (other.path, other.quoted_path)
