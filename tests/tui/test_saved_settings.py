"""What is saved in the config file comes into force by itself, once it is right."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from engine import config
from engine.config import Settings
from engine.errors import EngineError
from tests.tui import content
from tests.tui.driver import Driver, driving
from tests.tui.scripted import ScriptedEngine, ScriptedSource, finished, status, whole_answer
from tui import configured, in_force
from tui.live_marks import Fate
from tui.messages import EngineFailed, FolderReady, SettingsLoaded

RECIPES = Path("/home/ada/recipes")


class FileSource(ScriptedSource):
    """Reads the config file as the program does, and remembers with what it was connected."""

    def __init__(self, *engines: ScriptedEngine) -> None:
        super().__init__(engines[0])
        self.engines = list(engines)
        self.used: list[int] = []
        """The setting ``hits`` of each connection."""

    async def settings(self) -> Settings:
        return config.load(self.values)

    async def connect(self, settings: Settings) -> ScriptedEngine:
        self.used.append(settings.hits)
        return await super().connect(settings)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configured, "LOOK_EVERY", 0.02)
    monkeypatch.setattr(in_force, "SETTLED", 0.01)
    config.config_file().parent.mkdir(parents=True, exist_ok=True)


def save(text: str) -> None:
    config.config_file().write_text(text)


def searchable() -> ScriptedEngine:
    engine = ScriptedEngine()
    engine.refreshed = content.HITS
    return engine


async def told(driver: Driver, words: str) -> None:
    await driver.until(lambda: any(words in each.message for each in driver.toasts), words)


async def noted(driver: Driver, words: str) -> None:
    await driver.until(lambda: words in driver.said("results-note"), words)


async def connected(driver: Driver, source: FileSource, used: list[int]) -> None:
    await driver.until(lambda: source.used == used, "the new settings")


async def test_each_save_is_used_in_all_folders() -> None:
    source = FileSource(*(searchable() for _ in range(6)))
    async with driving(source=source, others=[RECIPES]) as driver:
        await driver.until(lambda: source.used == [8, 8], "the start")
        await driver.until(lambda: all(each.link.is_open for each in driver.app.folders))
        for number, hits in enumerate((20, 10), 2):
            save(f"hits = {hits}\n")
            await connected(driver, source, [*source.used, hits, hits])
            await driver.until(lambda: all(each.link.is_open for each in driver.app.folders))
            assert driver.seen(FolderReady) == number, "of the folder that is shown"
        assert not driver.seen(EngineFailed)
        assert not driver.toasts


async def test_no_folder_is_opened_with_other_settings_while_another_has_the_old_engine() -> None:
    engines = [searchable() for _ in range(4)]
    source, gate, real = FileSource(*engines), asyncio.Event(), engines[1].close

    async def slow() -> None:
        await gate.wait()
        await real()

    engines[1].close = slow  # type: ignore[method-assign]
    async with driving(source=source, others=[RECIPES]) as driver:
        await driver.until(lambda: all(each.link.is_open for each in driver.app.folders))
        save("hits = 20\n")
        await driver.until(lambda: engines[0].closed, "leaving the engine")
        await driver.pilot.pause()
        assert source.used == [8, 8]
        gate.set()
        await driver.until(lambda: source.used == [8, 8, 20, 20], "the new settings")


async def test_what_only_the_screen_needs_leaves_the_engine_alone() -> None:
    source = FileSource(searchable())
    async with driving(source=source) as driver:
        save('theme = "paper"\nsearch_as_you_type = false\n')
        await driver.until(lambda: driver.app.theme == "paper", "the theme")
        await driver.press(*"alpha")
        assert source.used == [8] and source.engine.closed == 0
        assert source.engine.searches == []


async def test_a_folder_that_is_still_being_reached_is_reached_with_what_was_saved() -> None:
    source = FileSource(searchable())
    source.gate.clear()
    async with driving(source=source, ready=False) as driver:
        await driver.until(lambda: source.used == [8], "connecting")
        save("hits = 20\n")
        await driver.until(lambda: source.used == [8, 20], "connecting anew")
        source.gate.set()
        await driver.until(lambda: driver.seen(FolderReady), "opening")
        assert source.connections == 1


async def test_an_answer_is_written_to_its_end_before_other_settings_are_used() -> None:
    engine, gate = searchable(), asyncio.Event()
    begun = whole_answer(content.HITS, "Half of it", content.EXTRACTS)[:-1]
    engine.answer = [*begun, gate, finished("Half of it")]
    source = FileSource(engine)
    async with driving(source=source, others=[RECIPES]) as driver:
        await driver.until(lambda: all(each.link.is_open for each in driver.app.folders))
        await driver.ask("q")
        await driver.until(lambda: "Half" in driver.main.answer.answer_text, "the text")
        await driver.press("f3")
        save("hits = 20\n")
        await told(driver, "come into force once the answer has ended")
        save("hits = 21\n")
        await driver.pilot.pause(0.2)
        assert source.used == [8, 8] and engine.closed == 0
        gate.set()
        await driver.until(lambda: source.used == [8, 8, 21, 21], "the new settings")
        await driver.press("f2")
        assert "interrupted" not in driver.title("answer")
        assert "Half of it" in driver.main.answer.answer_text


async def test_a_wrong_value_is_told_and_the_settings_from_before_stay_in_force() -> None:
    engine = searchable()
    source = FileSource(engine)
    async with driving(source=source, others=[RECIPES]) as driver:
        await driver.until(lambda: all(each.link.is_open for each in driver.app.folders))
        save('hits = "twenty"\n')
        await told(driver, "stay in force")
        (toast,) = driver.toasts
        assert toast.title == "A setting is wrong"
        for words in ('hits = "twenty"', str(config.config_file()), "a whole number is wanted"):
            assert words in toast.message
        await driver.press(*"alpha")
        await driver.until(lambda: "alpha" in engine.searches, "searching")
        driver.main.go_to("results")
        await driver.press("w")
        assert 'hits = "twenty"' in driver.page()
        await driver.press("escape")
        engine.statuses.put_nowait(EngineError("connection reset"))
        await driver.until(lambda: source.used == [8, 8, 8], "reaching the engine again")
        assert not driver.seen(EngineFailed)
        save('hits = "thirty"\n')
        await told(driver, 'hits = "thirty"')
        save("hits = 20\n")
        await driver.until(lambda: source.used[3:] == [20, 20], "the new settings")


async def test_what_was_saved_wrong_while_an_answer_was_written_is_not_used_after_it() -> None:
    engine, gate = searchable(), asyncio.Event()
    engine.answer = [*whole_answer(content.HITS, "Half of it")[:-1], gate, finished("Half of it")]
    source = FileSource(engine)
    async with driving(source=source) as driver:
        await driver.ask("q")
        save("hits = 20\n")
        await told(driver, "once the answer has ended")
        save("hits = 200\n")
        await told(driver, "at most 100 is wanted")
        gate.set()
        await driver.until(lambda: not driver.main.answering, "the end")
        save("hits = 30\n")
        await driver.until(lambda: len(source.used) == 2, "the new settings")
        assert source.used == [8, 30]


async def test_a_program_that_starts_with_a_wrong_setting_comes_to_life_once_it_is_right() -> None:
    save('hits = "twenty"\n')
    source = FileSource(searchable(), searchable())
    async with driving(source=source, others=[RECIPES], ready=False) as driver:
        await driver.until(lambda: driver.seen(EngineFailed), "the failure")
        for words in ('hits = "twenty"', str(config.config_file()), "a whole number is wanted"):
            await noted(driver, words)
        save('hits = "thirty"\n')
        await driver.until(lambda: 'hits = "thirty"' in driver.said("results-note"), "the next")
        assert source.used == []
        source.gate.clear()
        save("hits = 20\n")
        await driver.until(lambda: "engine is starting" in driver.said("results-note"), "the start")
        assert "starting the engine" in driver.status_line
        source.gate.set()
        await driver.until(lambda: all(each.link.is_open for each in driver.app.folders))
        assert source.used == [20, 20]


async def test_an_engine_that_could_not_start_is_tried_again_once_the_file_is_right() -> None:
    source = FileSource(searchable())
    source.faults = [EngineError("the engine could not be started: hits (from config.toml)")]
    async with driving(source=source, ready=False) as driver:
        await driver.until(lambda: driver.seen(EngineFailed), "the failure")
        save("# right again\n")
        await driver.until(lambda: driver.seen(FolderReady), "the second start")


async def test_a_file_that_says_the_same_changes_nothing() -> None:
    source = FileSource(searchable())
    async with driving(source=source) as driver:
        loaded = driver.seen(SettingsLoaded)
        save("# nothing\n")
        stamp = in_force._stamp()
        await driver.until(lambda: driver.app._in_force._stamp == stamp, "looking")
        source.engine.statuses.put_nowait(status(files=5))
        await driver.until(lambda: "5 files" in driver.status_line)
        assert driver.seen(SettingsLoaded) == loaded and source.used == [8]


async def test_hits_beyond_those_that_are_wanted_now_are_not_told_to_be_gone() -> None:
    engine, (one, two, three, *_) = ScriptedEngine(), content.HITS
    engine.answer = whole_answer(content.HITS, "Done.")
    changed = two.model_copy(update={"text": "Changed."})
    save("hits = 8\n")
    async with driving(source=FileSource(engine)) as driver:
        engine.statuses.put_nowait(status(revision=1))
        await driver.ask_to_the_end("q")
        engine.refreshed = [one, changed, *content.HITS[3:7]]
        save("hits = 6\n")
        await driver.until(lambda: len(driver.main.results.hits) == 6, "the refresh")
        rows = [(row.hit, row.fate) for row in driver.main.results.list.rows]
        assert rows[:3] == [(one, Fate.SAME), (changed, Fate.CHANGED), (three, Fate.GONE)]
        assert [fate for _, fate in rows[3:]] == [Fate.SAME] * 4
