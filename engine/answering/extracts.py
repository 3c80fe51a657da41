"""Hits and question → sentences quoted word for word, each with its hit.

A unit (see ``quotable``) is chosen for the words it shares with the question, rare ones more, for
what it stands under, and for its hit's distance; where these leave it open, for the encoder's
similarity.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from engine import wanted
from engine.answering.quotable import Unit, units
from engine.chunks.stop_words import STOP_WORDS
from engine.wire.api_answer import Extract
from engine.wire.api_search import Hit

if TYPE_CHECKING:
    from engine.encoding.embedding import Encoder

Similarity = Callable[[list[str]], list[float]]

MOST = 3
"""Quotations at most."""
SHORTLIST = 2
"""Units that are embedded at most: as many as an encoder does in a few hundredths of a second."""
CLOSE = 0.1
"""How near two units must be by their words for the encoder to decide between them.

On XQuAD that is one question in five; asking it more often costs time and finds no more answers.
"""
ENOUGH = 120
"""Characters of a unit from which the encoder tells what it is about."""
MOST_UNITS = 400
"""Units that are looked at, over all hits."""
LEAST = 0.05
"""Score of a second or third quotation, at least: what has nothing to do with the question."""
ECHO = 0.7
"""Taken from the score of a unit that repeats the question …"""
MOST_NEWS_IN_ECHO = 1
"""… and has no more words of its own than this."""
COMFORTABLE = 320
"""Characters up to which a quotation is read at a glance."""
NEARNESS = 0.6
"""Weight of the encoder's similarity; all the words of the question weigh 1."""
DISTANCE = 0.8
"""What a unit loses for each unit of distance that its hit lies behind the best."""
CONTINUATION = 0.1
"""What a unit gains for standing beside one already chosen."""
INTRODUCED = 0.5
"""What a word of the question counts that stands in the sentence above the list of an item."""
WORSE = 1.0
"""How far below the best a further quotation may lie."""

_WORD = re.compile(r"[^\W_]+(?:[._'-][^\W_]+)*|\w+")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+(?:[.,]\d+)*|[^\W\d_a-zA-Z]+")
_WIDE = re.compile("[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_NUMBER = re.compile(r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|dozen)\b")
_DEFINES = re.compile(
    r"\b(?:is|are) (?:an?|the|used)\b|\b(?:means?|defines?|denotes?|specif(?:y|ies)|controls?|"
    r"refers? to|stands? for|determines?|represents?|limits?|parameter)\b",
    re.IGNORECASE,
)
_ASKS_MEANING = re.compile(
    r"\b(?:mean|means|meaning|define|definition|explain|describe|what (?:is|are|does|do))\b",
    re.IGNORECASE,
)
_ASKS_NUMBER = re.compile(
    r"\b(?:how (?:many|much|long|old|large|big|far|fast|often|high|tall)|when|which year|"
    r"what (?:year|date|percent\w*|number|size|score|time)|default|limit|maximum|minimum)\b",
    re.IGNORECASE,
)
_ASKS_NAME = re.compile(r"\b(?:who|whom|whose|where)\b", re.IGNORECASE)
_NAME = re.compile(r"(?<=[\w,;:'’)\-] )[A-Z][\w’'-]+")
_ENDINGS = ("ation", "ingly", "ment", "ing", "edly", "ed", "ly")


@dataclass(slots=True)
class _Candidate:
    hit: Hit
    unit: Unit
    text: str
    words: Counter[str]
    header: frozenset[str]
    """Words of the header of its table, or of the line that introduces its list."""
    heading: frozenset[str]
    before: "_Candidate | None" = None
    """The unit before it in its hit."""
    score: float = 0.0


def quote(question: str, hits: Sequence[Hit], *, encoder: "Encoder") -> list[Extract]:
    """Return one to three quotations from ``hits`` that bear on ``question``; blocking."""

    def similarity(sentences: list[str]) -> list[float]:
        wanted.check()
        asked = encoder.encode_query(question)
        return [float(value) for value in encoder.encode_now(sentences) @ asked]

    return choose(question, hits, similarity=similarity)


def choose(
    question: str,
    hits: Sequence[Hit],
    *,
    similarity: Similarity | None = None,
) -> list[Extract]:
    """Return one to three quotations from ``hits``, best first; none if no hit has words.

    Each text is a substring of its hit's text. ``similarity`` returns how near each of a few texts
    is to the question, from -1 to 1.
    """
    found = _candidates(hits)
    pool = [candidate for candidate in found if not _asks(question, candidate.text)] or found
    if not pool:
        return _anything(hits)
    _score(question, pool)
    pool.sort(key=lambda candidate: -candidate.score)
    if similarity:
        _decide(pool, similarity)
    chosen: list[_Candidate] = []
    while pool and len(chosen) < MOST:
        best = max(pool, key=lambda c: c.score + CONTINUATION * _continues(c, chosen))
        pool = [candidate for candidate in pool if candidate is not best]
        if not chosen or (best.score > LEAST and _adds(best, chosen)):
            chosen.append(best)
    return [Extract(text=candidate.text, hit=candidate.hit.rank) for candidate in chosen]


def _candidates(hits: Sequence[Hit]) -> list[_Candidate]:
    """Return every unit of every hit; a text that overlapping chunks repeat counts once."""
    found: dict[str, _Candidate] = {}
    for hit in hits:
        heading = frozenset(_words(hit.heading))
        before = None
        for unit in units(hit.text):
            text = hit.text[unit.start : unit.end]
            if text in found or len(found) >= MOST_UNITS:
                continue
            header = frozenset(_words(unit.context))
            words = Counter(_words(text))
            before = _Candidate(hit, unit, text, words, header, heading, before)
            found[text] = before
    return list(found.values())


def _anything(hits: Sequence[Hit]) -> list[Extract]:
    """Quote the first line with anything in it, where no hit has a sentence."""
    for hit in hits:
        for line in hit.text.splitlines():
            if line.strip():
                return [Extract(text=line.strip(), hit=hit.rank)]
    return []


def _score(question: str, candidates: list[_Candidate]) -> None:
    asked = {word: 1.5 if _is_exact(word) else 1.0 for word in _words(question)}
    holding = Counter(word for candidate in candidates for word in candidate.words)
    weights = {
        word: exactness * math.log(1 + (len(candidates) + 0.5) / (holding[word] + 0.5))
        for word, exactness in asked.items()
        if holding[word]
    }
    whole = sum(weights.values()) or 1.0
    best_distance = max(candidate.hit.distance or 0 for candidate in candidates)
    for candidate in candidates:
        overlap = sum(weight * _presence(word, candidate) for word, weight in weights.items())
        candidate.score = (
            overlap / whole
            + _kind_bonus(question, candidate)
            - _faults(candidate)
            - ECHO * _repeats(asked, candidate)
            - DISTANCE * max(0.0, best_distance - (candidate.hit.distance or 0))
            - 0.01 * candidate.hit.rank
        )


def _decide(best_first: Sequence[_Candidate], similarity: Similarity) -> None:
    """Let the encoder decide between the best units where their words leave it open."""
    least = best_first[0].score - CLOSE
    close = [candidate for candidate in best_first[:SHORTLIST] if candidate.score >= least]
    if len(close) == 1:
        return
    near = similarity([candidate.text[:ENOUGH] for candidate in close])
    usual = sum(near) / len(near)
    for candidate, value in zip(close, near, strict=True):
        candidate.score += NEARNESS * (value - usual)


def _asks(question: str, text: str) -> bool:
    """Whether ``text`` holds the question itself, word for word and as a question."""
    asked = _plain(question)
    return "?" in text and len(asked.split()) > 2 and asked in _plain(text)


def _repeats(asked: Mapping[str, float], candidate: _Candidate) -> bool:
    """Whether a unit says little more than the question itself, as a page about it may do."""
    said = candidate.words.keys()
    return (
        len(said & asked.keys()) >= 0.8 * len(asked)
        and len(said - asked.keys()) <= MOST_NEWS_IN_ECHO
    )


def _presence(word: str, candidate: _Candidate) -> float:
    """Return how much a unit is about a word: by saying it, or by standing under it."""
    if word in candidate.words:
        return 1.0
    if candidate.unit.is_row and (word in candidate.header or word in candidate.heading):
        return 0.8
    if word in candidate.header:
        return INTRODUCED
    return 0.35 if word in candidate.heading else 0.0


def _kind_bonus(question: str, candidate: _Candidate) -> float:
    """Return how well the form of a unit fits what is asked for."""
    bonus = 0.0
    if _ASKS_MEANING.search(question) and _DEFINES.search(candidate.text):
        bonus += 0.08
    if _ASKS_NUMBER.search(question) and _NUMBER.search(candidate.text):
        bonus += 0.08
    if _ASKS_NAME.search(question) and _NAME.search(candidate.text):
        bonus += 0.05
    return bonus


def _faults(candidate: _Candidate) -> float:
    """Return what speaks against quoting a unit."""
    text, unit = candidate.text.rstrip("\"'”’ "), candidate.unit
    fault = 0.1 * unit.is_code
    if len(text) > COMFORTABLE:
        fault += 0.1 * (len(text) / COMFORTABLE - 1)
    if len(text.split()) < 4:
        fault += 0.2
    if unit.start == 0 and text[0].islower() and not unit.is_code:
        fault += 0.15  # its beginning is in the chunk before
    at_end = not candidate.hit.text[unit.end :].strip()
    if at_end and not (unit.is_row or unit.is_code) and text[-1] not in '.!?…。！？:;)`"”':
        fault += 0.05
    if text.endswith("?"):
        fault += 0.15
    if text.endswith(":"):
        fault += 0.1
    return fault + 0.1 * ("</" in text)


def _continues(candidate: _Candidate, chosen: Sequence[_Candidate]) -> bool:
    return any(candidate.before is other or other.before is candidate for other in chosen)


def _adds(candidate: _Candidate, chosen: Sequence[_Candidate]) -> bool:
    """Whether a unit says more than those already chosen, and is not far worse."""
    words = set(candidate.words)
    for other in chosen:
        shared = len(words & set(other.words))
        if shared >= 0.8 * min(len(words), len(other.words)):
            return False
    return candidate.score > chosen[0].score - WORSE


def _is_exact(word: str) -> bool:
    """Numbers and identifiers are meant as they are written."""
    return any(map(str.isdigit, word)) or "_" in word


def _plain(text: str) -> str:
    """Return the words of ``text`` alone, so that one text can be looked for in another."""
    return f" {' '.join(_WORD.findall(text.casefold()))} "


def _words(text: str) -> Iterable[str]:
    for word in _WORD.findall(text):
        yield from _forms(word)


@lru_cache(20_000)
def _forms(word: str) -> tuple[str, ...]:
    """Return what a word counts as: its stem, and the stems of an identifier's parts."""
    if _WIDE.search(word):
        return tuple(word[at : at + 2] for at in range(max(1, len(word) - 1)))
    folded = word.casefold()
    if folded in STOP_WORDS:
        return ()
    parts = _PART.findall(word)
    forms = [_stem(folded)]
    if len(parts) > 1:
        forms += [_stem(part.casefold()) for part in parts if part.casefold() not in STOP_WORDS]
    return tuple(dict.fromkeys(forms))


def _stem(word: str) -> str:
    word = word.removesuffix("'s").removesuffix("’s")
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-3] + "y" if word.endswith("ies") else word[:-1]
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)].rstrip("e")
    return word.rstrip("e") if len(word) > 4 else word
