"""The code blocks of an answer, to copy one of them."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from engine import figures
from engine.safe_text import clean_line
from tui import hit_row
from tui.dialog import ListPage, Rows
from tui.page_keys import CODE_KEYS

LONGEST_LINE = 50
"""Cells of a block's first line."""


class CodeBlock(NamedTuple):
    """Code that stands by itself in a text."""

    language: str
    """As the text names it; empty where it names none."""
    text: str
    """Word for word, without the fence; it ends with a line's end."""


def code_blocks(markdown: str) -> list[CodeBlock]:
    """Return the blocks of code in a text, in their order, empty ones left out."""
    from tui.model_text import literal_parser

    return [
        CodeBlock(token.info.strip().partition(" ")[0], token.content)
        for token in literal_parser().parse(markdown)
        if token.type in ("fence", "code_block") and token.content.strip()
    ]


class CodePage(ListPage["CodeBlock | None"]):
    """Lists ``blocks``; its result is the one to copy, None for none."""

    BINDINGS: ClassVar[list[BindingType]] = CODE_KEYS

    def __init__(self, blocks: list[CodeBlock]) -> None:
        super().__init__()
        self.told = {"list.choose": "copies", "code.close": "closes"}
        self._blocks = blocks

    def compose(self) -> ComposeResult:
        """Lay out the list, with the first block under the cursor."""
        with Vertical(classes="dialog page") as box:
            box.border_title = Content("code of this answer")
            yield Rows(*(Option(row(block)) for block in self._blocks), markup=False)

    @on(OptionList.OptionSelected)
    def _choose(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(self._blocks[event.option_index])

    def action_close(self) -> None:
        """Close the page and copy nothing."""
        self.dismiss(None)


def row(block: CodeBlock) -> Content:
    """The first line of a block, how long it is, and its language."""
    lines = block.text.strip("\n").split("\n")
    first = hit_row.elide_end(clean_line(lines[0].strip()), LONGEST_LINE)
    language = hit_row.elide_end(clean_line(block.language), 12)
    length = figures.counted(len(lines), "line")
    facts = f"{length} · {language}" if language else length
    return Content.assemble((f"{first}  ", "$foreground"), (facts, "$quiet"))
