"""From the first frame to the open folder, and what happens when the engine fails or is lost."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.errors import ConfigError, EngineError, FolderError, HoverkiteError
from engine.wire import api
from tests.tui.driver import FOLDER, driving
from tests.tui.scripted import ScriptedEngine, ScriptedSource, status
from tui.app import HoverkiteApp
from tui.command import run_screen
from tui.dialog import TYPING_PAUSE
from tui.messages import EngineFailed, FolderReady

HEAVY = (
    *("torch", "pymilvus", "vllm", "sentence_transformers"),
    *("pydantic", "httpcore", "httpx", "markdown_it"),
)
BESIDE_THE_LOOP = ("pydantic", "httpcore", "markdown_it", "engine.config", "engine.front.client")


@pytest.mark.parametrize("module", ["tui.command", "tui.app", "engine.front.cli"])
def test_nothing_slow_is_imported_before_the_first_frame(module: str) -> None:
    code = f"import sys, {module}; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_what_is_slow_to_import_is_imported_beside_the_event_loop(tmp_path: Path) -> None:
    code = f"""
import asyncio, sys, threading
from tui.engine_port import LocalEngine

class Watch:
    seen = {{}}
    def find_spec(self, name, path=None, target=None):
        self.seen[name] = threading.current_thread() is threading.main_thread()

sys.meta_path.insert(0, Watch())
asyncio.run(LocalEngine({{}}).settings())
print([Watch.seen.get(name) for name in {BESIDE_THE_LOOP}])
"""
    home = {name: str(tmp_path) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env=os.environ | home,
    )
    assert done.stdout.strip() == str([False] * len(BESIDE_THE_LOOP)), done.stdout


@pytest.fixture
def collecting() -> Iterator[None]:
    """Leave garbage collection as it is everywhere else."""
    yield
    gc.unfreeze()
    gc.enable()


@pytest.mark.usefixtures("collecting")
async def test_garbage_is_collected_again_once_the_screen_is_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    was_collecting: list[bool] = []
    monkeypatch.setattr(HoverkiteApp, "run", lambda app: was_collecting.append(gc.isenabled()))
    assert run_screen([tmp_path], {}, agreed=False) == 0
    assert was_collecting == [False]
    monkeypatch.setattr("tui.app.STARTED", 0.01)
    async with driving() as driver:
        await driver.until(gc.isenabled, "collecting again")
        assert gc.get_freeze_count() > 0


async def test_a_screen_that_never_held_collections_freezes_nothing() -> None:
    async with driving():
        assert gc.get_freeze_count() == 0


def test_what_libraries_log_is_not_written_over_the_terminal(tmp_path: Path) -> None:
    code = f"""
import logging, engine.front.cli
engine.front.cli.has_terminal = lambda: True
screen = lambda *_: logging.getLogger("asyncio").error("Traceback")
engine.front.cli.main([{str(tmp_path)!r}], screen)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ("", "")


async def test_the_cursor_waits_in_the_query_and_the_panes_teach() -> None:
    source = ScriptedSource(ScriptedEngine())
    source.gate.clear()
    async with driving(source=source, ready=False) as driver:
        assert driver.app.focused is driver.main.query_pane.input
        assert "Ask a question" in driver.said("answer-note")
        assert "engine is starting" in driver.said("results-note")


async def test_a_question_typed_before_the_engine_is_up_is_asked_as_soon_as_it_is() -> None:
    engine = ScriptedEngine()
    source = ScriptedSource(engine)
    source.gate.clear()
    async with driving(source=source, ready=False) as driver:
        await driver.press(*"hi there", "enter")
        assert driver.main.query_pane.input.text == "hi there"
        assert "as soon as it is up" in driver.said("results-note")
        assert engine.questions == []
        engine.answer = [hits_may_come := asyncio.Event(), *engine.answer]
        source.gate.set()
        await driver.until(lambda: engine.questions == ["hi there"], "asking")
        await driver.until(lambda: driver.said("results-note") == "searching …", "the new note")
        engine.statuses.put_nowait(status(state="indexing", files=0, chunks=0))
        await driver.until(lambda: "Reading your documents" in driver.said("results-note"))
        engine.statuses.put_nowait(status(state="indexing", files=1, chunks=9))
        await driver.until(lambda: driver.said("results-note") == "searching …", "the first chunks")
        hits_may_come.set()
        await driver.until(lambda: not driver.main.answering)
        assert len(driver.main.results.hits) == 2


@pytest.mark.parametrize(("setting", "wanted"), [("screen", True), ("question", False)])
async def test_vllm_starts_with_the_screen_only_if_the_settings_say_so(
    setting: str, wanted: bool
) -> None:
    engine = ScriptedEngine()
    async with driving(source=ScriptedSource(engine, llm_start=setting)):
        assert engine.opened == [(str(FOLDER), False, wanted)]


async def test_the_status_is_shown_with_the_folder_and_what_was_left_out() -> None:
    engine = ScriptedEngine()
    async with driving(engine, size=(120, 30)) as driver:
        engine.statuses.put_nowait(status(ignored=300, unread={"Word": 12}, last_edit_ms=210.0))
        await driver.until(lambda: driver.main.status is not None)
        shown = str(driver.main.status_bar.content).replace("\u00a0", " ")
        assert "● watching 274 files · 6 848 chunks" in shown
        assert "last edit searchable in 0.21 s" in shown
        assert "vLLM ready" in shown
        pane = driver.main.query_pane
        assert "/home/ada/notes" in (pane.border_title or "")
        assert "300 ignored, 12" in (pane.border_subtitle or "")
        assert "not read yet" in (pane.border_subtitle or "")


async def test_indexing_shows_progress_and_questions_go_on() -> None:
    engine = ScriptedEngine()
    progress = api.Progress(files_done=120, files_total=274, chunks_per_s=98, seconds_left=41)
    async with driving(engine) as driver:
        engine.statuses.put_nowait(status(state="indexing", chunks=3021, progress=progress))
        await driver.until(lambda: "120" in driver.said("results-note"))
        shown = str(driver.main.status_bar.content).replace("\u00a0", " ")
        for words in ("indexing 120 of 274 files", "41 s left", "98 chunks/s"):
            assert words in shown
        await driver.ask_to_the_end("q")
        assert len(driver.main.results.hits) == 2


@pytest.mark.parametrize(
    "error",
    [
        EngineError("the engine ended with status 1"),
        FolderError("/home/ada/notes is gone"),
        ConfigError("colour (from config.toml): no such setting"),
    ],
)
async def test_a_failed_start_says_what_and_what_next_and_ctrl_r_tries_again(
    error: HoverkiteError,
) -> None:
    engine = ScriptedEngine()
    source = ScriptedSource(engine)
    source.faults = [error]
    async with driving(source=source, ready=False) as driver:
        await driver.until(lambda: driver.seen(EngineFailed), "the failure")
        await driver.until(lambda: error.title in driver.said("results-note"))
        assert str(error) in driver.said("results-note")
        assert error.next_step in driver.said("results-note")
        assert "ctrl+r" in driver.said("results-note")
        assert source.connections == 1
        await driver.press("ctrl+r")
        await driver.until(lambda: driver.seen(FolderReady), "the second start")
        assert "Hits appear here" in driver.said("results-note")


async def test_a_question_asked_after_a_failed_start_starts_the_engine_again() -> None:
    engine = ScriptedEngine()
    source = ScriptedSource(engine)
    source.faults = [EngineError("no")]
    async with driving(source=source, ready=False) as driver:
        await driver.until(lambda: driver.seen(EngineFailed))
        await driver.pilot.pause()
        await driver.ask("q")
        await driver.until(lambda: engine.questions == ["q"], "asking")


async def test_a_waiting_question_is_given_up_when_the_engine_cannot_start() -> None:
    source = ScriptedSource(ScriptedEngine())
    source.gate.clear()
    source.faults = [EngineError("no memory")]
    async with driving(source=source, ready=False) as driver:
        await driver.ask("q")
        source.gate.set()
        await driver.until(lambda: not driver.main.answering)
        await driver.until(lambda: "no memory" in driver.said("results-note"))
        assert "no memory" in driver.said("outcome")


async def test_an_empty_folder_says_what_would_be_read() -> None:
    engine = ScriptedEngine()
    async with driving(engine) as driver:
        engine.statuses.put_nowait(status(files=0, chunks=0))
        await driver.until(lambda: "nothing to read" in driver.said("results-note"))


SURVEY = api.FolderSurvey(
    files=12_345,
    bytes=2_800_000_000,
    seconds=1500,
    ignored=300,
    unread={"Word": 12},
    reason="it is your home folder",
)


def after_a_pause() -> float:
    """A moment long enough from now for a key to be meant for a question."""
    return time.monotonic() + TYPING_PAUSE + 1


@pytest.mark.parametrize(("seconds", "told"), [(59.0, False), (1500.0, True)])
async def test_the_cost_of_a_long_first_indexing_is_told(seconds: float, told: bool) -> None:
    engine = ScriptedEngine()
    engine.survey = SURVEY.model_copy(update={"reason": "", "seconds": seconds, "chunks": 5_000})
    async with driving(engine) as driver:
        engine.statuses.put_nowait(status(state="indexing", files=0))
        await driver.until(lambda: "being indexed" in driver.said("results-note"))
        note = driver.said("results-note").replace("\u00a0", " ")
        for fact in ("12 345 files, 2.8 GB", "about 5 000 chunks", "about 25 min", "p pauses"):
            assert (fact in note) is told


async def test_a_large_folder_is_indexed_only_after_a_yes() -> None:
    engine = ScriptedEngine()
    engine.survey = SURVEY
    async with driving(engine, ready=False) as driver:
        await driver.until(lambda: len(driver.app.screen_stack) == 2, "the question")
        await driver.pilot.pause()
        page = " ".join(driver.page().split())
        await driver.pilot.pause()
        for fact in (
            "it is your home folder",
            "12 345",
            "2.8 GB",
            "25 min",
            "300",
            "12 Word files",
            "index",
            "~/",
            "/indexes/",
            "all-MiniLM-L6-v2",
            "a demonstration",
            "nothing of it leaves this machine",
        ):
            assert fact in page
        assert engine.opened == [(str(FOLDER), False, True)]
        await driver.press_at(after_a_pause(), "y")
        await driver.until(lambda: driver.seen(FolderReady))
        assert engine.opened == [(str(FOLDER), False, True), (str(FOLDER), True, True)]
        assert len(driver.app.screen_stack) == 1


@pytest.mark.parametrize("key", ["n", "escape"])
async def test_a_no_quits_and_nothing_is_indexed(key: str) -> None:
    engine = ScriptedEngine()
    engine.survey = SURVEY
    async with driving(engine, ready=False) as driver:
        await driver.until(lambda: len(driver.app.screen_stack) == 2)
        await driver.pilot.pause()
        await driver.press_at(after_a_pause(), key)
        await driver.until(lambda: not driver.app.is_running, "quitting")
        assert [agreed for _, agreed, _ in engine.opened] == [False]
        assert driver.app.return_code == 0


@pytest.mark.parametrize("key", ["y", "n", "escape"])
async def test_a_key_that_was_on_its_way_when_the_question_came_answers_nothing(key: str) -> None:
    engine = ScriptedEngine()
    engine.survey = SURVEY
    source = ScriptedSource(engine)
    source.gate.clear()
    async with driving(source=source, ready=False) as driver:
        await driver.press(*"wh")
        before = time.monotonic()
        source.gate.set()
        await driver.until(lambda: len(driver.app.screen_stack) == 2)
        question = driver.app.screen
        await driver.pilot.pause()
        for seconds in (0.0, 0.5, 1.0, 1.5):  # each is too soon after the one before
            await driver.press_at(before + seconds, key)
        assert driver.app.screen is question
        assert driver.app.is_running
        assert [agreed for _, agreed, _ in engine.opened] == [False]
        assert driver.main.query_pane.input.text == "wh"
        await driver.press_at(after_a_pause() + 1.5, "enter")
        await driver.until(lambda: driver.seen(FolderReady))


async def test_a_key_pressed_before_the_question_could_be_seen_answers_nothing() -> None:
    engine = ScriptedEngine()
    engine.survey = SURVEY
    before = time.monotonic()
    async with driving(engine, ready=False) as driver:
        await driver.until(lambda: len(driver.app.screen_stack) == 2)
        await driver.pilot.pause()
        await driver.press_at(before, "n")  # the screen was too busy to hear of it
        assert driver.app.is_running
        await driver.press_at(after_a_pause(), "enter")
        await driver.until(lambda: driver.seen(FolderReady))


async def test_agreement_given_on_the_command_line_asks_nothing() -> None:
    engine = ScriptedEngine()
    engine.survey = SURVEY
    async with driving(engine, agreed=True) as driver:
        assert engine.opened == [(str(FOLDER), True, True)]
        assert len(driver.app.screen_stack) == 1


async def test_leaving_closes_the_connection() -> None:
    engine = ScriptedEngine()
    async with driving(engine) as driver:
        await driver.press("ctrl+q")
        await driver.until(lambda: engine.closed == 1, "closing")
        assert not driver.app.is_running


async def test_what_a_search_waits_for_is_said() -> None:
    engine = ScriptedEngine()
    engine.answer = [asyncio.Event()]
    async with driving(engine) as driver:
        await driver.ask("q")
        engine.statuses.put_nowait(status(state="loading", detail="preparing the encoder"))
        await driver.until(lambda: "preparing the encoder" in driver.said("waiting"))
        line = driver.status_line
        assert "opening the folder preparing the encoder" in line


async def test_what_is_worth_knowing_about_the_engine_is_told() -> None:
    engine = ScriptedEngine()
    engine.note = "Another window started this engine with other settings"
    async with driving(engine) as driver:
        await driver.until(lambda: driver.toasts)
        assert [toast.message for toast in driver.toasts] == [engine.note]
