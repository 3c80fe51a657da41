"""Text → chunks with positions and heading path.

langchain-text-splitters decides where to cut. Its own search for where a piece stands can find an
earlier copy of the same words, so each character that is no separator is replaced by one that
tells its position: the cuts stay the same, and every piece says where it stands.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.chunk import Chunk
from engine.documents import Document
from engine.documents.readable import Readable
from engine.headings import Sections

if TYPE_CHECKING:
    from langchain_text_splitters import RecursiveCharacterTextSplitter

CHUNKER_VERSION = 3
"""Grows whenever the same document would be cut in another way."""

PROSE = (r"\n\n", r"\r\n\r\n", r"\n", "(?<=[。！？])", " ", "")
"""Where prose may be cut, best first: the splitter's own list, with the paragraphs of files from
Windows and the sentences of languages without spaces."""
STRETCH = 500_000
"""Characters that are split at a time: no more than there are code points to mark them with."""

_FIRST_MARK = 0x20000
_MARKED = re.compile(f"[{chr(_FIRST_MARK)}-{chr(_FIRST_MARK + STRETCH)}]")


def split(document: Document, *, size: int, overlap: int, at_headings: bool = True) -> list[Chunk]:
    """Return the chunks of ``document``, in order, each at most ``size`` characters long.

    Neighbours share up to ``overlap`` characters. Nothing but whitespace, or front matter,
    lies outside all chunks.
    No chunk spans two pages, nor ``at_headings`` two sections, so that an edit changes the chunks
    of its own section alone; those below a quarter of ``size`` are taken together with the next,
    and a heading stands in one chunk with what follows it.
    """
    sections = Sections(document)
    separators = _separators(document.language)
    breaks = sections.breaks(size // 4) if at_headings else [0]
    joints = sections.lines if at_headings else []
    readable = Readable(document.text, document.body) if document.kind == "markdown" else None
    chunks = []
    for begin, end in _parts(document, breaks):
        inside = joints[bisect_left(joints, (begin, 0)) : bisect_left(joints, (end, 0))]
        joined = [(first - begin, last - begin) for first, last in inside]
        for start, stop in _spans(document.text[begin:end], separators, size, overlap, joined):
            chunk = _chunk(document, sections, readable, begin + start, begin + stop)
            assert document.text[chunk.start : chunk.end] == chunk.text
            chunks.append(chunk)
    return _with_card(document, chunks, size)


def _with_card(document: Document, chunks: list[Chunk], size: int) -> list[Chunk]:
    """Put what the front matter says before the first chunk, or let it be one of its own."""
    if not document.card:
        return chunks
    if chunks:
        context = "\n".join(filter(None, [document.card, chunks[0].context]))
        return [replace(chunks[0], context=context), *chunks[1:]]
    text = document.text[:size].rstrip()
    start = len(text) - len(text.lstrip())
    first, last = document.lines(start, len(text))
    return [Chunk(start, len(text), text[start:], first, last, None, "", readable=document.card)]


def _chunk(
    document: Document, sections: Sections, readable: Readable | None, start: int, end: int
) -> Chunk:
    first, last = document.lines(start, end)
    return Chunk(
        start=start,
        end=end,
        text=document.text[start:end],
        start_line=first,
        end_line=last,
        page=document.page(start),
        heading=sections.path(start, end),
        readable=readable.part(start, end) if readable else None,
    )


def _parts(document: Document, breaks: list[int]) -> Iterator[tuple[int, int]]:
    """Yield what is split on its own: pages, sections, or stretches of a long one."""
    length, body = len(document.text), document.body
    starts = [body, *(start for start in document.pages or breaks if start > body)]
    for begin, end in pairwise([*starts, length]):
        while end - begin > STRETCH:
            cut = _last_break(document.text, begin, begin + STRETCH)
            yield begin, cut
            begin = cut
        yield begin, end


def _last_break(text: str, begin: int, end: int) -> int:
    for separator in ("\n\n", "\n", " "):
        found = text.rfind(separator, begin + 1, end)
        if found > begin:
            return found
    return end


@lru_cache(32)
def _separators(language: str | None) -> tuple[str, ...]:
    """Return the regular expressions at which a text may be cut, best first."""
    if not language:
        return PROSE
    from langchain_text_splitters import Language, RecursiveCharacterTextSplitter

    return tuple(RecursiveCharacterTextSplitter.get_separators_for_language(Language(language)))


@lru_cache(32)
def _splitter(
    separators: tuple[str, ...], size: int, overlap: int
) -> "RecursiveCharacterTextSplitter":
    from langchain_text_splitters import RecursiveCharacterTextSplitter  # takes a second

    return RecursiveCharacterTextSplitter(
        separators=list(separators),
        is_separator_regex=True,
        chunk_size=size,
        chunk_overlap=overlap,
    )


def _spans(
    text: str,
    separators: tuple[str, ...],
    size: int,
    overlap: int,
    joints: Sequence[tuple[int, int]],
) -> Iterator[tuple[int, int]]:
    """Yield where the splitter's pieces stand in ``text``; at ``joints`` no lines are parted."""
    marked = _mark(text, separators, joints)
    start = end = 0
    for piece in _splitter(separators, size, overlap).split_text(marked):
        mark = _MARKED.search(piece)
        if mark:
            start = ord(mark[0]) - _FIRST_MARK - mark.start()
        else:  # nothing but separators: at or before its place, so no later one is missed
            start = marked.index(piece, max(start, end - overlap))
        end = start + len(piece)
        if text[start:end].strip():
            yield start, end


def _mark(text: str, separators: tuple[str, ...], joints: Sequence[tuple[int, int]]) -> str:
    """Replace each character that no cut depends on by the one that tells its position."""
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    kept = np.isin(points, _always_kept())
    for separator in separators if separators != PROSE else ():
        for match in re.finditer(separator, text):
            kept[match.start() : match.end()] = True
    for first, last in joints:
        kept[first:last] &= points[first:last] == ord(" ")
    marks = np.arange(_FIRST_MARK, _FIRST_MARK + len(points), dtype="<u4")
    return np.where(kept, points, marks).tobytes().decode("utf-32-le", "surrogatepass")


@lru_cache(1)
def _always_kept() -> NDArray[np.uint32]:
    """Return the code points of whitespace and of the ends of sentences that PROSE knows."""
    spaces = [point for point in range(0x3001) if chr(point).isspace()]
    return np.array([*spaces, *map(ord, "。！？")], dtype=np.uint32)
