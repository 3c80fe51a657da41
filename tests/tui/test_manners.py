"""Small things a person notices: toasts, keys typed ahead, the palette, code, small screens."""

from __future__ import annotations

import time

import pytest
from textual.command import CommandList

from engine.wire import api_answer
from tests.hits import hit
from tests.tui import content
from tests.tui.driver import Driver, driving
from tests.tui.scripted import ScriptedEngine, found, whole_answer
from tui.extract import Extract, lines_of_code


def answering() -> ScriptedEngine:
    engine = ScriptedEngine()
    engine.answer = whole_answer(content.HITS, content.CITED, content.EXTRACTS)
    return engine


async def test_equal_messages_are_shown_once_while_one_can_be_seen() -> None:
    clock = [100.0]
    async with driving(answering(), now=lambda: clock[0]) as driver:
        for _ in range(5):
            driver.app.notify("There is nothing to copy yet")
        driver.app.notify("Something else")
        await driver.until(lambda: len(driver.toasts) == 2)
        clock[0] += 60
        driver.app.notify("There is nothing to copy yet")
        await driver.until(lambda: len(driver.toasts) == 3)


async def test_keys_typed_before_a_dialog_closed_are_not_commands() -> None:
    async with driving(answering()) as driver:
        await driver.ask_to_the_end("q")
        driver.main.go_to("results")
        early = time.monotonic()
        await driver.press("i" if driver.main.status else "question_mark")
        await driver.until(lambda: len(driver.app.screen_stack) == 2)
        await driver.press("escape")
        await driver.until(lambda: len(driver.app.screen_stack) == 1)
        await driver.press_at(early, "y")
        assert driver.app.clipboard == ""
        await driver.press("y")
        assert driver.app.clipboard == content.HITS[0].text, "later ones are"


async def test_text_typed_into_the_query_meanwhile_is_kept() -> None:
    async with driving(answering()) as driver:
        early = time.monotonic()
        await driver.press("f1")
        await driver.until(lambda: len(driver.app.screen_stack) == 2)
        await driver.press("escape")
        await driver.until(lambda: len(driver.app.screen_stack) == 1)
        await driver.press_at(early, "k")
        assert driver.main.query_pane.input.text == "k"


async def palette_rows(driver: Driver) -> list[str]:
    await driver.press("ctrl+p")
    await driver.until(lambda: driver.app.screen.query(CommandList), "the palette")
    rows = driver.app.screen.query_one(CommandList)
    await driver.until(lambda: rows.option_count > 10, "the actions")
    return [str(option.prompt) for option in rows.options]


async def test_the_palette_begins_with_what_is_most_useful_and_tells_the_keys() -> None:
    async with driving(answering()) as driver:
        rows = await palette_rows(driver)
        assert rows[0].startswith("Ask again") and "ctrl+r" in rows[0]
        assert "ctrl+n" in next(row for row in rows if row.startswith("New conversation"))


async def test_what_was_used_in_the_palette_comes_first_the_next_time() -> None:
    async with driving(answering()) as driver:
        await driver.press("ctrl+p")
        await driver.until(lambda: driver.app.screen.query(CommandList))
        await driver.press(*"Around")
        rows = driver.app.screen.query_one(CommandList)
        await driver.until(lambda: rows.option_count == 1, "the match")
        await driver.press("enter")
        await driver.until(lambda: driver.app.used_actions == ["Around"], "the action")
        assert (await palette_rows(driver))[0].startswith("Around")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("def f():\n        return 1", "def f():\n    return 1"),
        ("a = 1\n    b = 2\n    c = 3", "a = 1\nb = 2\nc = 3"),
        ("if x {\n\ty()\n\t}", "if x {\n    y()\n    }"),
        ("    only()", "only()"),
        ("a\x1b[2J", "a\ufffd[2J"),
        ("", ""),
    ],
)
def test_code_keeps_its_lines_and_indents(text: str, wanted: str) -> None:
    assert lines_of_code(text) == wanted


@pytest.mark.parametrize(
    ("path", "text", "lines"),
    [
        ("src/a.py", "def f():\n    return 1", 2),
        ("guide.md", "def f():\n    return 1", 2),
        ("guide.md", "A sentence that was\nwrapped by its author.", 1),
        ("guide.md", "- an item\n  that goes on", 1),
    ],
)
def test_only_code_is_quoted_with_its_lines(path: str, text: str, lines: int) -> None:
    shown = str(Extract(api_answer.Extract(text=text, hit=1), hit(1, path=path)).content)
    assert len(shown.splitlines()) == lines
    assert ("“" in shown) == (lines == 1)


async def test_a_small_screen_shows_the_text_of_a_hit_while_one_types() -> None:
    engine = answering()
    engine.finds["dry"] = [found("dry", content.HITS[1:])]
    async with driving(engine, size=(60, 20)) as driver:

        def shown() -> list[str]:
            panes = {"preview": driver.main.preview, "answer": driver.main.answer}
            return [name for name, pane in panes.items() if pane.display]

        await driver.ask_to_the_end("q")
        assert shown() == ["answer"]
        driver.main.query_pane.input.text = "dry"
        await driver.until(lambda: shown() == ["preview"], "the preview")
        assert driver.main.pane == "query"
        driver.main.query_pane.input.text = "q"
        await driver.until(lambda: shown() == ["answer"], "the answer")
