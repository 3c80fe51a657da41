"""Which encoding a text has that is not Unicode, and how sure that is.

Encodings of one byte a character are told by their letters: read in the right one, a text holds
the letters of one language and no sign within a word. Those of several bytes are told by
charset-normalizer.
"""

import math
import re
from collections import Counter
from itertools import pairwise
from typing import NamedTuple

from engine.documents.alphabets import ALPHABETS, SIGNS, WESTERN
from engine.errors import LoadError

SAMPLE = 64_000
"""Bytes of non-ASCII lines from which an encoding is told."""
FEW = 16
"""Non-ASCII bytes below which statistics tell nothing."""
HALF_SURE = 4
"""So many non-ASCII characters that fit make us half as sure as we can be; twice as many halve the
doubt again."""
ALIKE = 0.02
"""Two alphabets that fit a text this nearly as well speak for both."""
COMMON = 0.6
"""The share of a text that the ten most common letters of its language make, at least."""
UNLIKE = 0.9
"""A text of which less fits is of none of the languages."""

_ODD = re.compile(
    r"(?<=[^\W\d_])[^\w\s\0-\x7f’‘´·\xad–—…](?=[^\W\d_])"  # a sign within a word
    r"|\w[²³¼½¾ªº](?=[^\W\d_])"
    r"|[a-zA-Z](?=[\u0370-\u06ff])|(?<=[\u0370-\u06ff])[a-zA-Z]"  # two scripts in a word
)
_WESTERN_ODD = re.compile(r"[^\W\d_a-zA-Z]{4}")  # four accented letters in a row
_PUNCTUATION_IN_CP1252 = re.compile(rb"[\x80-\x9f]")
_ENCODINGS = [
    *("cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1256", "koi8_r", "cp866", "cp850"),
    *("cp932", "euc_jp", "gb18030", "big5", "euc_kr", "tis_620"),
]
"""What people's files are in; among all that exist, rare ones win by chance."""


class Guess(NamedTuple):
    """An encoding by the name Python gives it, and how sure it is: from 0 to 1."""

    encoding: str
    confidence: float


def encoding_of(raw: bytes) -> Guess:
    """Return the encoding of a text that is not UTF-8; cp1252 where too little speaks for another.

    Raises:
        LoadError: it can't be told.
    """
    sample = _telling_lines(raw)
    text = _decoded(sample, "cp1252")
    high = sum(byte > 0x7F for byte in sample)
    if text is not None and _fit(text, WESTERN) == 1 and not _WESTERN_ODD.search(text):
        return Guess("cp1252", _sure(high))
    by_letters = _by_letters(sample, high)
    if by_letters and (by_letters.confidence > 0.45 or high >= FEW):
        return by_letters
    if text is not None and high < FEW and not _PUNCTUATION_IN_CP1252.search(sample):
        return Guess("cp1252", 0.5 * _sure(high))
    from charset_normalizer import from_bytes  # 50 ms, and most folders are all UTF-8

    ranked = [
        (match.encoding, match.chaos) for match in from_bytes(sample, cp_isolation=_ENCODINGS)
    ]
    if ranked:
        (best, chaos), *others = ranked
        doubted = others and others[0][1] - chaos < ALIKE
        return Guess(best, (1 - chaos) * _sure(high // 2) * (0.5 if doubted else 1))
    if text is None:
        raise LoadError("text in an encoding that can't be told")
    return Guess("cp1252", 0.3)


def _telling_lines(raw: bytes) -> bytes:
    sample = bytearray()
    for line in raw.splitlines(keepends=True):
        if not line.isascii():
            sample += line[:SAMPLE]
        if len(sample) > SAMPLE:
            break
    return bytes(sample)


def _decoded(sample: bytes, encoding: str) -> str | None:
    try:
        return sample.decode(encoding)
    except UnicodeDecodeError:
        return None


def _by_letters(sample: bytes, high: int) -> Guess | None:
    """Return the encoding in which ``sample`` holds the letters of one language."""
    fits: dict[str, float] = {}
    for alphabet in ALPHABETS:
        encoding = alphabet.encoding
        if (text := _decoded(sample, encoding)) is not None:
            fit = _fit(text, alphabet.letters)
            if fit >= UNLIKE:
                fits[encoding] = max(fits.get(encoding, 0), fit * _likeness(text, alphabet.common))
    ranked = sorted(fits.items(), key=lambda found: -found[1])
    if not ranked:
        return None
    (best, fit), *others = ranked
    doubted = others and fit - others[0][1] < ALIKE
    return Guess(best, min(fit, 1.0) * _sure(high) * (0.5 if doubted else 1))


def _likeness(text: str, common: frozenset[str]) -> float:
    """Return how much the letters beyond ASCII look like a language's most common ones: 0 to 1."""
    if not common:
        return 1.0
    letters = [char for char in text if char > "\x7f" and char.isalpha()]
    share = sum(char in common for char in letters) / max(len(letters), 1)
    return min(1.0, share / COMMON)


def _fit(text: str, letters: frozenset[str]) -> float:
    """Return the share of the characters beyond ASCII that belong there, from 0 to 1."""
    counted = Counter(char for char in text if char > "\x7f")
    total = counted.total()
    foreign = sum(number for char, number in counted.items() if char not in letters | SIGNS)
    odd = len(_ODD.findall(text)) + _turned(text)
    return max(0.0, 1 - (foreign + odd) / total) if total else 0.0


def _turned(text: str) -> int:
    """Return how often a capital beyond ASCII follows a small letter: KOI8-R read as cp1251."""
    return sum(
        before.islower() and after.isupper() and max(before, after) > "\x7f"
        for before, after in pairwise(text)
    )


def _sure(characters: int) -> float:
    """Return how sure so many characters make us, at most 0.99."""
    return min(0.99, 1 - math.pow(0.5, characters / HALF_SURE))
