"""What ``search --context`` prints."""

import argparse
from collections.abc import Sequence

import pytest

from engine.errors import UsageError
from engine.front import arguments
from engine.front.commands_around import print_around
from engine.wire.api_around import AroundLine, AroundReply
from engine.wire.api_search import Hit
from tests.hits import hit

ATTACK = "\x1b]52;c;AA==\x07 \u202eevil"


def around(first: int, texts: str, own: Sequence[int]) -> AroundReply:
    """Lines of one letter each from ``first`` on; ``own`` are the numbers of the hit's."""
    lines = [
        AroundLine(line=number, text=text, is_hit=number in own)
        for number, text in enumerate(texts, first)
    ]
    return AroundReply(lines=lines)


def printed(
    hits: Sequence[Hit], arounds: Sequence[AroundReply], capsys: pytest.CaptureFixture[str]
) -> list[str]:
    print_around(hits, arounds, argparse.Namespace(docs="docs"))
    return capsys.readouterr().out.splitlines()


def test_lines_are_printed_as_by_grep(capsys: pytest.CaptureFixture[str]) -> None:
    hits = [hit(1, path="a.md"), hit(2, path="a.md"), hit(3, path="a.md"), hit(4, path="b.md")]
    arounds = [around(1, "abc", [2]), around(3, "cde", [4]), around(9, "ij", [9])]
    assert printed(hits, [*arounds, around(9, "ij", [10])], capsys) == [
        *("docs/a.md-1- a", "docs/a.md:2: b", "docs/a.md-3- c", "docs/a.md:4: d"),
        *("docs/a.md-5- e", "--", "docs/a.md:9: i", "docs/a.md-10- j"),
        *("--", "docs/b.md-9- i", "docs/b.md:10: j"),
    ]


def test_a_line_of_a_later_hit_is_marked_at_its_first_place(
    capsys: pytest.CaptureFixture[str],
) -> None:
    hits = [hit(1, path="a.md"), hit(2, path="a.md")]
    shown = printed(hits, [around(1, "abc", [2]), around(2, "bcd", [3])], capsys)
    assert shown == ["docs/a.md-1- a", "docs/a.md:2: b", "docs/a.md:3: c", "docs/a.md-4- d"]


def test_lines_of_html_stand_together_though_their_numbers_do_not_follow(
    capsys: pytest.CaptureFixture[str],
) -> None:
    numbers = ((3, "a"), (3, ""), (7, "b"), (7, ""), (20, "c"))
    lines = [AroundLine(line=line, text=text, is_hit=text == "b") for line, text in numbers]
    again = [*lines[2:], AroundLine(line=31, text="d")]
    hits = [hit(1, path="a.html"), hit(2, path="a.html")]
    shown = printed(hits, [AroundReply(lines=lines), AroundReply(lines=again)], capsys)
    assert shown == [
        *("docs/a.html-3- a", "docs/a.html-3-", "docs/a.html:7: b", "docs/a.html-7-"),
        *("docs/a.html-20- c", "docs/a.html-31- d"),
    ]


def test_a_hit_whose_file_changed_stands_alone_and_nothing_is_raw(
    capsys: pytest.CaptureFixture[str],
) -> None:
    gone = hit(1, path=f"{ATTACK}.md", text=f"one\n{ATTACK}", start_line=4)
    lines = AroundReply(lines=[AroundLine(line=1, text=f"{ATTACK}\rb")])
    shown = printed([gone, hit(2)], [AroundReply(), lines], capsys)
    assert len(shown) == 3 and shown[0].endswith("evil") and ":4: one " in shown[0]
    assert not {"\x1b", "\x07", "\u202e", "\r"} & set("".join(shown))


@pytest.mark.parametrize("words", [["-C", "3"], ["--context", "3"], ["--context=3"]])
def test_the_option_is_read(words: list[str]) -> None:
    assert arguments.parse(["search", "docs", "query", *words]).context == 3
    assert arguments.parse([*words, "search", "docs", "query"]).context == 3


@pytest.mark.parametrize("number", ["-1", "201", "x", "", "٣", "9" * 5000])
def test_no_number_of_lines(number: str) -> None:
    with pytest.raises(UsageError, match="from 0 to 200"):
        arguments.parse(["search", "docs", "query", f"--context={number}"])
