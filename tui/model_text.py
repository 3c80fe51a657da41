"""The model's text as Markdown. Imported after the first frame: the parser is slow to load."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markdown_it import MarkdownIt
from textual import on
from textual.widgets import Markdown, Static
from textual.widgets.markdown import MarkdownBlock, MarkdownStream

from engine.safe_text import clean
from tui import citations
from tui.messages import HitCited, LinkChosen
from tui.one_layout import OneLayout

if TYPE_CHECKING:
    from markdown_it.rules_core import StateCore
    from textual.content import Content


class _Marked(MarkdownBlock):
    """A block whose marks are seen to be marks."""

    def set_content(self, content: Content) -> None:
        """Show ``content``."""
        super().set_content(citations.styled(content))


def _made_of(*bases: type) -> type[MarkdownBlock]:
    """A block of the last one's name, by which it is styled."""
    block: type[MarkdownBlock] = bases[-1]
    return type(block.__name__, (OneLayout, *bases), {"SCOPED_CSS": block.SCOPED_CSS})


MARKED = ("paragraph_open", "th_open", "td_open", "h1", "h2", "h3", "h4", "h5", "h6")
"""The blocks that marks can stand in."""


class ModelText(OneLayout, Markdown):
    """Streamed Markdown that is only ever text: raw HTML stays literal, links stay inert.

    The program's own marks lead to the hits they name.
    """

    BULLETS = ["• ", "◦ ", "▪ "]  # noqa: RUF012  Textual declares it as a plain list
    BLOCKS = {  # noqa: RUF012  Textual declares it as a plain dictionary
        name: _made_of(_Marked, block) if name in MARKED else _made_of(block)
        for name, block in Markdown.BLOCKS.items()
    }

    def __init__(self) -> None:
        super().__init__(parser_factory=literal_parser, open_links=False)
        self._chosen: Static | None = None

    def stream(self) -> MarkdownStream:
        """Return a writer to this text."""
        return Markdown.get_stream(self)

    @on(Markdown.LinkClicked)
    def _tell_link(self, event: Markdown.LinkClicked) -> None:
        event.stop()
        rank = citations.rank_in(event.href)
        if rank is not None:
            self.post_message(HitCited(rank))
        elif not citations.is_mark(event.href):
            self.post_message(LinkChosen(event.href))

    def marks(self) -> list[citations.Mark]:
        """The marks that lead to a hit, in the order of the text."""
        return [mark for _, _, mark in self._places()]

    def choose(self, number: int | None) -> None:
        """Have the mark of that number stand out, and bring it into view; None for no mark."""
        if self._chosen is not None:
            self._chosen.update(citations.styled(_content(self._chosen)))
            self._chosen = None
        if number is None:
            return
        part, inside, _ = self._places()[number]
        self._chosen = part
        part.update(citations.styled(_content(part), inside))
        part.scroll_visible(animate=False)

    def _places(self) -> list[tuple[Static, int, citations.Mark]]:
        """Every mark that leads to a hit, with what shows it and its number there."""
        return [
            (part, inside, mark)
            for part in self.query(Static)
            for inside, mark in enumerate(citations.marks_in(_content(part)))
        ]


def _content(part: Static) -> Content:
    from textual.content import Content

    content = part.content
    return content if isinstance(content, Content) else Content(str(content))


def literal_parser() -> MarkdownIt:
    """Return a parser that keeps HTML as text and cleans what entities decode to."""
    parser = MarkdownIt("gfm-like", {"html": False})
    if parser.linkify is not None:
        # "index.md" is a file here, not a host in Moldova.
        parser.linkify.set({"fuzzy_link": False, "fuzzy_email": False})
    citations.teach(parser)
    parser.core.ruler.push("safe_text", _clean_tokens)
    return parser


def _clean_tokens(state: StateCore) -> None:
    for token in citations.all_tokens(state.tokens):
        token.content = citations.plain(clean(token.content))
        token.info = clean(token.info)
        for name, value in token.attrs.items():
            if isinstance(value, str):
                token.attrs[name] = clean(value)
