"""Two rankings become one, and every number that led to it stays known."""

import pytest

from engine.storage.fusion import DEPTH, fuse
from engine.storage.store import Neighbour


def arm(*scores: tuple[int, float]) -> list[Neighbour]:
    return [Neighbour(row, score) for row, score in scores]


DENSE = arm((1, 0.9), (2, 0.7), (3, 0.5))
WORDS = arm((3, 12.0), (4, 8.0), (1, 4.0))


def test_every_score_and_rank_is_told() -> None:
    first, *others = fuse(DENSE, WORDS, weight=0.5)
    assert (first.row, first.dense_rank, first.bm25_rank) == (1, 1, 3)
    assert (first.distance, first.bm25_score) == (0.9, 4.0)
    assert first.score == pytest.approx(0.5)
    by_row = {one.row: one for one in others}
    assert by_row[2].bm25_rank is None
    assert by_row[2].bm25_score is None
    assert by_row[2].score == pytest.approx(0.25)
    assert by_row[4].dense_rank is None
    assert by_row[4].distance is None
    assert by_row[4].score == pytest.approx(0.25)  # halfway between best and last of BM25


@pytest.mark.parametrize(
    ("weight", "order"), [(1.0, [1, 2, 3, 4]), (0.0, [3, 4, 1, 2]), (0.6, [1, 3, 2, 4])]
)
def test_the_weight_decides_between_the_arms(weight: float, order: list[int]) -> None:
    assert [one.row for one in fuse(DENSE, WORDS, weight=weight)] == order


def test_an_arm_that_found_nothing_takes_nothing_away() -> None:
    assert [one.row for one in fuse(DENSE, [], weight=0.5)] == [1, 2, 3]
    assert [one.row for one in fuse([], WORDS, weight=0.5)] == [3, 4, 1]
    assert [*fuse([], [], weight=0.5)] == []


def test_a_single_hit_and_hits_all_alike_score_as_the_best() -> None:
    assert [one.score for one in fuse(arm((1, 0.3)), [], weight=1.0)] == [1]
    assert [one.score for one in fuse(arm((1, 0.3), (2, 0.3)), [], weight=1.0)] == [1, 1]


def test_only_so_many_hits_of_an_arm_are_compared_and_the_others_keep_their_order() -> None:
    many = arm(*((row, 1 - row / 1000) for row in range(2 * DEPTH)))
    ranked = [*fuse(many, [], weight=1.0)]
    assert [one.row for one in ranked] == [*range(2 * DEPTH)]
    assert {one.score for one in ranked[DEPTH - 1 :]} == {0.0}


def test_rows_that_are_wanted_in_any_case_come_last_and_once() -> None:
    ranked = [*fuse(DENSE, WORDS, weight=0.6, also=[7, 3])]
    assert [one.row for one in ranked] == [1, 3, 2, 4, 7]
    assert (ranked[-1].score, ranked[-1].distance, ranked[-1].bm25_rank) == (0, None, None)
