"""Questions that follow each other: turns, rewritten words, kept conversations."""

from __future__ import annotations

import asyncio

import pytest
from textual.events import Paste
from textual.widgets import Static

from engine.wire import api_answer
from tests.hits import hit
from tests.tui import content
from tests.tui.driver import Driver, driving
from tests.tui.scripted import ScriptedEngine, Step, failed, finished, llm, tokens
from tui.model_text import ModelText

WHEN = "2026-05-01T09:30:00+02:00"


def turn(
    number: int, text: str = content.CITED, *, hits: object = None, **ending: object
) -> list[Step]:
    """The events of a turn that is kept in the conversation c1."""
    found = content.HITS if hits is None else hits
    end: dict[str, object] = {"conversation": "c1", "turn": number} | ending
    return [
        api_answer.HitsFound(query="q", took_ms=14.2, hits=found),
        api_answer.ExtractsFound(extracts=content.EXTRACTS),
        llm(),
        content.PROMPT,
        *tokens(text),
        finished(text, **end),
    ]


def two_turns() -> ScriptedEngine:
    engine = ScriptedEngine()
    words = "Can a dried starter be frozen?"
    rewritten = api_answer.QuestionRewritten(question=words, by="model")
    other = [hit(1, path="ice.md", text="Ice."), hit(2, path="snow.md", text="Snow.")]
    engine.answers = [turn(1, "First. [1]"), [rewritten, *turn(2, "Second. [2]", hits=other)]]
    engine.refreshed = other
    return engine


async def two_asked(driver: Driver) -> None:
    await driver.ask_to_the_end("How do I rest it?")
    await driver.ask_to_the_end("Can it be frozen?")


async def test_questions_of_one_window_go_on_in_one_conversation() -> None:
    engine = two_turns()
    async with driving(engine) as driver:
        await two_asked(driver)
        assert [each.conversation for each in engine.asked] == ["", "c1"]
        assert [each.instead_of for each in engine.asked] == [None, None]
        assert "2/2" in driver.title("answer")
        assert "follows 2 questions" in driver.title("query_pane")


async def test_what_is_typed_after_a_question_is_the_next_one() -> None:
    engine = two_turns()
    async with driving(engine) as driver:
        await driver.ask_to_the_end("How do I rest it?")
        assert driver.main.query_pane.input.text == "How do I rest it?"
        await driver.press(*"Why", "enter")
        await driver.until(lambda: engine.questions == ["How do I rest it?", "Why"])
        await driver.press("left", "x")
        assert driver.main.query_pane.input.text == "Whxy", "a question that is edited stays"


async def test_what_is_pasted_after_a_question_is_the_next_one() -> None:
    async with driving(two_turns()) as driver:
        await driver.ask_to_the_end("How do I rest it?")
        driver.app.post_message(Paste("And why?"))
        await driver.until(lambda: driver.main.query_pane.input.text == "And why?")


async def test_what_was_searched_for_is_shown_and_searched_again_when_documents_change() -> None:
    from tests.tui.scripted import status

    engine = two_turns()
    async with driving(engine) as driver:
        engine.statuses.put_nowait(status(revision=1))
        await two_asked(driver)
        assert "Can a dried starter be frozen?" in driver.said("rewritten")
        engine.statuses.put_nowait(status(revision=2))
        await driver.until(lambda: engine.searches, "the quiet search")
        assert engine.searches[-1] == "Can a dried starter be frozen?"


async def test_earlier_turns_are_shown_as_they_were() -> None:
    engine = two_turns()
    async with driving(engine) as driver:
        await two_asked(driver)
        driver.main.go_to("answer")
        await driver.press("[")
        await driver.until(lambda: "1/2" in driver.title("answer"))
        assert driver.main.answer.model.words == "First. [1]"
        assert driver.main.query_pane.input.text == "How do I rest it?"
        assert driver.main.results.hits == content.HITS
        assert driver.said("rewritten") == ""
        await driver.press("[")
        assert "1/2" in driver.title("answer"), "there is none before"
        await driver.press("]")
        await driver.until(lambda: "2/2" in driver.title("answer"))
        assert driver.main.answer.model.words == "Second. [2]"
        assert [each.path for each in driver.main.results.hits] == ["ice.md", "snow.md"]
        assert "dried starter" in driver.said("rewritten")


async def test_the_hits_of_an_earlier_turn_are_not_searched_again() -> None:
    from tests.tui.scripted import status

    engine = two_turns()
    async with driving(engine) as driver:
        engine.statuses.put_nowait(status(revision=1))
        await two_asked(driver)
        await driver.press("ctrl+up")
        await driver.until(lambda: not driver.main._evidence_unsure.is_set(), "all that is due")
        looks = len(engine.evidence_asked)
        engine.statuses.put_nowait(status(revision=2))
        await driver.until(lambda: len(engine.evidence_asked) > looks, "what follows a change")
        assert engine.searches == []
        assert driver.main.results.hits == content.HITS


async def test_the_turns_can_be_gone_through_from_the_query() -> None:
    async with driving(two_turns()) as driver:
        await two_asked(driver)
        driver.main.go_to("query")
        await driver.press("ctrl+up")
        await driver.until(lambda: "1/2" in driver.title("answer"))


async def test_what_is_being_typed_stays_while_one_looks_at_earlier_turns() -> None:
    async with driving(two_turns()) as driver:
        await two_asked(driver)
        driver.main.query_pane.input.text = ""
        await driver.press(*"half a")
        await driver.press("ctrl+up")
        await driver.until(lambda: driver.main.dialogue.after(driver.main.exchange) == 1)
        assert driver.main.query_pane.input.text == "half a"


def half_answered() -> list[Step]:
    """The events of an answer that goes on and on."""
    hits = api_answer.HitsFound(query="q", took_ms=1, hits=content.HITS)
    return [hits, llm(), *tokens("Half an"), asyncio.Event()]


async def test_the_hints_name_no_key_that_waits_for_the_end_of_an_answer() -> None:
    engine = two_turns()
    engine.answers.append(half_answered())
    async with driving(engine) as driver:
        hints = driver.main.query_one("HintLine", Static)
        await two_asked(driver)
        driver.main.go_to("answer")
        await driver.until(lambda: "[ turns" in str(hints.content))
        await driver.ask("And then?")
        await driver.until(lambda: "Half an" in driver.main.answer.answer_text)
        driver.main.go_to("answer")
        assert "[ turns" not in str(hints.content), "the key would only say that Esc comes first"
        await driver.press("escape")
        await driver.until(lambda: "[ turns" in str(hints.content))


async def test_ctrl_n_begins_a_conversation() -> None:
    engine = two_turns()
    async with driving(engine) as driver:
        await two_asked(driver)
        await driver.press("ctrl+n")
        await driver.until(lambda: driver.main.exchange is None)
        assert "Ask a question" in driver.said("answer-note")
        assert driver.main.query_pane.input.text == ""
        assert "follows" not in driver.title("query_pane")
        assert driver.main.answer.answer_text == ""
        assert not driver.main.query(ModelText), "nothing of the last answer stands below the note"
        assert not driver.said("outcome")
        await driver.ask_to_the_end("Anew")
        assert engine.asked[-1].conversation == ""
        assert "/" not in driver.title("answer").partition("·")[0]


async def test_asking_again_takes_the_place_of_the_turn() -> None:
    engine = two_turns()
    async with driving(engine) as driver:
        await two_asked(driver)
        engine.answer = turn(2, "Better. [1]")
        await driver.press("ctrl+r")
        await driver.until(lambda: len(engine.asked) == 3 and not driver.main.answering)
        assert (engine.asked[-1].conversation, engine.asked[-1].instead_of) == ("c1", 2)
        assert "2/2" in driver.title("answer")


@pytest.mark.parametrize("answer", ["y", "n"])
async def test_asking_an_earlier_turn_again_drops_later_ones_only_if_agreed(answer: str) -> None:
    engine = two_turns()
    async with driving(engine) as driver:
        await two_asked(driver)
        driver.main.go_to("answer")
        await driver.press("[")
        await driver.until(lambda: "1/2" in driver.title("answer"))
        engine.answer = turn(1, "Better. [1]")
        await driver.press("ctrl+r")
        await driver.until(lambda: len(driver.app.screen_stack) == 2)
        assert "The turn after it is dropped" in driver.page()
        await driver.press(answer)
        if answer == "n":
            assert len(engine.asked) == 2
            assert len(driver.main.dialogue.turns) == 2
            return
        await driver.until(lambda: len(engine.asked) == 3 and not driver.main.answering)
        assert engine.asked[-1].instead_of == 1
        assert len(driver.main.dialogue.turns) == 1


async def again_at_the_first(driver: Driver) -> None:
    """Ask the first of two turns again, and agree to lose the second."""
    driver.main.go_to("answer")
    await driver.press("[")
    await driver.until(lambda: "1/2" in driver.title("answer"))
    await driver.press("ctrl+r")
    await driver.until(lambda: len(driver.app.screen_stack) == 2)
    await driver.press("y")


@pytest.mark.parametrize("how", ["stopped", "failed", "empty"])
async def test_what_an_answer_made_again_would_replace_stays_until_that_is_whole(how: str) -> None:
    engine = two_turns()
    async with driving(engine) as driver:
        await two_asked(driver)
        cut_off = [*turn(1, "" if how == "empty" else "Better, but")[:-1]]
        engine.answer = [*cut_off, failed() if how != "stopped" else asyncio.Event()]
        await again_at_the_first(driver)
        await driver.until(lambda: len(engine.asked) == 3)
        if how == "stopped":
            await driver.until(lambda: "but" in driver.main.answer.model.words)
            await driver.press("escape")
        await driver.until(lambda: not driver.main.answering)
        await driver.until(lambda: "1/2" in driver.title("answer"))
        assert [each.answer for each in driver.main.dialogue.turns] == ["First. [1]", "Second. [2]"]
        driver.main.go_to("answer")
        await driver.press("]")
        await driver.until(lambda: "2/2" in driver.title("answer"))
        assert driver.main.answer.model.words == "Second. [2]"
        engine.answer = turn(3, "Third. [1]")
        await driver.ask_to_the_end("And then?")
        assert "3/3" in driver.title("answer")


async def test_a_cut_off_answer_gives_way_to_one_that_was_cut_off_later() -> None:
    engine = ScriptedEngine()
    said = "One bit", "More of it"
    engine.answers = [[*turn(1, text)[:-1], failed(text)] for text in said]
    async with driving(engine) as driver:
        await driver.ask_to_the_end("How?")
        await driver.press("ctrl+r")
        await driver.until(lambda: len(engine.asked) == 2 and not driver.main.answering)
        assert [each.answer for each in driver.main.dialogue.turns] == ["More of it"]


async def test_the_searched_words_can_be_edited() -> None:
    engine = two_turns()
    async with driving(engine) as driver:
        await two_asked(driver)
        await driver.press("ctrl+g")
        await driver.until(lambda: driver.main.query_pane.input.edits_words)
        assert driver.main.query_pane.input.text == "Can a dried starter be frozen?"
        assert "search for" in driver.title("query_pane")
        assert "Can it be frozen?" in driver.title("query_pane")
        engine.answer = turn(2)
        driver.main.query_pane.input.text = "freezing a starter"
        await driver.press("enter")
        await driver.until(lambda: len(engine.asked) == 3 and not driver.main.answering)
        asked = engine.asked[-1]
        assert (asked.question, asked.rewritten) == ("Can it be frozen?", "freezing a starter")
        assert asked.instead_of == 2
        assert "search for" not in driver.title("query_pane")
        assert driver.main.query_pane.input.text == "Can it be frozen?"
        await driver.press("W")
        assert driver.main.query_pane.input.text == "W", "it was asked"


@pytest.mark.parametrize("typed", ["", "Can it be frozen?"])
async def test_editing_them_away_searches_for_the_question_itself(typed: str) -> None:
    engine = two_turns()
    async with driving(engine) as driver:
        await two_asked(driver)
        await driver.press("ctrl+g")
        await driver.until(lambda: driver.main.query_pane.input.edits_words)
        driver.main.query_pane.input.text = typed
        await driver.press("enter")
        await driver.until(lambda: len(engine.asked) == 3)
        assert engine.asked[-1].rewritten == ""


async def test_escape_leaves_the_editing() -> None:
    engine = two_turns()
    async with driving(engine) as driver:
        await two_asked(driver)
        await driver.press("ctrl+g")
        await driver.until(lambda: driver.main.query_pane.input.edits_words)
        await driver.press("escape")
        await driver.until(lambda: not driver.main.query_pane.input.edits_words)
        assert len(engine.asked) == 2


async def test_rewriting_can_be_switched_off() -> None:
    engine = two_turns()
    async with driving(engine) as driver:
        await driver.ask_to_the_end("q")
        driver.main.action_as_typed()
        await driver.until(lambda: driver.toasts)
        assert "as they are typed" in driver.toasts[-1].message
        await driver.ask_to_the_end("and then?")
        assert [each.rewritten for each in engine.asked] == [None, ""]


async def test_a_stopped_answer_is_a_turn_that_is_asked_again_in_its_place() -> None:
    engine = ScriptedEngine()
    begun = api_answer.TurnBegun(conversation="c1", turn=1)
    start = turn(1)[:3]
    engine.answers = [[*start, begun, *tokens("Half an"), asyncio.Event()]]
    async with driving(engine) as driver:
        await driver.ask("q")
        await driver.until(lambda: "Half an" in driver.main.answer.answer_text)
        await driver.press("escape")
        await driver.until(lambda: not driver.main.answering)
        engine.answer = turn(1)
        await driver.press("ctrl+r")
        await driver.until(lambda: len(engine.asked) == 2)
        assert (engine.asked[1].conversation, engine.asked[1].instead_of) == ("c1", 1)


async def test_a_stopped_answer_is_shown_as_far_as_it_came() -> None:
    engine = ScriptedEngine()
    engine.answers = [[*turn(1)[:4], *tokens("Half an"), asyncio.Event()], turn(2)]
    async with driving(engine) as driver:
        await driver.ask("one")
        await driver.until(lambda: "Half an" in driver.main.answer.answer_text)
        await driver.press("escape")
        await driver.ask_to_the_end("two")
        driver.main.go_to("answer")
        await driver.press("[")
        await driver.until(lambda: "1/2" in driver.title("answer"))
        assert driver.main.answer.model.words == "Half an"
        assert "interrupted" in driver.said("outcome")
