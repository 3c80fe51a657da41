"""The model's text as Markdown. Imported after the first frame: the parser is slow to load."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt
from textual import on
from textual.widgets import Markdown
from textual.widgets.markdown import MarkdownBlock

from engine.safe_text import clean
from tui import citations
from tui.messages import HitCited, LinkChosen
from tui.one_layout import OneLayout

if TYPE_CHECKING:
    from markdown_it.rules_core import StateCore
    from textual.content import Content
    from textual.widget import Widget


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

    @on(Markdown.LinkClicked)
    def _tell_link(self, event: Markdown.LinkClicked) -> None:
        event.stop()
        tell_link(self, event.href)


def tell_link(widget: Widget, href: str) -> None:
    """Have ``widget`` say what a clicked link of the model's text leads to."""
    rank = citations.rank_in(href)
    if rank is not None:
        widget.post_message(HitCited(rank))
    elif not citations.is_mark(href):
        widget.post_message(LinkChosen(href))


def block_starts(markdown: str) -> list[int]:
    """Where in a text its blocks and the items of its lists begin, but not those inside others."""
    lines = {
        token.map[0]
        for token in literal_parser().parse(markdown)
        if token.map and (token.level == 0 or (token.level == 1 and token.type == "list_item_open"))
    }
    ends = itertools.accumulate((len(line) + 1 for line in markdown.split("\n")), initial=0)
    return [start for number, start in enumerate(ends) if number in lines]


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
