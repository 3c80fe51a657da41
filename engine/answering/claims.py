"""What a text claims that can be looked up: words, numbers, names, quotations, negations."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, islice
from typing import NamedTuple

from engine.chunks.lexical import words
from engine.safe_text import bare

MOST_CHARACTERS = 4000
"""Of a text that is looked at: no sentence and no passage is longer."""
MOST_SLOTS = 100
"""Numbers and names of a text that are looked at."""

_TOKEN = re.compile(
    r"(?:(?<![^\s(|])[-−‐‑–﹣－])?\d+(?:[.,]\d+)*(?![\w])|\w+(?:[-'’.&_]\w+)*|[^\w\s]"
)
_MINUS = re.compile("[−‐‑–﹣－]")
_SPELT_MINUS = re.compile(r"\b(?:minus|минус|moins)\s+(?=\d)", re.IGNORECASE)
_NUMBER = re.compile(r"[-−‐‑–﹣－]?\d+(?:[.,]\d+)*")
_GROUPED = re.compile(r"-?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_SPELT = [
    *("zero", "one", "two", "three", "four", "five", "six"),
    *("seven", "eight", "nine", "ten", "eleven", "twelve"),
]
_TEENS = ("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_NUMBER_WORDS = {word: str(value) for value, word in enumerate([*_SPELT, *_TEENS])}
_NUMBER_WORDS |= {
    f"{ten}-{_SPELT[one]}" if one else ten: str(value * 10 + one)
    for value, ten in enumerate(_TENS, 2)
    for one in range(10)
}
_NUMBER_WORDS |= {"dozen": "12", "hundred": "100", "thousand": "1000", "million": "1000000"}
_SAY_LITTLE = frozenset({"one", "zero"})
_ENDS = frozenset('.!?:;•|"“”«»()[]`*#>\n')
_SENTENCE_ENDS = frozenset(".!?…。！？")
_NEGATION = re.compile(
    r"(?:not|never|no|none|nor|neither|nobody|nothing|without|cannot|unable|hardly|\w+n['’]t"
    r"|(?:is|are|was|were|do|does|did|has|have|had|could|would|should|must|need|ca|wo)nt"
    r"|не|нет|нельзя|ни|без|никогда|nicht|kein\w*|nie|ohne)",
    re.IGNORECASE,
)
_CLAUSE_ENDS = frozenset(".;:!?,()\n")
_DENIED = 2
"""Words after a negation that it denies."""
_FAR, _FADES = 6, 0.8
"""Words on each side of a number or name that tell what it is of, each less than one nearer."""
_QUOTED = re.compile(r"“([^”\n]{3,300})”|\"([^\"\n]{3,300})\"|`([^`\n]{2,200})`|«([^»\n]{3,300})»")
_POSSESSIVE = re.compile(r"['’]s?$")
_PLAIN = re.compile(r"\w+")
_INSIDE_WORD = re.compile(r"(?<=\w)(?:[*`]+|~~)(?=\w)")
"""Marks of Markdown that nobody sees in the middle of a word: ``n*o*t``."""
_APOSTROPHES = str.maketrans(dict.fromkeys("ʼ´′＇‛", "'"))


class Slot(NamedTuple):
    """A number or a name, and the words around it."""

    value: frozenset[str]
    """A name's stems; a number as digits."""
    is_number: bool
    around: dict[str, float]
    """Stems near it, each with a weight from 0 to 1 that falls with the distance."""
    says_little: bool
    """Whether it is a word such as "one", which need not be meant as a number."""


@dataclass(frozen=True)
class Claims:
    """What can be looked up of a text; stems are those of ``engine.chunks.lexical``."""

    stems: frozenset[str]
    slots: tuple[Slot, ...]
    quoted: tuple[str, ...]
    """Quotations as :func:`plain` writes them."""
    denied: frozenset[str]
    """Stems that a negation denies …"""
    affirmed: frozenset[str]
    """… and those that stand in the text without one."""

    @property
    def numbers(self) -> frozenset[str]:
        """All numbers, as digits."""
        return frozenset().union(*(slot.value for slot in self.slots if slot.is_number))


class _Token(NamedTuple):
    text: str
    stems: tuple[str, ...]
    number: str
    """As digits; empty for a word."""
    is_name: bool


def claims_of(text: str, *, generous: bool = False, around: bool = True) -> Claims:
    """Return what ``text`` claims, as far as ``MOST_CHARACTERS``.

    ``generous``: a word with a capital at the beginning of a sentence is a name, too. Without
    ``around``, which takes most of the time, nothing is known of what stands around the slots.
    """
    text = bare(text[:MOST_CHARACTERS]).translate(_APOSTROPHES)
    tokens = list(_tokens(_SPELT_MINUS.sub("-", _INSIDE_WORD.sub("", text)), generous))
    denied = _denied(tokens)
    stems = [stem for token in tokens for stem in token.stems]
    affirmed = (stem for at, token in enumerate(tokens) if at not in denied for stem in token.stems)
    return Claims(
        stems=frozenset(stems),
        slots=tuple(islice(_slots(tokens, around), MOST_SLOTS)),
        quoted=tuple(_quotations(text)),
        denied=frozenset(stem for at in denied for stem in tokens[at].stems),
        affirmed=frozenset(affirmed),
    )


def plain(text: str) -> str:
    """Return the words of ``text`` alone, so that one text can be looked for in another."""
    return f" {' '.join(_PLAIN.findall(bare(text).casefold()))} "


def _tokens(text: str, generous: bool) -> Iterator[_Token]:
    starts = True
    for match in _TOKEN.finditer(text):
        word = _POSSESSIVE.sub("", match[0]) or match[0]
        number = _number(word)
        stems = () if number else _stems(word)
        yield _Token(word, stems, number, bool(stems) and _is_name(word, starts and not generous))
        starts = word in _ENDS or (starts and not word[0].isalnum())


@lru_cache(20_000)
def _stems(word: str) -> tuple[str, ...]:
    """Return the stems of a word; the same ones stand in window after window of a passage."""
    return tuple(words(word))


def _number(word: str) -> str:
    if not _NUMBER.fullmatch(word):
        return _NUMBER_WORDS.get(word.casefold(), "")
    word = _MINUS.sub("-", word)
    return word.replace(",", "") if _GROUPED.fullmatch(word) else word


def _is_name(word: str, starts: bool) -> bool:
    """Whether a word is a name: written with capitals inside a sentence, or an identifier."""
    if "_" in word or any(map(str.isupper, word[1:])) or any(map(str.isdigit, word)):
        return True
    return word[0].isupper() and not starts


def _slots(tokens: Sequence[_Token], around: bool) -> Iterator[Slot]:
    """Yield the numbers and names; words of one name that stand together are one."""
    for key, run in groupby(enumerate(tokens), key=lambda one: _kind(*one)):
        if not key:
            continue
        places = [at for at, _ in run]
        first, last = places[0], places[-1]
        value = frozenset(
            [tokens[first].number]
            if tokens[first].number
            else [stem for at in places for stem in tokens[at].stems]
        )
        near = _around(tokens, first, last) if around else {}
        says_little = tokens[first].text.casefold() in _SAY_LITTLE
        yield Slot(value, bool(tokens[first].number), near, says_little)


def _kind(at: int, token: _Token) -> str:
    """Return what groups neighbours: each number is alone, names stand together."""
    return str(at) if token.number else "name" if token.is_name else ""


def _around(tokens: Sequence[_Token], first: int, last: int) -> dict[str, float]:
    """Return the stems around a slot; a comma counts as two words between."""
    near: dict[str, float] = {}
    for places in (range(first - 1, -1, -1), range(last + 1, len(tokens))):
        distance = 0
        for token in map(tokens.__getitem__, places):
            if token.text in _SENTENCE_ENDS or distance >= _FAR:
                break
            for stem in token.stems:
                near[stem] = max(near.get(stem, 0.0), _FADES**distance)
            distance += 2 if token.text in _CLAUSE_ENDS else bool(token.stems)
    return near


def _denied(tokens: Sequence[_Token]) -> set[int]:
    """Return the places of the words that a negation denies."""
    found: set[int] = set()
    for at, token in enumerate(tokens):
        following = tokens[at + 1].text.casefold() if at + 1 < len(tokens) else ""
        word = unicodedata.normalize("NFKC", token.text)
        if _NEGATION.fullmatch(word) and following != "only":
            found.update(_after(tokens, at))
    return found


def _after(tokens: Sequence[_Token], at: int) -> Iterator[int]:
    left = _DENIED
    for place in range(at + 1, len(tokens)):
        if not left or tokens[place].text in _CLAUSE_ENDS:
            return
        if tokens[place].stems:
            left -= 1
            yield place


def _quotations(text: str) -> Iterator[str]:
    for match in _QUOTED.finditer(text):
        quoted = plain(next(filter(None, match.groups())))
        if quoted.strip():
            yield quoted
