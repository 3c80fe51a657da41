"""The pages of the answer model and of problems: what they tell, and that it is safe."""

from __future__ import annotations

from functools import partial

import pytest
from textual.widgets import Sparkline

from engine.errors import EngineError
from engine.wire import api
from tests.tui.driver import Driver, driving
from tests.tui.scripted import ScriptedEngine, ScriptedSource, failed, finished, llm, status, tokens
from tui.errand import tell_error
from tui.messages import AnswerBroke, EngineLost, StatusArrived
from tui.session import MOST_PROBLEMS, Session

HOSTILE = "\x1b]52;c;AA==\x07\u202eevil [/] [@click=app.quit]x"


async def page_at(driver: Driver, key: str) -> str:
    """Leave the query, press ``key``, and return the page's text, with plain spaces."""
    driver.main.go_to("answer")
    await driver.press(key)
    await driver.until(lambda: len(driver.app.screen_stack) == 2, "the page")
    await driver.pilot.pause()
    return driver.page().replace("\u00a0", " ")


def shows(driver: Driver, state: api.FolderStatus) -> bool:
    return driver.main.status == state


# --- problems --------------------------------------------------------------------------------


async def test_an_answer_that_came_to_its_end_is_no_problem() -> None:
    async with driving(ScriptedEngine()) as driver:
        await driver.ask_to_the_end("q")
        await driver.pilot.pause(0.05)
        assert not driver.app.session.problems


async def test_a_toast_that_is_gone_can_be_read_again_with_its_next_step() -> None:
    async with driving() as driver:
        assert await page_at(driver, "w") == "Nothing has gone wrong since the start."
        await driver.press("escape")
        driver.app.notify("all is well")
        driver.app.notify(f"no such file {HOSTILE}", title=HOSTILE, severity="warning")
        tell_error(driver.app, EngineError("it hangs", "Run: hoverkite stop"))
        told = await page_at(driver, "w")
    assert "all is well" not in told
    assert "no such file \ufffd]52;c;AA==\ufffdevil [/] [@click=app.quit]x" in told
    assert told.index("it hangs") < told.index("no such file"), "the latest comes first"
    assert "→ Run: hoverkite stop" in told


async def test_an_engine_and_answers_that_failed_are_told_where_no_toast_was() -> None:
    source = ScriptedSource(ScriptedEngine())
    source.faults = [EngineError("it ended with status 1", "Run: hoverkite stop")]
    async with driving(source=source, ready=False) as driver:
        await driver.until(lambda: driver.app.session.problems, "the failure")
        told = await page_at(driver, "w")
        assert "it ended with status 1" in told
        assert "→ Run: hoverkite stop" in told
    engine = ScriptedEngine()
    engine.answer = [failed()]
    async with driving(engine) as driver:
        await driver.ask_to_the_end("Why?")
        driver.main.post_message(AnswerBroke(0, EngineError("the stream broke", "Ask again")))
        driver.main.post_message(EngineLost(2))
        told = await page_at(driver, "w")
        for part in ("vLLM ended with status 1", "the stream broke", "attempt 2"):
            assert part in told


async def test_a_model_that_does_not_start_is_told_once_however_often_its_state_comes() -> None:
    engine = ScriptedEngine()
    async with driving(engine) as driver:
        without = llm("unavailable", detail="no room", next_step="Choose a smaller one")
        states = [status(llm=without, files=files) for files in (1, 2, 3)]
        states.append(status(llm=llm("unavailable", on_purpose=True)))
        states.append(status(state="failed", detail="no disk"))
        for state in states:  # a status that was not told yet gives way to the next
            engine.statuses.put_nowait(state)
            await driver.until(partial(shows, driver, state), "the status")
        problems = [(each.text, each.step, each.times) for each in driver.app.session.problems]
    (text, step, times), last = problems
    assert (text, step, times) == ("no room", "Choose a smaller one", 1)
    assert last[0] == "no disk" and "try again" in last[1]


@pytest.mark.parametrize(
    ("state", "detail", "words"),
    [
        ("missing", "It is not there any more", "✕ missing"),
        ("partial watch", "the system's limit of watches is reached", "partly watching"),
        ("failed", "The disk is full", "✕ failed: The disk is full"),
        ("failed", "The index is read-only", "✕ failed: The index is read-only"),
        ("failed", "The encoder bge is not on this machine", "✕ failed: The encoder bge"),
    ],
)
async def test_a_folder_in_trouble_is_named_and_the_problems_tell_what_to_do(
    state: api.FolderState, detail: str, words: str
) -> None:
    engine = ScriptedEngine()
    async with driving(engine) as driver:
        for _ in range(2):  # told with every status, remembered once
            engine.statuses.put_nowait(status(state=state, detail=detail))
            await driver.until(lambda: words in driver.status_line, "the words")
            engine.statuses.put_nowait(status(state=state, detail=detail, files=1))
        driver.main.go_to("results")
        await driver.press("w")
        assert detail in driver.page() and "→ " in driver.page()
        assert [each.times for each in driver.app.session.problems] == [1]


def test_problems_are_bounded_and_repetitions_counted() -> None:
    moments = iter(range(1000))
    session = Session(now=lambda: float(next(moments)))
    for number in range(MOST_PROBLEMS + 5):
        session.add("t", str(number))
    session.add("t", "again")
    session.add("t", "again")
    assert len(session.problems) == MOST_PROBLEMS
    last = session.problems[-1]
    assert (last.text, last.times, last.at) == ("again", 2, MOST_PROBLEMS + 6)
    session.hear(StatusArrived(status(llm=llm("unavailable", on_purpose=True))))
    assert session.problems[-1] == last


async def test_problems_of_several_folders_name_theirs_and_unread_files_are_counted() -> None:
    engine = ScriptedEngine()
    async with driving(engine) as driver:
        engine.statuses.put_nowait(status(skipped_total=3))
        await driver.until(lambda: driver.main.status is not None)
        driver.app.session.add("Lost", "a", folder=f"recipes {HOSTILE}")
        driver.main.go_to("results")
        await driver.press("w")
        assert "recipes" not in driver.page(), "of one folder alone nobody asks which"
        assert "3 files skipped  i tells which, and why" in driver.page()
        await driver.press("escape")
        driver.app.notify("Broken", title="Export", severity="error")
        await driver.press("w")
        assert "Lost  recipes" in driver.page() and "Export  notes" in driver.page()
        assert not set(HOSTILE) & {"\x1b"} & set(driver.page())


# --- the answer model ------------------------------------------------------------------------

FIGURES = api.LlmFigures(
    running=2, waiting=1, prefix_cache_hit_rate=0.834, ttft_ms=290.0, tokens_per_s=41.6
)


async def test_the_page_of_the_model_tells_its_state_speed_and_log() -> None:
    engine = ScriptedEngine()
    engine.model = llm(
        "answering", model=f"big {HOSTILE}", figures=FIGURES, context=8192,
        dtype="bfloat16", device=f"cpu{HOSTILE}", said=["Started server", f"a line {HOSTILE}"],
    )  # fmt: skip
    async with driving(engine) as driver:
        moments = iter((1000.0, 1030.0, 1240.0))
        driver.app.session._now = lambda: next(moments)
        assert "No model has answered" in await page_at(driver, "M")
        await driver.press("escape")
        for ttft, speed in ((200.0, 30.0), (400.0, 20.0), (312.0, 34.0)):
            told = finished("It is.", ttft_ms=ttft, tokens_per_s=speed)
            engine.answers.append([*tokens("It is."), told])
        engine.answers.append([finished("", completion_tokens=0)])
        for _ in range(4):
            await driver.ask_to_the_end("Why?")
        told_page = await page_at(driver, "M")
        curves = [curve.data for curve in driver.app.screen.query(Sparkline)]
    for part in (
        "big \ufffd]52", "answering", "8 192 tokens", "2 at work, 1 waiting",
        "83 % of the prompts' tokens", "first token 290 ms, 42 tokens/s", "The last 3 answers",
        "after 312 ms; median 312 ms", "34 tokens/s; median 30", "Started server",
        "a line \ufffd]52", "bfloat16 on cpu\ufffd]52",
        "lowest 200 ms, highest 400 ms, within 4 min",
        "lowest 20 tokens/s, highest 34 tokens/s, within 4 min",
    ):  # fmt: skip
        assert part in told_page
    assert "\x1b" not in told_page
    assert curves == [[200.0, 400.0, 312.0], [30.0, 20.0, 34.0]]


async def test_of_one_answer_there_is_no_curve() -> None:
    engine = ScriptedEngine()
    async with driving(engine) as driver:
        await driver.ask_to_the_end("Why?")
        told = await page_at(driver, "M")
        assert "The answer\n" in told + "\n" and "median" in told
        assert "lowest" not in told
        assert not driver.app.screen.query(Sparkline)


@pytest.mark.parametrize("size", [(100, 30), (60, 20)])
async def test_a_model_that_is_not_there_says_why_and_what_to_do(size: tuple[int, int]) -> None:
    engine = ScriptedEngine()
    engine.model = llm("unavailable", detail="no room", next_step="Choose another", log=["Killed"])
    async with driving(engine, size=size) as driver:
        told = await page_at(driver, "M")
    for part in ("unavailable: no room", "Choose another", "Killed"):
        assert part in told
    assert "queue" not in told
