"""Two rankings → one, with every number that led to it.

Each arm's scores are brought to the range from 0, at its hundredth hit, to 1, at its best; the
fused score is their weighted mean. The weight was chosen by measurement on all collections of
``benchmarks/retrieval.md`` together, against reciprocal rank fusion and other weights.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.store import Neighbour

DEPTH = 100
"""Hits of each arm that are compared; the last of them counts as 0."""
DENSE_WEIGHT = 0.5
"""Weight of the dense arm, where the encoder can read the query; the rest is BM25's."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A row with its place in each arm, and its fused score."""

    row: int
    score: float
    """From 0 to 1."""
    distance: float | None
    dense_rank: int | None
    bm25_rank: int | None
    bm25_score: float | None


def fuse(
    dense: Sequence[Neighbour],
    bm25: Sequence[Neighbour],
    distances: dict[int, float],
    *,
    weight: float,
) -> list[Ranked]:
    """Return the rows of both arms, best first; ``weight`` is the dense arm's, from 0 to 1.

    ``distances`` are those of rows that the dense arm did not return; a row may stand there alone.
    """
    near, by_words = _Arm(dense), _Arm(bm25)
    known = distances | near.scores
    ranked = [
        Ranked(
            row=row,
            score=weight * near.share(known.get(row)) + (1 - weight) * by_words.share_of(row),
            distance=known.get(row),
            dense_rank=near.ranks.get(row),
            bm25_rank=by_words.ranks.get(row),
            bm25_score=by_words.scores.get(row),
        )
        for row in dict.fromkeys([*near.ranks, *by_words.ranks, *distances])
    ]
    worst = len(ranked) + 1
    return sorted(
        ranked,
        key=lambda hit: (-hit.score, min(hit.dense_rank or worst, hit.bm25_rank or worst), hit.row),
    )


class _Arm:
    """One ranking, and what its scores are worth."""

    def __init__(self, found: Sequence[Neighbour]) -> None:
        self.ranks = {neighbour.row: rank for rank, neighbour in enumerate(found, 1)}
        self.scores = {neighbour.row: neighbour.distance for neighbour in found}
        compared = found[:DEPTH]
        self._best = compared[0].distance if compared else 0.0
        self._range = self._best - (compared[-1].distance if compared else 0.0)

    def share_of(self, row: int) -> float:
        return self.share(self.scores.get(row))

    def share(self, score: float | None) -> float:
        """Return where ``score`` lies between the last of the arm, 0, and its best, 1."""
        if score is None or not self.ranks:
            return 0.0
        if self._range <= 0:  # one hit, or all alike
            return float(score >= self._best)
        return min(1.0, max(0.0, 1 - (self._best - score) / self._range))


def rows_without_distance(
    dense: Iterable[Neighbour], bm25: Iterable[Neighbour], others: Iterable[int] = ()
) -> list[int]:
    """Return the rows that the dense arm did not find: those of BM25, and ``others``."""
    near = {neighbour.row for neighbour in dense}
    rows = dict.fromkeys([*(neighbour.row for neighbour in bm25), *others])
    return [row for row in rows if row not in near]
