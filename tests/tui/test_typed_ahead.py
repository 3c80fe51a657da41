"""Keys typed faster than they are followed: each does its work, one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from textual import events

from tests.hits import hit
from tests.tui.driver import Driver, driving
from tests.tui.scripted import ScriptedEngine, whole_answer
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


@pytest.mark.parametrize("first", ["escape", "ctrl+r", "enter", "tab"])
async def test_quitting_right_after_another_key_is_clean(first: str) -> None:
    engine = ScriptedEngine()
    engine.answer = [asyncio.Event()]
    async with driving(engine) as driver:
        driver.main.query_pane.input.text = "new"
        for key in (first, "ctrl+q"):
            driver.app.post_message(events.Key(key, None))
        await driver.until(lambda: engine.closed == 1, "leaving")
        assert driver.app.return_code == 0


NAMES = {
    "\x7f": "backspace",
    "\x15": "ctrl+u",
    "\x17": "ctrl+w",
    "\r": "enter",
    "\n": "ctrl+j",
    "\x1b": "escape",
}
NAMES |= {"\x1b[D": "left", "\x1b[C": "right", "\t": "tab"}


def typed_at_once(driver: Driver, *keys: str) -> None:
    """Send keys as a terminal does that has gathered them: characters, or the bytes of a key."""
    for key in keys:
        name = NAMES.get(key, key)
        driver.app.post_message(events.Key(name, key if len(key) == 1 else None))


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ("helo\x7flo", "hello"),
        ("abc def\x17ghi", "abc ghi"),
        ("one\x15two", "two"),
        ("a\nb", "a\nb"),
        ("teh\x7f\x7fhe kie\x7fte", "the kite"),
        ("old\x1bnew", "new"),
        ("\x1bnew", "new"),
        ("new\x1b", ""),
    ],
)
async def test_keys_that_arrive_together_are_applied_in_their_order(keys: str, text: str) -> None:
    async with driving() as driver:
        typed_at_once(driver, *keys)
        await driver.until(lambda: driver.main.query_pane.input.text == text, text)


async def test_cursor_keys_take_their_turn() -> None:
    async with driving() as driver:
        typed_at_once(driver, "a", "b", "c", "\x1b[D", "X", "\x1b[C", "Y")
        await driver.until(lambda: driver.main.query_pane.input.text == "abXcY", "abXcY")


async def test_a_question_sent_whole_is_asked_whole_and_what_follows_is_the_next() -> None:
    engine = ScriptedEngine()
    async with driving(engine) as driver:
        typed_at_once(driver, *"old\x15Where is the kite?\r", "\x15", *"next")
        await driver.until(lambda: engine.questions == ["Where is the kite?"], "asking")
        await driver.until(lambda: driver.main.query_pane.input.text == "next", "next")


@pytest.mark.parametrize(("tabs", "pane"), [(2, "preview"), (3, "answer"), (5, "results")])
async def test_every_tab_counts(tabs: int, pane: str) -> None:
    async with driving() as driver:
        await driver.ask_to_the_end("q")
        typed_at_once(driver, *"\t" * tabs)
        await driver.until(lambda: driver.main.pane == pane, pane)


async def test_a_letter_right_after_a_tab_is_a_key_of_the_next_pane() -> None:
    engine = ScriptedEngine()
    async with driving(engine) as driver:
        typed_at_once(driver, *"kite\tp")
        await driver.until(lambda: engine.pauses == [True], "pausing")
        assert driver.main.query_pane.input.text == "kite"


@pytest.mark.parametrize("pane", ["results", "preview", "answer", "query"])
async def test_a_question_typed_right_after_a_new_conversation_is_whole(pane: str) -> None:
    engine = ScriptedEngine()
    async with driving(engine) as driver:
        await driver.ask_to_the_end("q")
        driver.main.go_to(pane)
        typed_at_once(driver, "ctrl+n", *"how do I find pads?")
        typed = driver.main.query_pane.input
        await driver.until(lambda: typed.text == "how do I find pads?", "the question")
        await driver.until(lambda: not driver.main.dialogue.turns, "the new conversation")
        await driver.pilot.pause()
        assert typed.text == "how do I find pads?" and driver.main.pane == "query"
        assert len(driver.app.screen_stack) == 1 and not driver.main.tray
        assert engine.pauses == []
        await driver.ask_to_the_end("q")
        typed_at_once(driver, "ctrl+n")
        await driver.until(lambda: typed.text == "", "the next")


async def test_a_key_pressed_before_what_is_below_a_page_can_be_seen_is_not_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = ScriptedEngine()
    async with driving(engine) as driver:
        app = driver.app
        driver.main.go_to("answer")
        await driver.press("question_mark")
        held: list[Callable[[], None]] = []
        monkeypatch.setattr(app, "call_after_refresh", held.append)
        closed = app.pop_screen()
        monkeypatch.undo()
        await closed
        await driver.press("p")
        assert driver.app.screen is driver.main and engine.pauses == []
        held[0]()
        await driver.press("p")
        await driver.until(lambda: engine.pauses == [True], "the next key")


async def test_the_key_that_quits_is_followed_though_nothing_below_a_page_was_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with driving() as driver:
        app = driver.app
        driver.main.go_to("answer")
        await driver.press("question_mark")
        monkeypatch.setattr(app, "call_after_refresh", lambda _: None)
        closed = app.pop_screen()
        monkeypatch.undo()
        await closed
        left: list[bool] = []
        monkeypatch.setattr(app, "exit", lambda *_: left.append(True))
        await driver.press("ctrl+q")
        await driver.until(lambda: left, "the way out")
        monkeypatch.undo()
