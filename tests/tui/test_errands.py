"""What keys have the engine do: told at once where that can't be done, and never done later."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from textual.events import MouseDown

from engine.errors import EngineError, HoverkiteError
from engine.wire import api_conversations, api_models
from engine.wire.api_links import Link
from tests.tui import content
from tests.tui.driver import Driver, driving
from tests.tui.scripted import ScriptedEngine, ScriptedSource, status, whole_answer
from tui.messages import EngineFailed, FolderReady

KEYS = ["c", "M", "l", "i", "p"]
PAGES = {"c": "conversations", "M": "llm", "l": "links"}
"""Keys that open a page once the engine has replied, and what it is asked for."""


def scripted() -> ScriptedEngine:
    engine = ScriptedEngine()
    engine.answer = whole_answer(content.HITS, content.CITED, content.EXTRACTS)
    engine.refreshed = content.HITS
    engine.links_found = [Link(label="x", target="x.md", path="x.md", line=1, line_in_source=3)]
    turns: list[api_conversations.Turn] = []
    engine.kept["c"] = api_conversations.Conversation(
        id="c", title="Rye", turns=turns, began="2026-05-01", last="2026-05-01"
    )
    return engine


def fail(engine: ScriptedEngine, method: str, error: HoverkiteError) -> None:
    async def failing(*_: object, **__: object) -> None:
        raise error

    setattr(engine, method, failing)


def slow(engine: ScriptedEngine, method: str) -> tuple[asyncio.Event, asyncio.Event]:
    """Hold up a reply; the events: it was asked for, and what lets it go on."""
    asked, gate = asyncio.Event(), asyncio.Event()
    real = getattr(engine, method)

    async def held_up(*given: Any, **named: Any) -> object:
        asked.set()
        await gate.wait()
        return await real(*given, **named)

    setattr(engine, method, held_up)
    return asked, gate


async def lost(driver: Driver, source: ScriptedSource) -> None:
    """Lose the engine for good, with hits on the screen."""
    await driver.ask_to_the_end(content.QUESTION)
    source.faults = [EngineError("it is gone")] * 3
    source.engine.statuses.put_nowait(EngineError("connection reset"))
    await driver.until(lambda: driver.seen(EngineFailed), "giving up")
    driver.main._status = None
    driver.main.go_to("results")


@pytest.mark.parametrize("key", [key for key in KEYS if key != "l"])
async def test_a_key_says_that_the_folder_is_not_open_yet_and_does_nothing_later(key: str) -> None:
    source = ScriptedSource(scripted())
    source.gate.clear()
    async with driving(source=source, ready=False) as driver:
        driver.main.go_to("answer")
        await driver.press(key, key)
        (told,) = driver.toasts
        assert told.title == "The folder is not open yet"
        assert "press the key again then" in told.message
        source.gate.set()
        await driver.until(lambda: driver.seen(FolderReady), "opening")
        await driver.pilot.pause()
        assert len(driver.app.screen_stack) == 1
        assert source.engine.pauses == []


@pytest.mark.parametrize("key", KEYS)
async def test_a_key_says_why_the_engine_is_gone_and_opens_nothing_over_what_is_typed(
    key: str,
) -> None:
    source = ScriptedSource(scripted())
    async with driving(source=source) as driver:
        await lost(driver, source)
        before = len(driver.toasts)
        await driver.press(key)
        (told,) = driver.toasts[before:]
        assert (told.title, told.message) == (
            "The engine does not answer",
            "it is gone\n→ ctrl+r tries again",
        )
        driver.main.go_to("query")
        await driver.press("ctrl+r", *"dy")
        await driver.until(lambda: driver.seen(FolderReady) == 2, "the retry")
        await driver.pilot.pause()
        assert len(driver.app.screen_stack) == 1
        assert driver.main.query_pane.input.text == "dy"
        assert source.engine.pauses == [] and list(source.engine.kept) == ["c"]


@pytest.mark.parametrize("key", PAGES)
@pytest.mark.parametrize("meanwhile", ["", "j", "slash", "click", "question_mark"])
async def test_a_page_that_was_waited_for_opens_unless_something_was_done_meanwhile(
    key: str, meanwhile: str
) -> None:
    engine = scripted()
    asked, gate = slow(engine, PAGES[key])
    async with driving(engine) as driver:
        await driver.ask_to_the_end(content.QUESTION)
        driver.main.go_to("results")
        await driver.press(key)
        await driver.until(asked.is_set, "asking")
        if meanwhile == "click":
            driver.app.post_message(MouseDown(None, 50, 9, 0, 0, 1, False, False, False, 50, 9))
            await driver.pilot.pause()
        elif meanwhile:
            await driver.press(meanwhile)
        shown = list(driver.app.screen_stack)
        gate.set()
        if not meanwhile:
            await driver.until(lambda: len(driver.app.screen_stack) == 2, "the page")
        else:
            await driver.press("f10")  # which does nothing
            assert driver.app.screen_stack == shown


async def test_a_second_press_while_a_pause_is_on_its_way_takes_it_back() -> None:
    engine = scripted()
    asked, gate = slow(engine, "pause")
    async with driving(engine) as driver:
        engine.statuses.put_nowait(status(watch="events"))
        await driver.until(lambda: driver.main.status, "a status")
        driver.main.go_to("answer")
        await driver.press("p")
        await driver.until(asked.is_set, "pausing")
        await driver.press("p", "p", "p")
        assert engine.pauses == []
        gate.set()
        await driver.until(lambda: engine.pauses == [True, False, True, False], "each in its turn")
        await driver.until(lambda: not driver.main._pauses_sent, "the replies")
        await driver.press("p")
        await driver.until(lambda: engine.pauses[4:] == [True], "pausing again")


@pytest.mark.parametrize(
    ("key", "method"), [*PAGES.items(), ("p", "pause"), ("R", "read_again"), ("d", "")]
)
async def test_what_the_engine_refuses_is_told_with_what_can_be_done(key: str, method: str) -> None:
    engine = scripted()
    fail(engine, method or "delete_conversation", EngineError("it is busy", "Wait a little"))
    async with driving(engine) as driver:
        engine.statuses.put_nowait(status())
        await driver.until(lambda: driver.main.status, "a status")
        await driver.ask_to_the_end(content.QUESTION)
        driver.main.go_to("results")
        if key == "R":
            await driver.press("i")
            await driver.until(lambda: engine.files_asked, "the files")
            await driver.press("ctrl+r")
        elif key == "d":
            await driver.press("c")
            await driver.until(lambda: len(driver.app.screen_stack) == 2, "the page")
            await driver.press("d", "y")
        else:
            await driver.press(key)
        await driver.until(lambda: driver.toasts, "telling")
        (told,) = driver.toasts
        assert told.title == "The engine does not answer"
        assert told.message == "it is busy\n→ Wait a little"


async def test_a_model_that_can_not_be_used_is_told_with_what_can_be_done() -> None:
    engine = scripted()
    engine.better_model = api_models.OfferedModel(
        name="Better", detail="d", download_bytes=1, place="hub"
    )
    fail(engine, "use_model", EngineError("it is busy", "Wait a little"))
    async with driving(engine) as driver:
        await driver.ask_to_the_end(content.QUESTION)
        await driver.until(lambda: driver.main.offered == "better model", "the offer")
        await driver.press("ctrl+o")
        await driver.until(lambda: len(driver.app.screen_stack) == 2, "the question")
        await driver.press("y")
        await driver.until(lambda: driver.toasts, "telling")
        assert driver.toasts[-1].message == "it is busy\n→ Wait a little"


async def test_links_are_listed_of_a_hit_alone() -> None:
    async with driving(scripted()) as driver:
        driver.main.go_to("answer")
        await driver.press("l")
        assert "Select a hit first" in driver.toasts[-1].message
