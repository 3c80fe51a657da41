"""Following the links of a hit to the files they lead to."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.wire.api_links import Link
from tests.hits import hit
from tests.tui.driver import Driver, driving
from tests.tui.scripted import ScriptedEngine, whole_answer
from tui.editor import edits, place_of
from tui.links_page import LinksPage, row
from tui.messages import HitOpened

ATTACK = "[/] [@click=app.quit]x[/] \x1b]52;c;AA==\x07 \u202eevil"


def link(path: str, line: int = 1, label: str = "the guide") -> Link:
    return Link(label=label, target=path, path=path, line=line, line_in_source=3)


async def with_a_hit(driver: Driver) -> None:
    await driver.ask_to_the_end("q")
    driver.main.go_to("results")
    await driver.until(lambda: driver.main.preview.hit is not None)


def linking(*links: Link) -> ScriptedEngine:
    engine = ScriptedEngine()
    engine.answer = whole_answer([hit(1)], "Done.")
    engine.links_found = list(links)
    return engine


@pytest.mark.parametrize("size", [(100, 30), (60, 20)])
async def test_l_lists_the_links_and_enter_opens_one_at_its_line(size: tuple[int, int]) -> None:
    engine = linking(link("guide.md"), link("other.md", 7, ATTACK))
    async with driving(engine, size=size) as driver:
        await with_a_hit(driver)
        await driver.press("l")
        await driver.until(lambda: isinstance(driver.app.screen, LinksPage), "the list")
        (asked,) = engine.links_asked
        assert (asked.path, asked.start_line, asked.end_line) == ("docs/page1.md", 10, 18)
        await driver.press("j", "enter")
        await driver.until(lambda: len(driver.app.screen_stack) == 1, "closing")
        await driver.until(lambda: driver.seen(HitOpened))
        opened = next(m.hit for m in driver.messages if isinstance(m, HitOpened))
        assert (opened.path, opened.start_line) == ("other.md", 7)


@pytest.mark.parametrize("key", ["escape", "q", "l"])
async def test_the_list_closes_and_nothing_is_opened(key: str) -> None:
    async with driving(linking(link("guide.md"))) as driver:
        await with_a_hit(driver)
        await driver.press("l")
        await driver.until(lambda: isinstance(driver.app.screen, LinksPage))
        await driver.press(key)
        await driver.until(lambda: len(driver.app.screen_stack) == 1)
        assert not driver.toasts


async def test_a_hit_without_links_says_so() -> None:
    async with driving(linking()) as driver:
        await with_a_hit(driver)
        await driver.press("l")
        await driver.until(lambda: driver.toasts)
        assert "no other file" in driver.toasts[0].message


def test_a_row_is_safe_and_a_pdf_is_left_to_its_viewer() -> None:
    shown = row(link(f"{ATTACK}.md", 4, ATTACK)).plain
    assert "\x1b" not in shown and "\u202e" not in shown and "\n" not in shown
    assert not edits(Path("a.PDF")) and edits(Path("a.md")) and edits(Path("a.unknown"))
    assert place_of("a.md", None, 9).start_line == 9
