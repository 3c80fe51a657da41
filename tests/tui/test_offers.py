"""What the answer offers on one key: an answer anyway, a fresh one, a better model."""

from __future__ import annotations

import asyncio
import itertools
import time

import pytest

from engine.errors import EngineError
from engine.wire import api_answer, api_models
from tests.tui import content
from tests.tui.driver import Driver, driving
from tests.tui.scripted import ScriptedEngine, Step, finished, llm, status, tokens, whole_answer
from tui.changes import ADDED_STYLE, REMOVED_STYLE, word_diff
from tui.model_text import ModelText

HITS = api_answer.HitsFound(query="q", took_ms=14.2, hits=content.HITS)
FAR = api_answer.ExtractsFound(
    extracts=content.EXTRACTS[:1], not_found=True, searched="264 files, 6 848 chunks"
)
NOT_FOUND = finished(
    "",
    finish_reason=api_answer.NOT_FOUND,
    not_found=True,
    documents=False,
    completion_tokens=0,
    tokens_per_s=0,
    sources=[],
    conversation="c1",
    turn=1,
)
NEW_TEXT = content.HITS[0].text.replace("up to three weeks", "two weeks at most")


def far() -> ScriptedEngine:
    engine = ScriptedEngine()
    engine.answers = [[HITS, FAR, NOT_FOUND]]
    return engine


async def test_not_found_is_said_first_with_what_was_searched_and_the_way_on() -> None:
    async with driving(far()) as driver:
        await driver.ask_to_the_end("q")
        said = driver.said("not-found")
        assert "Not found in your documents" in said
        assert "264 files, 6 848 chunks" in said
        assert "ctrl+o" in said
        above, below = driver.main.query_one("#not-found"), driver.main.query_one("#extracts")
        assert above.region.bottom <= below.region.y
        assert below.border_title == " the nearest passages "
        assert not driver.main.query(ModelText)
        assert "tokens" not in driver.said("outcome")
        assert driver.said("prompt-notice") == "", "there is nothing to be marked"


async def test_the_nearest_passages_have_the_room_of_the_answer_that_is_not_there() -> None:
    engine = ScriptedEngine()
    many = FAR.model_copy(update={"extracts": content.EXTRACTS * 8})
    engine.answers = [[HITS, many, NOT_FOUND], whole_answer(content.HITS, "x", many.extracts)]
    async with driving(engine) as driver:
        await driver.ask_to_the_end("q")
        pane, found = driver.main.answer, driver.main.query_one("#found")
        await driver.until(lambda: found.size.height > 0.7 * pane.size.height)
        await driver.ask_to_the_end("another")
        await driver.until(lambda: found.size.height <= 0.5 * pane.size.height)


async def test_the_results_say_quietly_that_nothing_is_near() -> None:
    engine = far()
    async with driving(engine) as driver:
        await driver.ask_to_the_end("q")
        assert "nothing near" in str(driver.main.results.border_subtitle)
        engine.answer = whole_answer(content.HITS, "x", content.EXTRACTS)
        await driver.ask_to_the_end("another")
        assert "nothing near" not in str(driver.main.results.border_subtitle or "")
        assert driver.said("not-found") == ""


async def test_one_key_has_the_model_answer_anyway_and_that_is_marked() -> None:
    engine = far()
    prompt = api_answer.PromptMade(model="big", hits=[], documents=False)
    end = finished("In Bern.", documents=False, sources=[], conversation="c1", turn=1)
    engine.answer = [HITS, FAR, llm(), prompt, *tokens("In Bern."), end]
    async with driving(engine) as driver:
        await driver.ask_to_the_end("q")
        await driver.press("ctrl+o")
        await driver.until(lambda: len(engine.asked) == 2 and not driver.main.answering)
        assert engine.asked[-1].anyway
        assert (engine.asked[-1].question, engine.asked[-1].instead_of) == ("q", 1)
        assert "without documents" in driver.said("prompt-notice")
        assert "ctrl+o" not in driver.said("not-found")
        await driver.press("ctrl+o")
        await driver.pilot.pause()
        assert len(engine.asked) == 2, "it is offered no longer"


async def test_without_an_offer_the_key_does_nothing() -> None:
    engine = ScriptedEngine()
    async with driving(engine) as driver:
        await driver.press("ctrl+o")
        await driver.ask_to_the_end("q")
        await driver.press("ctrl+o")
        await driver.pilot.pause()
        assert len(engine.asked) == 1
        assert len(driver.app.screen_stack) == 1


# --- stale answers ---------------------------------------------------------------------------


def cited() -> list[Step]:
    end = finished(
        content.CITED, citations=content.CITATIONS, conversation="c1", turn=1, sources=[]
    )
    extracts = api_answer.ExtractsFound(extracts=content.EXTRACTS)
    return [HITS, extracts, llm(), content.PROMPT, *tokens(content.CITED), end]


async def changed(driver: Driver, engine: ScriptedEngine, **became: object) -> None:
    """Ask, then have the first hit become something else."""
    engine.answer, engine.refreshed = cited(), content.HITS
    engine.statuses.put_nowait(status(revision=1))
    await driver.until(lambda: driver.main.status)
    await driver.ask_to_the_end("q")
    engine.became = {1: became}
    engine.statuses.put_nowait(status(revision=2))
    await driver.until(lambda: engine.evidence_asked, "asking what became of the hits")
    await driver.pilot.pause()


def stale_mark(driver: Driver) -> str:
    return str(driver.main.answer.border_subtitle or "")


@pytest.mark.parametrize(
    ("became", "wanted"),
    [
        ({"state": "changed", "text": NEW_TEXT}, ("stale", "starter.md", "ctrl+o")),
        ({"state": "gone"}, ("stale", "is gone", "ctrl+o")),
    ],
)
async def test_an_answer_whose_passage_changed_is_marked(
    became: dict[str, object], wanted: tuple[str, ...]
) -> None:
    engine = ScriptedEngine()
    async with driving(engine) as driver:
        await changed(driver, engine, **became)
        await driver.until(lambda: "stale" in stale_mark(driver), "the mark")
        for word in wanted:
            assert word in stale_mark(driver)
        assert [each.rank for each in engine.evidence_asked[0]] == [1, 2, 3], "what it stands on"


@pytest.mark.parametrize("state", ["same", "moved"])
async def test_an_answer_whose_passages_still_stand_is_not(state: str) -> None:
    engine = ScriptedEngine()
    async with driving(engine) as driver:
        await changed(driver, engine, state=state)
        assert driver.main.exchange is not None and not driver.main.exchange.changed
        assert stale_mark(driver) == ""


async def test_the_mark_goes_when_the_change_is_taken_back() -> None:
    engine = ScriptedEngine()
    async with driving(engine) as driver:
        await changed(driver, engine, state="gone")
        await driver.until(lambda: "stale" in stale_mark(driver))
        engine.became = {}
        engine.statuses.put_nowait(status(revision=3))
        await driver.until(lambda: "stale" not in stale_mark(driver), "the mark to go")


async def test_one_key_asks_again_and_shows_what_changed() -> None:
    engine = ScriptedEngine()
    async with driving(engine) as driver:
        await changed(driver, engine, state="changed", text=NEW_TEXT, place=content.HITS[0])
        await driver.until(lambda: "stale" in stale_mark(driver))
        await driver.press("ctrl+o")
        await driver.until(lambda: len(engine.asked) == 2 and not driver.main.answering)
        assert (engine.asked[-1].conversation, engine.asked[-1].instead_of) == ("c1", 1)
        said = driver.said("changes")
        assert "what changed since the answer before" in said
        assert "bread/starter.md:41-49" in said
        assert "two weeks at most" in said
        engine.answer = cited()
        await driver.ask_to_the_end("another")
        assert driver.said("changes") == ""


async def test_a_change_while_the_answer_is_written_is_noticed() -> None:
    engine, more = ScriptedEngine(), asyncio.Event()
    steps = cited()
    async with driving(engine) as driver:
        engine.statuses.put_nowait(status(revision=1))
        await driver.until(lambda: driver.main.status)
        engine.answer = [*steps[:-1], more, steps[-1]]
        engine.became = {1: {"state": "gone"}}
        await driver.ask("q")
        await driver.until(lambda: driver.main.answer.model.has_text)
        engine.statuses.put_nowait(status(revision=2))
        await driver.until(lambda: driver.main.status and driver.main.status.revision == 2)
        await driver.until(lambda: not driver.main._evidence_unsure.is_set(), "the pause")
        assert not engine.evidence_asked
        more.set()
        await driver.until(lambda: "stale" in stale_mark(driver), "the mark")


@pytest.mark.parametrize("end", [None, EngineError("gone")])
async def test_a_change_before_an_answer_was_stopped_or_broke_off_is_noticed(
    end: EngineError | None,
) -> None:
    engine, more = ScriptedEngine(), asyncio.Event()
    async with driving(engine) as driver:
        engine.statuses.put_nowait(status(revision=1))
        await driver.until(lambda: driver.main.status)
        engine.answer = [*cited()[:-1], more, *([end] if end else [])]
        engine.became = {1: {"state": "gone"}}
        await driver.ask("q")
        await driver.until(lambda: driver.main.answer.model.has_text)
        engine.statuses.put_nowait(status(revision=2))
        await driver.until(lambda: driver.main.status and driver.main.status.revision == 2)
        if end:
            more.set()
        else:
            await driver.press("escape")
        await driver.until(lambda: "stale" in stale_mark(driver), "the mark")


async def test_a_folder_that_changes_all_the_time_puts_off_no_mark() -> None:
    engine, revisions = ScriptedEngine(), itertools.count(2)
    engine.answer, engine.refreshed = cited(), content.HITS
    async with driving(engine) as driver:
        engine.statuses.put_nowait(status(revision=1))
        await driver.until(lambda: driver.main.status)
        await driver.ask_to_the_end("q")
        engine.became = {1: {"state": "gone"}}

        def marked_while_it_changes() -> bool:
            engine.statuses.put_nowait(status(revision=next(revisions), state="indexing"))
            return "stale" in stale_mark(driver)

        await driver.until(marked_while_it_changes, "the mark")


def test_a_word_diff_shows_what_went_and_what_came() -> None:
    diff = word_diff("It rests three weeks.\nThen feed it.", "It rests two weeks. Then feed it!")
    parts = [(str(span.style), str(diff)[span.start : span.end]) for span in diff.spans]
    assert (REMOVED_STYLE, "three") in parts
    assert (ADDED_STYLE, "two") in parts
    assert (REMOVED_STYLE, ".") in parts and (ADDED_STYLE, "!") in parts
    assert str(diff).startswith("It rests")


@pytest.mark.parametrize(
    ("old", "new"),
    [("| a " * 1500, "| b " * 1500), ("." * 6000, "." * 3000 + "x" + "." * 2999)],
)
def test_a_word_diff_of_a_large_table_takes_no_time(old: str, new: str) -> None:
    began = time.perf_counter()
    diff = word_diff(f"It was so. {old}", f"It was so. {new}")
    assert time.perf_counter() - began < 2
    assert {span.style for span in diff.spans} >= {ADDED_STYLE, REMOVED_STYLE}


def test_a_word_diff_leaves_out_what_is_far_from_a_change_and_cleans_the_rest() -> None:
    same = " ".join(f"word{n}" for n in range(100))
    diff = str(word_diff(f"{same} old \x1b[2J", f"{same} new \x1b[2J"))
    assert "word0 " not in diff and "word99" in diff and "…" in diff
    assert "\x1b" not in diff


# --- a better model --------------------------------------------------------------------------


BETTER = api_models.OfferedModel(
    name="org/better", place="hub", detail="fits in memory", download_bytes=4_700_000_000
)


async def test_after_an_answer_of_the_demonstration_model_a_better_one_is_offered() -> None:
    engine = ScriptedEngine()
    engine.better_model = BETTER
    async with driving(engine) as driver:
        await driver.ask_to_the_end("q")
        await driver.until(lambda: "org/better" in driver.said("offer"), "the offer")
        await driver.press("ctrl+o")
        await driver.until(lambda: "4.7" in driver.page(), "the question")
        assert engine.models_used == [], "nothing is fetched silently"
        await driver.press("y")
        await driver.until(lambda: engine.models_used)
        assert engine.models_used[0].name == "org/better"
        await driver.until(lambda: driver.toasts)
        assert "answers from now on" in driver.toasts[-1].message
        assert driver.said("offer") == ""
        await driver.ask_to_the_end("q2")
        assert engine.offers_asked == 1


@pytest.mark.parametrize("better", [None, BETTER])
async def test_none_is_offered_where_there_is_none_or_another_model_answers(
    better: api_models.OfferedModel | None,
) -> None:
    engine = ScriptedEngine()
    engine.better_model = better
    if better is not None:
        engine.answer = [HITS, llm(demonstration=False), *tokens("x"), finished("x")]
    async with driving(engine) as driver:
        await driver.ask_to_the_end("q")
        await driver.pilot.pause()
        assert driver.said("offer") == ""
        assert engine.offers_asked == (0 if better else 1)


async def test_a_model_turned_off_on_purpose_is_no_fault() -> None:
    off = llm("unavailable", detail="llm_start is never", on_purpose=True)
    engine = ScriptedEngine()
    end = finished("", finish_reason="off", completion_tokens=0, tokens_per_s=0, sources=[])
    engine.answer = [HITS, api_answer.ExtractsFound(extracts=content.EXTRACTS), off, end]
    async with driving(engine) as driver:
        engine.statuses.put_nowait(status(llm=off))
        await driver.ask_to_the_end("q")
        assert driver.said("waiting") == "no model answers: llm_start is never"
        assert "✕" not in driver.said("waiting") + driver.said("outcome")
        assert "vLLM off" in driver.status_line


async def test_a_better_model_is_looked_for_again_after_a_fault() -> None:
    class Busy(ScriptedEngine):
        async def model_offer(self) -> api_models.ModelOffer:
            offer = await super().model_offer()
            if self.offers_asked == 1:
                raise EngineError("busy")
            return offer

    engine = Busy()
    engine.better_model = BETTER
    async with driving(engine) as driver:
        await driver.ask_to_the_end("one")
        await driver.until(lambda: engine.offers_asked == 1)
        await driver.ask_to_the_end("two")
        await driver.until(lambda: driver.main.offered == "better model", "the offer")
        assert engine.offers_asked == 2
