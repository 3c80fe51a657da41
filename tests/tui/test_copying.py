"""What is put on the clipboard."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from textual.widgets import OptionList

from engine.part import Part
from engine.wire.api_search import Hit
from tests.hits import hit
from tests.tui import content
from tests.tui.driver import Driver, driving
from tests.tui.scripted import ScriptedEngine, whole_answer
from tui.code_blocks import CodeBlock, code_blocks, row

ONE = "Run this:\n\n```sh\nmake  run\n\nmake test\n```\n\nThen look."
TWO = f"{ONE} Or:\n\n1. in Python\n\n   ~~~python\n   print('[2]')\n   ~~~\n"
HOSTILE = "\x1b]52;c;AA==\x07\u202eevil [/][@click=app.quit]x"


def answering(answer: str, hits: Sequence[Hit] | None = None) -> ScriptedEngine:
    engine = ScriptedEngine()
    engine.answer = whole_answer(hits or content.HITS, answer, [])
    return engine


def choose(driver: Driver, name: str) -> None:
    next(each for each in driver.app.actions() if each.name == name).do()


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("", []),
        ("no `code` here", []),
        ("```\n\n```", []),
        (ONE, [CodeBlock("sh", "make  run\n\nmake test\n")]),
        (TWO, [CodeBlock("sh", "make  run\n\nmake test\n"), CodeBlock("python", "print('[2]')\n")]),
        ("a\n\n    indented\n", [CodeBlock("", "indented\n")]),
        ("```\nno end", [CodeBlock("", "no end")]),
    ],
)
def test_blocks_of_code_are_found(text: str, blocks: list[CodeBlock]) -> None:
    assert code_blocks(text) == blocks


def test_a_row_is_safe_and_short() -> None:
    shown = row(CodeBlock(HOSTILE, f"{HOSTILE * 20}\nmore")).plain
    assert shown.isprintable() and len(shown) < 90 and "2 lines" in shown


async def test_capital_y_copies_the_place() -> None:
    hits = [
        hit(1, path="a b/c.md", start_line=12),
        hit(2, path="d.pdf", part=Part("page", 7)),
        hit(3),
    ]
    hits[2] = hits[2].model_copy(update={"path": f"{HOSTILE}.md"})
    async with driving(answering("x", hits)) as driver:
        await driver.press("tab", "Y")
        assert "nothing to copy" in driver.toasts[-1].message
        await driver.ask_to_the_end("q")
        await driver.press("tab", "Y")
        assert driver.app.clipboard == "a b/c.md:12"
        await driver.press("j", "Y")
        assert driver.app.clipboard == "d.pdf p.7"
        await driver.press("j", "Y")
        assert driver.app.clipboard.isprintable() and "evil" in driver.app.clipboard


async def test_the_one_code_block_is_copied_at_once() -> None:
    async with driving(answering(ONE)) as driver:
        await driver.ask_to_the_end("q")
        choose(driver, "Copy the code block")
        await driver.pilot.pause()
        assert driver.app.clipboard == "make  run\n\nmake test\n"
        assert len(driver.app.screen_stack) == 1


async def test_of_several_code_blocks_one_is_chosen() -> None:
    async with driving(answering(TWO)) as driver:
        await driver.ask_to_the_end("q")
        choose(driver, "Copy the code block")
        await driver.until(lambda: driver.app.screen.query(OptionList), "the list")
        await driver.press("j", "enter")
        assert driver.app.clipboard == "print('[2]')\n"
        choose(driver, "Copy the code block")
        await driver.pilot.pause()
        await driver.press("escape")
        assert driver.app.clipboard == "print('[2]')\n"


async def test_without_code_that_is_said() -> None:
    async with driving(answering("Plain words.")) as driver:
        await driver.ask_to_the_end("q")
        choose(driver, "Copy the code block")
        await driver.pilot.pause()
        assert "no code block" in driver.toasts[-1].message


async def test_at_a_citation_its_sentence_is_copied_with_its_source_and_then_the_answer() -> None:
    hits = [hit(1, path="a.md", start_line=12), hit(2, path=f"{HOSTILE}.md")]
    async with driving(answering(f"Rest it. [1] Dry {HOSTILE} it. [2]", hits)) as driver:
        await driver.ask_to_the_end("q")
        driver.main.go_to("answer")
        await driver.press("y")
        whole = driver.app.clipboard
        assert "Rest it. [1]" in whole
        await driver.press("n", "y")
        assert driver.app.clipboard == "Rest it. (a.md:12)"
        assert "sentence with its source" in driver.toasts[-1].message
        await driver.press("y")
        assert driver.app.clipboard == whole
        await driver.press("n", "y")
        assert driver.app.clipboard.startswith("Dry ") and driver.app.clipboard.endswith(")")
        assert driver.app.clipboard.isprintable()
