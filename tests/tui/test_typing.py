"""Search as you type: which hits are on the screen while a query is typed, and whose they are."""

from __future__ import annotations

import asyncio

import pytest

from engine.errors import EngineError, UsageError
from engine.wire.api_search import SearchReply, SearchRequest
from tests.hits import hit
from tests.tui import content
from tests.tui.driver import Driver, driving
from tests.tui.scripted import ScriptedEngine, ScriptedSource, found, status, whole_answer
from tui.messages import HitsArrived, QueryTyped
from tui.search import Found, Search

FIRST = [hit(1, path="first.md"), hit(2, path="second.md")]
OTHER = [hit(1, path="other.md", text="other words")]


def type_text(driver: Driver, text: str) -> None:
    driver.main.go_to("query")
    driver.main.query_pane.input.text = text


def paths(driver: Driver) -> list[str]:
    return [each.path for each in driver.main.results.hits]


async def typed(driver: Driver, text: str, path: str) -> None:
    """Type ``text`` and wait for the hit in ``path``."""
    type_text(driver, text)
    await driver.until(lambda: paths(driver)[:1] == [path], f"the hits of {text}")
    await driver.pilot.pause()


async def quiet(driver: Driver, seconds: float = 0.4) -> None:
    """Wait until nothing that was typed can still be searched."""
    await driver.pilot.pause(seconds)


async def test_what_is_typed_is_searched_and_not_asked() -> None:
    engine = ScriptedEngine()
    engine.finds["rest"] = [found("rest", FIRST)]
    async with driving(engine) as driver:
        engine.statuses.put_nowait(status())
        await driver.until(lambda: driver.main.status is not None)
        await driver.press(*"rest")
        await driver.until(lambda: paths(driver) == ["first.md", "second.md"], "the hits")
        assert engine.searches == ["rest"], "only at the pause"
        assert engine.questions == []
        assert "· 2 of 6 848 chunks · 9 ms" in driver.title("results")
        await driver.until(lambda: driver.main.preview.hit == FIRST[0])
        assert driver.main.query_pane.input.has_focus


@pytest.mark.parametrize("text", ["", "a", " a ", "  ", "\n"])
async def test_nothing_is_searched_for_less_than_two_letters(text: str) -> None:
    engine = ScriptedEngine()
    async with driving(engine) as driver:
        type_text(driver, text)
        await quiet(driver)
        assert engine.searches == []


async def test_the_setting_turns_it_off() -> None:
    engine = ScriptedEngine()
    async with driving(source=ScriptedSource(engine, search_as_you_type=False)) as driver:
        type_text(driver, "rest")
        await quiet(driver)
        assert engine.searches == []


async def test_what_is_typed_shows_before_it_is_reranked_and_again_after() -> None:
    reranked = asyncio.Event()

    class Reranking(ScriptedEngine):
        async def search(self, folder: str, request: SearchRequest) -> SearchReply:
            if not request.rerank:
                return found(request.query, FIRST)
            await reranked.wait()
            return found(request.query, OTHER)

    source = ScriptedSource(Reranking(), rerank_model="some/cross-encoder")
    async with driving(source=source) as driver:
        type_text(driver, "rest")
        await driver.until(lambda: paths(driver) == ["first.md", "second.md"], "the quick hits")
        reranked.set()
        await driver.until(lambda: paths(driver) == ["other.md"], "the reranked hits")


@pytest.mark.parametrize("mode", ["dense", "bm25", "exact"])
async def test_what_is_never_reranked_is_searched_once(mode: str) -> None:
    engine = ScriptedEngine()
    engine.finds["rest"] = [found("rest", FIRST, mode=mode)]
    async with driving(source=ScriptedSource(engine, rerank_model="some/model")) as driver:
        await typed(driver, "rest", "first.md")
        await quiet(driver)
        assert engine.searches == ["rest"]


async def test_an_older_request_is_cancelled_and_its_hits_are_never_shown() -> None:
    engine, never = ScriptedEngine(), asyncio.Event()
    engine.finds["old"] = [never, found("old", FIRST)]
    engine.finds["old new"] = [found("old new", OTHER)]
    async with driving(engine) as driver:
        type_text(driver, "old")
        await driver.until(lambda: engine.searches == ["old"])
        type_text(driver, "old new")
        await driver.until(lambda: engine.left == ["old"], "cancelling")
        never.set()
        await driver.until(lambda: paths(driver) == ["other.md"])
        assert engine.searches == ["old", "old new"]
        assert driver.seen(HitsArrived) == 1


async def test_a_reply_that_comes_too_late_changes_nothing() -> None:
    engine = ScriptedEngine()
    engine.finds["new"] = [found("new", OTHER)]
    async with driving(engine) as driver:
        await typed(driver, "new", "other.md")
        driver.main.post_message(HitsArrived(Search("new", None), Found(found("old", FIRST), 0)))
        await driver.pilot.pause()
        assert paths(driver) == ["other.md"]


async def test_old_hits_stay_until_the_new_ones_come() -> None:
    engine, more = ScriptedEngine(), asyncio.Event()
    engine.finds["one"] = [found("one", FIRST)]
    engine.finds["one two"] = [more, found("one two", OTHER)]
    async with driving(engine) as driver:
        await typed(driver, "one", "first.md")
        type_text(driver, "one two")
        await driver.until(lambda: engine.searches[-1:] == ["one two"])
        assert paths(driver) == ["first.md", "second.md"]
        assert driver.main.preview.hit == FIRST[0]
        more.set()
        await driver.until(lambda: paths(driver) == ["other.md"])


async def test_clearing_the_query_brings_back_what_was_there_before() -> None:
    engine = ScriptedEngine()
    engine.finds["rest"] = [found("rest", FIRST)]
    async with driving(engine) as driver:
        engine.statuses.put_nowait(status())
        await driver.until(lambda: "Hits appear here" in driver.said("results-note"))
        await typed(driver, "rest", "first.md")
        await driver.press("escape")
        await driver.until(lambda: not driver.main.results.hits, "clearing")
        assert "Hits appear here" in driver.said("results-note")
        assert driver.main.preview.hit is None


async def test_hits_of_another_query_are_told_from_those_of_the_answer() -> None:
    engine = ScriptedEngine()
    engine.answer = whole_answer(content.HITS, content.ANSWER, content.EXTRACTS)
    engine.finds["other"] = [found("other", OTHER)]
    async with driving(engine) as driver:
        await driver.ask_to_the_end("How do I rest it?")
        assert "“" not in driver.title("answer")
        await typed(driver, "other", "other.md")
        assert "to “How do I rest it?”" in driver.title("answer")
        await driver.press("escape")
        await driver.until(lambda: len(driver.main.results.hits) == 8, "the answer's hits")
        assert "· “How do I rest it?” · 8 chunks" in driver.title("results")
        assert "“" not in driver.title("answer")
        assert driver.main.answer.answer_text.endswith("before you bake.")


async def test_a_citation_brings_back_the_hits_it_speaks_of() -> None:
    engine = ScriptedEngine()
    engine.answer = whole_answer(content.HITS, content.ANSWER, content.EXTRACTS)
    engine.finds["other"] = [found("other", OTHER)]
    async with driving(engine) as driver:
        await driver.ask_to_the_end("How do I rest it?")
        await typed(driver, "other", "other.md")
        driver.main.go_to("answer")
        await driver.press("2")
        assert driver.main.results.selected == content.HITS[1]
        assert driver.main.preview.hit == content.HITS[1]
        assert driver.main.pane == "results"
        assert "“How do I rest it?”" in driver.title("results")


async def test_enter_on_a_query_whose_hits_are_there_makes_nothing_jump() -> None:
    engine, held = ScriptedEngine(), asyncio.Event()
    engine.finds["rest"] = [found("rest", content.HITS)]
    engine.answer = [held, *whole_answer(content.HITS, "Done.")]
    async with driving(engine) as driver:
        await typed(driver, "rest", content.HITS[0].path)
        assert driver.main.results.select(3)
        await driver.press("enter")
        await driver.until(lambda: engine.questions == ["rest"])
        assert len(driver.main.results.hits) == 8, "no note in between"
        held.set()
        await driver.until(lambda: not driver.main.answering)
        assert driver.main.results.selected == content.HITS[2]
        assert engine.searches == ["rest"]
        assert "“" not in driver.title("answer")


async def test_enter_before_the_pause_asks_and_searches_nothing_beside() -> None:
    engine = ScriptedEngine()
    async with driving(engine) as driver:
        await driver.ask_to_the_end("rest")
        await quiet(driver)
        assert engine.searches == []


async def test_what_is_typed_while_an_answer_is_awaited_keeps_its_hits() -> None:
    engine, hits_come = ScriptedEngine(), asyncio.Event()
    engine.answer = [hits_come, *whole_answer(FIRST, "Done.")]
    engine.finds["other"] = [found("other", OTHER)]
    async with driving(engine) as driver:
        await driver.ask("question")
        await driver.until(lambda: engine.questions)
        await typed(driver, "other", "other.md")
        hits_come.set()
        await driver.until(lambda: not driver.main.answering)
        assert paths(driver) == ["other.md"]
        assert "to “question”" in driver.title("answer")
        type_text(driver, "")
        await driver.until(lambda: paths(driver) == ["first.md", "second.md"])


@pytest.mark.parametrize("size", [(100, 30), (60, 20)])
async def test_a_query_that_is_not_complete_is_told_of_quietly(size: tuple[int, int]) -> None:
    engine = ScriptedEngine()
    fault = UsageError("the pattern can't be read: missing )\x1b[2J", "Correct it [/]")
    engine.finds["/a(/"] = [fault]
    engine.finds["words"] = [found("words", FIRST)]
    async with driving(engine, size=size) as driver:
        type_text(driver, "/a(/")
        await driver.until(lambda: "missing )" in driver.said("results-note"), "the note")
        assert "\x1b" not in driver.said("results-note")
        await typed(driver, "words", "first.md")
        assert not driver.main.results.border_subtitle
        type_text(driver, "/a(/")
        await driver.until(lambda: "missing )" in (driver.main.results.border_subtitle or ""))
        assert paths(driver) == ["first.md", "second.md"]
        assert not driver.toasts


async def test_what_was_typed_before_the_engine_was_up_is_searched_then() -> None:
    source = ScriptedSource(ScriptedEngine())
    source.gate.clear()
    source.engine.finds["rest"] = [found("rest", FIRST)]
    async with driving(source=source, ready=False) as driver:
        await driver.pilot.pause()
        type_text(driver, "rest")
        await quiet(driver, 0.3)
        source.gate.set()
        await driver.until(lambda: paths(driver) == ["first.md", "second.md"])


async def test_typed_hits_are_found_again_after_the_engine_was_lost() -> None:
    engine = ScriptedEngine()
    engine.finds["rest"] = [EngineError("gone")]
    async with driving(engine) as driver:
        type_text(driver, "rest")
        await driver.until(lambda: engine.searches)
        engine.finds["rest"] = [found("rest", FIRST)]
        engine.statuses.put_nowait(EngineError("gone"))
        await driver.until(lambda: paths(driver) == ["first.md", "second.md"])


async def test_typed_hits_follow_the_index() -> None:
    engine = ScriptedEngine()
    engine.finds["rest"] = [found("rest", FIRST)]
    async with driving(engine) as driver:
        engine.statuses.put_nowait(status(revision=1))
        await typed(driver, "rest", "first.md")
        engine.finds["rest"] = [found("rest", OTHER)]
        engine.statuses.put_nowait(status(revision=2))
        await driver.until(lambda: paths(driver) == ["other.md"], "the refresh")


async def test_every_text_is_told_of() -> None:
    async with driving() as driver:
        await driver.press(*"ab")
        await driver.until(lambda: driver.seen(QueryTyped) >= 1)


async def test_what_is_typed_shows_at_once_and_not_with_the_next_frame(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with driving() as driver:
        main, painted = driver.app.main, []
        monkeypatch.setattr(main._update_timer, "resume", lambda: None)  # no frame comes
        monkeypatch.setattr(driver.app, "_display", lambda _, update: painted.append(update))
        main.preview.refresh()
        await driver.press("x")
        rows = [{y for y, _, _ in update.spans} for update in painted if update is not None]
        assert {main.query_pane.input.region.y} in rows


async def test_another_mode_while_hits_are_awaited_leaves_the_question_its_hits() -> None:
    engine, hits_come = ScriptedEngine(), asyncio.Event()
    engine.finds["rest"] = [found("rest", OTHER)]
    engine.answer = [hits_come, *whole_answer(FIRST, "Done.")]
    async with driving(engine) as driver:
        await typed(driver, "rest", "other.md")
        await driver.press("enter")
        await driver.until(lambda: engine.questions)
        await driver.press("ctrl+t")
        await driver.until(lambda: "dense" in driver.title("query_pane"))
        await quiet(driver)
        hits_come.set()
        await driver.until(lambda: not driver.main.answering)
        assert paths(driver) == ["first.md", "second.md"]
        assert "“" not in driver.title("answer")
        await driver.ask_to_the_end("another")
        assert engine.modes == [None, "dense"], "from the next question on"
