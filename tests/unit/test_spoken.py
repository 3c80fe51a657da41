"""Where sentences of a streaming answer end, and what becomes of the model's own citations."""

import random
import time
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.answering.spoken import LONGEST_CITATION, LONGEST_GAP, Said, Spoken


def spoken(pieces: Iterable[str]) -> tuple[str, list[Said]]:
    """Return the text with ``⟧`` after each sentence, and the sentences."""
    stream, text, said = Spoken(), [], []
    for parts in (*map(stream.take, pieces), stream.rest()):
        for part in parts:
            if isinstance(part, str):
                text.append(part)
            else:
                text.append("⟧")
                said.append(part)
    plain = "".join(text).replace("⟧", "")
    for each in said:
        assert plain[each.start : each.end].startswith(each.text[:100])
    return "".join(text), said


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two", "One.⟧ Two⟧"),
        ("It is e.g. this, by Dr. Vos. Next!", "It is e.g. this, by Dr. Vos.⟧ Next!⟧"),
        ("Version 2.4 came. Then 2.5.", "Version 2.4 came.⟧ Then 2.5.⟧"),
        ('"Yes." (He left.) So.', '"Yes."⟧ (He left.)⟧ So.⟧'),
        ("**Bold.** Next", "**Bold.**⟧ Next⟧"),
        ("A line that is wrapped\nby the model. B", "A line that is wrapped\nby the model.⟧ B⟧"),
        (
            "A line that leads to\n[a link](b.md) goes on. B",
            "A line that leads to\n[a link](b.md) goes on.⟧ B⟧",
        ),
        ("A line before\n`code` goes on.", "A line before\n`code` goes on.⟧"),
        ("One line.\n`code` begins one. B:\n(c)", "One line.⟧\n`code` begins one.⟧ B:⟧\n(c)⟧"),
        ("First\n\nSecond", "First⟧\n\nSecond⟧"),
        ("- one\n- two. Three\n  - four", "- one⟧\n- two.⟧ Three⟧\n  - four⟧"),
        ("1. One. Two\n2. Three", "1. One.⟧ Two⟧\n2. Three⟧"),
        ("# A head. B\nText", "# A head. B\nText⟧"),
        ("向量很快。它用图！对", "向量很快。⟧它用图！⟧对⟧"),
        ("Он «пришёл». Да", "Он «пришёл».⟧ Да⟧"),
        ("See [it. Here](http://a.b/c. d) now. So", "See [it. Here](http://a.b/c. d) now.⟧ So⟧"),
        ("Call `a. B` now. So", "Call `a. B` now.⟧ So⟧"),
        ("An [open bracket\nhere. Next", "An [open bracket\nhere.⟧ Next⟧"),
        ("| a | b |\n|---|---|\n| c. D | e |\nSo", "| a | b |\n|---|---⟧|\n| c. D | e⟧ |\nSo⟧"),
        ("```py\na[1] = 2. B\n```\nSo. It", "```py\na[1] = 2. B\n```\nSo.⟧ It⟧"),
        ("````\n```\na. B\n```\n````\nSo", "````\n```\na. B\n```\n````\nSo⟧"),
        ("~~~\na. B [1]", "~~~\na. B [1]"),
        ("```a[1]``` is code. So", "```a[1]``` is code.⟧ So⟧"),
        ("", ""),
        ("\n\n", "\n\n"),
    ],
)
def test_sentences_end_where_their_marks_belong(text: str, expected: str) -> None:
    assert spoken([text])[0] == expected


@pytest.mark.parametrize(
    ("text", "expected", "hints"),
    [
        ("It is blue [1]. So", "It is blue.⟧ So⟧", [(1,), ()]),
        ("It is blue.[1] So [2]", "It is blue.⟧ So⟧", [(1,), (2,)]),
        ("It is blue. [1] [3]\n\nSo", "It is blue.⟧\n\nSo⟧", [(1, 3), ()]),
        ("It [1][2] is [1, 2].", "It is.⟧", [(1, 2)]),
        ("It is 【1】 so【2†L1-L9】.", "It is so.⟧", [(1, 2)]),
        ("It is [Source 2] and [passages 1–3].", "It is and.⟧", [(2, 1, 3)]),
        ("It is [^4] so [ 5 ].", "It is so.⟧", [(4, 5)]),
        ("It is so [?]. B", "It is so.⟧ B⟧", [(), ()]),
        ("[1] It is so.\n[2] It is not.", "It is so.⟧\nIt is not.⟧", [(1,), (2,)]),
        ("It is so [2", "It is so [2⟧", [()]),
        ("See [1](http://x) and [a].", "See [1 ](http://x) and [a].⟧", [()]),
        ("[1]: http://x", "[1 ]: http://x⟧", [()]),
        ("It is [1[2]] [[3]4].", "It is [1 ] [ 4].⟧", [(2, 3)]),
        ("Use `a[1]` in [2024] or [65536, 1].", "Use `a[1]` in [2024] or [65536, 1].⟧", [()]),
    ],
)
def test_what_the_model_cites_is_taken_out_and_kept_as_a_hint(
    text: str, expected: str, hints: list[tuple[int, ...]]
) -> None:
    shown, said = spoken([text])
    assert (shown, [each.hints for each in said]) == (expected, hints)


def test_a_bracket_that_is_data_stays() -> None:
    stream = Spoken(lambda _word, text, _numbers: text != "[1, 2]")
    parts = [*stream.take("From [1, 2] or [1]. "), *stream.rest()]
    assert "".join(part for part in parts if isinstance(part, str)) == "From [1, 2] or. "


MIXED = (
    "Sure! It is blue [1]. [2] So e.g. `a[1]. B` is [a. b](c. d)[1, 2].\n\n# Head\n- one [3]\n\n"
    "| a | b |\n|--|--|\n| c [1] | d. E |\n\n```py\nx[1]. Y\n```\n向量。[1]它【1】！ "
    "[pass [source 2] [1"
)


def test_it_makes_no_difference_where_an_answer_is_cut() -> None:
    whole = spoken([MIXED])
    assert spoken(MIXED) == whole
    for at in range(len(MIXED)):
        assert spoken([MIXED[:at], MIXED[at:]]) == whole
    chance = random.Random(1)
    for _ in range(50):
        cuts = [0, *sorted(chance.sample(range(len(MIXED)), 9)), len(MIXED)]
        assert spoken(MIXED[a:b] for a, b in pairwise(cuts)) == whole


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text("aB1 .!?[]()【】`~|#-\n。,é\u202e\0", max_size=12), max_size=8))
def test_nothing_but_citations_and_space_is_lost(pieces: list[str]) -> None:
    whole = "".join(pieces)
    text, said = spoken(pieces)
    assert (text, said) == spoken([whole])
    letters = [char for char in text if char.isalpha()]
    assert letters == [char for char in whole if char.isalpha()]


@pytest.mark.parametrize(
    "text",
    [
        *("[" * 100_000, "a" * 100_000, "[1" * 50_000, "\0" * 100_000, " " * 100_000),
        *("[1]" * 33_000, "`" * 100_000, "([" * 50_000, "|" * 100_000, "\n" * 100_000),
        *("# " * 50_000, "a. " * 33_000, "\ud83d" * 50_000, "\u202e[1]\u2066" * 20_000),
    ],
    ids=lambda text: repr(text[:4]),
)
def test_hostile_answers_take_bounded_time_and_memory(text: str) -> None:
    stream = Spoken()
    begun = time.process_time()
    for at in range(0, len(text), 1000):
        for _ in stream.take(text[at : at + 1000]):
            pass
        held = len(stream._held) + len(stream._gap) + len(stream._sentence)
        assert held < 3000
        assert len(stream._hints) + len(stream._next_hints) <= 60
    list(stream.rest())
    assert time.process_time() - begun < 20


@pytest.mark.parametrize("begun", ["It is [", "It is [1", "It is [source", "It is [1, ", "It is  "])
def test_only_what_may_become_a_citation_is_held_back(begun: str) -> None:
    stream = Spoken()
    first = "".join(part for part in stream.take(begun) if isinstance(part, str))
    assert first == "It is"
    rest = "".join(part for part in stream.take("xyz") if isinstance(part, str))
    assert first + rest == f"{begun}xyz"


def test_a_bracket_is_not_held_back_for_long() -> None:
    stream = Spoken()
    given = "[1" + ", 1" * LONGEST_CITATION
    assert len("".join(map(str, stream.take(given)))) > len(given) - LONGEST_CITATION
    assert len("".join(map(str, stream.take(" " * 500)))) >= 500 - LONGEST_GAP
