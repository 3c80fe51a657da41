"""One pane alone on the desk, and all of them again."""

from __future__ import annotations

import pytest

from tests.tui import content
from tests.tui.driver import Driver, driving
from tests.tui.scripted import ScriptedEngine, found, whole_answer
from tui.hints import HintLine


def answering() -> ScriptedEngine:
    engine = ScriptedEngine()
    engine.answer = whole_answer(content.HITS, content.ANSWER, content.EXTRACTS)
    return engine


def panes_shown(driver: Driver) -> list[str]:
    main = driver.main
    panes = {"results": main.results, "preview": main.preview, "answer": main.answer}
    return [name for name, pane in panes.items() if pane.region.area > 0]


@pytest.mark.parametrize("size", [(100, 30), (60, 20), (80, 40)])
@pytest.mark.parametrize("pane", ["results", "preview", "answer"])
async def test_z_gives_a_pane_the_desk_and_takes_it_back(pane: str, size: tuple[int, int]) -> None:
    async with driving(answering(), size=size) as driver:
        await driver.ask_to_the_end("How do I rest it?")
        driver.main.go_to(pane)
        await driver.pilot.pause()
        before = panes_shown(driver)
        await driver.press("z")
        await driver.until(lambda: panes_shown(driver) == [pane], "the zoom")
        zoomed = getattr(driver.main, pane)
        assert zoomed.region == driver.main.query_one("#desk").region
        assert driver.main.query_pane.region.area > 0
        assert driver.main.status_bar.region.area > 0
        assert driver.main.pane == pane
        await driver.press("z")
        await driver.until(lambda: panes_shown(driver) == before, "all panes")


async def test_the_zoom_goes_where_the_cursor_goes() -> None:
    async with driving(answering()) as driver:
        await driver.ask_to_the_end("How do I rest it?")
        await driver.press("tab", "z")
        assert panes_shown(driver) == ["results"]
        await driver.press("tab")
        assert panes_shown(driver) == ["preview"]
        await driver.press("tab")
        assert panes_shown(driver) == ["answer"]
        await driver.press("2")
        assert panes_shown(driver) == ["results"]
        await driver.press("slash")
        assert panes_shown(driver) == ["results"], "the way to the query changes nothing"


async def test_in_the_query_the_zoom_shows_what_is_new() -> None:
    engine = answering()
    engine.finds["starter"] = [found("starter", content.HITS)]
    async with driving(engine) as driver:
        await driver.press("f4")
        assert panes_shown(driver) == ["answer"]
        driver.main.query_pane.input.text = "starter"
        await driver.until(lambda: panes_shown(driver) == ["results"], "the hits of what is typed")
        await driver.press("enter")
        await driver.until(lambda: panes_shown(driver) == ["answer"], "the answer")
        await driver.until(lambda: not driver.main.answering, "the end of the answer")
        assert panes_shown(driver) == ["answer"]


async def test_the_hints_and_the_palette_know_the_zoom() -> None:
    async with driving(answering()) as driver:
        await driver.press("tab", "z")
        hints = driver.main.query_one(HintLine)
        await driver.until(lambda: str(hints.content).startswith("z all panes"), "the hint")
        zoom = next(each for each in driver.app.actions() if each.name == "Zoom")
        assert driver.app.key_of(zoom.binding) == "z"
        zoom.do()
        await driver.until(lambda: len(panes_shown(driver)) == 3, "all panes")
        await driver.until(lambda: "all panes" not in str(hints.content), "the hints")
