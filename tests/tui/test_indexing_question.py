"""The question whether a folder may be indexed: what it tells, and that all of it can be read."""

from __future__ import annotations

import pytest

from engine.errors import EngineError
from engine.wire import api
from tests.tui.driver import driving
from tests.tui.scripted import ScriptedEngine, ScriptedSource, status
from tests.tui.test_start import SURVEY, after_a_pause
from tui.messages import EngineFailed, EngineLost

HOSTILE = "\x1b]52;c;AA==\x07 \u202eevil [/] [@click=app.quit]x"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"llm_model": "some/\x1b\u202emodel"}, "model"),
        ({"llm_url": "http://a.b/v1"}, "http://a.b/v1"),
        ({"llm_url": "http://a.b/v1", "llm_model": "big"}, "big at http://a.b/v1"),
    ],
)
async def test_who_will_answer_is_told_before_a_folder_is_indexed(
    settings: dict[str, str], told: str
) -> None:
    engine = ScriptedEngine()
    engine.survey = SURVEY
    async with driving(source=ScriptedSource(engine, **settings), ready=False) as driver:
        await driver.until(lambda: len(driver.app.screen_stack) == 2, "the question")
        await driver.pilot.pause()
        page = " ".join(driver.page().split())
        assert told in page and not {"\x1b", "\u202e"} & set(page)
        assert ("goes to the server" in page) is ("llm_url" in settings)


async def test_enter_agrees_and_what_is_left_out_can_be_looked_at() -> None:
    engine = ScriptedEngine()
    engine.survey = SURVEY.model_copy(
        update={
            "kept_bytes": 52_000_000,
            "left_out": [
                api.SkippedFile(path="build/", reason="ignored"),
                api.SkippedFile(path=HOSTILE, reason=HOSTILE),
            ],
        }
    )
    async with driving(engine, ready=False) as driver:
        await driver.until(lambda: len(driver.app.screen_stack) == 2, "the question")
        await driver.pilot.pause()
        assert "about 52 MB in" in driver.page().replace("\u00a0", " ")
        await driver.press_at(after_a_pause(), "l")
        page = driver.page()
        assert "300 ignored, 12 Word files" in page.replace("\u00a0", " ")
        assert "build/  ignored" in page and "evil [/] [@click=app.quit]x" in page
        assert not {"\x1b", "\u202e", "\x07"} & set(page)
        await driver.press("escape")
        assert "Index this folder?" in str(driver.app.screen.query_one(".dialog").border_title)
        await driver.press_at(after_a_pause() + 1, "enter")
        await driver.until(lambda: driver.app.link.is_open, "opening it")
        assert engine.opened[-1][1], "agreed"


async def test_while_the_question_stands_the_panes_say_what_is_waited_for() -> None:
    engine = ScriptedEngine()
    engine.survey = SURVEY
    async with driving(engine, ready=False) as driver:
        await driver.until(lambda: len(driver.app.screen_stack) == 2, "the question")
        await driver.pilot.pause()
        await driver.until(
            lambda: driver.status_line.strip() == "○ waits for your yes", "the words"
        )
        assert "waits for your yes" in driver.said("results-note")
        await driver.press_at(after_a_pause(), "y")
        await driver.until(lambda: "opening the folder" in driver.status_line, "opening")
        engine.statuses.put_nowait(status(files=5))
        await driver.until(lambda: "5 files" in driver.status_line)
        assert "Hits appear here" in driver.said("results-note")


async def test_a_question_asked_beforehand_stays_announced_while_a_yes_is_awaited() -> None:
    engine = ScriptedEngine()
    engine.survey = SURVEY
    source = ScriptedSource(engine)
    source.gate.clear()
    async with driving(source=source, ready=False) as driver:
        await driver.ask("why?")
        source.gate.set()
        await driver.until(lambda: "waits for your yes" in driver.status_line, "the words")
        assert "Your question is asked" in driver.said("results-note")


async def test_an_engine_that_is_killed_behind_the_question_is_started_again_unasked() -> None:
    dead, engine = ScriptedEngine(), ScriptedEngine()
    dead.survey = SURVEY
    source = ScriptedSource(engine)
    source.engines = [dead]
    async with driving(source=source, ready=False) as driver:
        await driver.until(lambda: len(driver.app.screen_stack) == 2, "the question")
        await driver.pilot.pause()

        async def gone(*_: object, **__: object) -> api.FolderOpened:
            raise EngineError("connection refused")

        dead.open_folder = gone  # type: ignore[method-assign]
        await driver.press_at(after_a_pause(), "y")
        await driver.until(lambda: driver.app.link.is_open, "another engine")
        assert (driver.seen(EngineLost), driver.seen(EngineFailed)) == (1, 0)
        assert engine.opened[-1][1], "it is not asked again"
        assert len(driver.app.screen_stack) == 1


async def test_letters_of_a_question_that_is_being_typed_answer_nothing() -> None:
    engine = ScriptedEngine()
    engine.survey = SURVEY
    async with driving(engine, ready=False) as driver:
        driver.main.query_pane.input.text = "how do i"
        await driver.until(lambda: len(driver.app.screen_stack) == 2, "the question")
        await driver.pilot.pause()
        for number, letter in enumerate("nyl n"):
            await driver.press_at(after_a_pause() + 5 * number, letter)
        assert len(driver.app.screen_stack) == 2 and not engine.opened[-1][1]
        await driver.press_at(after_a_pause() + 40, "enter")
        await driver.until(lambda: driver.app.link.is_open, "agreeing")


async def test_a_question_longer_than_the_screen_can_be_read_to_its_end() -> None:
    engine = ScriptedEngine()
    engine.survey = SURVEY
    async with driving(engine, ready=False, size=(60, 16)) as driver:
        await driver.until(lambda: len(driver.app.screen_stack) == 2, "the question")
        await driver.pilot.pause()
        box = driver.app.screen.query_one(".dialog")
        assert box.max_scroll_y > 0 and "index it" in str(box.border_subtitle)
        for number in range(box.max_scroll_y):
            await driver.press_at(after_a_pause() + number, "down")
        assert box.scroll_y == box.max_scroll_y
