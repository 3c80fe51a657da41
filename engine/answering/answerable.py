"""Whether any hit is near enough to hold an answer, told from retrieval before a model is asked.

Two signals are added up: the share of the question's words (stems, without those that say nothing)
that the first hit and its headings hold, and how near the nearest hit is, counted from what is
usual: ``(distance - usual) / (1 - usual)``, where ``usual`` is the median distance of chunks of the
folder, taken at random. So an encoder whose vectors are all alike is no nearer than one
whose vectors are not. Below ``ENOUGH`` the answer is not found.

Fitted and tested by ``benchmarks/citations.py``, whose page has the figures: threshold and
precision are much the same on encyclopedic paragraphs and on product documentation, where however
far fewer questions are told to be without an answer, since other sections still say most of it.
Rarity of words, BM25's score, margins between hits, and the encoder's similarity to single
sentences were tried too, and added nothing that held on both collections.

Nothing is ever called not found where the signals mean little: in a language that the encoder or
the list of function words does not know, or other than that of the hits, in a small folder, and of
a lone hit that holds all words of the question.
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from engine.chunks.lexical import words
from engine.chunks.stop_words import RUSSIAN_STOP_WORDS, STOP_WORDS
from engine.wire.api_search import Hit

if TYPE_CHECKING:
    from engine.encoding.embedding import Encoder
    from engine.storage.index import Index

ENOUGH = 0.92
"""Sum of both signals from which a hit may hold the answer."""
LEGIBLE = 0.9
"""How far the encoder has to be able to read the question."""
ASKED, WRITTEN = 0.25, 0.1
"""Share of function words by which the language of a question, and of hits, is known."""
LEAST_CHUNKS = 20
"""Chunks that tell what distance is usual, at least …"""
SAMPLE = 64
"""… and at most."""

_WORD = re.compile(r"\w+")
_FUNCTION_WORDS = {"en": STOP_WORDS, "ru": RUSSIAN_STOP_WORDS}


class Signals(NamedTuple):
    """What retrieval tells of a question."""

    words: float
    """Share of the question's words that the first hit holds, from 0 to 1."""
    nearness: float
    """Of the nearest hit: 0 what is usual, 1 the same text."""

    @property
    def found(self) -> bool:
        """Whether a hit may hold the answer."""
        return self.words + self.nearness >= ENOUGH


def is_not_found(question: str, hits: Sequence[Hit], encoder: "Encoder", index: "Index") -> bool:
    """Return whether no hit is near enough to answer ``question``; blocking.

    Hits without a distance are those of an exact search or of filters alone, and always answer.

    Raises:
        ModelError: the encoder failed or was closed.
        ManifestError: the manifest can't be read.
    """
    distances = [hit.distance for hit in hits if hit.distance is not None]
    if not distances or not _can_tell(question, hits, encoder):
        return False
    usual = index.usual_distance(encoder.encode_query(question), LEAST_CHUNKS, SAMPLE)
    if usual is None or usual >= 1:
        return False
    told = signals(question, hits, usual)
    # A lone chunk, as filters may leave it, competes with none: its distance tells little.
    holds_all = len(hits) == 1 and told.words == 1
    return not (holds_all or told.found)


def signals(question: str, hits: Sequence[Hit], usual: float) -> Signals:
    """Return what ``hits``, best first and at least one, tell of ``question``."""
    asked = set(words(question))
    held = set(words(f"{hits[0].heading} {hits[0].text}"))
    nearest = max(hit.distance or 0.0 for hit in hits)
    return Signals(len(asked & held) / max(1, len(asked)), (nearest - usual) / (1 - usual))


def _can_tell(question: str, hits: Sequence[Hit], encoder: "Encoder") -> bool:
    """Whether question and hits are in one language, which is known, and the encoder reads it."""
    asked_in = language(question, ASKED)
    written_in = language(" ".join(hit.text for hit in hits), WRITTEN)
    return asked_in == written_in != "" and encoder.trust(question) >= LEGIBLE


def language(text: str, least: float) -> str:
    """Return the language, if ``least`` of the words are its function words; empty for another."""
    found = [word.replace("ё", "е") for word in _WORD.findall(text.casefold())]
    for name, known in _FUNCTION_WORDS.items():
        if found and sum(word in known for word in found) >= least * len(found):
            return name
    return ""
