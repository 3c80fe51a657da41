"""The model's text, however long: Markdown in sections, and what is beyond a bound as it came.

Each block of Markdown is several widgets, and one that grows is made anew at each write. So a
long text is cut where a block or an item of a list begins, and only its last section grows.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from textual.containers import Vertical
from textual.content import Content
from textual.widget import MountError
from textual.widgets import Static

from tui import citations
from tui.model_text import ModelText, block_starts, tell_link
from tui.one_layout import OneLayout

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SECTION_LINES = 30
"""Lines after which the next block begins another section."""
LONGEST_SECTION = 10_000
"""Characters of a section; a block that is longer, a line without end, goes on as it came."""
MOST_WIDGETS = 400
"""Of the formatted text. Whatever moves the cursor takes longer with each: 4000 cost seconds."""
LONGEST_SLICE = 1_000
"""Characters that are looked at together."""
LONGEST_PLAIN = 5_000
"""Characters of a widget of unformatted text."""

AS_IT_CAME = "From here on the text is shown as it came: it is too long to be laid out."


class PlainText(OneLayout, Static):
    """A part of the text as it came, its marks seen to be marks."""

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._text = ""

    @property
    def is_full(self) -> bool:
        """Whether what follows belongs into another one."""
        return len(self._text) >= LONGEST_PLAIN

    def add(self, text: str) -> None:
        """Show ``text``, signed, behind what is there."""
        self._text += text
        shown = self._text.removesuffix("\n") if self.is_full else self._text
        self.update(citations.styled(citations.as_it_came(shown)))

    def action_link(self, href: str) -> None:
        """Follow a mark."""
        tell_link(self, href)


class LongText(OneLayout, Vertical):
    """A text that is streamed; its marks are counted through all of it."""

    def __init__(self) -> None:
        super().__init__()
        self._section: ModelText | None = None
        self._source = ""
        """Of the section that grows."""
        self._is_full = False
        """Whether what follows is shown as it comes."""
        self._plain: PlainText | None = None
        self._chosen: tuple[Static, int] | None = None
        """What shows the mark that was gone to, and its number there."""
        self._hit, self._lengths = 0, list[int]()
        """The rank of the hit whose sentences stand out, and how long each cited sentence is."""

    # --- writing -----------------------------------------------------------------------------

    async def write(self, text: str) -> None:
        """Show ``text``, signed, behind what is there; one piece after the other."""
        with suppress(MountError):  # the text, or the whole screen, is being taken away
            await self._write(text)

    async def _write(self, text: str) -> None:
        pieces = slices(text)
        for piece in pieces:
            if self._is_full:
                await self._write_plain("".join([piece, *pieces]))
            else:
                await self._write_formatted(piece)

    async def show(self, text: str) -> None:
        """Show ``text``, signed, in place of all that is there."""
        for part in list(self.children):
            if part is not self._first_section:
                await part.remove()
        self._section, self._source = self._first_section, ""
        self._plain = self._chosen = None
        self._is_full = False
        if self._section is not None:
            # Empty: behind a text that was updated, Textual 8.2.8 appends to the wrong block.
            await self._section.update("")
        await self.write(text)

    @property
    def _first_section(self) -> ModelText | None:
        first = self.children[0] if self.children else None
        return first if isinstance(first, ModelText) else None

    async def _write_formatted(self, text: str) -> None:
        cut = self._cut_in(text)
        await self._grow(text[:cut])
        if cut is None:
            return
        self._is_full = len(self._source) > LONGEST_SECTION or self._has_most_widgets
        if self._is_full:
            await self._write_plain(text[cut:])
        else:
            await self._open_section(text[cut:])

    def _cut_in(self, text: str) -> int | None:
        """Where in ``text``, which comes next, another section begins; None for nowhere."""
        if len(self._source) > LONGEST_SECTION or self._has_most_widgets:
            at_line = text.find("\n") + 1
            return at_line if at_line or len(self._source) > LONGEST_SECTION else None
        if self._source.count("\n") < SECTION_LINES:
            return None
        written = len(self._source)
        starts = block_starts(self._source + text)
        return next((start - written for start in starts if start >= written), None)

    @property
    def _has_most_widgets(self) -> bool:
        return sum(1 for _ in self.walk_children()) >= MOST_WIDGETS

    async def _open_section(self, text: str) -> None:
        self._section, self._source = ModelText(), ""
        await self.mount(self._section)
        await self._grow(text)

    async def _grow(self, text: str) -> None:
        if not text:
            return
        if self._section is None:
            await self._open_section("")
        assert self._section is not None
        self._source += text
        await self._section.append(text)

    async def _write_plain(self, text: str) -> None:
        if not text:
            return
        if self._plain is None:
            notice = Static(Content.styled(AS_IT_CAME, "$quiet"), classes="notice")
            await self.mount(notice)
        for piece in slices(text, LONGEST_PLAIN):
            if self._plain is None or self._plain.is_full:
                self._plain = PlainText()
                await self.mount(self._plain)
            self._plain.add(piece)

    # --- marks -------------------------------------------------------------------------------

    def marks(self) -> list[citations.Mark]:
        """The marks that lead to a hit, in the order of the text."""
        return [mark for _, _, mark in self._places()]

    def choose(self, number: int) -> None:
        """Have the mark of that number stand out, and bring it into view."""
        before = self._chosen
        part, inside, _ = self._places()[number]
        self._chosen = part, inside
        if before is not None:
            self._style(before[0])
        self._style(part)
        part.scroll_visible(animate=False)

    def mark_hit(self, hit: int, lengths: Sequence[int]) -> None:
        """Have the sentences that a hit supports stand out; 0 for none.

        ``lengths`` are those of all cited sentences, in characters.
        """
        self._hit, self._lengths = hit, [*lengths]
        for part in dict.fromkeys(part for part, _, _ in self._places()):
            self._style(part)

    def _style(self, part: Static) -> None:
        content = _content(part)
        chosen = self._chosen[1] if self._chosen and self._chosen[0] is part else None
        sentences = citations.sentences_of(content, self._hit, self._lengths)
        styled = citations.styled(content, chosen, sentences)
        if styled.spans != content.spans:
            part.update(styled, layout=False)  # only colours differ

    def _places(self) -> list[tuple[Static, int, citations.Mark]]:
        """Every mark that leads to a hit, with what shows it and its number there."""
        return [
            (part, inside, mark)
            for part in self.query(Static)
            for inside, mark in enumerate(citations.marks_in(_content(part)))
        ]


def _content(part: Static) -> Content:
    content = part.content
    return content if isinstance(content, Content) else Content(str(content))


def slices(text: str, longest: int = LONGEST_SLICE) -> Iterator[str]:
    """``text`` in pieces of at most ``longest`` characters, cut behind a line, else behind a word.

    So no mark is cut.
    """
    at = 0
    while len(text) - at > longest:
        behind = (text.rfind(sign, at, at + longest) + 1 for sign in ("\n", " "))
        end = next((place for place in behind if place), at + longest)
        yield text[at:end]
        at = end
    yield text[at:]
