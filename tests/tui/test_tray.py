"""The context tray: what is pinned and dropped, and asking with exactly that."""

from __future__ import annotations

import pytest

from tests.hits import hit
from tests.tui import content
from tests.tui.driver import Driver, driving
from tests.tui.scripted import ScriptedEngine, found, status, whole_answer
from tui.tray import DROPPED, PINNED, Tray


def answering() -> ScriptedEngine:
    engine = ScriptedEngine()
    engine.answer = whole_answer(content.HITS, content.CITED, content.EXTRACTS)
    return engine


async def asked(driver: Driver) -> None:
    await driver.ask_to_the_end("q")
    driver.main.go_to("results")
    await driver.pilot.pause()


def rows(driver: Driver) -> list[str]:
    return [str(option.prompt) for option in driver.main.results.list.options]


def tray_line(driver: Driver) -> str:
    return str(driver.main.results.border_subtitle or "")


async def test_hits_are_pinned_and_dropped_visibly() -> None:
    async with driving(answering()) as driver:
        await asked(driver)
        await driver.press("space", "j", "d")
        await driver.until(lambda: "1 pinned, 1 dropped" in tray_line(driver))
        assert rows(driver)[0].startswith(f"1{PINNED}")
        assert rows(driver)[1].startswith(f"2{DROPPED}")
        assert rows(driver)[2].startswith("3 ")
        assert driver.main.results.selected == content.HITS[1], "the cursor stays"
        await driver.press("d", "k", "space")
        await driver.until(lambda: "pinned" not in tray_line(driver))
        assert not driver.main.tray


async def test_a_pinned_hit_that_is_dropped_is_pinned_no_longer() -> None:
    async with driving(answering()) as driver:
        await asked(driver)
        await driver.press("space", "d")
        await driver.until(lambda: "1 dropped" in tray_line(driver))
        assert driver.main.tray.pinned == []


async def test_the_tray_goes_with_the_next_question() -> None:
    engine = answering()
    async with driving(engine) as driver:
        await asked(driver)
        await driver.press("space", "j", "d")
        await driver.ask_to_the_end("again")
        tray = engine.asked[-1].tray
        assert tray.pinned == [content.HITS[0]]
        assert [each.path for each in tray.dropped] == [content.HITS[1].path]
        assert tray.dropped[0].start_line == content.HITS[1].start_line
        assert not tray.exactly


async def test_hits_of_what_is_typed_are_pinned_before_anything_is_asked() -> None:
    engine = answering()
    engine.finds["rye"] = [found("rye", [hit(1, path="rye.md")])]
    async with driving(engine) as driver:
        await driver.press(*"rye")
        await driver.until(lambda: driver.main.results.hits)
        driver.main.go_to("results")
        await driver.press("space")
        await driver.until(lambda: driver.main.tray)
        await driver.ask_to_the_end("How is rye fed?")
        assert [each.path for each in engine.asked[-1].tray.pinned] == ["rye.md"]


async def test_enter_in_the_tray_asks_again_with_exactly_the_pinned() -> None:
    engine = answering()
    async with driving(engine) as driver:
        await asked(driver)
        await driver.press("j", "space", "t")
        await driver.until(lambda: len(driver.app.screen_stack) == 2)
        await driver.press("enter")
        await driver.until(lambda: len(engine.asked) == 2 and not driver.main.answering)
        request = engine.asked[-1]
        assert request.question == "q"
        assert request.tray.exactly and request.tray.pinned == [content.HITS[1]]
        engine.refreshed = [hit(1)]
        engine.statuses.put_nowait(status(revision=1))
        await driver.until(lambda: driver.main.status, "the first status")
        engine.statuses.put_nowait(status(revision=2))
        await driver.until(lambda: engine.evidence_asked, "what follows a change")
        assert engine.searches == [], "its hits were chosen by hand"


async def test_enter_in_the_tray_asks_what_is_typed() -> None:
    engine = answering()
    async with driving(engine) as driver:
        await asked(driver)
        await driver.press("space")
        driver.main.query_pane.input.text = "another question"
        await driver.press("t")
        await driver.until(lambda: len(driver.app.screen_stack) == 2)
        await driver.press("enter")
        await driver.until(lambda: len(engine.asked) == 2)
        assert engine.asked[-1].question == "another question"
        assert engine.asked[-1].tray.exactly


async def test_hits_are_taken_out_in_the_tray() -> None:
    async with driving(answering()) as driver:
        await asked(driver)
        await driver.press("space", "j", "space", "j", "d", "t")
        await driver.until(lambda: len(driver.app.screen_stack) == 2)
        await driver.press("j", "d")
        await driver.press("escape")
        await driver.until(lambda: "1 pinned, 1 dropped" in tray_line(driver))
        assert driver.main.tray.pinned == [content.HITS[0]]
        await driver.press("t")
        await driver.until(lambda: len(driver.app.screen_stack) == 2)
        await driver.press("D")
        await driver.until(lambda: len(driver.app.screen_stack) == 1)
        assert not driver.main.tray
        assert "tray" not in tray_line(driver)


async def test_an_empty_tray_tells_how_it_is_filled() -> None:
    async with driving(answering()) as driver:
        await asked(driver)
        await driver.press("t")
        await driver.until(lambda: "space pins" in driver.page())
        await driver.press("enter", "d", "escape")
        await driver.until(lambda: len(driver.app.screen_stack) == 1)


async def test_a_new_conversation_empties_the_tray() -> None:
    async with driving(answering()) as driver:
        await asked(driver)
        await driver.press("space", "ctrl+n")
        await driver.until(lambda: driver.main.exchange is None)
        assert not driver.main.tray


async def test_a_pinned_hit_the_search_does_not_find_stays_among_the_hits() -> None:
    engine = answering()
    async with driving(engine) as driver:
        engine.statuses.put_nowait(status(revision=1))
        await asked(driver)
        await driver.press("G", "space")
        await driver.until(lambda: driver.main.tray)
        await driver.ask_to_the_end("q")
        engine.refreshed = content.HITS[:2]
        engine.statuses.put_nowait(status(revision=2))
        await driver.until(lambda: len(driver.main.results.hits) == 3, "the pinned one stays")
        assert driver.main.results.hits[-1].text == content.HITS[-1].text


@pytest.mark.parametrize("attack", ["[/]", "[@click=app.quit]x[/]", "\x1b]52;c;AA==\x07", "a\nb"])
async def test_hostile_hits_are_text_in_the_tray(attack: str) -> None:
    engine = ScriptedEngine()
    engine.answer = whole_answer([hit(1, path=f"{attack}.md", heading=attack)], "x")
    async with driving(engine) as driver:
        await asked(driver)
        await driver.press("space", "t")
        await driver.until(lambda: len(driver.app.screen_stack) == 2)
        await driver.pilot.pause()
        assert driver.app.is_running


def test_a_hit_is_known_by_its_text_wherever_it_stands_now() -> None:
    tray = Tray()
    tray.toggle_pin(hit(1))
    assert tray.mark(hit(7, path="docs/page1.md", text="Text of hit 1.")) == PINNED
    assert tray.mark(hit(1, text="other")) == " "
