"""The marks that the program puts into the model's text: ``[3]`` for a hit, ``[?]`` for none.

Only these are links to hits, whatever brackets the model writes: the engine tells where they stand,
and they are signed before the text is read as Markdown. In code nothing is a mark.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from textual.content import Content, Span
from textual.style import Style

from engine.safe_text import clean

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token

    from engine.wire.api_answer import Citation

UNSUPPORTED = "?"

_SIGN = "\ufdd0"
"""Stands in each signed mark and is taken out of all other text: no character at all in Unicode."""
_SIGNED = re.compile(rf"\[{_SIGN}(\d+){_SIGN}(\d+|\?)\]")
_SECRET = secrets.token_hex(8)
_PREFIX = f"cite-{_SECRET}-"
"""What the address of a mark begins with: no link in a text can know it."""
_ACTION = re.compile(rf"link\('{_PREFIX}(\d+)-(\d+|\?)'\)")


@dataclass(frozen=True)
class Mark:
    """A mark that leads to a hit, as it stands in a shown text."""

    start: int
    end: int
    hit: int
    """The hit's rank."""
    citation: int
    """Its number among all citations of the answer, from 0."""


def signed(text: str, cited: Sequence[Citation], *, begin: int = 0, first: int = 0) -> str:
    """A part of an answer as a terminal may show it, its marks signed.

    ``begin`` is where it begins in the answer, ``first`` the number of its first citation.
    """
    parts, at = [], 0
    for number, citation in enumerate(cited, first):
        target = UNSUPPORTED if citation.n is None else str(citation.n)
        mark = f" [{target}]"
        place = citation.end - begin
        if place >= at and text.startswith(mark, place):
            parts += [_unsigned(text[at:place]), f" [{_SIGN}{number}{_SIGN}{target}]"]
            at = place + len(mark)
    return "".join([*parts, _unsigned(text[at:])])


def _unsigned(text: str) -> str:
    return clean(text).replace(_SIGN, "")


def plain(text: str) -> str:
    """A signed text as a person reads it."""
    return _SIGNED.sub(r"[\2]", text)


def as_it_came(text: str) -> Content:
    """A signed text as a person reads it, its marks links to what they stand for."""
    content, at = Content(""), 0
    for found in _SIGNED.finditer(text):
        link = Style.from_meta({"@click": f"link('{_address(found)}')"})
        content += Content(text[at : found.start()]) + Content.styled(f"[{found[2]}]", link)
        at = found.end()
    return content + Content(text[at:])


def _address(signed: re.Match[str]) -> str:
    return f"{_PREFIX}{signed[1]}-{signed[2]}"


def teach(parser: MarkdownIt) -> None:
    """Have ``parser`` know signed marks, before it takes brackets for links.

    What would give brackets another meaning elsewhere in the text is left as text.
    """
    parser.disable("reference")
    parser.inline.ruler.before("link", "citation", _take_mark)


def _take_mark(state: StateInline, silent: bool) -> bool:
    found = _SIGNED.match(state.src, state.pos, state.posMax)
    if found is None:
        return False
    if not silent:
        opened = state.push("link_open", "a", 1)
        opened.attrs = {"href": _address(found)}
        state.push("text", "", 0).content = f"[{found[2]}]"
        state.push("link_close", "a", -1)
    state.pos = found.end()
    return True


def rank_in(href: str) -> int | None:
    """The rank of the hit that a clicked link leads to; None for any other link."""
    number = href.rpartition("-")[2]
    return int(number) if is_mark(href) and number.isdecimal() else None


def is_mark(href: str) -> bool:
    """Whether a clicked link is a mark, though maybe one that leads nowhere."""
    return href.startswith(_PREFIX)


def marks_in(content: Content) -> list[Mark]:
    """The marks of a shown text that lead to a hit, in their order."""
    found = [
        Mark(span.start, span.end, int(target[2]), int(target[1]))
        for span in content.spans
        if (target := _target(span)) and target[2] != UNSUPPORTED
    ]
    return sorted(found, key=lambda mark: mark.start)


def _target(span: Span) -> re.Match[str] | None:
    style = span.style
    action = style.meta.get("@click") if isinstance(style, Style) else None
    return _ACTION.fullmatch(action) if isinstance(action, str) else None


def _leads_nowhere(span: Span) -> bool:
    target = _target(span)
    return target is not None and target[2] == UNSUPPORTED


def sentences_of(content: Content, hit: int, lengths: Sequence[int]) -> list[Mark]:
    """The sentences of a shown text that ``hit`` supports, each up to the end of its mark.

    ``lengths`` are those of the answer's cited sentences as they came, in characters: as they are
    shown, without the signs of Markdown, they are no longer.
    """
    ends = [span.end for span in content.spans if _target(span)]
    found = []
    for mark in marks_in(content):
        if mark.hit == hit and mark.citation < len(lengths):
            before = max((end for end in ends if end <= mark.start), default=0)
            at = max(mark.start - len(" ") - lengths[mark.citation], before)
            if content.plain[:at][-1:].strip() and at > before:  # within a word
                at = content.plain.find(" ", at, mark.start)
            sentence = content.plain[at : mark.start]
            found.append(replace(mark, start=mark.start - len(sentence.lstrip())))
    return found


def styled(content: Content, chosen: int | None = None, sentences: Sequence[Mark] = ()) -> Content:
    """``content`` with its marks in their colours, and what else is a link seen to be one.

    ``chosen`` counts the marks that lead to a hit; that one stands out, and so do ``sentences``.
    """
    spans = [
        Span(span.start, span.end, UNSUPPORTED_STYLE) if _leads_nowhere(span) else span
        for span in content.spans
        if span.style not in (SUPPORTED_STYLE, CHOSEN_STYLE, LINK_STYLE, SELECTED_STYLE)
    ]
    content = Content(content.plain, spans=spans)
    for number, mark in enumerate(marks_in(content)):
        style = CHOSEN_STYLE if number == chosen else SUPPORTED_STYLE
        content = content.stylize(style, mark.start, mark.end)
    for sentence in sentences:
        content = content.stylize(SELECTED_STYLE, sentence.start, sentence.end)
    for span in spans:
        if isinstance(span.style, Style) and span.style.meta and _target(span) is None:
            content = content.stylize(LINK_STYLE, span.start, span.end)
    return content


SUPPORTED_STYLE = "bold $cite"
CHOSEN_STYLE = "bold reverse $cite"
UNSUPPORTED_STYLE = "$text-warning"
"""How a mark looks: one that leads to a hit, the one under the cursor, and one of no hit."""
LINK_STYLE = "underline"
SELECTED_STYLE = "on $selected"
"""How the sentences look that the hit under the cursor supports."""


def all_tokens(tokens: Iterable[Token]) -> Iterable[Token]:
    """Every token, with those inside others."""
    for token in tokens:
        yield token
        yield from all_tokens(token.children or ())
