"""Which passage supports a sentence, also one altered in a number, a name or a negation."""

import time
from typing import Any, cast

import numpy as np
import pytest

from engine.answering.claims import claims_of
from engine.answering.support import Found, Passage, Support
from engine.errors import ModelError

PORTS = (
    "Milvus listens on port 19530 by default. The dashboard uses port 9091, which is not "
    "encrypted. In 2019 Zilliz released the first version, and in 2021 IBM tested it with 1,200 "
    "clients."
)
BIRDS = "A kite hovers above the meadow. It eats voles, and Marianne Vos counted 14 of them."
RUSSIAN = "Индекс хранит векторы документов. Сервер слушает порт 19530."
CHINESE = "向量索引使用图结构。端口是19530。"


def found(sentence: str, *hints: int, texts: tuple[str, ...] = (PORTS, BIRDS)) -> Found | None:
    passages = [Passage(rank, "Notes", text) for rank, text in enumerate(texts, 1)]
    return Support(passages, "What is known?").find(sentence, hints)


@pytest.mark.parametrize(
    ("sentence", "rank"),
    [
        ("Milvus listens on port 19530 by default.", 1),
        ("By default, Milvus listens on port **19530**", 1),
        ("The dashboard, on port 9091, is not encrypted.", 1),
        ("Zilliz released the first version in 2019.", 1),
        ("IBM tested it in 2021 with 1200 clients.", 1),
        ("Kites hover above meadows.", 2),
        ("Marianne Vos counted fourteen or 14 voles.", 2),
        ('It says that "a kite hovers above the meadow".', 2),
    ],
)
def test_what_a_passage_says_is_supported_by_it(sentence: str, rank: int) -> None:
    known = found(sentence)
    assert known
    assert (known.fault, known.supported, known.rank) == ("", True, rank)


@pytest.mark.parametrize(
    ("sentence", "fault"),
    [
        ("Milvus listens on port 19531 by default.", "number"),
        ("Milvus listens on port 9091 by default.", "number"),
        ("The dashboard uses port 19530.", "number"),
        ("IBM tested it in 2021 with 1300 clients.", "number"),
        ("In 2021 it was tested by Zilliz with 1,200 clients.", "name"),
        ("A famous woman, Ada Vos, counted 14 voles.", "name"),
        ("Milvus does not listen on port 19530 by default.", "negation"),
        ("The dashboard uses port 9091, which is encrypted.", "negation"),
        ("Kites can never hover above a meadow.", "negation"),
        ('It says that "a kite hovers over the meadow".', "quotation"),
        ("Kites hover above the meadow with `hover_high`.", "quotation"),
    ],
)
def test_what_was_altered_is_not_supported(sentence: str, fault: str) -> None:
    known = found(sentence)
    assert known
    assert (known.fault, known.supported) == (fault, False)


@pytest.mark.parametrize(
    ("sentence", "fault"),
    [
        ("The answer is: 0.", "number"),
        ("Answer: 1", "number"),
        ("The answer to the question of ports is kept for 1 day.", "number"),
        ("The answer to it is one single port.", ""),
    ],
)
def test_a_small_number_has_to_stand_in_the_passage_unless_it_is_but_a_word(
    sentence: str, fault: str
) -> None:
    known = found(sentence, texts=("This is the single answer to the question of ports.",))
    assert known
    assert (known.fault, known.supported) == (fault, not fault)


@pytest.mark.parametrize(
    ("sentence", "fault"),
    [
        ("The tank holds thirty litres at -5 degrees.", "number"),
        ("The tank holds forty-one litres at -5 degrees.", "number"),
        ("The tank holds a dozen litres at -5 degrees.", "number"),
        ("The tank holds 40\u00ad1 litres at -5 degrees.", "number"),
        ("The tank holds 40 litres at 5 degrees.", "number"),
        ("Nobody fills the tank.", "negation"),
        ("The tank holds n\u200bo 40 litres at -5 degrees.", "negation"),
        ("The tank holds n\u2060o 40 litres at -5 degrees.", "negation"),
        ("The tank holds 40\u200d1 litres at -5 degrees.", "number"),
        ("The tank holds 40 litres at \u22125 degrees.", ""),
        ("The tank holds 40 litres at \u20135 degrees.", ""),
        ("The tank holds 40 litres at minus 5 degrees.", ""),
        ("The tank holds 40*1* litres at -5 degrees.", "number"),
        ("The tank holds `40`1 litres at -5 degrees.", "number"),
        ("The tank holds forty litres at -5 degrees.", ""),
    ],
)
def test_a_number_is_read_however_it_is_written(sentence: str, fault: str) -> None:
    known = found(sentence, texts=("The tank holds 40 litres at -5 degrees. Ann fills the tank.",))
    assert known
    assert (known.fault, known.supported) == (fault, not fault)


@pytest.mark.parametrize(
    "denies", ["isn\u02bct", "isn`t", "isn\u00b4t", "isnt", "is \uff4eot", "is n*o*t", "is n**ot**"]
)
def test_a_negation_is_read_however_it_is_written(denies: str) -> None:
    known = found(f"The tank {denies} filled by Ann.", texts=("The tank is filled by Ann.",))
    assert known
    assert known.fault == "negation"


def test_a_number_below_zero_is_another_one_however_it_is_written() -> None:
    for written in ("\u20135", "\u20105", "\ufe635", "minus 5"):
        known = found(f"It holds at {written} degrees.", texts=("It holds at 5 degrees.",))
        assert known
        assert known.fault == "number"


def test_a_negation_or_a_quotation_is_read_through_what_nobody_sees() -> None:
    text = ("The pump is n\u2060ot inspected by Boris. Ann says \u201cfill the ta\u00adnk\u201d.",)
    denied = found("The pump is inspected by Boris.", texts=text)
    quoted = found("Ann says \u201cfill the tank\u201d.", texts=text)
    assert denied
    assert denied.fault == "negation"
    assert quoted
    assert quoted.supported


@pytest.mark.parametrize(
    "sentence", ["Sparse vectors need an inverted index.", "Trains leave at noon.", "Paris."]
)
def test_what_no_passage_says_is_not_supported(sentence: str) -> None:
    known = found(sentence)
    assert known
    assert not known.supported


@pytest.mark.parametrize("sentence", ["", "  ", "...", "It is.", "\0", "\u202e", "🙂"])
def test_a_sentence_without_a_claim_is_not_judged(sentence: str) -> None:
    assert found(sentence) is None


def test_without_passages_nothing_is_judged() -> None:
    assert Support([], "What?").find("Milvus listens on port 19530.") is None
    assert Support([Passage(1, "", "")], "What?").find("Milvus listens.") is not None


@pytest.mark.parametrize(
    ("sentence", "text", "supported"),
    [
        ("Индекс хранит векторы.", RUSSIAN, True),
        ("Индекс не хранит векторы.", RUSSIAN, False),
        ("Сервер слушает порт 9091.", RUSSIAN, False),
        ("索引使用图结构。", CHINESE, True),
        ("端口是9091。", CHINESE, False),
    ],
)
def test_other_languages_are_judged_by_their_words(
    sentence: str, text: str, supported: bool
) -> None:
    known = found(sentence, texts=(text,))
    assert known
    assert known.supported is supported


def test_the_passage_that_the_model_named_is_preferred_where_it_says_as_much() -> None:
    texts = (BIRDS, PORTS, BIRDS)
    for hint, rank in ((0, 1), (1, 1), (3, 3), (2, 1), (99, 1)):
        known = found("A kite hovers above the meadow.", hint, texts=texts)
        assert known
        assert known.rank == rank


class Judge:
    """Stands in for an encoder: finds texts alike that share a word it knows."""

    def __init__(self, *known: str, trusted: float = 1.0, fails: bool = False) -> None:
        self.known, self.trusted, self.fails = known, trusted, fails
        self.seen: list[str] = []

    def trust(self, text: str) -> float:
        return self.trusted

    def encode_now(self, texts: list[str]) -> Any:
        self.seen += texts
        if self.fails:
            raise ModelError("closed")
        held = [[float(word in text) for word in self.known] for text in texts]
        return np.array(held, np.float32)


def judged(judge: Judge, sentence: str) -> Found | None:
    support = Support([Passage(1, "", BIRDS)], "What?", cast("Any", judge))
    return support.find(sentence)


SAID_OTHERWISE = "A kite hovers over a green meadow."


def test_the_encoder_decides_what_words_leave_open() -> None:
    near, far = judged(Judge("meadow"), SAID_OTHERWISE), judged(Judge("green"), SAID_OTHERWISE)
    assert near
    assert far
    assert (near.similarity, far.similarity) == (1.0, 0.0)
    assert near.words == far.words
    assert (near.supported, far.supported) == (True, False)


@pytest.mark.parametrize(
    ("sentence", "judge"),
    [
        ("A kite hovers above the meadow.", Judge("kite")),
        ("Trains leave at noon.", Judge("noon")),
        ("The kite in the meadow eats 15 voles.", Judge("kite")),
        (SAID_OTHERWISE, Judge("kite", trusted=0.2)),
    ],
)
def test_the_encoder_is_not_asked_where_it_could_change_nothing(
    sentence: str, judge: Judge
) -> None:
    known = judged(judge, sentence)
    assert known
    assert (known.similarity, judge.seen) == (None, [])


def test_words_decide_where_the_encoder_fails() -> None:
    known = judged(Judge("kite", fails=True), SAID_OTHERWISE)
    assert known
    assert known.similarity is None


@pytest.mark.parametrize(
    "text",
    [
        *("a" * 100_000, "1 " * 50_000, "Aa " * 30_000, "not " * 30_000, '"' * 100_000),
        *("`a" * 50_000, "(" * 100_000, "\0" * 100_000, "\ud83d" * 50_000, "a. " * 30_000),
    ],
    ids=lambda text: repr(text[:4]),
)
def test_hostile_text_takes_bounded_time(text: str) -> None:
    begun = time.process_time()
    found(text[:2000], 1)
    found("A kite hovers above the meadow.", texts=(text[:20_000], BIRDS))
    claims_of(text)
    assert time.process_time() - begun < 10


def test_a_sentence_takes_milliseconds() -> None:
    texts = tuple(f"{PORTS} {BIRDS}".replace("Milvus", f"Milvus{n}") for n in range(8))
    support = Support([Passage(n, "", text) for n, text in enumerate(texts)], "What?")
    support.find(PORTS)
    begun = time.process_time()
    for _ in range(10):
        support.find("Zilliz released the first version of Milvus7 in 2019, and IBM tested it.")
    assert (time.process_time() - begun) / 10 < 0.03
