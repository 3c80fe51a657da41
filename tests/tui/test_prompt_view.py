"""The exact prompt on one key."""

from __future__ import annotations

import pytest

from engine.wire import api_answer
from tests.tui import content
from tests.tui.driver import driving
from tests.tui.scripted import ScriptedEngine, finished, llm, tokens
from tui.prompt_view import lines_of

HITS = api_answer.HitsFound(query="q", took_ms=14.2, hits=content.HITS)


def answering(prompt: api_answer.PromptMade = content.PROMPT) -> ScriptedEngine:
    engine = ScriptedEngine()
    engine.answer = [HITS, llm(), prompt, *tokens("x"), finished("x")]
    return engine


def said(prompt: api_answer.PromptMade) -> str:
    return "\n".join(f"{label}{text}" for label, text in lines_of(prompt)).replace("\u00a0", " ")


async def test_v_shows_the_prompt_and_y_copies_it() -> None:
    async with driving(answering()) as driver:
        await driver.ask_to_the_end("q")
        driver.main.go_to("answer")
        await driver.press("v")
        page = driver.page().replace("\u00a0", " ")
        assert "412 tokens, counted by the server" in page
        assert "cut: 5 hits were left out" in page
        assert "Answer from the passages alone." in page
        assert "<7f3a>" in page and content.QUESTION in page
        await driver.press("y")
        assert content.QUESTION in driver.app.clipboard
        await driver.press("v")
        assert len(driver.app.screen_stack) == 1


def test_each_passage_tells_its_tokens_its_hits_and_its_lines() -> None:
    shown = said(content.PROMPT)
    assert "180 [3]" in shown and "60 [1]" in shown
    assert ":41-49" in shown and "bread/starter.md" in shown
    line = content.PROMPT.passages[0].model_copy(update={"start_line": 14, "end_line": 14})
    shown = said(content.PROMPT.model_copy(update={"passages": [line]}))
    assert ":14" in shown and ":14-" not in shown


async def test_lengths_that_are_counted_later_take_the_place_of_the_estimates() -> None:
    (first, *_) = content.PROMPT.passages
    estimated = first.model_copy(update={"tokens": 99, "counted": False})
    prompt = content.PROMPT.model_copy(update={"passages": [estimated]})
    assert "~99 [3]" in said(prompt)
    engine = answering(prompt)
    counted = api_answer.PassagesCounted(passages=[first])
    engine.answer = [*engine.answer[:-1], counted, engine.answer[-1]]
    async with driving(engine) as driver:
        await driver.ask_to_the_end("q")
        driver.main.go_to("answer")
        await driver.press("v")
        page = driver.page().replace("\u00a0", " ")
        assert "180 [3]" in page and "99" not in page


def test_an_estimate_is_called_one_and_no_passage_is_said() -> None:
    prompt = api_answer.PromptMade(model="big", hits=[], documents=False, tokens=40)
    assert "an estimate" in said(prompt)
    assert "without documents" in said(prompt)


@pytest.mark.parametrize(
    "attack", ["\x1b]52;c;AA==\x07", "\u202eevil", "[/]", "[@click=app.quit]x"]
)
async def test_a_hostile_prompt_is_text(attack: str) -> None:
    message = api_answer.ChatMessage(role="user", content=attack)
    passage = api_answer.ShownPassage(hits=[1], title=attack, start_line=1, end_line=2, tokens=3)
    prompt = content.PROMPT.model_copy(
        update={"messages": [message], "passages": [passage], "notice": attack}
    )
    async with driving(answering(prompt)) as driver:
        await driver.ask_to_the_end("q")
        driver.main.go_to("answer")
        await driver.press("v")
        page = driver.page()
        assert "\x1b" not in page and "\u202e" not in page
        assert driver.app.is_running


async def test_before_a_prompt_was_made_it_is_said() -> None:
    async with driving(answering()) as driver:
        driver.main.go_to("answer")
        await driver.press("v")
        assert "No prompt" in driver.toasts[-1].message
