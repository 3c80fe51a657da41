"""What the parts of a document are headed by: names, the first rows of tables, titles of cells."""

import csv
from collections.abc import Callable, Iterator, Sequence
from itertools import islice, pairwise

from engine.chunks.heading import Heading, trimmed
from engine.documents import Document

BETWEEN = " | "
"""Between the columns in the heading of a table."""
_FIRST_ROWS = 20
"""Among which the row is that names the columns."""

Finder = Callable[[str], Iterator[Heading]]


def named(document: Document) -> Iterator[Heading]:
    """Yield the name of each part as a heading above all in it."""
    for start, _, name in _parts(document):
        yield Heading(start, start, 0, trimmed(name))


def chapters(document: Document, inside: Finder) -> Iterator[Heading]:
    """Yield the title of each chapter, and below it the headings that ``inside`` finds there."""
    for start, end, name in _parts(document):
        title = Heading(start, start, 0, trimmed(name))
        for heading in inside(document.text[start:end]):
            found = _moved(heading, start)
            if title.end == start and found.text == title.text and found.start == start:
                title = title._replace(end=found.end)
                continue
            if title.start == start:
                yield title
                title = title._replace(start=-1)
            yield found
        if title.start == start:
            yield title


def cells(document: Document, inside: Finder) -> Iterator[Heading]:
    """Yield the headings in the cells of a notebook that hold no code; they reach beyond theirs."""
    for start, end, language in _parts(document):
        if not language:
            for heading in inside(document.text[start:end]):
                yield _moved(heading, start)


def sheets(document: Document) -> Iterator[Heading]:
    """Yield the name of each sheet with the names of its columns: ``Sales: Region | Amount``."""
    for start, end, name in _parts(document):
        lines = document.text[start : min(end, start + 100_000)].split("\n")
        columns = _columns([line.split(BETWEEN) for line in lines[:_FIRST_ROWS]])
        yield Heading(start, start, 0, trimmed(": ".join(filter(None, [name, columns]))))


def table(text: str) -> Iterator[Heading]:
    """Yield the names of the columns of a table whose values are separated by commas or tabs."""
    lines = text[:20_000].splitlines()[:_FIRST_ROWS]
    between = max(",;\t|", key=lines[0].count) if lines else ","
    try:
        rows = [*islice(csv.reader(lines, delimiter=between), _FIRST_ROWS)]
    except csv.Error:
        return
    if columns := _columns(rows):
        yield Heading(0, 0, 1, trimmed(columns))


def _columns(rows: Sequence[Sequence[str]]) -> str:
    """Return the first row that names most of the columns; empty where none does."""
    filled = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    most = max(map(len, filled), default=0)
    named = (row for row in filled if len(row) >= 2 and len(row) * 2 >= most)
    return BETWEEN.join(next(named, ()))


def _parts(document: Document) -> Iterator[tuple[int, int, str]]:
    ends = pairwise([*document.parts, len(document.text)])
    for (start, end), name in zip(ends, document.names, strict=False):
        yield start, end, name


def _moved(heading: Heading, by: int) -> Heading:
    return heading._replace(start=heading.start + by, end=heading.end + by)
