"""Two rankings → one, with every number that led to it.

Each arm's scores are brought to the range from 0, at its hundredth hit, to 1, at its best; the
fused score is their weighted mean. The weight was chosen by measurement on all collections of
``benchmarks/retrieval.md`` together, against reciprocal rank fusion and other weights.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from engine.storage.store import Neighbour

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
) -> Iterator[Ranked]:
    """Yield the rows of both arms, best first; ``weight`` is the dense arm's, from 0 to 1.

    A row that an arm did not find is no better there than its last, and counts as 0. So do those of
    ``also`` that neither found, which come last.
    """
    near, by_words = _Arm(dense), _Arm(bm25)
    worst = len(near.ranks) + len(by_words.ranks) + 1
    ordered = sorted(
        (
            -weight * near.shares.get(row, 0.0) - (1 - weight) * by_words.shares.get(row, 0.0),
            min(near.ranks.get(row, worst), by_words.ranks.get(row, worst)),
            row,
        )
        for row in {*near.ranks, *by_words.ranks, *also}
    )
    for worth, _, row in ordered:
        yield Ranked(
            row=row,
            score=-worth,
            distance=near.scores.get(row),
            dense_rank=near.ranks.get(row),
            bm25_rank=by_words.ranks.get(row),
            bm25_score=by_words.scores.get(row),
        )


class _Arm:
    """One ranking, and what its scores are worth."""

    def __init__(self, found: Sequence[Neighbour]) -> None:
        self.ranks = {neighbour.row: rank for rank, neighbour in enumerate(found, 1)}
        self.scores = {neighbour.row: neighbour.distance for neighbour in found}
        self.shares = _shares(found)


def _shares(found: Sequence[Neighbour]) -> dict[int, float]:
    """Return where the score of each row lies from the last that is compared, 0, to the best, 1."""
    compared = found[:DEPTH]
    if not compared:
        return {}
    best, last = compared[0].distance, compared[-1].distance
    if best <= last:  # one hit, or all alike
        return {neighbour.row: 1.0 for neighbour in found if neighbour.distance >= best}
    return {
        neighbour.row: 1 - (best - neighbour.distance) / (best - last) for neighbour in compared
    }
