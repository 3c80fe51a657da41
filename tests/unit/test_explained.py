"""What ``--explain`` says of a hit."""

from engine.front.explained import cut, explained
from engine.wire.api_search import Cut, Place
from tests.hits import hit


def test_every_number_that_led_to_a_place_is_told() -> None:
    found = hit(
        distance=0.61234,
        dense_rank=2,
        bm25_rank=1,
        bm25_score=12.345,
        score=0.9,
        rerank_score=-1.5,
        named=["ERR_\x1b[31m1"],
        template=0.4,
        folded=[Place(path="co\x1bpy.md", start_line=3, end_line=4)],
    )
    assert explained(found) == (
        "distance 0.6123 · place 2 by meaning · place 1 by words (BM25 12.35) · fused score 0.900"
        " · reranked at -1.500"
        " · holds ERR_\ufffd[31m1 · 40% of it stands in many files"
        " · as good as the same: co\ufffdpy.md:3"
    )


def test_what_is_not_known_is_said_or_left_out() -> None:
    assert explained(hit(distance=0.5, dense_rank=7, score=None)) == (
        "distance 0.5000 · place 7 by meaning · not found by words"
    )
    assert explained(hit(distance=None)) == "no distance: it was not ranked"
    ranked = hit(distance=None, score=0.4, bm25_rank=1, bm25_score=3.2)
    assert explained(ranked) == (
        "no distance · not found by meaning · place 1 by words (BM25 3.20) · fused score 0.400"
    )


def test_a_chunk_that_was_left_out_has_a_reason() -> None:
    left = Cut(place=Place(path="a.md", start_line=3, end_line=4), score=0.25, reason="why")
    assert cut(left) == "left out: a.md:3 · score 0.250 · why"
