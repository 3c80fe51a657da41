"""Words as BM25 compares them, in several scripts."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.chunks.lexical import LONGEST_WORD, words


@pytest.mark.parametrize(
    ("asked", "written"),
    [
        ("kites hovering", "A kite hovers"),
        ("CAFÉ naïve", "cafe naive"),
        ("ﬁle １２", "file 12"),
        ("max_degree", "the degree, at most: max"),
        ("HttpServer", "an http server"),
        ("v2", "version v2"),
        ("параметров индекса", "Параметр индексов"),
        ("Ёлка", "елка"),
        ("параметры", "参数"),
        ("索引参数", "HNSW 的索引 和 参数"),
        ("テスト", "単体テスト"),
        ("검색", "전문검색"),
        ("ค้นหา", "การค้นหา"),
        ("पक्षियों", "पक्षियों"),
    ],
)
def test_what_means_the_same_shares_words(asked: str, written: str) -> None:
    shares = set(words(asked)) & set(words(written))
    assert bool(shares) == (asked != "параметры")


def test_a_compound_is_found_as_a_whole_and_by_its_parts() -> None:
    assert words("efConstruction") == ["efconstruct", "ef", "construct"]
    assert words("max_degree") == ["max_degre", "max", "degre"]
    assert {"err", "404"} <= set(words("ERR_404"))


def test_words_that_say_nothing_are_left_out() -> None:
    assert words("what is the") == []
    assert words("   \n\t — …!") == []


def test_characters_of_scripts_without_spaces_stand_alone_and_in_pairs() -> None:
    assert words("黑鸢飞") == ["黑", "鸢", "飞", "黑鸢", "鸢飞"]
    assert words("鸢") == ["鸢"]


@pytest.mark.parametrize("letter", ["й", "ї", "が", "é"])
def test_only_accents_that_carry_no_meaning_are_left_out(letter: str) -> None:
    (word,) = words(letter)
    assert word == {"é": "e"}.get(letter, letter)


@given(st.text(max_size=200))
def test_no_text_is_too_odd_and_no_word_holds_whitespace(text: str) -> None:
    for word in words(text):
        assert word.split() == [word]


@pytest.mark.parametrize("text", ["x" * 1_000_000, "_" * 100_000, "aB" * 100_000, "鸢" * 100_000])
def test_long_runs_end_soon_and_words_have_a_bound(text: str) -> None:
    assert max(map(len, words(text)), default=0) <= LONGEST_WORD


def test_threads_stem_beside_each_other() -> None:
    wrong: list[list[str]] = []

    def stem(number: int) -> None:
        for at in range(500):
            found = words(f"hovering{number}x{at} hovering")
            if found[-1] != "hover":
                wrong.append(found)

    threads = [threading.Thread(target=stem, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
