"""Earlier questions: brought back one by one, or found by some of their letters."""

from __future__ import annotations

from textual.widgets import Input, OptionList

from tests.tui.driver import Driver, driving
from tests.tui.scripted import ScriptedEngine
from tests.tui.test_kept_conversations import keeping

HOSTILE = "why \x1b]52;c;AA==\x07 \u202eevil [/] [@click=app.quit]x\nand so on?"
KEPT = ["How is rye fed?", HOSTILE, "Where is the kettle?"]


def remembering() -> ScriptedEngine:
    engine = ScriptedEngine()
    engine.earlier = KEPT
    return engine


def listed(driver: Driver) -> list[str]:
    rows = driver.app.screen.query_one(OptionList)
    return [str(rows.get_option_at_index(at).prompt) for at in range(rows.option_count)]


async def test_questions_of_earlier_starts_come_back_after_those_of_this_one() -> None:
    async with driving(remembering()) as driver:
        await driver.ask_to_the_end("And now?")
        typed = []
        for _ in range(5):
            await driver.press("up")
            typed.append(driver.main.query_pane.input.text)
        assert typed == [KEPT[0], HOSTILE, HOSTILE, KEPT[2], KEPT[2]], "it has two lines"
        await driver.press("down")
        assert driver.main.query_pane.input.text == HOSTILE


async def test_an_earlier_question_is_found_by_its_letters_and_taken_into_the_query() -> None:
    engine = remembering()
    async with driving(engine) as driver:
        await driver.ask_to_the_end("And now?")
        await driver.press("ctrl+f")
        assert listed(driver)[:2] == ["And now?", "How is rye fed?"]
        await driver.press(*"kttl")
        assert listed(driver) == ["Where is the kettle?"]
        assert "1 of 4" in str(driver.app.screen.query_one(".dialog").border_title)
        await driver.press("enter")
        assert driver.main.query_pane.input.text == "Where is the kettle?"
        assert driver.main.pane == "query"
        assert engine.asked[-1].question == "And now?", "it is asked with Enter"
        await driver.press("x")
        assert driver.main.query_pane.input.text == "Where is the kettle?x", "it can be edited"


async def test_what_is_typed_right_after_the_key_narrows_the_list() -> None:
    async with driving(remembering()) as driver:
        await driver.pilot.press("ctrl+f", *"rye", "enter")
        await driver.pilot.pause()
        assert driver.main.query_pane.input.text == "How is rye fed?"


async def test_the_list_can_be_left_and_its_cursor_moved() -> None:
    async with driving(remembering()) as driver:
        await driver.press("tab", "h", "down", "down", "down", "up", "pageup", "pagedown", "enter")
        assert driver.main.query_pane.input.text == KEPT[-1]
        await driver.press("ctrl+f", *"zzz", "enter")
        assert listed(driver) == []
        await driver.press("escape")
        assert len(driver.app.screen_stack) == 1
        assert driver.main.query_pane.input.text == KEPT[-1]


async def test_a_hostile_question_is_shown_clean_and_comes_back_as_it_was() -> None:
    async with driving(remembering()) as driver:
        await driver.press("ctrl+f", *"evil")
        (row,) = listed(driver)
        assert row.isprintable()
        assert "[@click=app.quit]x" in row
        field = driver.app.screen.query_one(Input)
        field.value = "\x1b]0;x\x07\u202e"
        await driver.pilot.pause()
        assert field.value.isprintable()
        field.value = "evil"
        await driver.pilot.pause()
        await driver.press("enter")
        assert driver.main.query_pane.input.text == HOSTILE


async def test_without_earlier_questions_a_toast_says_so() -> None:
    async with driving(ScriptedEngine()) as driver:
        await driver.press("ctrl+f")
        assert "No question was asked" in driver.toasts[-1].message
        assert len(driver.app.screen_stack) == 1


async def test_questions_of_a_deleted_conversation_do_not_come_back() -> None:
    engine = keeping()
    engine.earlier = KEPT
    async with driving(engine) as driver:
        await driver.press("ctrl+l")
        await driver.until(lambda: len(driver.app.screen_stack) == 2, "the list")
        engine.earlier = []
        await driver.press("j", "d")
        await driver.until(lambda: "Older" in driver.page(), "the question")
        await driver.press("y")
        await driver.until(lambda: not driver.main.query_pane.input.earlier, "forgetting")
