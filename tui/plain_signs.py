"""Signs for terminals that can't show others: frames, bars and marks in plain ASCII."""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.filter import LineFilter

if TYPE_CHECKING:
    from textual.color import Color

_PLAIN = {
    **dict.fromkeys("“”„«»", '"'),
    **dict.fromkeys("‘’‚‹", "'"),
    **dict.fromkeys("–—−╴╶╸╺", "-"),
    **dict.fromkeys("❯›→▶▸➜", ">"),
    **dict.fromkeys("●•◆★✦▪", "*"),
    **dict.fromkeys("○◌◇◦◐◑", "o"),
    **dict.fromkeys("✕✗×", "x"),
    **dict.fromkeys("▌▐▏▎▍▕", "|"),
    **{"…": ".", "·": ".", "←": "<", "↑": "^", "↓": "v", "↵": "<", "▲": "!", "▼": "v"},
    **{"✓": "v", "‖": "=", "≈": "~", "\u00a0": " ", "↔": "-", "↳": "`", "≠": "#", "∅": "0"},
}
"""What stands for signs of one cell; frames and blocks have theirs by their names."""


class PlainSigns(LineFilter):
    """Puts ASCII in place of signs, and of whatever else ``encoding`` does not have.

    Without an encoding letters of any script stay: only the signs are wanted plain.
    """

    def __init__(self, encoding: str = "") -> None:
        super().__init__()
        self._plain = lru_cache(4096)(_translator(encoding))

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments of a line, each as wide as it was."""
        return [
            segment if segment.text.isascii() else Segment(self._plain(segment.text), *segment[1:])
            for segment in segments
        ]


def filter_for(wish: str) -> PlainSigns | None:
    """Return what makes signs plain, None where they need not be.

    ``wish`` is the setting ``signs``; unless it says otherwise, the terminal's encoding decides.
    """
    if wish in ("ascii", "unicode"):
        return PlainSigns() if wish == "ascii" else None
    if _is_plain_locale(os.environ):
        return PlainSigns()  # what Python writes is UTF-8 all the same
    # Textual writes there, in the encoding that Python found the locale to have.
    encoding = getattr(sys.__stderr__, "encoding", None) or "utf-8"
    is_utf = encoding.lower().replace("_", "-").startswith(("utf-8", "utf8", "utf-16", "utf-32"))
    return None if is_utf else PlainSigns(encoding)


def _is_plain_locale(environment: Mapping[str, str]) -> bool:
    """Whether a person named the locale C, which Python itself treats as one of UTF-8.

    It sets ``LC_CTYPE`` then. A locale that nobody named is C as well, and says nothing.
    """
    named = environment.get("LC_ALL")
    if not named:
        kind = environment.get("LC_CTYPE", "")
        named = environment.get("LANG", "") if kind in ("", "C.UTF-8") else kind
    return named in ("C", "POSIX")


def _translator(encoding: str) -> Callable[[str], str]:
    @lru_cache(4096)
    def plain(char: str) -> str:
        if char.isascii() or (encoding and _has(encoding, char)):
            return char
        if (sign := _sign(char)) or not encoding:
            return sign or char
        from rich.cells import cell_len

        return "?" * cell_len(char)

    return lambda text: "".join(map(plain, text))


def _sign(char: str) -> str:
    """The plain sign for another of one cell; empty for what is no sign."""
    if char in _PLAIN:
        return _PLAIN[char]
    name = unicodedata.name(char, "")
    if name.startswith("BOX DRAWINGS"):
        if "VERTICAL" in name and "HORIZONTAL" not in name:
            return "|" if "AND" not in name else "+"
        is_line = name.endswith(("HORIZONTAL", "LEFT AND RIGHT"))
        return ("=" if "HEAVY" in name else "-") if is_line else "+"
    if "\u2580" <= char <= "\u259f" or "\u25a0" <= char <= "\u25a1":
        return "#"
    return "*" if "\u2800" <= char <= "\u28ff" else ""


def _has(encoding: str, char: str) -> bool:
    try:
        char.encode(encoding)
    except (UnicodeError, LookupError):
        return False
    return True
