"""What is typed stays when its conversation is left, and when a question is not asked after all."""

from __future__ import annotations

import pytest

from tests.tui.driver import driving
from tests.tui.test_conversation import two_asked, two_turns
from tests.tui.test_kept_conversations import keeping, opened_list
from tui.messages import ConversationDeleted, HitsArrived


async def test_what_is_typed_stays_in_a_new_conversation_with_its_hits() -> None:
    engine = two_turns()
    async with driving(engine) as driver:
        await two_asked(driver)
        await driver.press(*"fresh")
        await driver.until(lambda: engine.searches == ["fresh"])
        await driver.until(lambda: "to “" in driver.title("answer"), "its hits")
        await driver.press("ctrl+n")
        await driver.until(lambda: driver.main.exchange is None)
        await driver.pilot.pause()
        assert driver.main.query_pane.input.text == "fresh"
        assert [each.path for each in driver.main.results.hits] == ["ice.md", "snow.md"]
        assert "Ask a question" in driver.said("answer-note")
        assert "“" not in driver.title("answer")
        await driver.ask_to_the_end("fresh one")
        assert engine.asked[-1].conversation == ""


@pytest.mark.parametrize("mode", ["of before", "another"])
async def test_a_question_taken_back_into_the_query_is_searched_in_a_new_conversation(
    mode: str,
) -> None:
    engine = two_turns()
    async with driving(engine) as driver:
        await two_asked(driver)
        if mode == "another":
            await driver.press("ctrl+t")
            await driver.until(lambda: driver.seen(HitsArrived))
            engine.searches.clear()
        driver.main.query_pane.input.take("Can it be frozen?")
        await driver.press("ctrl+n")
        await driver.until(lambda: driver.main.results.hits and not driver.main.question)
        assert engine.searches == ["Can it be frozen?"]


@pytest.mark.parametrize("typed", ["", " anew"])
async def test_words_that_are_edited_stay_in_a_new_conversation_and_others_go(typed: str) -> None:
    async with driving(two_turns()) as driver:
        await two_asked(driver)
        await driver.press("ctrl+g")
        await driver.until(lambda: driver.main.query_pane.input.edits_words)
        await driver.press(*typed, "ctrl+n")
        await driver.until(lambda: driver.main.exchange is None)
        await driver.pilot.pause()
        query = driver.main.query_pane.input
        assert query.text == (f"Can a dried starter be frozen?{typed}" if typed else "")
        assert not query.edits_words


@pytest.mark.parametrize("words", ["something else", ""])
async def test_edited_words_stay_when_later_turns_are_not_to_be_dropped(words: str) -> None:
    engine = two_turns()
    async with driving(engine) as driver:
        await two_asked(driver)
        await driver.press("ctrl+up")
        await driver.until(lambda: "1/2" in driver.title("answer"))
        await driver.press("ctrl+g")
        await driver.until(lambda: driver.main.query_pane.input.edits_words)
        driver.main.query_pane.input.text = words
        for answer in "ny":
            await driver.press("enter")
            await driver.until(lambda: len(driver.app.screen_stack) == 2)
            await driver.press(answer)
            await driver.until(lambda: len(driver.app.screen_stack) == 1)
            if answer == "n":
                assert driver.main.query_pane.input.text == words
                assert "search for" in driver.title("query_pane")
        await driver.until(lambda: len(engine.asked) == 3 and not driver.main.answering)
        assert (engine.asked[-1].question, engine.asked[-1].rewritten) == (
            "How do I rest it?",
            words,
        )


async def test_what_is_typed_stays_when_the_shown_conversation_is_deleted() -> None:
    async with driving(keeping()) as driver:
        await opened_list(driver)
        await driver.press("enter")
        await driver.until(lambda: driver.main.dialogue.id == "c9")
        driver.main.query_pane.input.take("fresh one")
        driver.main.post_message(ConversationDeleted("c9"))
        await driver.until(lambda: driver.main.dialogue.id == "", "leaving it")
        await driver.pilot.pause()
        assert driver.main.query_pane.input.text == "fresh one"
