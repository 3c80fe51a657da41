"""The link to the engine: lost, stopped, and mended."""

from __future__ import annotations

import asyncio

import pytest
from textual.message import Message

from engine.errors import (
    EngineError,
    EngineStoppedError,
)
from tests.tui import content
from tests.tui.driver import BOUND, FOLDER, driving
from tests.tui.scripted import ScriptedEngine, ScriptedSource, Step, status, whole_answer
from tui.link import STEADY_SECONDS, EngineLink
from tui.messages import EngineFailed, EngineLost, FolderReady


async def test_a_lost_engine_is_reached_again_quietly() -> None:
    engine = ScriptedEngine()
    source = ScriptedSource(engine)
    async with driving(source=source) as driver:
        await driver.ask_to_the_end("q")
        engine.statuses.put_nowait(EngineError("connection reset"))
        await driver.until(lambda: source.connections == 2, "reconnecting")
        await driver.until(lambda: driver.seen(FolderReady) == 2)
        assert driver.seen(EngineLost) == 1
        assert not driver.seen(EngineFailed)
        assert engine.closed == 1
        assert len(driver.main.results.hits) == 2
        engine.statuses.put_nowait(status(files=5))
        await driver.until(lambda: "5 files" in driver.status_line)


@pytest.mark.parametrize("went_on", [False, True])
async def test_a_pause_outlives_the_engine(went_on: bool) -> None:
    engine = ScriptedEngine()
    source = ScriptedSource(engine)
    async with driving(source=source) as driver:
        engine.statuses.put_nowait(status(state="paused", watch="paused"))
        if went_on:
            engine.statuses.put_nowait(status(watch="events"))
        engine.statuses.put_nowait(EngineError("connection reset"))
        await driver.until(lambda: driver.seen(FolderReady) == 2, "reconnecting")
        engine.statuses.put_nowait(status(state="loading"))
        await driver.until(lambda: "opening the folder" in driver.status_line)
        assert engine.pauses == []
        engine.statuses.put_nowait(status(state="indexing", files=5))
        engine.statuses.put_nowait(status(files=6))
        await driver.until(lambda: "6 files" in driver.status_line)
        assert engine.pauses == ([] if went_on else [True])


async def test_an_engine_that_stays_lost_is_reported_once_the_attempts_are_used_up() -> None:
    engine = ScriptedEngine()
    source = ScriptedSource(engine)
    async with driving(source=source) as driver:
        await driver.ask_to_the_end("q")
        source.faults = [EngineError("gone")] * 3
        engine.statuses.put_nowait(EngineError("connection reset"))
        await driver.until(lambda: driver.seen(EngineFailed), "giving up")
        assert driver.seen(EngineLost) == 2
        await driver.until(lambda: "gone" in driver.status_line)
        assert len(driver.main.results.hits) == 2, "the evidence stays on the screen"
        await driver.press("ctrl+r")
        await driver.until(lambda: driver.seen(FolderReady) == 2, "the retry")


@pytest.mark.parametrize(("held", "lost"), [(STEADY_SECONDS + 1, [1, 1]), (1.0, [1])])
async def test_a_link_that_held_long_enough_is_mended_as_if_for_the_first_time(
    held: float, lost: list[int]
) -> None:
    engine, clock = ScriptedEngine(), [0.0]
    told: asyncio.Queue[Message] = asyncio.Queue()
    link = EngineLink(
        ScriptedSource(engine), FOLDER, told.put_nowait, pauses=(0.0,), now=lambda: clock[0]
    )
    keeping = asyncio.create_task(link.keep())
    attempts: list[int] = []
    try:
        for _ in range(2):
            await until_told(told, FolderReady, attempts)
            clock[0] += held
            engine.statuses.put_nowait(status())
            engine.statuses.put_nowait(EngineError("connection reset"))
        await until_told(told, FolderReady if len(lost) > 1 else EngineFailed, attempts)
        assert attempts == lost
    finally:
        keeping.cancel()


async def until_told(told: asyncio.Queue[Message], kind: type[Message], lost: list[int]) -> None:
    """Wait for a message of ``kind``; note the attempts to reach the engine again before it."""
    async with asyncio.timeout(BOUND):
        while not isinstance(message := await told.get(), kind):
            if isinstance(message, EngineLost):
                lost.append(message.attempt)


async def test_an_engine_that_was_told_to_stop_is_not_started_again_unasked() -> None:
    engine = ScriptedEngine()
    source = ScriptedSource(engine)
    async with driving(source=source) as driver:
        engine.statuses.put_nowait(EngineStoppedError("it was told to stop"))
        await driver.until(lambda: driver.seen(EngineFailed), "telling")
        line = driver.status_line
        assert "The engine was stopped" in line
        assert "ctrl+r" in line
        assert (source.connections, driver.seen(EngineLost)) == (1, 0)
        await driver.press("ctrl+r")
        await driver.until(lambda: driver.seen(FolderReady) == 2, "starting it again")


async def test_ctrl_r_opens_a_folder_that_failed_anew() -> None:
    engine = ScriptedEngine()
    source = ScriptedSource(engine)
    async with driving(source=source) as driver:
        engine.statuses.put_nowait(status(state="failed", detail="the disk is full"))
        await driver.until(lambda: "disk is full" in driver.status_line)
        await driver.press("ctrl+r")
        await driver.until(lambda: driver.seen(FolderReady) == 2, "opening again")
        assert (len(engine.opened), source.connections, engine.closed) == (2, 2, 1)
        assert not driver.seen(EngineLost)
        assert not driver.seen(EngineFailed)
        engine.statuses.put_nowait(status(files=5))
        await driver.until(lambda: "5 files" in driver.status_line)
        await driver.press("ctrl+r")
        await driver.pilot.pause()
        assert len(engine.opened) == 2, "what works is left alone"


async def test_a_question_after_a_failure_waits_for_the_folder_opened_anew() -> None:
    engine = ScriptedEngine()
    source = ScriptedSource(engine)
    async with driving(source=source) as driver:
        engine.statuses.put_nowait(status(state="failed", detail="the disk is full"))
        await driver.until(lambda: "disk is full" in driver.status_line)
        source.gate.clear()
        await driver.ask("q")
        await driver.until(lambda: engine.closed == 1, "leaving the failed folder")
        assert driver.main.answering
        assert engine.questions == []
        assert "as soon as it is up" in driver.said("results-note")
        source.gate.set()
        await driver.until(lambda: engine.questions == ["q"], "asking")
        await driver.until(lambda: not driver.main.answering)
        assert len(driver.main.results.hits) == 2


@pytest.mark.parametrize("is_answered", [True, False])
async def test_ctrl_r_after_a_failure_asks_only_a_question_that_was_not_answered(
    is_answered: bool,
) -> None:
    engine = ScriptedEngine()
    if not is_answered:
        broken: list[Step] = [EngineError("The engine stopped")]
        engine.answers = [[*whole_answer(content.HITS, "Half of it")[:-1], *broken]]
    source = ScriptedSource(engine)
    async with driving(source=source) as driver:
        await driver.ask_to_the_end("q")
        engine.statuses.put_nowait(status(state="failed", detail="the disk is full"))
        await driver.until(lambda: "disk is full" in driver.status_line)
        await driver.press("ctrl+r")
        await driver.until(lambda: driver.seen(FolderReady) == 2, "opening again")
        if is_answered:
            engine.statuses.put_nowait(status(files=5))
            await driver.until(lambda: "5 files" in driver.status_line)
            assert engine.questions == ["q"] and driver.main.results.hits
            await driver.press("ctrl+r")
        await driver.until(lambda: engine.questions == ["q", "q"], "asking")


async def test_a_fault_of_an_unknown_kind_is_told_not_raised() -> None:
    engine = ScriptedEngine()
    source = ScriptedSource(engine)
    source.faults = [ZeroDivisionError("surprise")]  # type: ignore[list-item]
    async with driving(source=source, ready=False) as driver:
        await driver.until(lambda: driver.seen(EngineFailed))
        await driver.until(lambda: "surprise" in driver.said("results-note"))


@pytest.mark.parametrize("page", ["", "S", "question_mark"])
async def test_a_lost_engine_takes_nothing_off_the_screen(page: str) -> None:
    engine = ScriptedEngine()
    engine.answer = whole_answer(content.HITS, content.CITED, content.EXTRACTS)
    engine.refreshed = content.HITS
    source = ScriptedSource(engine)
    async with driving(source=source) as driver:
        await driver.ask_to_the_end(content.QUESTION)
        main = driver.main
        main.go_to("results")
        await driver.press("j", "space")
        main.go_to("answer")
        await driver.press("j", *([page] if page else []))
        scrolled = main.answer.model.scroll_y
        engine.statuses.put_nowait(EngineError("connection reset"))
        await driver.until(lambda: driver.seen(FolderReady) == 2, "reconnecting")
        await driver.pilot.pause()
        assert len(driver.app.screen_stack) == (2 if page else 1), "the page stays open"
        assert main.query_pane.input.text == content.QUESTION
        assert main.results.selected == content.HITS[1]
        assert [each.rank for each in main.tray.pinned] == [2]
        assert main.answer.model.scroll_y == scrolled
        assert "Two ways" in main.answer.answer_text
        assert any("engine was lost" in each.title for each in driver.app.session.problems)


async def test_an_answer_that_breaks_with_its_engine_says_so_and_stays() -> None:
    engine, more = ScriptedEngine(), asyncio.Event()
    engine.refreshed = content.HITS
    broken: list[Step] = [more, EngineError("The engine stopped")]
    engine.answer = [*whole_answer(content.HITS, "Half of it", content.EXTRACTS)[:-1], *broken]
    source = ScriptedSource(engine)
    async with driving(source=source) as driver:
        await driver.ask("q")
        await driver.until(lambda: "Half of it" in driver.main.answer.answer_text, "the text")
        engine.statuses.put_nowait(EngineError("connection reset"))
        more.set()
        await driver.until(lambda: not driver.main.answering, "the end")
        await driver.until(lambda: driver.seen(FolderReady) == 2, "reconnecting")
        assert "interrupted" in driver.title("answer")
        assert "The engine stopped" in driver.said("outcome")
        assert "Half of it" in driver.main.answer.answer_text
        assert len(driver.main.results.hits) == len(content.HITS)
