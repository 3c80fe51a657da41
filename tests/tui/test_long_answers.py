"""Answers that are far too long: the screen stays small, keys work, and every mark is followed."""

from __future__ import annotations

import asyncio

import pytest
from textual.content import Content
from textual.style import Style
from textual.widgets import Static

from engine.wire import api_answer
from tests.tui import content
from tests.tui.driver import Driver, driving
from tests.tui.scripted import ScriptedEngine, Step, finished, llm, tokens
from tui import outcome
from tui.long_text import AS_IT_CAME, LONGEST_SLICE, MOST_WIDGETS, LongText, PlainText, slices
from tui.messages import CitationChosen, HitCited
from tui.model_text import ModelText, block_starts

MOST = 3 * MOST_WIDGETS
"""Widgets of the whole screen, whatever the length of an answer."""

LONG = {
    "paragraphs": "".join(f"Paragraph {n} says something.\n\n" for n in range(5_000)),
    "items": "".join(f"- item {n}\n" for n in range(32_000)),
    "code": "```python\n" + "".join(f"x{n} = {n}\n" for n in range(10_000)) + "```\n",
    "table": "| a | b |\n|---|---|\n" + "".join(f"| {n} | b |\n" for n in range(10_000)),
    "line": "word " * 200_000 + "end",
}


def streaming(text: str, *more: Step) -> ScriptedEngine:
    """An engine whose answer is ``text``; then come ``more`` steps, else it ends."""
    engine = ScriptedEngine()
    pieces = [text[at : at + 5_000] for at in range(0, len(text), 5_000)]
    engine.answer = [
        api_answer.HitsFound(query="q", took_ms=14.2, hits=content.HITS),
        api_answer.ExtractsFound(extracts=content.EXTRACTS),
        llm(),
        *(api_answer.Token(text=piece) for piece in pieces),
        *(more or [finished(text)]),
    ]
    return engine


def shown(driver: Driver) -> str:
    """All of the model's text that is on the screen, and what it is marked with."""
    return "\n".join(str(part.content) for part in driver.main.query_one(LongText).query(Static))


def widgets(driver: Driver) -> int:
    return sum(1 for _ in driver.main.walk_children())


@pytest.mark.parametrize("kind", LONG)
async def test_a_text_of_any_length_is_shown_to_its_end_with_few_widgets(kind: str) -> None:
    text = LONG[kind]
    async with driving(streaming(text)) as driver:
        await driver.ask_to_the_end("q")
        assert AS_IT_CAME in shown(driver)
        assert shown(driver).rstrip("`\n").endswith(text.rstrip("`\n")[-12:])
        assert widgets(driver) < MOST
        driver.main.go_to("answer")
        pane = driver.main.answer.model
        await driver.press("g")
        await driver.until(lambda: pane.scroll_y == 0, "the top")
        await driver.press("G")
        await driver.until(lambda: pane.scroll_y == pane.max_scroll_y > 100, "the end")


@pytest.mark.parametrize("kind", ["items", "code", "line"])
async def test_keys_work_while_it_comes_and_escape_stops_it(kind: str) -> None:
    engine = streaming(LONG[kind], asyncio.Event())
    async with driving(engine) as driver:
        await driver.ask("q")
        await driver.until(lambda: driver.main.query(PlainText), "more than is laid out")
        driver.main.go_to("results")
        await driver.press("j")
        assert driver.main.results.selected == content.HITS[1]
        await driver.press("escape")
        await driver.until(lambda: not driver.main.answering, "the stop")
        assert engine.stopped == 1
        assert driver.said("outcome") == str(outcome.stopped(has_text=True))


async def test_a_long_answer_that_is_shown_again_is_bounded_too() -> None:
    async with driving(streaming(LONG["paragraphs"])) as driver:
        await driver.ask_to_the_end("q")
        exchange = driver.main.exchange
        assert exchange is not None
        await driver.main.answer.restore(exchange)
        await driver.pilot.pause()
        assert "Paragraph 4999" in shown(driver) and AS_IT_CAME in shown(driver)
        assert widgets(driver) < MOST
        await driver.main.answer.model.show_text("Short.", [])
        await driver.pilot.pause()
        assert shown(driver) == "Short."


async def test_a_turn_that_is_shown_again_has_every_paragraph() -> None:
    words = "kites hover over the field " * 12
    text = "\n\n".join(f"Paragraph {n}: {words}." for n in range(30))
    async with driving(streaming(text)) as driver:
        await driver.ask_to_the_end("q")
        assert driver.main.exchange is not None
        for _ in range(2):
            seen = [n for n in range(30) if f"Paragraph {n}:" in shown(driver)]
            assert seen == list(range(30))
            await driver.main.answer.restore(driver.main.exchange)
            await driver.pilot.pause()


@pytest.mark.parametrize("turns", range(6))
async def test_a_text_that_ends_at_once_and_differs_takes_the_place_of_its_pieces(
    turns: int,
) -> None:
    async with driving(streaming("An answer.")) as driver:
        await driver.ask_to_the_end("q")
        pane = driver.main.answer.model
        await pane.empty()
        await pane.add_text("It ")
        for _ in range(turns):
            await asyncio.sleep(0)
        await pane.close_stream()
        await pane.show_text("It is a grass, they say.", [])
        await driver.pilot.pause()
        assert shown(driver) == "It is a grass, they say."


async def test_marks_are_counted_and_followed_through_all_sections() -> None:
    count = 500
    text = "".join(f"- Sentence {n}. [{n % 3 + 1}]\n" for n in range(count))
    engine = streaming("", *tokens(text), finished(text))
    async with driving(engine) as driver:
        await driver.ask_to_the_end("q")
        long = driver.main.query_one(LongText)
        assert len(long.query(ModelText)) > 1 and long.query(PlainText)
        assert [mark.citation for mark in long.marks()] == list(range(count))
        driver.main.go_to("answer")
        await driver.press("N")
        chosen = next(each for each in driver.messages if isinstance(each, CitationChosen))
        assert (chosen.rank, chosen.sentence.strip()) == (
            (count - 1) % 3 + 1,
            f"- Sentence {count - 1}.",
        )
        plain = long.query(PlainText).last()
        shown_text = plain.content
        assert isinstance(shown_text, Content)
        links = [span.style.meta for span in shown_text.spans if isinstance(span.style, Style)]
        await plain.run_action(links[-1]["@click"])
        await driver.until(lambda: driver.seen(HitCited) == 1, "the mark is followed")


async def test_marks_in_a_line_without_end_are_whole() -> None:
    count = 2_000
    text = "".join(f"Sentence {n}. [{n % 3 + 1}] " for n in range(count))
    async with driving(streaming("", *tokens(text), finished(text))) as driver:
        await driver.ask_to_the_end("q")
        long = driver.main.query_one(LongText)
        assert len(long.query(PlainText)) > 1
        assert [mark.citation for mark in long.marks()] == list(range(count))


async def test_nothing_is_said_of_what_follows_where_nothing_does() -> None:
    async with driving() as driver:
        await driver.ask_to_the_end("q")
        pane, line = driver.main.answer.model, "- one more item\n"
        await pane.show_text(line * 90, [])
        long = driver.main.query_one(LongText)
        while sum(1 for _ in long.walk_children()) < MOST_WIDGETS:
            await long.write(line)
        await long.write(line)
        assert AS_IT_CAME not in shown(driver)
        await long.write(line)
        assert AS_IT_CAME in shown(driver)


async def test_what_is_shown_as_it_came_is_only_text() -> None:
    hostile = "[@click=app.quit]x[/] [/] \x1b]52;c;AA==\x07\u202eevil <b>\n"
    async with driving(streaming(LONG["line"][:50_000] + "\n\n" + hostile)) as driver:
        await driver.ask_to_the_end("q")
        end = str(driver.main.query(PlainText).last().content)
        assert "[@click=app.quit]x[/] [/]" in end and "<b>" in end
        assert not {"\x1b", "\x07", "\u202e"} & set(end)
        assert not driver.main.query_one(LongText).marks()


async def test_a_section_begins_where_the_numbers_of_a_list_go_on() -> None:
    text = "".join(f"{n}. item of a list that goes on and on and on\n" for n in range(1, 70))
    async with driving(streaming("", *tokens(text), finished(text))) as driver:
        await driver.ask_to_the_end("q")
        assert len(driver.main.query(ModelText)) > 1
        numbers = [str(bullet.render()).strip() for bullet in driver.main.query("MarkdownBullet")]
        assert numbers == [f"{n}." for n in range(1, 70)]


@pytest.mark.parametrize(
    ("text", "starts"),
    [
        ("one\n\ntwo\nmore\n\nthree", [0, 5, 15]),
        ("- a\n  - inner\n- b", [0, 14]),
        ("> - a\n> - b\n\nend", [0, 13]),
        ("```\n- a\n\nb\n```\nend", [0, 15]),
        ("| a |\n|---|\n| 1 |\n", [0]),
        ("a\n2. b", [0]),
        ("", []),
    ],
)
def test_blocks_begin_where_markdown_says_so(text: str, starts: list[int]) -> None:
    assert block_starts(text) == starts


@pytest.mark.parametrize(
    "text", ["", "a", "a\n" * 3_000, "b" * 5_000, "c" * 999 + "\n" + "d", "e " * 900 + "f"]
)
def test_slices_are_the_text(text: str) -> None:
    pieces = list(slices(text))
    assert "".join(pieces) == text
    assert all(len(piece) <= LONGEST_SLICE for piece in pieces)
