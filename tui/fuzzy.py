"""Finding lines by some of their letters, in time that grows with their length alone.

Textual 8.2.8's own matcher tries every way in which the letters may lie: ``eeeee`` in two hundred
characters takes it seconds, and longer ones all of the memory.
"""

from __future__ import annotations

from dataclasses import dataclass

LONGEST = 500
"""Characters of a line that are looked at."""

WHOLE, AT_WORD, SCATTERED = 10.0, 5.0, 1.0
"""Worth of a word that stands in the line as typed, more for where one begins; else of letters."""


@dataclass(frozen=True, slots=True)
class Match:
    """How well a line matches, and where."""

    score: float
    """Larger is better."""
    spans: tuple[tuple[int, int], ...]
    """What of the line was meant: first character, and the one behind the last."""


def match(typed: str, line: str) -> Match | None:
    """Return how ``line`` matches: each typed word as it is, or its letters one after another.

    None where a word does neither. Nothing typed matches everything.
    """
    text = _folded(line[:LONGEST])
    found = [_word(word, text) for word in _folded(typed).split()]
    if not all(found):
        return None
    matches = [each for each in found if each]
    spans = sorted({span for each in matches for span in each.spans})
    return Match(sum(each.score for each in matches), tuple(spans))


def _folded(text: str) -> str:
    """Return ``text`` without case, as long as it was."""
    if len(lower := text.lower()) == len(text):
        return lower
    return "".join(low if len(low := char.lower()) == 1 else char for char in text)


def _word(word: str, text: str) -> Match | None:
    at = _at_word(word, text)
    if at >= 0:
        return Match(WHOLE + AT_WORD, ((at, at + len(word)),))
    at = text.find(word)
    if at >= 0:
        return Match(WHOLE, ((at, at + len(word)),))
    return _scattered(word, text)


def _at_word(word: str, text: str) -> int:
    """Return where ``word`` begins a word; -1 for nowhere."""
    at = text.find(word)
    while at > 0 and text[at - 1].isalnum():
        at = text.find(word, at + 1)
    return at


def _scattered(word: str, text: str) -> Match | None:
    """Find the letters in their order: the first end that they have, and from there backwards."""
    end = -1
    for char in word:
        end = text.find(char, end + 1)
        if end < 0:
            return None
    places = [at := end]
    for char in reversed(word[:-1]):
        places.append(at := text.rfind(char, 0, at))
    width = end - places[-1] + 1
    return Match(SCATTERED * len(word) / width, tuple((at, at + 1) for at in reversed(places)))
