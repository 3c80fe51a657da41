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
    """None where the dense arm did not find it."""
    dense_rank: int | None
    bm25_rank: int | None
    bm25_score: float | None


def fuse(
    dense: Sequence[Neighbour],
    bm25: Sequence[Neighbour],
    *,
    weight: float,
    also: Iterable[int] = (),
) -> list[Ranked]:
    """Return the rows of both arms, best first; ``weight`` is the dense arm's, from 0 to 1.

    A row that an arm did not find is no better there than its last, and counts as 0. So do those of
    ``also`` that neither found, which come last.
    """
    near, by_words = _Arm(dense), _Arm(bm25)
    ranked = [
        Ranked(
            row=row,
            score=weight * near.share_of(row) + (1 - weight) * by_words.share_of(row),
            distance=near.scores.get(row),
            dense_rank=near.ranks.get(row),
            bm25_rank=by_words.ranks.get(row),
            bm25_score=by_words.scores.get(row),
        )
        for row in dict.fromkeys([*near.ranks, *by_words.ranks, *also])
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
        """Return where the score of ``row`` lies from the last of the arm, 0, to its best, 1."""
        score = self.scores.get(row)
        if score is None:
            return 0.0
        if self._range <= 0:  # one hit, or all alike
            return float(score >= self._best)
        return min(1.0, max(0.0, 1 - (self._best - score) / self._range))
