"""Keys typed faster than they are followed: each does its work, one after the other."""

from __future__ import annotations

import asyncio

import pytest
from textual import events

from tests.tui.driver import Driver, driving
from tests.tui.scripted import ScriptedEngine, hit, whole_answer
from tui.messages import AgainAsked, BackAsked, QueryAsked
from tui.model_text import ModelText

STOPPED = "■ stopped by you before the first token"


async def burst(driver: Driver, *keys: str) -> None:
    """Press keys all at once, and wait until the screen has heard of each."""
    before = sum(map(driver.seen, (QueryAsked, BackAsked, AgainAsked)))
    for key in keys:
        driver.app.post_message(events.Key(key, None))
    heard = before + len(keys)
    await driver.until(
        lambda: sum(map(driver.seen, (QueryAsked, BackAsked, AgainAsked))) == heard, "all keys"
    )
    await driver.pilot.pause()


@pytest.mark.parametrize("asked_before", [False, True])
@pytest.mark.parametrize(
    ("keys", "stopped"),
    [
        (["enter", "escape"], True),
        (["enter", "ctrl+r"], False),
        (["enter", "enter", "escape"], True),
        (["enter", "ctrl+r", "escape"], True),
        (["enter", "escape", "ctrl+r"], False),
        (["enter", "ctrl+r", "ctrl+r"], False),
    ],
)
async def test_the_last_of_the_keys_decides(
    asked_before: bool, keys: list[str], stopped: bool
) -> None:
    engine, more = ScriptedEngine(), asyncio.Event()
    engine.answer = [more, *whole_answer([hit(1)], "An answer.")]
    async with driving(engine) as driver:
        if asked_before:
            await driver.ask("old")
            await driver.until(lambda: engine.questions == ["old"], "asking")
        driver.main.query_pane.input.text = "new"
        await burst(driver, *keys)
        assert driver.main.answering is not stopped
        if stopped:
            assert driver.said("outcome") == STOPPED
            assert driver.said("waiting") == ""
            return
        await driver.until(lambda: engine.questions[-1:] == ["new"], "asking")
        more.set()
        await driver.until(lambda: not driver.main.answering, "the end of the answer")
        assert driver.main.answer.answer_text == "An answer."
        assert len(driver.main.query(ModelText)) == 1


@pytest.mark.parametrize("first", ["escape", "ctrl+r", "enter"])
async def test_quitting_right_after_another_key_is_clean(first: str) -> None:
    engine = ScriptedEngine()
    engine.answer = [asyncio.Event()]
    async with driving(engine) as driver:
        driver.main.query_pane.input.text = "new"
        for key in (first, "ctrl+q"):
            driver.app.post_message(events.Key(key, None))
        await driver.until(lambda: engine.closed == 1, "leaving")
        assert driver.app.return_code == 0
