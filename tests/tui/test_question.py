"""The course of a question: hits, extracts, the streamed text, and every way it can end."""

from __future__ import annotations

import asyncio

import pytest
from textual.await_complete import AwaitComplete
from textual.content import Content

from engine.errors import EngineError
from engine.wire import api_answer
from tests.hits import hit
from tests.tui import content
from tests.tui.driver import driving
from tests.tui.scripted import (
    MODEL,
    ScriptedEngine,
    failed,
    finished,
    llm,
    status,
    tokens,
    whole_answer,
)
from tui.answer import AnswerPane
from tui.extract import Extract
from tui.messages import AnswerAdvanced, HitHighlighted, QueryAsked
from tui.model_text import ModelText

HITS = api_answer.HitsFound(query="q", took_ms=14.2, hits=content.HITS)
EXTRACTS = api_answer.ExtractsFound(extracts=content.EXTRACTS)


async def test_enter_asks_and_every_part_of_the_answer_is_shown() -> None:
    engine = ScriptedEngine()
    engine.answer = whole_answer(content.HITS, content.ANSWER, content.EXTRACTS)
    async with driving(engine) as driver:
        engine.statuses.put_nowait(status())
        await driver.until(lambda: driver.main.status is not None)
        await driver.ask_to_the_end("How do I rest it?")

        assert engine.questions == ["How do I rest it?"]
        assert driver.seen(QueryAsked) == 1
        assert driver.seen(AnswerAdvanced) == len(engine.answer)
        assert engine.asked[0].gather_ms, "tokens come together"
        assert driver.seen(HitHighlighted) >= 1
        assert "8 of 6 848 chunks · 14 ms" in driver.title("results")
        assert len(driver.main.results.hits) == 8
        quotes = [str(part.content) for part in driver.main.query(Extract)]
        assert [quote.replace("\u00a0", " ") for quote in quotes] == [
            "“A starter rests in the fridge for up to three weeks.” [1]",
            "“Crumbled into a jar, dried starter keeps for a year without any feeding.” [2]",
        ]
        assert driver.main.answer.model.words == content.ANSWER
        assert "0.3 s to first token · 34 t/s" in driver.title("answer")
        outcome = driver.said("outcome")
        for fact in ("48", "finished: stop", "docs/page1.md:10"):
            assert fact in outcome
        assert "demonstration model" in driver.said("demonstration")
        assert "hoverkite models" in driver.said("demonstration")


async def test_keys_scroll_what_is_quoted_before_the_text_below_it() -> None:
    engine = ScriptedEngine()
    text = "\n\n".join(["A line."] * 40)
    engine.answer = whole_answer(content.HITS, text, content.EXTRACTS * 4)
    async with driving(engine, size=(60, 20)) as driver:
        await driver.ask_to_the_end("q")
        driver.main.go_to("answer")
        found, model = driver.main.query_one("#found"), driver.main.answer.model
        await driver.press("g")
        await driver.until(lambda: model.scroll_y == 0)
        await driver.press("j")
        await driver.until(lambda: found.scroll_y == 1)
        await driver.press("k")
        await driver.until(lambda: found.scroll_y == 0)
        for _ in range(int(found.max_scroll_y)):  # a page is never less than a line
            await driver.press("space")
            await driver.until(lambda: found.scroll_y == found.scroll_target_y)
        assert found.scroll_y == found.max_scroll_y
        await driver.press("j")
        await driver.until(lambda: model.scroll_y >= 1)
        await driver.press("g")
        await driver.until(lambda: found.scroll_y == model.scroll_y == 0)


async def test_hits_and_extracts_are_there_while_vllm_still_starts() -> None:
    engine, started = ScriptedEngine(), asyncio.Event()
    starting = llm("starting", detail="12 s of about 35 s")
    engine.answer = [HITS, EXTRACTS, starting, started, llm(), *tokens("Done."), finished("Done.")]
    async with driving(engine) as driver:
        await driver.ask("q")
        await driver.until(lambda: "vLLM is starting" in driver.said("waiting"))
        assert "12 s of about 35 s" in driver.said("waiting")
        assert "the extracts above need no model" in driver.said("waiting")
        assert len(driver.main.query(Extract)) == 2
        assert driver.main.results.selected == content.HITS[0]
        assert not driver.main.query(ModelText)

        engine.statuses.put_nowait(status(llm=llm("starting", detail="20 s of about 35 s")))
        await driver.until(lambda: "20 s of about 35 s" in driver.said("waiting"))
        started.set()
        await driver.until(lambda: not driver.main.answering)
        assert driver.main.answer.model.words == "Done."
        assert driver.said("waiting") == ""


async def test_another_model_is_not_called_a_demonstration() -> None:
    engine = ScriptedEngine()
    engine.answer = [
        HITS,
        EXTRACTS,
        llm(demonstration=False, model="big"),
        *tokens("x"),
        finished("x"),
    ]
    async with driving(engine) as driver:
        await driver.ask_to_the_end("q")
        assert driver.said("demonstration") == ""
        assert driver.main.query_one("#model").border_title == " big "


async def test_tokens_are_gathered_but_none_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    text = " ".join(f"word{number}" for number in range(400))
    engine = ScriptedEngine()
    engine.answer = whole_answer(content.HITS, text)
    async with driving(engine) as driver:
        await driver.ask("q")
        await driver.until(lambda: driver.main.query(ModelText))
        model_text = driver.main.query_one(ModelText)
        writes: list[str] = []
        append = model_text.append

        def counted_append(part: str) -> AwaitComplete:
            writes.append(part)
            return append(part)

        monkeypatch.setattr(model_text, "append", counted_append)
        await driver.until(lambda: not driver.main.answering)
        assert model_text.source == text
        assert len(writes) < 100


async def test_a_token_costs_no_layout(monkeypatch: pytest.MonkeyPatch) -> None:
    text = " ".join(f"word{number}" for number in range(100))
    said: list[str] = []
    say = AnswerPane._say

    def counted_say(pane: AnswerPane, part: str, text: Content) -> None:
        said.append(part)
        say(pane, part, text)

    monkeypatch.setattr(AnswerPane, "_say", counted_say)
    engine = ScriptedEngine()
    engine.answer = whole_answer(content.HITS, text)
    async with driving(engine) as driver:
        await driver.ask_to_the_end("q")
        assert driver.main.answer.model.words == text
        assert said.count("waiting") < 10


async def test_the_final_text_replaces_the_streamed_one_where_they_differ() -> None:
    engine = ScriptedEngine()
    engine.answer = [HITS, EXTRACTS, llm(), *tokens("It rests [1"), finished("It rests [1][2].")]
    async with driving(engine) as driver:
        await driver.ask_to_the_end("q")
        assert driver.main.answer.model.words == "It rests [1][2]."
        assert driver.main.answer.answer_text.endswith("It rests [1][2].")


async def test_an_answer_cut_at_its_length_is_marked() -> None:
    engine = ScriptedEngine()
    engine.answer = [
        HITS,
        EXTRACTS,
        llm(),
        *tokens("And so"),
        finished("And so", finish_reason="length"),
    ]
    async with driving(engine) as driver:
        await driver.ask_to_the_end("q")
        assert "cut off at its length limit" in driver.said("outcome")


async def test_escape_stops_the_answer_in_the_engine_and_marks_it() -> None:
    engine = ScriptedEngine()
    engine.answer = [HITS, EXTRACTS, llm(), *tokens("Half an"), asyncio.Event()]
    async with driving(engine) as driver:
        await driver.ask("q")
        await driver.until(lambda: "Half an" in driver.main.answer.answer_text)
        await driver.press("escape")
        await driver.until(lambda: engine.stopped == 1, "closing the stream")
        assert not driver.main.answering
        assert "stopped" in driver.said("outcome")
        assert "stopped" in driver.title("answer")
        assert driver.main.answer.model.words == "Half an"
        assert driver.main.query_pane.input.text == "q"
        await driver.press("escape")
        assert driver.main.query_pane.input.text == ""


async def test_escape_before_any_hit_leaves_a_clean_screen() -> None:
    engine = ScriptedEngine()
    engine.answer = [asyncio.Event()]
    async with driving(engine) as driver:
        await driver.ask("q")
        await driver.until(lambda: engine.questions)
        await driver.press("escape")
        await driver.until(lambda: engine.stopped == 1)
        assert driver.said("outcome") == "■ stopped by you before the first token"
        assert "searching" not in driver.said("results-note")


async def test_a_new_question_stops_the_old_and_nothing_of_it_stays() -> None:
    engine = ScriptedEngine()
    engine.answer = [HITS, EXTRACTS, llm(), *tokens("Old words"), asyncio.Event()]
    async with driving(engine) as driver:
        await driver.ask("old")
        await driver.until(lambda: "Old words" in driver.main.answer.answer_text)
        engine.answer = whole_answer([hit(1)], "New words")
        await driver.ask_to_the_end("new")
        assert engine.stopped == 1
        assert driver.main.answer.answer_text == "New words"
        assert len(driver.main.query(ModelText)) == 1
        assert not driver.main.query(Extract)


async def test_vllm_unavailable_says_why_and_keeps_the_evidence() -> None:
    engine = ScriptedEngine()
    broken = llm("unavailable", detail="vllm is not installed", next_step="Run: make setup")
    engine.answer = [HITS, EXTRACTS, broken, failed(detail="vllm is not installed")]
    async with driving(engine) as driver:
        await driver.ask_to_the_end("q")
        assert "vllm is not installed" in driver.said("outcome")
        assert "docs/models.md" in driver.said("outcome")
        assert len(driver.main.results.hits) == 8
        assert len(driver.main.query(Extract)) == 2


@pytest.mark.parametrize(
    ("last", "wanted"),
    [
        (failed("Half", title="The model can't be used", detail="killed"), "killed"),
        (EngineError("the socket was closed"), "the socket was closed"),
        (None, "ended early"),
    ],
)
async def test_an_interrupted_answer_is_marked_and_what_came_stands(
    last: api_answer.AnswerFailed | EngineError | None, wanted: str
) -> None:
    engine = ScriptedEngine()
    engine.answer = [HITS, EXTRACTS, llm(), *tokens("Half"), *([last] if last else [])]
    async with driving(engine) as driver:
        await driver.ask_to_the_end("q")
        assert "Interrupted" in driver.said("outcome")
        assert wanted in driver.said("outcome")
        assert "interrupted" in driver.title("answer")
        assert driver.main.answer.model.words == "Half"


async def test_nothing_found_says_so() -> None:
    engine = ScriptedEngine()
    engine.answer = whole_answer([], "I found nothing.")
    async with driving(engine) as driver:
        await driver.ask_to_the_end("q")
        assert "Nothing was found" in driver.said("results-note")
        assert driver.main.results.selected is None


async def test_what_did_not_fit_the_prompt_is_said() -> None:
    engine = ScriptedEngine()
    prompt = api_answer.PromptMade(model=MODEL, hits=[2, 1], notice="1 hit was left out")
    engine.answer = [HITS, EXTRACTS, llm(), prompt, *tokens("x"), finished("x")]
    async with driving(engine) as driver:
        await driver.ask_to_the_end("q")
        assert driver.said("prompt-notice") == "1 hit was left out"


async def test_an_empty_token_right_before_the_end_is_harmless() -> None:
    engine = ScriptedEngine()
    engine.answer = [llm(), api_answer.Token(text=""), failed(detail="killed")]
    async with driving(engine) as driver:
        await driver.ask_to_the_end("q")
        assert "killed" in driver.said("outcome")
        engine.answer = whole_answer([hit(1)], "Next.")
        await driver.ask_to_the_end("q")
        assert driver.main.answer.answer_text == "Next."


@pytest.mark.parametrize("typed", ["", "   ", "\n\n"])
async def test_an_empty_question_is_not_asked(typed: str) -> None:
    engine = ScriptedEngine()
    async with driving(engine) as driver:
        await driver.ask(typed)
        assert engine.questions == []
        assert not driver.main.answering


async def test_a_very_long_question_is_passed_on_whole() -> None:
    engine = ScriptedEngine()
    question = "why " * 25_000 + "?"
    async with driving(engine) as driver:
        await driver.ask_to_the_end(question)
        assert engine.questions == [question]


async def test_the_pane_follows_long_text_and_a_short_answer_starts_at_the_top() -> None:
    engine = ScriptedEngine()
    engine.answer = whole_answer([hit(1)], "\n\n".join(f"Paragraph {n}." for n in range(60)))
    async with driving(engine) as driver:
        await driver.ask_to_the_end("long")
        pane = driver.main.answer.model
        await driver.until(lambda: pane.scroll_offset.y == pane.max_scroll_y > 0, "the end in view")
        engine.answer = whole_answer([hit(1)], "Short.")
        await driver.ask_to_the_end("short")
        await driver.until(lambda: pane.scroll_offset.y == 0 == pane.max_scroll_y, "the top")


async def test_the_end_stays_in_view_while_text_streams_unless_a_reader_scrolls_back() -> None:
    engine, more = ScriptedEngine(), asyncio.Event()
    long_text = "\n\n".join(f"Paragraph {n}." for n in range(60))
    engine.answer = [
        HITS,
        llm(),
        *tokens(long_text),
        more,
        *tokens("\n\nThe end."),
        asyncio.Event(),
    ]
    async with driving(engine) as driver:
        await driver.ask("long")
        pane = driver.main.answer.model
        await driver.until(lambda: "Paragraph 59" in pane.words and driver.is_all_written)
        await driver.until(lambda: pane.scroll_offset.y == pane.max_scroll_y > 0, "the end in view")
        driver.main.go_to("answer")
        await driver.pilot.pause()
        await driver.press("g")
        await driver.until(lambda: pane.scroll_offset.y == 0, "scrolling back")
        more.set()
        await driver.until(lambda: "The end." in pane.words and driver.is_all_written)
        await driver.pilot.pause()
        assert pane.scroll_offset.y == 0


@pytest.mark.parametrize("size", [(100, 30), (60, 20)])
async def test_asking_again_from_the_results_brings_the_cursor_back_there(
    size: tuple[int, int],
) -> None:
    engine = ScriptedEngine()
    engine.answer = whole_answer(content.HITS, "Done.", content.EXTRACTS)
    async with driving(engine, size=size) as driver:
        await driver.ask_to_the_end("q")
        driver.main.go_to("results")
        held = asyncio.Event()
        engine.answer = [held, *engine.answer]
        await driver.press("ctrl+r")
        await driver.until(lambda: driver.main.answering and not driver.main.results.hits)
        held.set()
        await driver.until(lambda: not driver.main.answering)
        assert driver.main.pane == "results"

        engine.answer = [failed()]
        await driver.press("ctrl+r")
        await driver.until(lambda: len(engine.questions) == 3 and not driver.main.answering)
        assert driver.main.query_pane.input.has_focus
