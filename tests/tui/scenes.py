"""Scenes of the screen: every state that a snapshot is kept of."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from engine.errors import EngineError
from engine.wire import api, api_answer
from engine.wire.api_complete import CompleteReply, FilterValue
from tests.hits import hit
from tests.tui import content
from tests.tui.driver import FOLDER, Driver
from tests.tui.scripted import (
    MODEL,
    ScriptedEngine,
    ScriptedSource,
    failed,
    finished,
    found,
    llm,
    status,
    tokens,
    whole_answer,
)
from tui.app import HoverkiteApp
from tui.completions import Completions
from tui.file_list import FileList
from tui.session import Speed
from tui.whole_text import WholeText

Scene = Callable[[Driver, ScriptedEngine], Awaitable[None]]

HITS = api_answer.HitsFound(query="q", took_ms=14.2, hits=content.HITS)
EXTRACTS = api_answer.ExtractsFound(extracts=content.EXTRACTS)
STARTING = llm("starting", detail="12 s of about 35 s")
AT_REST = status(ignored=300, unread={"Word": 12}, last_edit_ms=210.0)


async def first_start(driver: Driver, engine: ScriptedEngine) -> None:
    await driver.until(lambda: "engine is starting" in driver.said("results-note"))


async def empty(driver: Driver, engine: ScriptedEngine) -> None:
    await at_rest(driver, engine, AT_REST)


async def indexing(driver: Driver, engine: ScriptedEngine) -> None:
    progress = api.Progress(files_done=120, files_total=274, chunks_per_s=98, seconds_left=41)
    shown = status(state="indexing", chunks=3021, progress=progress, llm=llm("starting"))
    await at_rest(driver, engine, shown)


async def waiting_for_vllm(driver: Driver, engine: ScriptedEngine) -> None:
    await at_rest(driver, engine, AT_REST.model_copy(update={"llm": STARTING}))
    engine.answer = [HITS, EXTRACTS, STARTING, asyncio.Event()]
    await driver.ask(content.QUESTION)
    await driver.until(lambda: "vLLM is starting" in driver.said("waiting"))


async def streaming(driver: Driver, engine: ScriptedEngine) -> None:
    await at_rest(driver, engine, AT_REST)
    some = tokens(content.ANSWER)[:24]
    engine.answer = [
        HITS,
        EXTRACTS,
        llm(),
        api_answer.PromptMade(model=MODEL, hits=[2, 1]),
        *some,
        asyncio.Event(),
    ]
    await driver.ask(content.QUESTION)
    await driver.until(lambda: some[-1].text.strip() in driver.main.answer.answer_text)
    await driver.until(lambda: driver.is_all_written, "writing")


async def answered(driver: Driver, engine: ScriptedEngine) -> None:
    await at_rest(driver, engine, AT_REST)
    engine.answer = whole_answer(content.HITS, content.ANSWER, content.EXTRACTS)
    await driver.ask_to_the_end(content.QUESTION)
    await at_the_end(driver)


async def cited(driver: Driver, engine: ScriptedEngine) -> None:
    await at_rest(driver, engine, AT_REST)
    engine.answer = [HITS, EXTRACTS, llm(), content.PROMPT, *tokens(content.CITED), kept_turn(1)]
    await driver.ask_to_the_end(content.QUESTION)
    await at_the_end(driver)
    driver.main.go_to("answer")
    await driver.press("n", "n")


def kept_turn(number: int) -> api_answer.AnswerFinished:
    return finished(
        content.CITED, citations=content.CITATIONS, conversation="c1", turn=number, sources=[]
    )


async def not_found(driver: Driver, engine: ScriptedEngine) -> None:
    await at_rest(driver, engine, AT_REST)
    far = EXTRACTS.model_copy(
        update={"not_found": True, "searched": "264 files, 6 848 chunks", "extracts": []}
    )
    engine.answer = [HITS, far, finished("", finish_reason="not_found", completion_tokens=0)]
    await driver.ask_to_the_end("Who won the cup?")


async def stale(driver: Driver, engine: ScriptedEngine) -> None:
    await cited(driver, engine)
    words = api_answer.QuestionRewritten(question="Can dried starter be frozen?", by="model")
    engine.answer = [words, *engine.answer[:-1], kept_turn(2)]
    engine.refreshed = content.HITS
    await driver.ask_to_the_end("Can it be frozen?")
    engine.became[1] = {"state": "changed", "text": "A starter rests."}
    engine.statuses.put_nowait(AT_REST.model_copy(update={"revision": 1}))
    await driver.until(lambda: driver.main.answer.border_subtitle, "the mark")
    await at_the_end(driver)


async def in_tray(driver: Driver, engine: ScriptedEngine) -> None:
    await cited(driver, engine)
    driver.main.go_to("results")
    await driver.press("space", "j", "j", "d", "t")


async def recalling(driver: Driver, engine: ScriptedEngine) -> None:
    await at_rest(driver, engine, AT_REST)
    earlier = [*(f"What does page {number} say of rye?" for number in range(30)), "How is [/] fed?"]
    driver.main.query_pane.input.remember(earlier)
    await driver.press("ctrl+f", *"rye 2")


async def folder_panel(driver: Driver, engine: ScriptedEngine) -> None:
    engine.files_kept = content.FILES
    await at_rest(driver, engine, AT_REST)
    driver.main.action_report()
    await driver.until(lambda: driver.app.screen.query(FileList), "the panel")
    listed = driver.app.screen.query_one(FileList)
    await driver.until(lambda: listed.file is not None, "the files")
    await driver.press("j", "j", "j", "j")


async def folder_problems(driver: Driver, engine: ScriptedEngine) -> None:
    await folder_panel(driver, engine)
    await driver.press("s", "f", *"library", "enter")
    listed = driver.app.screen.query_one(FileList)
    await driver.until(lambda: listed.total == 2, "the filter")


async def problems(driver: Driver, engine: ScriptedEngine) -> None:
    await at_rest(driver, engine, AT_REST)
    session = driver.app.session
    session._now = lambda: time.mktime((2026, 5, 1, 9, 30, 0, 0, 0, -1))
    session.add("Some themes can't be used", "mine.toml: panel is no colour")
    error = EngineError("the engine ended with status 1", "Run: hoverkite stop")
    for _ in range(2):
        session.add(error.title, str(error), error.next_step, is_error=True)
    driver.main.action_problems()


async def model_page(driver: Driver, engine: ScriptedEngine) -> None:
    await at_rest(driver, engine, AT_REST)
    figures = api.LlmFigures(
        running=1, waiting=0, prefix_cache_hit_rate=0.83, ttft_ms=312.0, tokens_per_s=34.2
    )
    said = ["Started server process [4713]", "Application startup complete."]
    engine.model = llm(context=8192, dtype="bfloat16", device="cpu", figures=figures, said=said)
    driver.app.session.speeds.extend(
        Speed(100.0 * n, MODEL, 200 + 40 * (n % 7), 30 + n % 5) for n in range(24)
    )
    driver.main.action_model()
    await driver.until(lambda: len(driver.app.screen_stack) == 2)


async def browsing(driver: Driver, engine: ScriptedEngine) -> None:
    await answered(driver, engine)
    await driver.press("tab", "j")


async def reading_on(driver: Driver, engine: ScriptedEngine) -> None:
    await answered(driver, engine)
    lines = [f"Note {number} of the baker." for number in range(1, 41)]
    lines += [line.text for line in content.AROUND.lines if line.is_hit]
    engine.whole_texts = {content.HITS[0].path: [*lines, *lines[:60]]}
    driver.main.go_to("results")
    await driver.until(lambda: "pin" in driver.hints)
    await driver.until(lambda: driver.main.query("Extract.-marked"), "the marks behind the page")
    await driver.press("A")
    await driver.until(lambda: driver.app.screen.query(WholeText), "the page")
    text = driver.app.screen.query_one(WholeText)
    await driver.until(lambda: text.reply is not None, "the text")


async def reading_on_after_an_edit(driver: Driver, engine: ScriptedEngine) -> None:
    await reading_on(driver, engine)
    engine.refreshed = content.HITS
    engine.whole_texts[content.HITS[0].path][:0] = ["A line written since."]
    engine.statuses.put_nowait(AT_REST.model_copy(update={"revision": 9}))
    page = driver.app.screen.query_one(".page")
    await driver.until(lambda: "changed" in (page.border_title or ""), "the edit")


async def zoomed(driver: Driver, engine: ScriptedEngine) -> None:
    await browsing(driver, engine)
    await driver.press("z")
    await driver.until(lambda: not driver.main.preview.display, "the zoom")


async def unavailable(driver: Driver, engine: ScriptedEngine) -> None:
    broken = llm("unavailable", detail="vllm is not installed", next_step="Run: make setup")
    await at_rest(driver, engine, AT_REST.model_copy(update={"llm": broken}))
    engine.answer = [HITS, EXTRACTS, broken, failed(detail="vllm is not installed")]
    await driver.ask_to_the_end(content.QUESTION)


async def confirming(driver: Driver, engine: ScriptedEngine) -> None:
    await driver.until(lambda: len(driver.app.screen_stack) == 2)


async def helping(driver: Driver, engine: ScriptedEngine) -> None:
    await at_rest(driver, engine, AT_REST)
    await driver.press("f1")


async def typing(driver: Driver, engine: ScriptedEngine) -> None:
    await answered(driver, engine)
    engine.finds["starter in the fridge"] = [found("starter in the fridge", content.EXPLAINED)]
    driver.main.query_pane.input.text = "starter in the fridge"
    await driver.until(lambda: "to “How" in driver.title("answer"))


async def explaining(driver: Driver, engine: ScriptedEngine) -> None:
    await typing(driver, engine)
    driver.main.go_to("results")
    await driver.press("j", "x")


async def looking_around(driver: Driver, engine: ScriptedEngine) -> None:
    await answered(driver, engine)
    engine.surroundings[content.HITS[0].path] = [content.AROUND]
    driver.main.go_to("results")
    await driver.press("a")
    await driver.until(lambda: "around" in driver.title("preview"))
    await at_the_hit(driver)


async def at_the_hit(driver: Driver) -> None:
    pane = driver.main.preview
    # On a large screen all of it is in view.
    await driver.until(lambda: pane.scroll_offset.y > 0 or not pane.max_scroll_y, "the hit in view")


async def refreshed(driver: Driver, engine: ScriptedEngine) -> None:
    await answered(driver, engine)
    driver.main.go_to("results")
    await driver.press("3")
    one, _, three, *rest = content.HITS
    engine.refreshed = [
        one.model_copy(update={"path": "bread/resting.md"}),
        hit(2, path="bread/new.md", heading="Rye", distance=0.7013),
        three.model_copy(update={"rank": 3, "text": f"{three.text} Or once."}),
        *rest[1:],
    ]
    engine.statuses.put_nowait(AT_REST.model_copy(update={"revision": 1}))
    await driver.until(lambda: list(driver.main.results.hits) == engine.refreshed, "the refresh")


async def filtering(driver: Driver, engine: ScriptedEngine) -> None:
    await answered(driver, engine)
    driver.main.go_to("results")
    await driver.press("s", "s", "f", *"feed")
    shown = driver.main.results.list
    await driver.until(lambda: len(shown.rows) == 5, "the filter")


async def filtering_in_vain(driver: Driver, engine: ScriptedEngine) -> None:
    await answered(driver, engine)
    driver.main.go_to("results")
    await driver.press("f", *"sourdogh")
    await driver.until(lambda: driver.main.results.has_class("-none-left"), "the note")


async def completing(driver: Driver, engine: ScriptedEngine) -> None:
    await answered(driver, engine)
    names = {"bread/": 211, "library/": 12, "my notes/": 50, "questions.txt": 1}
    values = [FilterValue(value=value, files=files) for value, files in names.items()]
    engine.values[""] = [CompleteReply(values=values)]
    await driver.press("escape", *"rye path:")
    await driver.until(lambda: driver.main.query_one(Completions).display, "the values")
    await driver.press("down", "down")


async def several_folders(driver: Driver, engine: ScriptedEngine) -> None:
    await answered(driver, engine)
    driver.app.open_folder(str(Path(__file__).parent))
    await driver.until(lambda: len(driver.app.folders) == 2, "the second")
    await driver.until(lambda: driver.main is driver.app.folders[1].screen, "showing it")
    driver.app.folders[1].root = Path("/home/ada/recipes")
    await driver.press("f2", "f12")
    await driver.until(lambda: "1 of 2" in str(driver.main.query_pane.border_title))


async def finding_lines(driver: Driver, engine: ScriptedEngine) -> None:
    await at_rest(driver, engine, AT_REST)
    lines = [
        each.model_copy(update={"distance": None, "heading": "", "text": each.text.split("\n")[-1]})
        for each in content.HITS
    ]
    reply = found("/st[a-z]+er|feed/", lines, mode="exact", matches=23, files=["a", "b"])
    engine.finds[reply.query] = [reply]
    await driver.ask(reply.query)
    await driver.until(lambda: driver.main.preview.hit is not None)


async def hostile(driver: Driver, engine: ScriptedEngine) -> None:
    attack = "[/] [@click=app.quit]x[/] a[i] \x1b]52;c;AA==\x07 \u202eevil"
    await at_rest(driver, engine, status(docs=f"/x/{attack}"))
    hits = [hit(n, path=f"{attack}.md", heading=attack, text=f"{attack}\n" * 3) for n in (1, 2)]
    engine.answer = whole_answer(hits, attack, [api_answer.Extract(text=attack, hit=1)])
    await driver.ask_to_the_end("q")
    await at_the_end(driver)


async def at_the_end(driver: Driver) -> None:
    pane = driver.main.answer.model
    await driver.until(lambda: pane.scroll_offset.y == pane.max_scroll_y, "the end in view")


async def engine_failed(driver: Driver, engine: ScriptedEngine) -> None:
    await driver.until(lambda: "tries again" in driver.said("results-note"))


async def at_rest(driver: Driver, engine: ScriptedEngine, shown: api.FolderStatus) -> None:
    engine.statuses.put_nowait(shown)
    await driver.until(lambda: driver.main.status == shown)


SCENES: list[Scene] = [
    *(first_start, empty, indexing, waiting_for_vllm, streaming, answered, browsing),
    *(
        typing,
        explaining,
        looking_around,
        reading_on,
        reading_on_after_an_edit,
        zoomed,
        refreshed,
        filtering,
        filtering_in_vain,
        cited,
        not_found,
        stale,
        in_tray,
        recalling,
        folder_panel,
        folder_problems,
        completing,
        several_folders,
        problems,
        model_page,
        finding_lines,
        unavailable,
        confirming,
        helping,
        hostile,
        engine_failed,
    ),
]


def app_for(scene: Scene) -> tuple[HoverkiteApp, ScriptedEngine]:
    engine = ScriptedEngine()
    source = ScriptedSource(engine)
    if scene is first_start:
        source.gate.clear()
    if scene is engine_failed:
        source.faults = [EngineError("the engine ended with status 1", "Run: hoverkite stop")]
    if scene is confirming:
        engine.survey = api.FolderSurvey(
            files=12_345,
            bytes=2_800_000_000,
            seconds=1500,
            ignored=300,
            unread={"Word": 12},
            kept_bytes=52_000_000_000,
            left_out=[api.SkippedFile(path="build/", reason="ignored")],
            reason="it is your home folder",
        )
    return HoverkiteApp(FOLDER, source, pauses=(0.0,)), engine
