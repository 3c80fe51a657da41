"""The links of a Markdown text, and its other marks that are no words.

All is found in one pass, in time linear in the length of the text, whatever it holds.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

LONGEST_LABEL = 200
"""Characters of the name of a reference."""

_DESTINATION = r"""
    \(\s*+
    (?: <(?P<angled>[^<>\n]{0,2000}+)>
      | (?P<plain>(?:[^\s()<>]|\([^\s()]{0,300}+\)){0,2000}+)
    )
    (?:\s++(?:"[^"]{0,500}+"|'[^']{0,500}+'|\([^()]{0,500}+\)))?
    \s*+\)
"""
_TOKEN = re.compile(
    rf"""
    \\[^\w\s]
    | (?P<blank>\n(?=[ \t\r]*\n))
    | (?P<wiki>!?\[\[(?!\s)(?P<page>[^\[\]|\n]{{1,400}}+)(?:\|(?P<shown>[^\[\]\n]{{0,400}}+))?\]\])
    | (?P<open>!?\[)
    | (?P<close>\](?:{_DESTINATION}|\[(?P<reference>[^\[\]]{{0,200}}+)\])?)
    | (?P<auto><(?:https?|ftp|mailto):[^<>\s]{{1,2000}}+>)
    | (?P<anchor></?[aA](?:\s[^<>]{{0,2000}}+)?>)
    """,
    re.VERBOSE,
)
_DEFINITION = re.compile(
    rf"^ {{0,3}}\[(?!\^)([^\[\]\n]{{1,{LONGEST_LABEL}}}+)\]:[ \t]*(?:<([^<>\n]*+)>|([^\s<]\S*+))"
    r"[^\n]*$",
    re.MULTILINE,
)


class Link(NamedTuple):
    """A link, or an image: ``text[start:end]``, of which ``text[label:label_end]`` is shown."""

    start: int
    end: int
    label: int
    label_end: int
    target: str
    is_wiki: bool = False
    """Whether ``target`` names a page of the vault, and is not a path or an address."""


class Anchor(NamedTuple):
    """A tag of HTML's own links and anchors, ``<a ...>`` or ``</a>``."""

    start: int
    end: int


class Definition(NamedTuple):
    """A line that says where links of a name lead."""

    start: int
    end: int
    target: str


class Marks(NamedTuple):
    """What is no words in a text."""

    links: list[Link]
    anchors: list[Anchor]
    definitions: dict[str, Definition]


def find(masked: str) -> Marks:
    """Return the marks of a text whose code is hidden (``code_spans.without_code``)."""
    definitions: dict[str, Definition] = {}
    names = set()
    for match in _DEFINITION.finditer(masked):
        names.add(match.start(1))
        line = Definition(match.start(), match.end(), match[2] or match[3] or "")
        definitions.setdefault(_name(match[1]), line)
    links, anchors = [], []
    for mark in _scan(masked, definitions):
        if isinstance(mark, Anchor):
            anchors.append(mark)
        elif mark.label not in names:
            links.append(mark)
    return Marks(links, anchors, definitions)


def _name(label: str) -> str:
    return " ".join(label.casefold().split())


def _scan(text: str, definitions: dict[str, Definition]) -> Iterator[Link | Anchor]:
    opened: list[tuple[int, int]] = []
    for token in _TOKEN.finditer(text):
        start, end = token.span()
        kind = token.lastgroup  # of groups in groups, the outermost
        if kind == "anchor":
            yield Anchor(start, end)
        elif kind == "auto":
            yield Link(start, end, start + 1, end - 1, token["auto"][1:-1])
        elif kind == "wiki":
            yield _wiki(token)
        elif kind == "open":
            opened.append((start, end))
        elif kind == "blank":
            opened.clear()
        elif kind == "close" and opened:
            begin, label = opened.pop()
            target = _target(token, text[label : min(start, label + LONGEST_LABEL)], definitions)
            if target is not None:
                yield Link(begin, end, label, start, target)


def _wiki(token: re.Match[str]) -> Link:
    shown = "shown" if token["shown"] else "page"
    target = token["page"].removesuffix("\\").strip()  # \| stands for | in a table
    label_end = token.end(shown)
    if shown == "page":
        label_end -= len(token["page"]) - len(token["page"].removesuffix("\\"))
    return Link(token.start(), token.end(), token.start(shown), label_end, target, is_wiki=True)


def _target(token: re.Match[str], label: str, definitions: dict[str, Definition]) -> str | None:
    """Return where a bracket that closes leads to; None if it closes no link."""
    if (found := token["angled"]) is not None or (found := token["plain"]) is not None:
        return found
    if not definitions:
        return None
    known = definitions.get(_name(token["reference"] or label))
    return known.target if known else None
