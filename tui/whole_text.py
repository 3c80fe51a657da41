"""A whole file's text: the parts around the view are held, and others come as it is scrolled."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual.binding import BindingType
from textual.content import Content

from engine.safe_text import clean, clean_line
from tui import typed_query
from tui.hanging import NARROWEST
from tui.page_keys import TEXT_KEYS
from tui.page_messages import PartMissed, TextLeft, TextScrolled
from tui.preview import SHARE_ABOVE, coloured, is_numbered
from tui.surroundings import row_in_line, rows_of
from tui.text_view import TextView
from tui.typed_ahead import done_at_once, passed_on

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from textual.events import Key

    from engine.wire.api_around import AroundLine
    from engine.wire.api_parts import PartReply
    from engine.wire.api_search import Hit
    from tui.page_messages import Goal

MOST_PARTS = 20
"""Parts that are held; the farthest from the view is let go of."""
LEAST_TELLING = 8
"""Characters from which a line is likely to stand only once in a text."""


class Landmark(NamedTuple):
    """A line by which the view finds its place again."""

    number: int
    """Which line of the text it is, from 1."""
    line: AroundLine
    above: int
    """Rows of the view above it."""


class _Part:
    """A part of the text, laid out for one width."""

    def __init__(self, reply: PartReply, hit: Hit, texts: list[Content], width: int) -> None:
        self.reply = reply
        self._lines = texts
        self.lay_out(hit, width)

    def lay_out(self, hit: Hit, width: int) -> None:
        """Wrap the lines to ``width``."""
        digits = self._digits(hit)
        self.rows: list[Content] = []
        self.begins: list[int] = []
        """The row of each line."""
        self._own: list[tuple[int, int]] = []
        """What of each line is the hit's, where it is a line of the hit."""
        pieces = iter(clean(hit.text.strip("…\n")).split("\n"))
        for line, text in zip(self.reply.lines, self._lines, strict=True):
            piece = next(pieces, "").rstrip() if line.is_hit else ""
            self._own.append(_own(text.plain, piece))
            if line.part is not None and line.line == 1:
                self.rows.append(Content.styled(f"─── {clean_line(str(line.part))}", "$gutter"))
            self.begins.append(len(self.rows))
            self.rows += rows_of(line, text, digits, width, self._own[-1])

    def hit_row(self, hit: Hit, width: int) -> int | None:
        """The row in which the hit begins; None where it does not."""
        lines = zip(self.begins, self.reply.lines, self._lines, self._own, strict=True)
        for row, line, text, (begin, _) in lines:
            if line.is_hit:
                return row + row_in_line(text, begin, self._digits(hit), width)
        return None

    def _digits(self, hit: Hit) -> int:
        """Cells of the lines' numbers, with the space behind them; 0 where there are none."""
        return len(str(self.reply.total)) + 1 if is_numbered(hit) else 0


def _own(text: str, piece: str) -> tuple[int, int]:
    """The first character of a ``piece`` of a line and the one behind its last; else all of it."""
    begin = text.find(piece) if piece else -1
    return (begin, begin + len(piece)) if begin >= 0 else (0, len(text))


def _styled(lines: list[AroundLine], hit: Hit, query: str) -> list[Content]:
    """The lines in the colours of code, with the words of the query standing out."""
    texts = [clean(line.text) for line in lines]
    shown = coloured("\n".join(texts), hit).split("\n", allow_blank=True)
    marked = []
    for text, line in zip(texts, shown, strict=True):
        for start, end in typed_query.spans(text, query):
            line = line.stylize("$match", start, end)
        marked.append(line)
    return marked


def _with_found(lines: list[Content], words: str, at: int | None) -> list[Content]:
    """The lines with ``words`` underlined, and reversed in the line of the number ``at``."""
    from engine.wire.api_parts import finder

    pattern = finder(words)
    return [
        line.highlight_regex(pattern, style=f"$match {'reverse' if number == at else 'underline'}")
        for number, line in enumerate(lines)
    ]


class WholeText(TextView):
    """Shows parts of a text that follow each other; of long lines every piece is a row."""

    BINDINGS: ClassVar[list[BindingType]] = TEXT_KEYS

    def __init__(self, hit: Hit, query: str) -> None:
        super().__init__()
        self._hit, self._query = hit, query
        self._words = ""
        self._found: int | None = None
        """What is looked for, and the line of the text where it was found last, from 1."""
        self._parts: list[_Part] = []

    # --- parts -------------------------------------------------------------------------------

    @property
    def reply(self) -> PartReply | None:
        """A part of the text as it is shown; None before there is one."""
        return self._parts[0].reply if self._parts else None

    @property
    def _row_width(self) -> int:
        return max(self.width, NARROWEST)

    def begin(self, reply: PartReply, *, at: Goal) -> None:
        """Show the text from one part on: ``at`` its hit, its top, or its end."""
        self._hold([reply])
        (part,) = self._parts
        row = (
            part.hit_row(self._hit, self._row_width)
            if at == "hit"
            else 0
            if at == "top"
            else len(part.rows)
        )
        above = int(self.size.height * SHARE_ABOVE) if at == "hit" else 0
        self._go_to_row((row or 0) - above)

    def look_for(self, words: str) -> None:
        """Have ``words`` stand out wherever they are."""
        if words != self._words:
            self._words, self._found = words, None
            self._hold([part.reply for part in self._parts])

    def begin_at_found(self, reply: PartReply, line: int) -> None:
        """Show the text from one part on, with a ``line`` of it that was looked for."""
        self._found = line
        self.begin_at([reply], line, int(self.size.height * SHARE_ABOVE))

    def begin_at(self, replies: Sequence[PartReply], line: int, above: int) -> None:
        """Show the text from some parts on, ``line`` of it so many rows below the view's top."""
        self._hold(replies)
        self._go_to_row(self._row_of(line) - above)

    def _hold(self, replies: Sequence[PartReply]) -> None:
        self._parts = [self._part_of(reply) for reply in replies]
        self._put_together()

    def _part_of(self, reply: PartReply) -> _Part:
        texts = _styled(reply.lines, self._hit, self._query)
        if self._words:
            at = None if self._found is None else self._found - reply.first
            texts = _with_found(texts, self._words, at)
        return _Part(reply, self._hit, texts, self._row_width)

    def _go_to_row(self, row: int) -> None:
        self.scroll_to(y=max(row, 0), animate=False, force=True)
        self._see_what_is_missing()

    def add(self, reply: PartReply) -> None:
        """Take the part above those that are held, or the one below."""
        first, last = self._parts[0].reply.part, self._parts[-1].reply.part
        if reply.part not in (first - 1, last + 1):
            return
        part = self._part_of(reply)
        top = self.scroll_offset.y
        if reply.part == first - 1:
            self._parts.insert(0, part)
            top += len(part.rows)
            del self._parts[MOST_PARTS:]
        else:
            self._parts.append(part)
            top -= sum(len(each.rows) for each in self._parts[:-MOST_PARTS])
            del self._parts[:-MOST_PARTS]
        self._put_together()
        self._go_to_row(top)

    def _put_together(self) -> None:
        self.show_rows([row for part in self._parts for row in part.rows])

    def _see_what_is_missing(self) -> None:
        """Ask for the next part while there is still a screen of text before its place."""
        self.post_message(TextScrolled())
        if not self._parts:
            return
        height, top = self.size.height, self.scroll_offset.y
        first, last = self._parts[0].reply, self._parts[-1].reply
        if last.part + 1 < last.parts and top + 2 * height > self.virtual_size.height:
            self.post_message(PartMissed(last.part + 1))
        elif first.part > 0 and top < height:
            self.post_message(PartMissed(first.part - 1))

    def at_top(self) -> tuple[int, AroundLine] | None:
        """With which line the view begins, and which one of the text that is, from 1."""
        row = self.scroll_offset.y
        for part in self._parts:
            if row < len(part.rows):
                at = max(sum(begin <= row for begin in part.begins) - 1, 0)
                return part.reply.first + at, part.reply.lines[at]
            row -= len(part.rows)
        return None

    def landmark(self) -> Landmark | None:
        """The first line in view that says enough to be known again in a changed text."""
        seen = [
            Landmark(number, line, above)
            for above, number, line in self._lines_in_view()
            if len(line.text.strip()) >= LEAST_TELLING
        ]
        top = self.at_top()
        return seen[0] if seen else Landmark(*top, 0) if top else None

    def _lines_in_view(self) -> Iterator[tuple[int, int, AroundLine]]:
        """The lines that begin in view: how far below its top, which of the text, and the line."""
        top, height, begin = self.scroll_offset.y, max(self.size.height, 1), 0
        for part in self._parts:
            lines = zip(part.begins, part.reply.lines, strict=True)
            for number, (row, line) in enumerate(lines, part.reply.first):
                if top <= begin + row < top + height:
                    yield begin + row - top, number, line
            begin += len(part.rows)

    # --- scrolling -------------------------------------------------------------------------------

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Ask for what will come into view."""
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self._see_what_is_missing()

    def fit(self) -> None:
        """Wrap the text for the width there is now; the view begins with the same line."""
        top = self.at_top()
        for part in self._parts:
            part.lay_out(self._hit, self._row_width)
        self._put_together()
        if top:
            self.scroll_to(y=self._row_of(top[0]), animate=False, force=True)
        self._see_what_is_missing()

    def _row_of(self, line: int) -> int:
        """The row of a line of the text, from 1."""
        above = 0
        for part in self._parts:
            if line - part.reply.first < len(part.begins):
                return above + part.begins[max(line - part.reply.first, 0)]
            above += len(part.rows)
        return above

    async def on_key(self, event: Key) -> None:
        """Have what is typed right after the key that finds go into its line."""
        if not passed_on(self, event):
            await done_at_once(self, event, "filter")

    def action_scroll(self, rows: int) -> None:
        """Scroll so many rows down."""
        self.scroll_relative(y=rows, animate=False, force=True)

    def action_page(self, pages: int) -> None:
        """Scroll so many screens down."""
        self.scroll_relative(y=pages * max(self.size.height - 1, 1), animate=False, force=True)

    def action_end(self, which: int) -> None:
        """Go to the text's end, or for -1 to its top."""
        self.post_message(TextLeft("end" if which > 0 else "top"))

    def action_hit(self) -> None:
        """Go back to the hit."""
        self.post_message(TextLeft("hit"))
