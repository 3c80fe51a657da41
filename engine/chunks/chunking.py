"""Text → chunks with positions, heading path, and what is embedded before each."""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise

from engine.chunks import cutting, sentences
from engine.chunks.chunk import Chunk
from engine.chunks.cutting import STRETCH
from engine.chunks.headings import SEPARATOR, Sections
from engine.documents import Document
from engine.documents.readable import Readable

CHUNKER_VERSION = 4
"""Grows whenever the same document would be cut in another way."""

_WORD = re.compile(r"\S")
_NEW_PARAGRAPH = re.compile(r"\n[ \t\r]*\n\s*\Z")

Fits = Callable[[str], bool]
"""Whether a model takes a whole text, or would cut it."""


def split(
    document: Document,
    *,
    size: int,
    overlap: int,
    at_headings: bool = True,
    at_sentences: bool = False,
    context: int = 0,
    fits: Fits = lambda text: True,
) -> list[Chunk]:
    """Return the chunks of ``document``, in order, each at most ``size`` characters long.

    Neighbours share up to ``overlap`` characters. Nothing but whitespace, or front matter,
    lies outside all chunks.
    No chunk spans two parts, such as pages, nor ``at_headings`` two sections, so that an edit
    changes the chunks of its own section alone; those below a quarter of ``size`` are taken
    together with the next, and a heading stands in one chunk with what follows it.
    Prose is cut between its paragraphs, lines and words, ``at_sentences`` between its sentences
    before the words. With ``context``, a chunk is embedded together with the title and headings it
    stands under and up to so many characters before it in its paragraph. What does not ``fit`` the
    model is embedded without them, and cut further where that is not enough.
    """
    return _Splitting(document, size, overlap, at_headings, at_sentences, context, fits).chunks()


class _Splitting:
    """The way of one document to its chunks."""

    def __init__(
        self,
        document: Document,
        size: int,
        overlap: int,
        at_headings: bool,
        at_sentences: bool,
        context: int,
        fits: Fits,
    ) -> None:
        self._document, self._size, self._overlap = document, size, overlap
        self._at_headings, self._context, self._fits = at_headings, context, fits
        self._sections = Sections(document)
        in_prose = at_sentences and document.kind != "code"
        self._places = cutting.separators(document.language, in_prose)
        in_markdown = document.kind == "markdown"
        self._readable = Readable(document.text, document.body) if in_markdown else None
        self._card = document.card if fits(document.card) else ""
        found = _WORD.search(document.text, document.body)
        self._first = found.start() if found else -1

    def chunks(self) -> list[Chunk]:
        """Return the chunks, in order."""
        breaks = self._sections.breaks(self._size // 4) if self._at_headings else [0]
        joints = self._sections.lines if self._at_headings else []
        chunks: list[Chunk] = []
        for begin, end in _parts(self._document, breaks):
            inside = joints[bisect_left(joints, (begin, 0)) : bisect_left(joints, (end, 0))]
            joined = [(first - begin, last - begin) for first, last in inside]
            text = self._document.text[begin:end]
            for start, stop in cutting.spans(text, self._places, self._size, self._overlap, joined):
                chunks += self._fitting(begin, begin + start, begin + stop)
        return chunks or _only_card(self._document, self._size)

    def _fitting(self, begin: int, start: int, end: int) -> Iterator[Chunk]:
        """Yield ``text[start:end]`` as a chunk, or cut further, in a part that begins at ``begin``.

        A single character is never cut.
        """
        plain = self._chunk(start, end)
        card = self._card if start == self._first else ""
        for context in (self._before(plain, begin, card), card):
            chunk = replace(plain, context=context)
            if self._fits(chunk.embedded):
                yield chunk
                return
        if end - start == 1:
            yield plain
            return
        text = self._document.text[start:end]
        for first, last in cutting.spans(text, self._places, (end - start + 1) // 2, 0):
            yield from self._fitting(begin, start + first, start + last)

    def _chunk(self, start: int, end: int) -> Chunk:
        document = self._document
        text = document.text[start:end]
        first, last = document.lines(start, end)
        return Chunk(
            start=start,
            end=end,
            text=text,
            start_line=first,
            end_line=last,
            part=document.part(start),
            heading=self._sections.path(start, end),
            readable=self._readable.part(start, end) if self._readable else None,
        )

    def _before(self, chunk: Chunk, begin: int, card: str) -> str:
        """Return ``card``, the headings that ``chunk`` does not say, and what stands before it."""
        if not self._context:
            return card
        said = "\n".join([card, chunk.embedded])
        path = [self._document.title, *chunk.heading.split(SEPARATOR)]
        missing = [name for name in dict.fromkeys(path) if name not in said]
        lines = [card, SEPARATOR.join(missing), self._lead(begin, chunk.start)]
        return "\n".join(filter(None, lines))

    def _lead(self, begin: int, end: int) -> str:
        """Return the sentences, or at least words, before ``end`` in the same paragraph."""
        text = self._document.text
        start = max(begin, end - self._context - 1)
        if _NEW_PARAGRAPH.search(text, start, end):
            return ""
        if start > begin:
            start += sentences.first_whole(text[start:end].rstrip())
        read = self._readable.part(start, end) if self._readable else None
        return (text[start:end] if read is None else read).strip()[-self._context :]


def _only_card(document: Document, size: int) -> list[Chunk]:
    """Return what the front matter says as a chunk of its own, in a document without other text."""
    if not document.card:
        return []
    text = document.text[:size].rstrip()
    start = len(text) - len(text.lstrip())
    first, last = document.lines(start, len(text))
    return [Chunk(start, len(text), text[start:], first, last, None, "", readable=document.card)]


def _parts(document: Document, breaks: list[int]) -> Iterator[tuple[int, int]]:
    """Yield what is split on its own: pages, sections, or stretches of a long one."""
    length, body = len(document.text), document.body
    starts = [body, *(start for start in document.parts or breaks if start > body)]
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
