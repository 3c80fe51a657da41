"""Headings of AsciiDoc, Org and LaTeX, by the beginnings of their lines."""

import re
from collections.abc import Iterator

from engine.chunks.heading import Heading, trimmed

_ASCIIDOC_BLOCK = re.compile(r"(-{4,}|\.{4,}|/{4,}|\+{4,}|_{4,}|={4,}|\*{4,}|```|--)[ \t\r]*$")
_ASCIIDOC = re.compile(r"(={1,6}|#{1,6})[ \t]+(\S.*)$")
_ORG_BLOCK = re.compile(r"[ \t]*#\+(begin|end)_", re.IGNORECASE)
_ORG = re.compile(r"(\*{1,15})[ \t]+(?:(?:TODO|DONE)[ \t]+)?(\S.*)$")
_ORG_TAGS = re.compile(r"[ \t]+:[\w@#%:]+:[ \t]*$")
_LATEX = re.compile(
    r"^[ \t]*\\(part|chapter|section|subsection|subsubsection|paragraph)\*?"
    r"(?:\[[^\]\n]{0,200}\])?\{((?:[^{}\n]|\{[^{}\n]{0,200}\}){1,300})\}",
    re.MULTILINE,
)
_LATEX_LEVELS = ("part", "chapter", "section", "subsection", "subsubsection", "paragraph")
_LATEX_COMMAND = re.compile(r"\\[a-zA-Z]+\*?|[{}$~]")
_LINE = re.compile(r"[^\n]*(?:\n|\Z)")


def asciidoc_headings(text: str) -> Iterator[Heading]:
    """Yield the titles of AsciiDoc, outside its blocks: ``= Document``, ``== Section`` …"""
    block = ""
    for line in _LINE.finditer(text):
        fence = _ASCIIDOC_BLOCK.match(line[0])
        if fence:
            block = "" if block == fence[1] else block or fence[1]
        elif not block and (found := _ASCIIDOC.match(line[0])):
            yield Heading(line.start(), line.end(), len(found[1]), trimmed(found[2]))


def org_headings(text: str) -> Iterator[Heading]:
    """Yield the headlines of Org, without their tags and states, outside its blocks."""
    inside = False
    for line in _LINE.finditer(text):
        if block := _ORG_BLOCK.match(line[0]):
            inside = block[1].lower() == "begin"
        elif not inside and (found := _ORG.match(line[0])):
            words = trimmed(_ORG_TAGS.sub("", found[2].rstrip()))
            yield Heading(line.start(), line.end(), len(found[1]), words)


def latex_headings(text: str) -> Iterator[Heading]:
    """Yield the sections of LaTeX, without the commands in their titles."""
    for found in _LATEX.finditer(text):
        words = trimmed(_LATEX_COMMAND.sub(" ", found[2]))
        yield Heading(found.start(), found.end(), _LATEX_LEVELS.index(found[1]) + 1, words)
