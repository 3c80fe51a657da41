"""Several folders and fast keys: what is asked for one folder never happens to another."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from textual.events import Key
from textual.widgets import Input

from engine.wire import api, api_conversations
from engine.wire.api_links import Link
from tests.tui import content
from tests.tui.driver import FOLDER, Driver, driving
from tests.tui.scripted import ScriptedEngine, ScriptedSource, status
from tests.tui.test_start import after_a_pause
from tui.confirm import IndexingQuestion
from tui.messages import HitOpened, StatusArrived

RECIPES = Path("/home/ada/recipes")
THIRD = Path("/home/ada/third")
LARGE = api.FolderSurvey(files=9, bytes=9, seconds=1, ignored=0, unread={}, reason="it is large")


def several(*roots: Path) -> tuple[ScriptedSource, list[ScriptedEngine]]:
    """A source whose connections have one engine each, in this order."""
    engines = [ScriptedEngine() for _ in roots]
    for engine, root in zip(engines, roots, strict=True):
        engine.refreshed = content.HITS
        engine.statuses.put_nowait(status(docs=str(root)))
    source = ScriptedSource(engines[0])
    source.engines = list(engines)
    return source, engines


def burst(driver: Driver, *keys: str) -> None:
    for key in keys:
        driver.app.post_message(Key(key, key if len(key) == 1 else None))


def opened(driver: Driver) -> list[str]:
    return [folder.root.name for folder in driver.app.folders]


def questions(driver: Driver) -> list[bool]:
    """Of each dialog over the shown folder, whether it asks to index."""
    return [isinstance(screen, IndexingQuestion) for screen in driver.app.screen_stack[1:]]


# --- the question whether a folder may be indexed ----------------------------------------------


@pytest.mark.parametrize("key", ["y", "n"])
async def test_a_folder_that_was_left_at_once_asks_only_on_its_own_screen(key: str) -> None:
    source, (first, second) = several(FOLDER, RECIPES)
    second.survey = LARGE
    async with driving(source=source, others=[RECIPES]) as driver:
        await driver.until(lambda: driver.toasts, "the toast")
        notes, recipes = driver.app.folders
        await driver.app.show_folder(recipes)
        await driver.app.show_folder(notes)
        await driver.pilot.pause()
        assert driver.app.shown is notes and questions(driver) == []
        await driver.app.show_folder(recipes)
        await driver.until(lambda: questions(driver) == [True], "the question")
        await driver.pilot.pause()
        await driver.press_at(after_a_pause(), key)
        if key == "y":
            await driver.until(lambda: recipes.link.is_open, "opening it")
            assert [agreed for _, agreed, _ in second.opened] == [False, True]
        else:
            await driver.until(lambda: second.closed, "closing it")
            assert opened(driver) == ["notes"] and driver.app.shown is notes
        assert [agreed for _, agreed, _ in first.opened] == [False]


async def test_one_question_is_asked_however_often_the_engine_is_tried() -> None:
    source, (first,) = several(FOLDER)
    first.survey = LARGE
    async with driving(source=source, ready=False) as driver:
        await driver.until(lambda: questions(driver) == [True], "the question")
        driver.app.link.retry()
        await driver.until(lambda: len(first.opened) == 2, "the second try")
        await driver.pilot.pause()
        assert questions(driver) == [True]
        await driver.press_at(after_a_pause(), "y")
        await driver.until(lambda: driver.app.link.is_open, "opening it")
        assert questions(driver) == []


# --- keys of the query -------------------------------------------------------------------------


@pytest.mark.parametrize("pane", ["query", "results"])
@pytest.mark.parametrize(
    ("keys", "left", "shown"),
    [
        (["f8", "f3"], ["recipes", "third"], "third"),
        (["f3", "f8", "f3"], ["notes", "third"], "notes"),
        (["f8", "f8"], ["third"], "third"),
        (["f3", "f8", "f2"], ["notes", "third"], "notes"),
    ],
)
async def test_folders_are_left_and_closed_in_the_order_of_the_keys(
    pane: str, keys: list[str], left: list[str], shown: str
) -> None:
    roots = [FOLDER, RECIPES, THIRD]
    source, engines = several(*roots)
    async with driving(source=source, others=roots[1:]) as driver:
        await driver.until(lambda: all(engine.opened for engine in engines), "opening all")
        driver.main.go_to(pane)
        await driver.pilot.pause()
        burst(driver, *keys)
        closed = keys.count("f8")
        await driver.until(lambda: sum(engine.closed for engine in engines) == closed, "closing")
        await driver.until(lambda: driver.app.shown.root.name == shown, "the last key")
        await driver.pilot.pause()
        assert (opened(driver), driver.app.shown.root.name) == (left, shown)
        assert driver.main is driver.app.shown.screen


async def test_the_latest_status_counts_in_a_folder_that_is_shown_for_the_first_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source, _ = several(FOLDER, RECIPES)
    async with driving(source=source, others=[RECIPES]) as driver:
        second = driver.app.folders[1]
        await driver.until(lambda: second.status is not None, "what it is told first")
        real = driver.app.switch_mode

        def switched(mode: str) -> object:
            awaited = real(mode)
            driver.app._tell(second, StatusArrived(status(docs=str(RECIPES), files=999)))
            return awaited

        monkeypatch.setattr(driver.app, "switch_mode", switched)
        await driver.press("f3")
        await driver.until(lambda: "files" in driver.status_line, "a status")
        await driver.pilot.pause()
        assert "999 files" in driver.status_line


async def test_what_a_hidden_folder_was_told_is_not_told_again_when_it_is_shown_again() -> None:
    source, (_, second) = several(FOLDER, RECIPES)
    async with driving(source=source, others=[RECIPES]) as driver:
        await driver.until(lambda: driver.app.folders[1].status, "what it is told first")
        await driver.press("f3")
        await driver.until(lambda: "274 files" in driver.status_line, "the first status")
        second.statuses.put_nowait(status(docs=str(RECIPES), files=999))
        await driver.until(lambda: "999 files" in driver.status_line, "the next")
        told = driver.seen(StatusArrived)
        await driver.press("f2", "f3")
        assert driver.main is driver.app.folders[1].screen
        assert "999 files" in driver.status_line and driver.seen(StatusArrived) == told


async def test_what_is_typed_right_after_f12_is_the_name_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "rye").mkdir()
    source, (_, second) = several(FOLDER, tmp_path)
    async with driving(source=source) as driver:
        driver.main.go_to("query")
        burst(driver, "f12", *str(tmp_path / "rye"), "enter")
        await driver.until(lambda: second.opened, "opening it")
        assert second.opened[0][0] == str(tmp_path / "rye")
        assert driver.app.folders[0].screen is not None
        assert driver.app.folders[0].screen.query_pane.input.text == ""


@pytest.mark.parametrize(("keys", "typed"), [(["enter"], None), (["tab"], "deep/")])
async def test_a_key_right_after_a_path_is_meant_for_what_goes_with_it(
    tmp_path: Path, keys: list[str], typed: str | None
) -> None:
    (tmp_path / "deep").mkdir()
    source, (_, second) = several(FOLDER, tmp_path)
    async with driving(source=source) as driver:
        await driver.press("f12")
        burst(driver, *f"{tmp_path}/de", *keys)
        if typed is not None:
            field = driver.app.screen.query_one(Input)
            await driver.until(lambda: field.value == f"{tmp_path}/{typed}", "completing it")
            return
        await driver.until(lambda: second.opened, "opening it")
        assert second.opened[0][0] == str(tmp_path / "deep")
        await driver.until(lambda: driver.app.main.query("#results-note"), "its screen")


# --- pages that take a while -------------------------------------------------------------------


@pytest.mark.parametrize("action", ["follow", "conversations", "model"])
async def test_a_page_that_took_a_while_opens_over_its_own_folder_only(
    action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, (first, second) = several(FOLDER, RECIPES)
    first.links_found = [Link(label="x", target="x.md", path="x.md", line=1, line_in_source=3)]
    turns: list[api_conversations.Turn] = []
    first.kept["c"] = api_conversations.Conversation(
        id="c", title="Rye", turns=turns, began="2026-05-01", last="2026-05-01"
    )
    gate, heard, replied = asyncio.Event(), asyncio.Event(), asyncio.Event()
    lookup = {"follow": "links", "conversations": "conversations", "model": "llm"}[action]
    real = getattr(first, lookup)

    async def slow(*asked: object) -> object:
        heard.set()
        await gate.wait()
        replied.set()
        return await real(*asked)

    monkeypatch.setattr(first, lookup, slow)
    async with driving(source=source, others=[RECIPES]) as driver:
        await driver.until(lambda: second.opened, "the second")
        await driver.ask_to_the_end("What is rye?")
        getattr(driver.main, f"action_{action}")()
        await driver.until(heard.is_set, "asking")
        await driver.press("f3")
        await driver.until(lambda: driver.app.shown.root == RECIPES, "the other folder")
        gate.set()
        await driver.until(replied.is_set, "the reply")
        await driver.pilot.pause()
        assert len(driver.app.screen_stack) == 1
        first_screen = driver.app.folders[0].screen
        await driver.press("f3")
        await driver.until(lambda: driver.app.screen is first_screen, "its own folder")
        getattr(driver.main, f"action_{action}")()
        await driver.until(lambda: len(driver.app.screen_stack) == 2, "the page")


async def test_a_hit_opens_in_its_own_folder_though_another_is_shown_by_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    roots = [tmp_path / "notes", tmp_path / "recipes"]
    for root in roots:
        (root / "docs").mkdir(parents=True)
        (root / "docs/page1.md").write_text(root.name)
    source, (_, second) = several(*roots)
    ran: list[list[str]] = []

    def keep(command: list[str], tell_failure: object) -> None:
        ran.append(command)

    async with driving(source=source, folder=roots[0], others=roots[1:]) as driver:
        await driver.until(lambda: second.opened, "the second")
        monkeypatch.setattr(driver.app, "start_window", keep)
        await driver.until(lambda: driver.app.settings is not None, "the settings")
        assert driver.app.settings is not None
        driver.app.settings = driver.app.settings.model_copy(update={"editor": "code"})
        await driver.ask_to_the_end("What is rye?")
        hit = driver.main.results.hits[0]
        driver.main.post_message(HitOpened(hit))
        await driver.app.show_folder(driver.app.folders[1])
        await driver.until(lambda: ran, "the editor")
        assert str(roots[0]) in " ".join(ran[0])


# --- how the panes share the screen ------------------------------------------------------------


async def test_a_folder_shown_first_has_the_layout_of_the_one_before_it() -> None:
    source, (_, second) = several(FOLDER, RECIPES)
    async with driving(source=source, others=[RECIPES]) as driver:
        await driver.until(lambda: second.opened, "the second")
        driver.main.choose_way("stacked")
        await driver.press("f3")
        await driver.until(lambda: driver.app.shown.root == RECIPES, "the other folder")
        assert driver.main.layout_kept.way == "stacked"
