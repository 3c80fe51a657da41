"""Hits as a person at a terminal sees them: short, and with what bears on the query."""

import pytest

from engine.front import on_terminal
from engine.front.on_terminal import MOST_LINES, lines_of, snippet
from tests.hits import hit

LONG = f"{'Kites are older than books. ' * 20}The line is waxed every autumn. {'Wind turns. ' * 20}"


def test_the_part_with_the_words_of_the_query_is_shown() -> None:
    shown = snippet(LONG, "waxing lines", 120)
    assert "The line is waxed every autumn." in shown
    assert shown.startswith("… ")
    assert len(shown) <= 122


def test_a_short_text_is_shown_whole() -> None:
    assert snippet("The line is waxed.", "kites", 120) == "The line is waxed."


def test_without_a_word_in_common_the_beginning_is_shown() -> None:
    assert snippet(LONG, "encyclopaedia", 60) == LONG[:60].rstrip()


@pytest.mark.parametrize("text", ["x" * 5000, "风筝" * 2000, "a " * 3000, "\u202e" * 900])
@pytest.mark.parametrize("query", ["", "风筝", "x" * 4000, "[(*"])
def test_texts_without_spaces_and_odd_queries_are_cut_to_length(text: str, query: str) -> None:
    assert 0 < len(snippet(text, query, 200)) <= 202


def test_a_hit_takes_few_lines_of_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    place, *shown = lines_of(hit(1, text=LONG, heading="Care"), "notes/kites.md:3", "waxed line")
    assert place == "notes/kites.md:3  Care"
    assert 0 < len(shown) <= MOST_LINES
    assert all(line.startswith(on_terminal.INDENT) and len(line) < 50 for line in shown)
    assert "waxed" in " ".join(shown)


def test_nothing_of_a_hit_reaches_the_terminal_raw(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    raw = hit(1, text="a\x1b[2Jb\x9b c", heading="H\x1b]0;t\x07")
    assert not set("\x1b\x9b\x07") & set("".join(lines_of(raw, "x:1", "b")))
