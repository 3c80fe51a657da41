"""Which section each part of a document belongs to."""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import pairwise

from markdown_it import MarkdownIt

from engine.chunks import markup, part_headings
from engine.chunks.heading import Heading, trimmed
from engine.documents import Document
from engine.files.kinds import DocumentKind

SEPARATOR = " > "
"""Between the headings of a path."""

_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n|\Z)")
_ADORNMENT = re.compile(r"([!-/:-@\[-`{-~])\1{2,}\s*\Z|([=\-~^\"'`#*+])\2\s*\Z")
_CUSTOM_ANCHOR = re.compile(r"(?<!\s)\s*+\{#[^{}]*\}\s*$")
_SPACE = re.compile(r"\s*")


class Sections:
    """The sections of one document, made from its headings in order."""

    def __init__(self, document: Document) -> None:
        self._starts = [0]
        self._paths = [""]
        self.lines: list[tuple[int, int]] = []
        """Where each heading begins, and where the text that follows it does."""
        open_headings: list[Heading] = []
        for heading in headings_of(document):
            while open_headings and open_headings[-1].level >= heading.level:
                open_headings.pop()
            open_headings.append(heading)
            self._starts.append(heading.start)
            blank = _SPACE.match(document.text, heading.end)
            self.lines.append((heading.start, blank.end() if blank else heading.end))
            self._paths.append(SEPARATOR.join(h.text for h in open_headings if h.text))

    def breaks(self, least: int) -> list[int]:
        """Return where sections begin, leaving out those that follow too short a one.

        At least ``least`` characters lie between two breaks. The first is 0.
        """
        breaks = [0]
        for start in self._starts:
            if start - breaks[-1] >= least:
                breaks.append(start)
        return breaks

    def path(self, start: int, end: int) -> str:
        """Return the heading path of the section that covers most of ``text[start:end]``."""
        first = bisect_right(self._starts, start) - 1
        last = bisect_right(self._starts, max(start, end - 1)) - 1
        if first == last:
            return self._paths[first]
        bounds = [start, *self._starts[first + 1 : last + 1], end]
        lengths = [after - before for before, after in pairwise(bounds)]
        return self._paths[first + lengths.index(max(lengths))]


def headings_of(document: Document) -> Iterator[Heading]:
    """Yield the headings of a document, in order; front matter has none."""
    for heading in _found(document):
        if heading.start >= document.body:
            yield heading


def _found(document: Document) -> Iterator[Heading]:
    if document.language == "latex":
        return markup.latex_headings(document.text)
    if document.unit == "chapter":
        return part_headings.chapters(document, markdown_headings)
    if document.unit == "cell":
        return part_headings.cells(document, markdown_headings)
    if document.unit == "sheet":
        return part_headings.sheets(document)
    if document.unit in ("slide", "message"):
        return part_headings.named(document)
    return _FINDERS.get(document.kind, _no_headings)(document.text)


def _no_headings(text: str) -> Iterator[Heading]:
    return iter(())


def markdown_headings(text: str) -> Iterator[Heading]:
    """Yield the headings of Markdown, words without markup; front matter has none."""
    if "#" not in text and not re.search(r"^ {0,3}(=|-)", text, re.MULTILINE):
        return
    body = _after_front_matter(text)
    starts = [match.start() for match in _LINE.finditer(text, body)]
    tokens = _parser().parse(text[body:])
    for opened, inline in pairwise(tokens):
        if opened.type == "heading_open" and opened.map and opened.level == 0:
            words = _plain(inline.content)
            first, after = opened.map
            end = starts[after] if after < len(starts) else len(text)
            yield Heading(starts[first], end, int(opened.tag[1]), words)


def _after_front_matter(text: str) -> int:
    """Return where the body begins: 0 without front matter, or if it never ends."""
    lines = _LINE.finditer(text)
    if next(lines)[0].rstrip() == "---":
        for line in lines:
            if line[0].rstrip() in ("---", "..."):
                return line.end()
    return 0


@lru_cache(1)
def _parser() -> MarkdownIt:
    """Block structure only: the words of paragraphs need no parsing to find headings."""
    return MarkdownIt("commonmark").disable("inline")


@lru_cache(1)
def _inline_parser() -> MarkdownIt:
    return MarkdownIt("commonmark")


def _plain(markup: str) -> str:
    tokens = _inline_parser().parseInline(_CUSTOM_ANCHOR.sub("", markup[:2000]))
    children = tokens[0].children or []
    words = "".join(
        " " if child.type in ("softbreak", "hardbreak") else child.content
        for child in children
        if child.type != "html_inline"
    )
    return trimmed(words)


def rst_headings(text: str) -> Iterator[Heading]:
    """Yield the section titles of reStructuredText: lines with a line of punctuation below.

    Levels follow the order in which the styles appear, as docutils has it.
    """
    styles: list[str] = []
    lines = [(match.start(), match[0].rstrip()) for match in _LINE.finditer(text)]
    for at in range(len(lines) - 1):
        start, title = lines[at]
        below = lines[at + 1][1]
        if not title or not _ADORNMENT.match(below) or _ADORNMENT.match(title):
            continue
        above = lines[at - 1][1] if at else ""
        over = above == below
        if (title[0] == " " and not over) or len(below) < min(len(title), 4):
            continue
        if not over and above:
            continue  # the last line of a paragraph, a table or a literal block
        style = below[0] + "over" * over
        if style not in styles:
            styles.append(style)
        begin = lines[at - 1][0] if over else start
        end = lines[at + 1][0] + len(below)
        yield Heading(begin, end, styles.index(style) + 1, trimmed(title))


_FINDERS: dict[DocumentKind, Callable[[str], Iterator[Heading]]] = {
    "markdown": markdown_headings,
    "html": markdown_headings,
    "word": markdown_headings,
    "rst": rst_headings,
    "asciidoc": markup.asciidoc_headings,
    "org": markup.org_headings,
    "table": part_headings.table,
}
