"""Whether passages support a sentence, and which: decided without a second model.

What a sentence quotes has to stand in the passage word for word. Its numbers and names have to
stand there too, and no other number or name where the passage says the same otherwise. What it
denies must not be affirmed there, nor the other way round. What is left is a matter of degree: the
share of its words that a few neighbouring sentences hold, rarer ones more, and the encoder's
similarity to these.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from engine.answering.claims import Claims, Slot, claims_of, plain
from engine.answering.quotable import units
from engine.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine.encoding.embedding import Encoder

ENOUGH = 0.78
"""Share of words plus weighted similarity that a supported sentence has, at least.

Fitted by ``benchmarks/citations.py``.
"""
SIMILARITY = 0.5
"""Weight of the encoder's similarity; all the words of a sentence weigh 1."""
SAME_WORDS, OTHER_WORDS = 0.95, 0.25
"""Shares of words from which, and below which, the encoder need not be asked."""
LEGIBLE = 0.5
"""How far the encoder has to be able to read the question, to be asked at all."""
NEIGHBOURS = 3
"""Sentences of a passage that are looked at together, at most; besides, all of it."""
EACH_MORE = 0.04
"""What each of them after the first takes from the share of words."""
HINT = 0.1
"""What a passage gains that the model itself named."""
WITHIN = 0.3
"""How much fewer words a window may share than the best, to be preferred for having no fault."""
RIVAL = 0.2
"""How much better the surroundings of another number or name may agree with the sentence than those
of its own, as a share of all that could agree."""
MOST_WINDOWS = 2000
"""Of all passages together."""
LONGEST_EMBEDDED = 600
"""Characters of a text that the encoder is given."""


class Passage(NamedTuple):
    """A text that may support sentences."""

    rank: int
    """Of the hit it belongs to."""
    title: str
    """Words it stands under."""
    text: str


@dataclass(frozen=True)
class Found:
    """The best that passages have for a sentence."""

    rank: int
    words: float
    """Share of the sentence's words, from 0 to 1."""
    fault: str = ""
    """What the passage lacks or contradicts: ``number``, ``name``, ``quotation``, ``negation``."""
    similarity: float | None = None
    """None where the encoder was not asked."""

    @property
    def score(self) -> float:
        """How well they agree."""
        near = self.words if self.similarity is None else self.similarity
        return self.words + SIMILARITY * near

    @property
    def supported(self) -> bool:
        """Whether the passage supports the sentence."""
        return not self.fault and self.score >= ENOUGH


@dataclass(frozen=True)
class _Known:
    """A passage, and what it claims."""

    passage: Passage
    title: frozenset[str]
    slots: tuple[Slot, ...]
    plain: str


@dataclass(frozen=True)
class _Window:
    """Neighbouring sentences of a passage, or all of it."""

    known: _Known
    text: str
    length: int
    claims: Claims

    @property
    def stems(self) -> frozenset[str]:
        return self.claims.stems | self.known.title


class Support:
    """The passages of one answer. Blocking; for one thread at a time."""

    def __init__(
        self, passages: Sequence[Passage], question: str, encoder: "Encoder | None" = None
    ) -> None:
        """Without ``encoder``, or where it can't read the question, words alone decide."""
        self._encoder = encoder if encoder and encoder.trust(question) >= LEGIBLE else None
        self._asked = claims_of(question).stems
        self._windows = list(islice(_windows(map(_known, passages)), MOST_WINDOWS))
        single = [window.claims.stems for window in self._windows if window.length == 1]
        self._sentences = len(single)
        self._holding = Counter(stem for stems in single for stem in stems)
        self._vector = lru_cache(500)(self._embedded)

    def find(self, sentence: str, hints: Sequence[int] = ()) -> Found | None:
        """Return what the passages have for ``sentence``; None where it says nothing.

        ``hints`` are ranks that the model named: one of them is preferred where it does as well.
        """
        said = claims_of(sentence)
        weights = {stem: self._weight(stem) for stem in said.stems}
        if not self._windows or not (weights or said.numbers):
            return None
        shares = [(_share(weights, window), window) for window in self._windows]
        shares.sort(key=lambda one: -_worth(one[0], one[1], hints))
        found, window = self._best(said, shares)
        if found.fault or not OTHER_WORDS <= found.words < SAME_WORDS or not self._encoder:
            return found
        try:
            near = self._vector(sentence[:LONGEST_EMBEDDED]) @ self._vector(window.text)
        except ModelError:  # the encoder was closed, or changed for another, in the middle
            return found
        return replace(found, similarity=float(near))

    def _best(
        self, said: Claims, best_first: Sequence[tuple[float, _Window]]
    ) -> tuple[Found, _Window]:
        """Return the best window, or one without a fault that is nearly as good."""
        least = best_first[0][0] - WITHIN
        for share, window in best_first[:_LOOKED_AT]:
            if share >= least and not self._fault(said, window):
                return Found(window.known.passage.rank, share), window
        share, window = best_first[0]
        return Found(window.known.passage.rank, share, self._fault(said, window)), window

    def _fault(self, said: Claims, window: _Window) -> str:
        """Return what speaks against it that ``window`` supports ``said``."""
        known = window.known
        if any(quoted not in known.plain for quoted in said.quoted):
            return "quotation"
        for slot in said.slots:
            kind = "number" if slot.is_number else "name"
            if not self._stands_in(slot, window) or _has_rival(slot, said, known.slots):
                return kind
        return "negation" if _contradicts(said, window.claims) else ""

    def _stands_in(self, slot: Slot, window: _Window) -> bool:
        if slot.is_number:
            return slot.says_little or slot.value <= window.claims.numbers
        return slot.value <= window.stems or slot.value <= self._asked

    def _weight(self, stem: str) -> float:
        return math.log(1 + (self._sentences + 0.5) / (self._holding[stem] + 0.5))

    def _embedded(self, text: str) -> "NDArray[np.float32]":
        assert self._encoder, "only asked where there is one"
        vector: NDArray[np.float32] = self._encoder.encode_now([text[:LONGEST_EMBEDDED]])[0]
        return vector


_LOOKED_AT = 12
"""Windows that are examined for faults, at most."""


def _known(passage: Passage) -> _Known:
    return _Known(
        passage,
        claims_of(passage.title).stems,
        claims_of(passage.text, generous=True).slots,
        plain(f"{passage.title} {passage.text}"),
    )


def _windows(passages: Iterable[_Known]) -> Iterator[_Window]:
    for known in passages:
        text = known.passage.text
        found = [(unit.start, unit.end) for unit in units(text)]
        for length in range(1, NEIGHBOURS + 1):
            for first, last in zip(found, found[length - 1 :], strict=False):
                said = text[first[0] : last[1]]
                yield _Window(known, said, length, claims_of(said, around=False))
        yield _Window(known, text, NEIGHBOURS + 1, claims_of(text, around=False))


def _share(weights: Mapping[str, float], window: _Window) -> float:
    """Return the share of the words of ``weights`` that stand in ``window``, or above it."""
    stems = window.stems
    whole = sum(weights.values())
    return (
        sum(weight for stem, weight in weights.items() if stem in stems) / whole if whole else 1.0
    )


def _worth(share: float, window: _Window, hints: Sequence[int]) -> float:
    return share - EACH_MORE * (window.length - 1) + HINT * (window.known.passage.rank in hints)


def _has_rival(slot: Slot, said: Claims, slots: Sequence[Slot]) -> bool:
    """Whether another number or name stands in a passage where ``said`` has the one of ``slot``."""
    own = other = 0.0
    for known in slots:
        if known.is_number != slot.is_number:
            continue
        if slot.value <= known.value or known.value <= slot.value:
            own = max(own, _agreement(slot, known))
        elif len(known.value & (said.numbers | said.stems)) <= len(known.value) / 2:
            other = max(other, _agreement(slot, known))
    return other - own > RIVAL * sum(slot.around.values())


def _agreement(one: Slot, other: Slot) -> float:
    return sum(
        min(weight, other.around[stem])
        for stem, weight in one.around.items()
        if stem in other.around
    )


def _contradicts(said: Claims, known: Claims) -> bool:
    """Whether ``said`` denies what ``known`` does not, or affirms what that denies."""
    denies = said.denied and not said.denied & known.denied
    denies = denies or (said.denied - said.affirmed) & (known.affirmed - known.denied)
    affirms = (said.affirmed - said.denied) & (known.denied - known.affirmed)
    return bool(denies or affirms)
