"""Conversations that the engine keeps: listed, gone on with, deleted and saved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.wire import api_conversations
from tests.tui import content
from tests.tui.driver import Driver, driving
from tests.tui.scripted import ScriptedEngine, failed, finished, status
from tests.tui.test_conversation import WHEN, half_answered, turn, two_asked, two_turns
from tui.long_text import LongText


def kept(name: str, title: str, last: str = WHEN) -> api_conversations.Conversation:
    turns = [
        api_conversations.Turn(
            number=number,
            asked=WHEN,
            question=f"{title} {number}",
            hits=content.HITS,
            shown=[2, 1],
            extracts=content.EXTRACTS,
            answer=content.CITED,
            citations=content.CITATIONS,
            model="big",
            finish_reason="stop" if number == 1 else "",
        )
        for number in (1, 2)
    ]
    return api_conversations.Conversation(id=name, title=title, began=WHEN, last=last, turns=turns)


def keeping() -> ScriptedEngine:
    engine = two_turns()
    engine.kept = {
        "c8": kept("c8", "Older", "2026-04-01T09:30:00+02:00"),
        "c9": kept("c9", "How is rye \x1b]52;c;AA==\x07 [/] fed?"),
    }
    return engine


async def opened_list(driver: Driver) -> None:
    await driver.press("ctrl+l")
    await driver.until(lambda: len(driver.app.screen_stack) == 2, "the list")


async def test_kept_conversations_are_listed_and_gone_on_with() -> None:
    engine = keeping()
    async with driving(engine) as driver:
        await opened_list(driver)
        await driver.press("enter")
        await driver.until(lambda: "2/2" in driver.title("answer"), "the conversation")
        assert driver.main.answer.model.words == content.CITED
        assert [mark.hit for mark in driver.main.query_one(LongText).marks()] == [1, 2, 3]
        assert "interrupted" in driver.said("outcome")
        assert driver.main.results.hits == content.HITS
        await driver.ask_to_the_end("More?")
        assert engine.asked[-1].conversation == "c9"
        assert "3/3" in driver.title("answer")


@pytest.mark.parametrize("answer", ["y", "n"])
async def test_a_conversation_is_deleted_only_if_agreed(answer: str) -> None:
    engine = keeping()
    async with driving(engine) as driver:
        await opened_list(driver)
        await driver.press("j", "d")
        await driver.until(lambda: "Older" in driver.page(), "the question")
        await driver.press(answer)
        if answer == "y":
            await driver.until(lambda: "c8" not in engine.kept, "deleting")
        await driver.pilot.pause()
        assert ("c8" in engine.kept) == (answer == "n")
        assert "c9" in engine.kept


async def test_the_shown_conversation_is_left_once_it_is_deleted() -> None:
    engine = keeping()
    async with driving(engine) as driver:
        await opened_list(driver)
        await driver.press("enter")
        await driver.until(lambda: driver.main.dialogue.id == "c9")
        await opened_list(driver)
        await driver.press("d")
        await driver.until(lambda: "It can't be brought back" in driver.page())
        await driver.press("y")
        await driver.until(lambda: driver.main.dialogue.id == "", "leaving it")


@pytest.mark.parametrize("ending", [finished, failed])
async def test_a_turn_that_is_not_kept_is_said(ending: Callable[..., Any]) -> None:
    engine = ScriptedEngine()
    why = "this is not kept: the disk is full"
    last = ending("It rests.").model_copy(update={"not_kept": why})
    engine.answer = [*turn(1, "It rests.")[:-1], last]
    async with driving(engine) as driver:
        await driver.ask_to_the_end("q")
        await driver.until(lambda: driver.toasts, "the message")
        assert driver.toasts[-1].message == why


async def test_a_conversation_is_saved_as_markdown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOVERKITE_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    async with driving(keeping()) as driver:
        await opened_list(driver)
        await driver.press("s")
        await driver.until(lambda: driver.toasts, "the message")
        path = Path(driver.toasts[-1].message.splitlines()[0])
        assert driver.toasts[-1].title == "Exported"
        assert tmp_path in path.parents
        assert path.stat().st_mode & 0o777 == 0o600
        assert "starter rests in the fridge" in path.read_text("utf-8")
        assert "\x1b" not in path.read_text("utf-8")
        assert driver.app.clipboard == str(path)
        await opened_list(driver)
        await driver.press("s")
        await driver.until(lambda: len(list(path.parent.iterdir())) == 2, "a second file")


async def test_without_kept_conversations_it_is_said() -> None:
    async with driving(two_turns()) as driver:
        await driver.press("ctrl+l")
        await driver.until(lambda: driver.toasts)
        assert "No conversation" in driver.toasts[-1].message


@pytest.mark.parametrize("leave", ["for a new one", "for a kept one"])
async def test_whoever_leaves_a_conversation_stops_its_answer(leave: str) -> None:
    engine = keeping()
    engine.answers.append(half_answered())
    async with driving(engine) as driver:
        await two_asked(driver)
        await driver.ask("And then?")
        await driver.until(lambda: "Half an" in driver.main.answer.answer_text)
        if leave == "for a new one":
            await driver.press("ctrl+n")
            await driver.until(lambda: driver.main.exchange is None)
        else:
            await opened_list(driver)
            await driver.press("enter")
            await driver.until(lambda: "2/2" in driver.title("answer"), "the conversation")
        await driver.until(lambda: engine.stopped == 1)
        assert not driver.main.answering
        await driver.ask_to_the_end("Anew")
        assert engine.asked[-1].conversation == ("" if leave == "for a new one" else "c9")
        assert "Half an" not in driver.main.answer.answer_text


async def test_an_opened_conversation_shows_its_hits_as_they_were_until_something_changes() -> None:
    engine = keeping()
    async with driving(engine) as driver:
        engine.statuses.put_nowait(status(revision=1))
        await driver.until(lambda: not driver.main._evidence_unsure.is_set(), "the start")
        await opened_list(driver)
        await driver.press("enter")
        await driver.until(lambda: engine.evidence_asked, "what became of its passages")
        assert driver.main.results.hits == content.HITS
        assert engine.searches == []
        engine.statuses.put_nowait(status(revision=2))
        await driver.until(lambda: driver.main.results.hits != content.HITS, "the refresh")
