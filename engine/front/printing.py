"""How commands print: data to stdout, narration to stderr, and nothing raw to a terminal."""

import json
import shutil
import sys
import textwrap
from typing import Any

from engine.figures import GAP
from engine.safe_text import clean_line, escape_json

FOUND, NOT_FOUND = 0, 1
"""Exit statuses; wrong usage is told by an exception."""


def print_json(value: Any) -> None:
    """Print ``value`` so that no terminal is touched by what is in it."""
    print(escape_json(json.dumps(value, ensure_ascii=False, indent=2)))


def narrate(text: str, width: int = 0) -> None:
    """Print one line of narration, as several of at most ``width`` characters where it is given."""
    print(wrapped(plain_line(text), width), file=sys.stderr, flush=True)


def plain_line(text: str) -> str:
    """Return ``text`` as one safe line whose figures can be searched for: with plain spaces."""
    return clean_line(text).replace(GAP, " ")


def width() -> int:
    """Return how many characters a line of the terminal holds with certainty."""
    return max(20, shutil.get_terminal_size().columns - 1)


def wrapped(text: str, width: int) -> str:
    """Return ``text`` in lines of at most ``width`` characters that end between words.

    What is indented stays so, and what has no space is left in one piece. 0: any width.
    """
    if not width:
        return text
    return "\n".join(row for line in text.split("\n") for row in _rows(line, width))


def _rows(line: str, width: int) -> list[str]:
    indent = line[: len(line) - len(line.lstrip())]
    return textwrap.wrap(
        line,
        width,
        subsequent_indent=indent,
        expand_tabs=False,
        replace_whitespace=False,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [""]


def with_detail(state: str, detail: str) -> str:
    """``watching``, or ``failed (why)``."""
    return f"{state} ({detail})" if detail else state


def says_yes(question: str) -> bool:
    """Ask a person on the terminal; anything but yes is no."""
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def can_be_asked() -> bool:
    """Whether there is a person to answer."""
    return not what_is_no_terminal()


def what_is_no_terminal() -> str:
    """Return what keeps a person from being asked; empty where one can be."""
    if not sys.stdin.isatty():
        return "the input"
    return "" if sys.stderr.isatty() else "the error output"
