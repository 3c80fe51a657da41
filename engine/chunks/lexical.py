"""Text → the words that BM25 compares: one way for documents and queries, in any language.

Milvus Lite has no analyzer that serves several languages, so text is cut into words here and Milvus
only takes them apart at the spaces between them. Words are folded (case, width, accents) and
stemmed by the rules of their script: Latin as English, Cyrillic as Russian, and so on. Scripts
without spaces between words become single characters and pairs of neighbouring ones.
A compound such as ``max_degree`` or ``HttpServer`` stands as a whole and in its parts.
"""

import re
import threading
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

import Stemmer

from engine.chunks.stop_words import RUSSIAN_STOP_WORDS, STOP_WORDS

LEXICAL_VERSION = 2
"""Grows whenever the same text would give other words: Milvus is then filled anew."""
LONGEST_WORD = 64
"""Characters of a word that count: what is longer is no word anybody types."""

_HAN = "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
UNSPACED = (
    _HAN + "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    "\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u31f0-\u31ff\uac00-\ud7af"  # Hangul, Kana
)
is_unspaced = re.compile(f"[{UNSPACED}]").search
"""Whether a text holds a character of a script that has no spaces between words."""
is_han = re.compile(f"[{_HAN}]").search
_TOKEN = re.compile(rf"(?P<unspaced>[{UNSPACED}]+)|(?:(?![{UNSPACED}])\w)+")
_CHANGE_OF_CASE = re.compile(
    r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|_+|(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])"
)
_STEMMERS = (
    ("english", re.compile(r"[a-z]")),
    ("russian", re.compile(r"[\u0400-\u04ff]")),
    ("greek", re.compile(r"[\u0370-\u03ff]")),
    ("arabic", re.compile(r"[\u0600-\u06ff]")),
    ("hindi", re.compile(r"[\u0900-\u097f]")),
    ("armenian", re.compile(r"[\u0530-\u058f]")),
    ("tamil", re.compile(r"[\u0b80-\u0bff]")),
)
_SAY_NOTHING = STOP_WORDS | RUSSIAN_STOP_WORDS
_own = threading.local()


def words(text: str) -> list[str]:
    """Return the words of ``text`` as BM25 compares them, in order; none holds whitespace."""
    found: list[str] = []
    for match in _TOKEN.finditer(unicodedata.normalize("NFKC", text)):
        if match["unspaced"]:
            found += _pairs(match[0])
        else:
            found += _forms(match[0])
    return found


def _pairs(run: str) -> list[str]:
    return [*run, *(first + second for first, second in pairwise(run))]


@lru_cache(100_000)
def _forms(token: str) -> tuple[str, ...]:
    """Return a word as it is compared: nothing for a stop word, also the parts of a compound."""
    whole = _fold(token)
    parts = [_fold(part) for part in _CHANGE_OF_CASE.split(token) if part]
    known = [whole, *(part for part in parts if part != whole)]
    return tuple(_stem(word[:LONGEST_WORD]) for word in known if word and word not in _SAY_NOTHING)


def _fold(token: str) -> str:
    folded = token.casefold().strip("_")
    if folded.isascii():
        return folded
    return "".join(_without_accents(folded)).replace("ё", "е")


def _without_accents(word: str) -> Iterator[str]:
    """Yield the letters; accents are left out of Latin and Greek ones, elsewhere they matter."""
    for letter in word:
        plain = unicodedata.normalize("NFD", letter)[0]
        yield plain if plain < "\u0400" else letter


def _stem(word: str) -> str:
    for language, letters in _STEMMERS:
        if letters.search(word):
            return str(_stemmer(language).stemWord(word))
    return word


def _stemmer(language: str) -> Stemmer.Stemmer:
    """Return this thread's stemmer: one can't be used by two threads."""
    known: dict[str, Stemmer.Stemmer] = _own.__dict__.setdefault("stemmers", {})
    if language not in known:
        known[language] = Stemmer.Stemmer(language)
    return known[language]
