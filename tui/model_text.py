"""The model's text as Markdown. Imported after the first frame: the parser is slow to load."""

from __future__ import annotations

from collections.abc import Iterable

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from textual import on
from textual.widgets import Markdown
from textual.widgets.markdown import MarkdownStream

from engine.safe_text import clean
from tui.messages import LinkChosen


class ModelText(Markdown):
    """Streamed Markdown that is only ever text: raw HTML stays literal, links stay inert."""

    BULLETS = ["• ", "◦ ", "▪ "]  # noqa: RUF012  Textual declares it as a plain list

    def __init__(self) -> None:
        super().__init__(parser_factory=literal_parser, open_links=False)

    def stream(self) -> MarkdownStream:
        """Return a writer to this text."""
        return Markdown.get_stream(self)

    @on(Markdown.LinkClicked)
    def _tell_link(self, event: Markdown.LinkClicked) -> None:
        event.stop()
        self.post_message(LinkChosen(event.href))


def literal_parser() -> MarkdownIt:
    """Return a parser that keeps HTML as text and cleans what entities decode to."""
    parser = MarkdownIt("gfm-like", {"html": False})
    if parser.linkify is not None:
        # "index.md" is a file here, not a host in Moldova.
        parser.linkify.set({"fuzzy_link": False, "fuzzy_email": False})
    parser.core.ruler.push("safe_text", _clean_tokens)
    return parser


def _clean_tokens(state: StateCore) -> None:
    for token in _all_tokens(state.tokens):
        token.content = clean(token.content)
        token.info = clean(token.info)
        for name, value in token.attrs.items():
            if isinstance(value, str):
                token.attrs[name] = clean(value)


def _all_tokens(tokens: Iterable[Token]) -> Iterable[Token]:
    for token in tokens:
        yield token
        yield from _all_tokens(token.children or ())
