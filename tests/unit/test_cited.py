"""Marks and citations of an answer, while it streams and in the end."""

import asyncio
import random
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, cast

import pytest

from engine.answering.cited import Cited, citing, claims_something, unmarked
from engine.answering.passages import Stretch
from engine.safe_text import bare, clean
from tests.hits import hit

HITS = [
    hit(
        1, heading="Ports", text="Milvus listens on port 19530 by default. It takes [1, 5] of them."
    ),
    hit(2, heading="Birds", text="A kite hovers above the meadow. It eats voles."),
]
ANSWER = (
    "Sure! Here is what I found:\n\nMilvus listens on port **19530** [2]. It eats fish in [1, 5]. "
    "A kite hovers above the meadow [1][9].\n\n- It eats voles [2]\n- Trains leave at noon\n\n"
    "```\na[1] = 2. B\n```\nThe passages do not mention owls [1]."
)
MARKED = (
    "Sure! Here is what I found:\n\nMilvus listens on port **19530**. [1] It eats fish in [1, 5]. "
    "[?] A kite hovers above the meadow. [2]\n\n- It eats voles [2]\n- Trains leave at noon [?]\n\n"
    "```\na[1] = 2. B\n```\nThe passages do not mention owls."
)


MARKS = {"[1]", "[2]", "[?]"}


class Wordless:
    """An encoder that can read nothing: words decide alone."""

    def trust(self, _text: str) -> float:
        return 0.0


async def cited(pieces: Sequence[str], around: Sequence[Stretch | None] = ()) -> Cited:
    made = citing("What is known?", HITS, around, cast("Any", Wordless()))
    told = ""
    for piece in pieces:
        told += await made.take(piece)
        assert made.text == told
    told += await made.rest()
    assert made.text == told
    return made


async def test_each_sentence_that_claims_something_is_marked() -> None:
    made = await cited([ANSWER])
    assert made.text == MARKED
    assert [(made.text[c.start : c.end], c.n) for c in made.citations] == [
        ("Milvus listens on port **19530**.", 1),
        ("It eats fish in [1, 5].", None),
        ("A kite hovers above the meadow.", 2),
        ("It eats voles", 2),
        ("Trains leave at noon", None),
    ]
    places = [(c.supported, c.path, c.start_line, c.end_line) for c in made.citations[:2]]
    assert places == [(True, "docs/page1.md", 10, 18), (False, "", 0, 0)]


def test_what_is_told_to_the_model_again_has_no_marks() -> None:
    assert unmarked(MARKED).split() == [word for word in MARKED.split() if word not in MARKS]


@pytest.mark.parametrize(
    ("told", "marked"),
    [
        ("It eats voles. A kite hovers above", "It eats voles. [2] A kite hovers above"),
        ("It eats voles. A kite hovers", "It eats voles. [2] A kite hovers"),
        ("It eats voles.", "It eats voles. [2]"),
        ("It eats voles. ", "It eats voles. [2] "),
        ("- It eats voles\n", "- It eats voles [2]\n"),
        ("- It eats voles", "- It eats voles"),
    ],
)
async def test_half_a_sentence_at_the_length_limit_gets_no_mark(told: str, marked: str) -> None:
    made = citing("What is known?", HITS, (), cast("Any", Wordless()))
    assert await made.take(told) + await made.rest(cut_off=True) == marked
    assert made.text == marked


async def test_it_makes_no_difference_how_the_answer_was_cut() -> None:
    whole = await cited([ANSWER])
    chance = random.Random(1)
    for _ in range(20):
        cuts = [0, *sorted(chance.sample(range(len(ANSWER)), 12)), len(ANSWER)]
        made = await cited([ANSWER[a:b] for a, b in pairwise(cuts)])
        assert (made.text, made.citations) == (whole.text, whole.citations)


async def test_what_stands_around_a_hit_supports_too_and_is_cited_as_the_hit() -> None:
    beside = "The owl hunts at night. " + HITS[0].text
    for around, mark in (((), "[?]"), ((Stretch(0, len(beside), beside), None), "[1]")):
        made = await cited(["The owl hunts at night."], around)
        assert made.text == f"The owl hunts at night. {mark}"


async def test_an_index_that_a_passage_holds_is_no_citation() -> None:
    hits = [hit(1, text="The first kite is in rows[1], and the owl is in rows[2].")]
    made = citing("What is known?", hits, (), cast("Any", Wordless()))
    said = "The owl is in rows[2]. The first kite is in rows[1][1]. A swift is in lists[1]."
    text = await made.take(said) + await made.rest()
    assert text == (
        "The owl is in rows[2]. [1] The first kite is in rows[1]. [1] A swift is in lists. [?]"
    )


async def test_line_ends_of_windows_are_those_of_any_text() -> None:
    made = await cited(["It eats voles.\r", "\nIt hovers.\r\n"])
    assert "\r" not in made.text and "\ufffd" not in made.text
    assert made.text.count("\n") == 2


async def test_without_documents_there_are_no_marks_and_nothing_that_points_nowhere() -> None:
    made = Cited()
    text = await made.take("Paris [1] is the capital. [2] So it is.") + await made.rest()
    assert (text, made.citations) == ("Paris is the capital. So it is.", [])


async def test_checking_a_sentence_does_not_hold_up_others() -> None:
    waiting = asyncio.get_running_loop()

    def check(_sentence: str, _hints: Sequence[int]) -> None:
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0), waiting).result(10)

    made = Cited(HITS, lambda: check)
    assert await made.take("It eats voles. ") + await made.rest() == "It eats voles. "


@pytest.mark.parametrize(
    "sentence",
    [
        *("Sure!", "Yes.", "**Certainly!**", "Here is the answer:", "Here are the steps.", "Why?"),
        *("I don't know.", "I cannot answer that question.", "I do not know the port of Milvus."),
        *("The passages do not say it.", "The context provided does not mention the port."),
        *("The port is not mentioned in the passages.", "There is no information about it."),
        *("Let me know if I can help!", "Не знаю.", "我不知道。", "---", "", "**", "...", "🙂"),
    ],
)
def test_some_sentences_claim_nothing(sentence: str) -> None:
    assert not claims_something(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        *(
            "19530",
            "Kawann Short",
            "Yes, it listens on port 19530.",
            "Порт 19530.",
            "端口是19530。",
        ),
        *("The server does not encrypt its passages.", "No port is open by default."),
    ],
)
def test_short_and_negative_ones_do(sentence: str) -> None:
    assert claims_something(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        *("Please note that the port is 8080.", "Here are the ports: 8080 and 9091."),
        *("The passages do not mention the port, but it is 8080.", "I don't know; it is 8080."),
        *("The port is 8080, but I am not sure.", "I cannot say, however it is mostly 8080."),
        *("Although the passages do not say it, the port is 8080.", "我不知道，但端口是8080。"),
    ],
)
def test_a_claim_beside_a_phrase_that_claims_nothing_is_one(sentence: str) -> None:
    assert claims_something(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        *("However, the passages do not mention the port.", "But I do not know the port."),
        *("There is no information about it, however.", "Here is what I found:"),
    ],
)
def test_a_connective_alone_is_no_claim(sentence: str) -> None:
    assert not claims_something(sentence)


@pytest.mark.parametrize(
    "bracket",
    [
        *("[\u200b1]", "[1\u200e]", "[?\ufeff]", "[1[2]]", "[1](x)", "[?](x)"),
        *(
            "[\u20601]",
            "[1\u00ad]",
            "[\u200d1]",
            "[1\ufe0f]",
            "[\u034f?]",
            "[\ufdd01]",
            "[1\u2060](x)",
        ),
    ],
)
async def test_no_text_of_the_model_looks_like_a_mark(bracket: str) -> None:
    made = await cited([f"It eats fish {bracket} and bread."])
    told = bare(clean(made.text))
    marks = re.findall(r"\[[\d?]+\]", told)
    assert set(marks) <= {"[?]"}
    assert len(marks) == len(made.citations)


async def test_a_sentence_that_is_looked_at_in_part_is_not_supported() -> None:
    made = await cited([f"Milvus listens on port 19530 by default{' by default' * 200} and burns."])
    assert [each.n for each in made.citations] == [None]
