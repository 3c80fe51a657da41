"""Whether hits may hold an answer, from their words and their distance."""

from typing import Any, cast

import pytest

from engine.answering.answerable import is_not_found, language, signals
from tests.hits import hit

QUESTION = "Which port does the dashboard of Milvus use?"
NEAR = hit(1, heading="Ports", text="The dashboard of Milvus listens on this port.", distance=0.7)
FAR = hit(1, heading="Birds", text="The kite hovers over the meadow, and it eats.", distance=0.2)
GERMAN = "Welchen Port benutzt die Oberfläche von Milvus in diesem Fall?"
RUSSIAN = hit(1, heading="Птицы", text="Коршун парит над лугом, и он ест там мышей.", distance=0.2)


class Encoder:
    def __init__(self, trusted: float = 1.0) -> None:
        self.trusted = trusted

    def trust(self, _text: str) -> float:
        return self.trusted

    def encode_query(self, text: str) -> str:
        return text


class Index:
    def __init__(self, usual: float | None = 0.1) -> None:
        self.usual = usual

    def usual_distance(self, _vector: object, least: int, most: int) -> float | None:
        assert 0 < least < most
        return self.usual


def not_found(
    question: str = QUESTION,
    *hits: Any,
    encoder: Encoder | None = None,
    usual: float | None = 0.1,
) -> bool:
    parts = encoder or Encoder(), Index(usual)
    return is_not_found(question, list(hits or [FAR]), *cast("Any", parts))


def test_hits_that_share_words_and_lie_near_may_answer() -> None:
    assert not not_found(QUESTION, NEAR)
    assert not not_found(QUESTION, NEAR, FAR)


def test_hits_that_do_neither_do_not() -> None:
    assert not_found()


def test_words_and_nearness_add_up() -> None:
    told = signals(QUESTION, [NEAR, FAR], 0.1)
    assert told.words == pytest.approx(3 / 4)
    assert told.nearness == pytest.approx((0.7 - 0.1) / 0.9)
    assert signals("", [NEAR], 0.1).words == 0


def test_an_encoder_whose_vectors_are_all_alike_is_no_nearer() -> None:
    alike = FAR.model_copy(update={"distance": 0.95})
    assert not not_found(QUESTION, alike, usual=0.1)
    assert not_found(QUESTION, alike, usual=0.9)


@pytest.mark.parametrize(
    ("question", "hits", "encoder", "usual"),
    [
        ("Какой порт у этого сервера, и где он?", [FAR], Encoder(), 0.1),
        (QUESTION, [RUSSIAN], Encoder(), 0.1),
        (QUESTION, [FAR], Encoder(0.5), 0.1),
        (GERMAN, [FAR], Encoder(), 0.1),
        ("端口是什么？", [FAR], Encoder(), 0.1),
        ("hnsw efConstruction", [FAR], Encoder(), 0.1),
        (QUESTION, [FAR], Encoder(), None),
        (QUESTION, [FAR], Encoder(), 1.0),
        (QUESTION, [FAR.model_copy(update={"distance": None})], Encoder(), 0.1),
        (QUESTION, [hit(1, text='{"key": [1, 2]}', distance=0.1)], Encoder(), 0.1),
        ("", [FAR], Encoder(), 0.1),
        ("\0\u202e" * 1000, [FAR], Encoder(), 0.1),
    ],
)
def test_nothing_is_called_not_found_where_the_signals_mean_little(
    question: str, hits: Any, encoder: Encoder, usual: float | None
) -> None:
    assert not not_found(question, *hits, encoder=encoder, usual=usual)


def test_a_lone_chunk_that_holds_all_words_may_answer_however_far_it_is() -> None:
    lone = hit(1, text="The dashboard of Milvus and its port, which it does use.", distance=0.05)
    assert not not_found(QUESTION, lone, usual=0.4)
    assert not_found(QUESTION, lone, FAR, usual=0.4), "beside others it is compared"
    assert not_found(QUESTION, FAR, usual=0.4)
    assert not_found(QUESTION, NEAR.model_copy(update={"distance": 0.05}), usual=0.4)


def test_a_question_in_russian_is_judged_where_the_encoder_reads_it() -> None:
    asked = "Какой порт у этого сервера и где он открыт?"
    assert not_found(asked, RUSSIAN)
    assert not not_found(asked, RUSSIAN, encoder=Encoder(0.2))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (QUESTION, "en"),
        ("Где он и что с ним?", "ru"),
        (GERMAN, ""),
        ("Combien de points la défense a-t-elle concédés ?", ""),
        ("", ""),
    ],
)
def test_languages_are_known_by_their_function_words(text: str, expected: str) -> None:
    assert language(text, 0.25) == expected
