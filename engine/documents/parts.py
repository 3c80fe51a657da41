"""What the loader of a rich format returns: the text of a file in its parts."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from engine.part import Unit

LONGEST_TEXT = 30_000_000
"""Characters, after which a file is no document any more."""
TOO_LONG = "it holds too much text"

_NEWLINE = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")
_LINE_ENDS = re.compile(r"[ \t\xa0]+$", re.MULTILINE)
_EMPTY_LINES = re.compile(r"\n{3,}")


class PartText(NamedTuple):
    """One page, slide, sheet, cell, chapter or message: its text, and its name if it has one."""

    text: str
    name: str = ""


class Parts(NamedTuple):
    """The parts of a file, in its order; a file without parts is one of no unit."""

    unit: Unit | None
    parts: Sequence[PartText]


def plain_lines(text: str) -> str:
    """Return ``text`` with newlines as ``\\n`` and spaces in place of other control characters."""
    return _CONTROLS.sub(" ", _NEWLINE.sub("\n", text))


def tidy(text: str) -> str:
    """Return ``plain_lines`` without what is only space.

    Nothing stands at the ends of lines, and no more than one empty line between two others.
    """
    return _EMPTY_LINES.sub("\n\n", _LINE_ENDS.sub("", plain_lines(text))).strip("\n")


def one_line(text: str) -> str:
    """Return ``text`` as one line without control characters."""
    return " ".join(_CONTROLS.sub(" ", text).split())
