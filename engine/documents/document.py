"""The text of one file, and where each piece of it stands there."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from engine.files.kinds import DocumentKind
from engine.part import LONGEST_NAME, Part, Unit


@dataclass(frozen=True, slots=True)
class Document:
    """A file's text. For text formats it is the decoded file, character for character."""

    text: str
    kind: DocumentKind
    language: str | None = None
    """Programming language of code, as langchain-text-splitters names it, where it has rules."""
    unit: Unit | None = None
    """What its parts are called; None for a document without parts."""
    parts: Sequence[int] = ()
    """Offsets at which its pages, slides, sheets, cells, chapters or messages begin."""
    names: Sequence[str] = ()
    """The names of the parts, where they have some; as many as there are parts, or none."""
    source_lines: Sequence[tuple[int, int]] = ()
    """Where ``text`` was made from the file: from this offset on, this line of the file."""
    body: int = 0
    """Where the words begin: behind the front matter, if it has one that could be read."""
    title: str = ""
    """The title that its front matter gives it."""
    card: str = ""
    """A line or few, without markup, of what its front matter says to readers."""
    aliases: tuple[str, ...] = ()
    """Other names of it, from its front matter."""
    tags: tuple[str, ...] = ()
    """Its tags, without ``#`` and without case, from its front matter and its text."""
    how: str = ""
    """What is to be told of how it was read, such as ``cp1251, 93 % sure``; mostly nothing."""
    _starts: Sequence[int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        lengths = map(len, self.text.split("\n"))
        starts = list(accumulate((length + 1 for length in lengths), initial=0))
        object.__setattr__(self, "_starts", starts[:-1])

    @property
    def loader(self) -> str:
        """What read it: its kind, and ``how`` where there is something to tell."""
        return f"{self.kind} ({self.how})" if self.how else self.kind

    def lines(self, start: int, end: int) -> tuple[int, int]:
        """Return the first and last line of ``text[start:end]`` in the file, from 1.

        Lines are counted from the top of the part, such as a page, in which ``start`` stands.
        """
        last = max(start, end - 1)
        if self.source_lines:
            return self._source_line(start), max(self._source_line(start), self._source_line(last))
        above = self._line(self.parts[self._part(start)]) - 1 if self.parts else 0
        return self._line(start) - above, self._line(last) - above

    def span(self, first: int, last: int, part: Part | None = None) -> tuple[int, int]:
        """Return where lines of the file begin and end in the text: ``lines`` the other way round.

        What is behind the file's end is an empty span at the text's end.
        """
        if self.source_lines:
            return self._source_span(first, last)
        number = part.number if part else 1
        if self.parts and not 1 <= number <= len(self.parts):
            return len(self.text), len(self.text)
        above = self._line(self.parts[number - 1]) - 1 if self.parts else 0
        return self.offset(above + first), self.offset(above + last + 1)

    def offset(self, line: int) -> int:
        """Return where a line of the text begins, from 1; its end where it has fewer."""
        return self._starts[line - 1] if line <= len(self._starts) else len(self.text)

    @property
    def line_count(self) -> int:
        """How many lines the text has; a newline at its very end begins none."""
        return max(len(self._starts) - self.text.endswith("\n"), 1)

    def text_line(self, offset: int) -> int:
        """Return the line of the text, not of the file, that ``text[offset]`` stands in, from 1."""
        return min(self._line(offset), self.line_count)

    def part(self, start: int) -> Part | None:
        """Return the part in which ``text[start]`` stands; None in a document without parts."""
        if self.unit is None or not self.parts:
            return None
        at = self._part(start)
        name = self.names[at][:LONGEST_NAME] if self.names else ""
        return Part(self.unit, at + 1, name)

    def _line(self, offset: int) -> int:
        return bisect_right(self._starts, offset)

    def _part(self, offset: int) -> int:
        return max(0, bisect_right(self.parts, offset) - 1)

    def _source_line(self, offset: int) -> int:
        place = bisect_right(self.source_lines, offset, key=lambda mark: mark[0]) - 1
        return self.source_lines[max(0, place)][1]

    def _source_span(self, first: int, last: int) -> tuple[int, int]:
        begin = max(0, bisect_right(self.source_lines, first, key=lambda mark: mark[1]) - 1)
        after = bisect_right(self.source_lines, last, key=lambda mark: mark[1])
        ends = after < len(self.source_lines)
        end = self.source_lines[after][0] if ends else len(self.text)
        return self.source_lines[begin][0], max(self.source_lines[begin][0], end)
