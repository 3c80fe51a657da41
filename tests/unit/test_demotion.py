"""Hits lose of their score and stay best first, and no more are weighed than are taken."""

from itertools import islice

import pytest

from engine.searching.demotion import demoted, lowered
from engine.storage.index import Found
from tests.unit.test_folding import found


def halves(*lower: int) -> "Weigher":
    return Weigher(lower)


class Weigher:
    def __init__(self, lower: tuple[int, ...]) -> None:
        self.lower, self.weighed = lower, list[int]()

    def __call__(self, one: Found) -> Found:
        self.weighed.append(one.stored.row)
        return lowered(one, 0.5) if one.stored.row in self.lower else one


def rows(hits: list[Found]) -> list[int]:
    return [one.stored.row for one in hits]


HITS = [found(row, "text") for row in range(1, 99)]


def test_a_lowered_hit_falls_to_where_its_score_is_and_none_is_lost() -> None:
    ranked = [*demoted(HITS, halves(1, 3))]
    assert sorted(rows(ranked)) == rows(HITS)
    scores = [one.ranked.score for one in ranked]
    assert scores == sorted(scores, reverse=True)
    assert rows(ranked)[:2] == [2, 4]
    assert ranked[rows(ranked).index(1)].ranked.score == HITS[0].ranked.score / 2


def test_no_more_are_weighed_than_are_taken() -> None:
    weigh = halves()
    assert rows([*islice(demoted(HITS, weigh), 5)]) == [1, 2, 3, 4, 5]
    assert weigh.weighed == [1, 2, 3, 4, 5]


def test_of_hits_with_one_score_the_first_stays_first() -> None:
    alike = [lowered(one, 0.0) for one in HITS]
    assert rows([*demoted(alike, halves(2))]) == rows(HITS)


@pytest.mark.parametrize("hits", [[], HITS[:1]])
def test_none_and_one_are_yielded_as_they_are(hits: list[Found]) -> None:
    assert [*demoted(hits, halves())] == hits
