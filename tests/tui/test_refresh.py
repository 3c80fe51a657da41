"""What happens to hits and answer when the index changes after, or while, a question is asked."""

from __future__ import annotations

import asyncio

import pytest

from engine.errors import EngineError
from engine.wire import api
from engine.wire.api_search import SearchReply, SearchRequest
from tests.hits import hit
from tests.tui.driver import Driver, driving
from tests.tui.scripted import ScriptedEngine, found, status, whole_answer
from tests.tui.test_offers import far
from tests.tui.test_typing import paths, quiet, type_text, typed
from tui.live_marks import Fate


def fates(driver: Driver) -> list[Fate]:
    return [row.fate for row in driver.main.results.list.rows]


async def test_the_hits_follow_the_index_and_keep_the_selection() -> None:
    engine = ScriptedEngine()
    hits = [hit(1), hit(2), hit(3)]
    engine.answer = whole_answer(hits, "Answer.")
    async with driving(engine) as driver:
        engine.statuses.put_nowait(status(revision=1))
        await driver.ask_to_the_end("q")
        assert driver.main.results.select(2)
        moved = [
            hit(1, path="new.md"),
            hit(2, path=hits[0].path, text=hits[0].text),
            hit(3, path=hits[1].path, text=hits[1].text),
        ]
        engine.refreshed = moved
        engine.statuses.put_nowait(status(revision=2))
        await driver.until(lambda: list(driver.main.results.hits) == moved, "the refresh")
        await driver.pilot.pause()
        selected = driver.main.results.selected
        assert selected is not None
        assert (selected.rank, selected.path) == (3, hits[1].path)
        assert driver.main.preview.hit == selected
        rows = driver.main.results.list.options
        numbers = [str(row.prompt)[0] for row in rows]
        assert numbers == ["+", "1", "3", "2"], "as the answer cites them, the third gone"
        driver.main.go_to("answer")
        await driver.pilot.pause()
        await driver.press("1")
        assert driver.main.results.selected == moved[1], "not the first row"
        await driver.press("2")
        assert driver.main.results.selected == moved[2]
        assert engine.questions == ["q"], "the answer is not asked again"
        assert driver.main.answer.answer_text == "Answer."
        assert not driver.main.answer.border_subtitle, "what it stands on is the same"


async def test_hits_appear_once_what_was_not_yet_indexed_is() -> None:
    engine = ScriptedEngine()
    engine.answer = whole_answer([], "Nothing.")
    async with driving(engine) as driver:
        engine.statuses.put_nowait(status(state="indexing", revision=0, files=0, chunks=0))
        await driver.ask_to_the_end("q")
        assert "Nothing was found" in driver.said("results-note")
        engine.refreshed = [hit(1)]
        engine.statuses.put_nowait(status(revision=1))
        await driver.until(lambda: driver.main.results.hits, "the hit")
        assert "documents changed since" in (driver.main.answer.border_subtitle or "")


async def test_during_a_first_reading_better_hits_are_no_news_and_an_idle_cursor_follows() -> None:
    engine = ScriptedEngine()
    early, later = hit(1, path="early.md"), hit(1, path="later.md", text="better")
    engine.answer = whole_answer([early], "Answer.")
    reading = status(
        state="indexing", files=2, progress=api.Progress(files_done=2, files_total=16), revision=1
    )
    async with driving(engine) as driver:
        engine.statuses.put_nowait(reading)
        await driver.until(lambda: driver.main.status is not None)
        await driver.ask_to_the_end("q")
        engine.refreshed = [later]
        engine.statuses.put_nowait(reading.model_copy(update={"revision": 2}))
        await driver.until(lambda: list(driver.main.results.hits) == [later], "the better hit")
        assert fates(driver) == [Fate.SAME]
        await driver.until(lambda: driver.main.preview.hit == later, "its text")
        engine.refreshed = [early]
        engine.statuses.put_nowait(status(revision=3))
        await driver.until(lambda: list(driver.main.results.hits) == [early], "the end of it")
        assert fates(driver) == [Fate.SAME]
        engine.refreshed = [later]
        engine.statuses.put_nowait(status(revision=4))
        await driver.until(lambda: list(driver.main.results.hits) == [later], "an edit")
        assert Fate.GONE in fates(driver)


@pytest.mark.parametrize("writes", [False, True])
async def test_what_was_asked_of_a_part_of_the_folder_is_asked_of_all_unless_the_model_writes(
    writes: bool,
) -> None:
    engine, gate = ScriptedEngine(), asyncio.Event()
    first = whole_answer([hit(1, path="early.md")], "Of a part.")
    at = next(n for n, step in enumerate(first) if getattr(step, "type", "") == "prompt")
    engine.answers = [[*first[: at + writes], gate, *first[at + writes :]]]
    engine.answer = whole_answer([hit(1, path="right.md")], "Of all.")
    progress = api.Progress(files_done=2, files_total=16)
    async with driving(engine) as driver:
        engine.statuses.put_nowait(status(state="indexing", files=2, progress=progress))
        await driver.until(lambda: driver.main.status is not None)
        await driver.ask("q")
        await driver.until(lambda: driver.main.results.hits, "the hits of a part")
        part = driver.main.exchange
        await driver.until(lambda: part is not None and bool(part.prompt) is writes)
        engine.statuses.put_nowait(status(revision=1))
        if not writes:
            await driver.until(lambda: len(engine.asked) > 1, "the second question")
        await driver.pilot.pause()
        gate.set()
        await driver.until(lambda: not driver.main.answering, "the end of the answer")
        assert engine.questions == ["q"] * (1 if writes else 2)
        assert ("Of all." in driver.main.answer.answer_text) is not writes
        assert len(driver.main.dialogue.turns) == 1


async def test_what_was_not_found_in_a_part_of_the_folder_is_looked_for_in_all_of_it() -> None:
    engine = far()
    engine.answer = whole_answer([hit(1, path="right.md")], "Of all.")
    progress = api.Progress(files_done=2, files_total=16)
    async with driving(engine) as driver:
        engine.statuses.put_nowait(status(state="indexing", files=2, progress=progress))
        await driver.until(lambda: driver.main.status is not None)
        await driver.ask_to_the_end("q")
        assert "Not found" in driver.said("not-found")
        engine.statuses.put_nowait(status(revision=1))
        await driver.until(lambda: "Of all." in driver.main.answer.answer_text, "the other answer")
        assert engine.questions == ["q", "q"]
        assert len(driver.main.dialogue.turns) == 1


async def test_a_citation_still_leads_to_its_evidence_after_the_results_moved_on() -> None:
    engine = ScriptedEngine()
    engine.answer = whole_answer([hit(1, text="cited words")], "Answer [1].")
    async with driving(engine) as driver:
        engine.statuses.put_nowait(status(revision=1))
        await driver.ask_to_the_end("q")
        engine.refreshed = [hit(1, path="other.md")]
        engine.statuses.put_nowait(status(revision=2))
        await driver.until(lambda: driver.main.results.hits[0].path == "other.md")
        driver.main.go_to("answer")
        await driver.pilot.pause()
        await driver.press("1")
        assert driver.main.preview.hit is not None
        assert driver.main.preview.hit.text == "cited words"
        assert "as it was when you asked" in (driver.main.preview.border_subtitle or "")


async def test_a_status_without_a_new_revision_searches_nothing() -> None:
    engine = ScriptedEngine()
    async with driving(engine) as driver:
        engine.statuses.put_nowait(status(revision=4))
        await driver.ask_to_the_end("q")
        engine.statuses.put_nowait(status(revision=4, files=300))
        await driver.until(lambda: "300 files" in driver.status_line)
        assert engine.searches == []


async def test_an_engine_that_counts_from_zero_again_is_heard() -> None:
    engine = ScriptedEngine()
    async with driving(engine) as driver:
        engine.statuses.put_nowait(status(revision=40))
        await driver.ask_to_the_end("q")
        engine.refreshed = [hit(1, path="other.md")]
        engine.statuses.put_nowait(status(revision=2))
        await driver.until(lambda: driver.main.results.hits[0].path == "other.md", "the refresh")


async def test_hits_are_searched_again_once_a_lost_engine_is_back() -> None:
    engine = ScriptedEngine()
    async with driving(engine) as driver:
        await driver.ask_to_the_end("q")
        engine.refreshed = [hit(1, path="other.md")]
        engine.statuses.put_nowait(EngineError("gone"))
        await driver.until(lambda: driver.main.results.hits[0].path == "other.md", "the refresh")


async def test_a_change_during_the_search_is_not_lost() -> None:
    engine, found = ScriptedEngine(), asyncio.Event()
    engine.answer = [found, *whole_answer([hit(1)], "Answer.")]
    async with driving(engine) as driver:
        engine.statuses.put_nowait(status(revision=1))
        await driver.until(lambda: driver.main.status is not None)
        await driver.ask("q")
        await driver.until(lambda: engine.questions)
        engine.refreshed = [hit(1, path="other.md")]
        engine.statuses.put_nowait(status(revision=2, files=300))
        await driver.until(lambda: driver.main.status == status(revision=2, files=300))
        assert engine.searches == []
        found.set()
        await driver.until(lambda: engine.searches == ["q"], "the refresh")
        await driver.until(lambda: [h.path for h in driver.main.results.hits] == ["other.md"])


@pytest.mark.parametrize(
    ("files", "done", "total", "wanted"),
    [(10, 10, 53, "from 10 of 53 files · ctrl+r"), (200, 5, 305, "from 200 of 500 files · ctrl+r")],
)
async def test_an_answer_from_a_part_of_the_folder_says_so_until_it_is_asked_again(
    files: int, done: int, total: int, wanted: str
) -> None:
    engine = ScriptedEngine()
    async with driving(engine) as driver:
        progress = api.Progress(files_done=done, files_total=total)
        engine.statuses.put_nowait(status(state="indexing", files=files, progress=progress))
        await driver.until(lambda: driver.main.status is not None)
        await driver.ask_to_the_end("q")
        assert wanted in (driver.main.answer.border_subtitle or "")
        engine.refreshed = [hit(1, path="other.md")]
        engine.statuses.put_nowait(status(revision=9))
        await driver.until(lambda: driver.main.results.hits[0].path == "other.md", "the refresh")
        assert wanted in (driver.main.answer.border_subtitle or "")
        await driver.press("ctrl+r")
        await driver.until(lambda: not driver.main.answering)
        assert not driver.main.answer.border_subtitle


async def test_one_changed_file_makes_no_answer_partial() -> None:
    engine = ScriptedEngine()
    async with driving(engine) as driver:
        progress = api.Progress(files_done=0, files_total=1)
        engine.statuses.put_nowait(status(state="indexing", files=274, progress=progress))
        await driver.until(lambda: driver.main.status is not None)
        await driver.ask_to_the_end("q")
        assert not driver.main.answer.border_subtitle


@pytest.mark.parametrize("error", [EngineError("gone"), ValueError("unreadable")])
async def test_a_failed_quiet_search_changes_nothing_and_is_tried_again(
    error: Exception,
) -> None:
    class Failing(ScriptedEngine):
        async def search(self, folder: str, request: SearchRequest) -> SearchReply:
            found = await super().search(folder, request)
            if len(self.searches) == 1:
                raise error
            return found

    engine = Failing()
    engine.refreshed = [hit(1, path="new.md")]
    async with driving(engine) as driver:
        engine.statuses.put_nowait(status(revision=1))
        await driver.ask_to_the_end("q")
        before = list(driver.main.results.hits)
        engine.statuses.put_nowait(status(revision=2))
        await driver.until(lambda: engine.searches == ["q"])
        await driver.pilot.pause()
        assert list(driver.main.results.hits) == before
        assert not driver.toasts
        await driver.until(lambda: list(driver.main.results.hits) == engine.refreshed)


async def test_p_pauses_indexing_and_lets_it_go_on() -> None:
    engine = ScriptedEngine()
    async with driving(engine) as driver:
        await driver.press("tab", "p")
        words = "‖ paused · 30 files wait · p goes on"
        await driver.until(lambda: words in driver.status_line, "pausing")
        assert "Indexing is paused" in driver.said("results-note")
        await driver.press("p")
        await driver.until(lambda: "watching" in driver.status_line, "going on")
        assert engine.pauses == [True, False]
        driver.main.query_pane.input.focus()
        await driver.press("p")
        assert driver.main.query_pane.input.text == "p"
        assert engine.pauses == [True, False]


async def test_a_change_during_the_search_of_what_is_typed_is_not_lost() -> None:
    engine, gate = ScriptedEngine(), asyncio.Event()
    engine.finds["rest"] = [found("rest", [hit(1, path="rest.md")])]
    engine.finds["rest well"] = [gate, found("rest well", [hit(1, path="old.md")])]
    async with driving(engine) as driver:
        engine.statuses.put_nowait(status(revision=1))
        await typed(driver, "rest", "rest.md")
        type_text(driver, "rest well")
        await driver.until(lambda: "rest well" in engine.searches)
        engine.finds["rest well"] = [found("rest well", [hit(1, path="new.md")])]
        engine.statuses.put_nowait(status(revision=2))
        await driver.until(lambda: engine.searches.count("rest") == 2, "what is shown meanwhile")
        gate.set()
        await driver.until(lambda: paths(driver) == ["new.md"], "the refresh")


async def test_a_change_while_something_else_is_typed_is_seen_on_the_way_back() -> None:
    engine = ScriptedEngine()
    engine.answer = whole_answer([hit(1)], "Answer.")
    engine.finds["other"] = [found("other", [hit(1, path="other.md")])]
    async with driving(engine) as driver:
        engine.statuses.put_nowait(status(revision=1))
        await driver.ask_to_the_end("q")
        await typed(driver, "other", "other.md")
        engine.refreshed = [hit(1, text="Changed.")]
        engine.statuses.put_nowait(status(revision=2))
        await driver.until(lambda: engine.searches.count("other") == 2, "what is shown")
        assert "q" not in engine.searches
        type_text(driver, "")
        await driver.until(lambda: fates(driver) == [Fate.CHANGED], "the answer's hits")
        assert engine.searches.count("q") == 1
        await typed(driver, "other", "other.md")
        type_text(driver, "")
        await driver.until(lambda: fates(driver) == [Fate.CHANGED], "the answer's hits again")
        await quiet(driver)
        assert engine.searches.count("q") == 1, "nothing has changed since"


async def test_a_change_while_an_earlier_turn_is_shown_is_seen_in_the_last_one() -> None:
    engine = ScriptedEngine()
    engine.answer = whole_answer([hit(1)], "Answer.")
    async with driving(engine) as driver:
        engine.statuses.put_nowait(status(revision=1))
        await driver.until(lambda: driver.main.status)
        await driver.ask_to_the_end("one")
        await driver.ask_to_the_end("two")
        await driver.press("ctrl+up")
        await driver.until(lambda: driver.main.question == "one")
        engine.refreshed = [hit(1, text="Changed.")]
        engine.statuses.put_nowait(status(revision=2, files=300))
        await driver.until(lambda: "300 files" in driver.status_line)
        await driver.pilot.pause()
        assert fates(driver) == [Fate.SAME], "an earlier turn stays as it was"
        await driver.press("ctrl+down")
        await driver.until(lambda: fates(driver) == [Fate.CHANGED], "the refresh")
        assert engine.searches == ["two"]
