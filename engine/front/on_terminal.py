"""How hits are printed for a person at a terminal: a place, and what of the text bears on it."""

import re
import textwrap
from collections.abc import Iterator

from engine.front.printing import width
from engine.safe_text import clean
from engine.wire.api_search import Hit

INDENT = "    "
MOST_LINES = 3
"""Lines of text shown of a hit."""
WIDEST = 100
"""Characters beyond which a line reads badly, however wide the terminal."""

_TOKEN = re.compile(r"\S+")


def lines_of(hit: Hit, place: str, query: str) -> Iterator[str]:
    """Yield the lines that show ``hit``, which stands at ``place``, to who asked ``query``."""
    yield f"{place}  {clean(hit.heading)}".replace("\n", " ").rstrip()
    room = min(WIDEST, width())
    told = snippet(" ".join(clean(hit.text).split()), query, MOST_LINES * (room - len(INDENT)))
    yield from textwrap.wrap(
        told,
        room,
        initial_indent=INDENT,
        subsequent_indent=INDENT,
        max_lines=MOST_LINES,
        placeholder=" …",
    )


def snippet(text: str, query: str, length: int) -> str:
    """Return the part of ``text`` with most of the words of ``query``, the first of equals.

    It has about ``length`` characters; an ellipsis stands where something was left out.
    """
    if len(text) <= length:
        return text
    from engine.chunks import lexical

    wanted = set(lexical.words(query))
    tokens = [(found.start(), found.end()) for found in _TOKEN.finditer(text)]
    held = [wanted.intersection(lexical.words(text[start:end])) for start, end in tokens]
    values = [_value(at, tokens, held, length) for at in range(len(tokens))]
    best = max(values)
    equal = [at for at, value in enumerate(values) if value == best]
    begin = equal[len(equal) // 2] if equal[0] else 0  # what was looked for amid what is around it
    start = tokens[begin][0]
    return ("… " if begin else "") + text[start : start + length].rstrip()


def _value(
    begin: int, tokens: list[tuple[int, int]], held: list[set[str]], length: int
) -> tuple[int, int]:
    """Return how many words of the query stand in the part, each once and all together."""
    end = tokens[begin][0] + length
    stop = next((at for at in range(begin, len(tokens)) if tokens[at][1] > end), len(tokens))
    inside = held[begin:stop]
    return len(set().union(*inside)), sum(map(len, inside))
