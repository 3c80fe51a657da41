"""The keys of pages and dialogs: all are told, all can be changed, and a page's own come first."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input

import tui
from engine.wire.api_files import ListedFile
from tests.tui import content
from tests.tui.driver import Driver, driving
from tests.tui.scripted import ScriptedEngine, ScriptedSource, status, whole_answer
from tui import key_names
from tui.confirm import dropping_question
from tui.dialog import Question
from tui.file_list import FileList
from tui.folder_page import FolderPage
from tui.help import HelpPage
from tui.page_keys import FILES_KEYS, FOLDER_KEYS, TRAY_KEYS
from tui.tray_page import TrayPage


def source(**keys: Any) -> ScriptedSource:
    engine = ScriptedEngine()
    engine.answer = whole_answer(content.HITS, content.ANSWER, content.EXTRACTS)
    engine.files_kept = [
        ListedFile.model_validate({"path": f"{name}.md", "state": "indexed"}) for name in "abc"
    ]
    return ScriptedSource(engine, keys=keys)


def tooltips(bindings: list[BindingType]) -> list[str]:
    return [binding.tooltip for binding in bindings if isinstance(binding, Binding)]


def keys_line(driver: Driver) -> str:
    """What the page on top says of its keys."""
    words = driver.app.screen.query_one(".dialog").border_subtitle or ""
    return Content.from_markup(words).plain


async def opened(driver: Driver, key: str) -> None:
    """Leave the query and press ``key``, which opens a page."""
    driver.main.go_to("answer")
    await driver.press(key)
    await driver.until(lambda: len(driver.app.screen_stack) == 2, "the page")
    await driver.pilot.pause()


# --- all of them -----------------------------------------------------------------------------


def owners() -> Iterator[type]:
    """Every class of the screen that declares keys."""
    for module in pkgutil.iter_modules(tui.__path__, "tui."):
        for found in vars(importlib.import_module(module.name)).values():
            is_declared_here = isinstance(found, type) and found.__module__ == module.name
            if is_declared_here and "BINDINGS" in vars(found):
                yield found


def test_every_key_of_every_page_can_be_changed_and_is_told() -> None:
    known = {id(binding) for _, bindings in key_names.catalogue() for binding in bindings}
    found = list(owners())
    assert {FileList, FolderPage, TrayPage, Question} <= {*found}
    for owner in found:
        for binding in vars(owner)["BINDINGS"]:
            assert isinstance(binding, Binding)
            assert binding.id and binding.description and binding.tooltip
            assert id(binding) in known, f"{binding.id} of {owner.__name__}"


def test_no_id_is_used_twice() -> None:
    ids = [binding.id for _, bindings in key_names.catalogue() for binding in bindings]
    assert len(ids) == len(set(ids))


# --- help ------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["f1", "question_mark"])
async def test_help_begins_with_the_keys_of_the_page_on_top(key: str) -> None:
    async with driving(source=source()) as driver:
        await with_status(driver)
        await opened(driver, "i")
        await driver.press(key)
        told = " ".join(driver.page().split())
        first = ["The folder and its files", *tooltips(FILES_KEYS), *tooltips(FOLDER_KEYS)]
        assert told.startswith(first[0])
        places = [told.index(words) for words in first]
        assert max(places) < told.index("What a question can hold") < told.index("In the query")
        await driver.press(key)
        assert isinstance(driver.app.screen, FolderPage), "the same key closes it again"


async def test_help_over_the_panes_begins_with_the_question_and_the_pane() -> None:
    async with driving(source=source()) as driver:
        await driver.ask_to_the_end("q")
        await driver.press("tab", "question_mark")
        told = driver.page()
        assert told.startswith("What a question can hold")
        wanted = ["In the results", "In every pane", "At any time", "In the query", "The tray"]
        places = [told.index(f"\n{title}\n") for title in wanted]
        assert places == sorted(places)


async def test_in_a_field_only_f1_is_help() -> None:
    async with driving(source=source()) as driver:
        await driver.ask_to_the_end("q")
        await driver.press("ctrl+f", "question_mark")
        assert driver.app.screen.query_one(Input).value == "?"
        await driver.press("f1")
        assert isinstance(driver.app.screen, HelpPage)
        assert driver.page().startswith("The folders and the earlier questions")


# --- changed keys ----------------------------------------------------------------------------


async def with_status(driver: Driver) -> None:
    engine = driver.app.link._open
    assert engine is not None and isinstance(engine[0], ScriptedEngine)
    engine[0].statuses.put_nowait(status())
    await driver.until(lambda: driver.main.status is not None, "the status")


async def test_changed_keys_of_a_list_work_and_are_told() -> None:
    changed = {"list.choose": "o", "tray.out": "enter", "tray.close": "f9", "list.next": "n"}
    async with driving(source=source(**changed)) as driver:
        await driver.until(lambda: driver.app.key_of("tray.close") == "f9", "the keys")
        await driver.ask_to_the_end("q")
        await driver.press("tab", "space", "j", "space", "t")
        assert keys_line(driver) == ("o asks with exactly the pinned · enter takes out · f9 closes")
        await driver.press("n", "enter", "escape")
        assert isinstance(driver.app.screen, TrayPage), "esc has no meaning there any more"
        assert [hit.rank for hit in driver.main.tray.pinned] == [1]
        await driver.press("f1")
        told = driver.page()
        for binding in TRAY_KEYS:
            assert isinstance(binding, Binding)
            assert f"  {key_names.all_keys_of(binding):<18}{binding.tooltip}" in told
        await driver.press("f1", "f9")
        assert len(driver.app.screen_stack) == 1


async def test_changed_keys_of_the_folder_work_and_are_told() -> None:
    changed = {"files.next": "n", "folder.copy": "c", "folder.close": "f7", "folder.filter": "f6"}
    async with driving(source=source(**changed), size=(110, 30)) as driver:
        await driver.until(lambda: driver.app.key_of("files.next") == "n", "the keys")
        await with_status(driver)
        await opened(driver, "i")
        listed = driver.app.screen.query_one(FileList)
        await driver.until(lambda: listed.total == 3, "the files")
        assert "f6 filters" in keys_line(driver) and "c path" in keys_line(driver)
        await driver.press("j", "n", "y", "c")
        assert driver.app.clipboard == "b.md"
        await driver.press("f6", *"abc")
        assert driver.app.screen.query_one(Input).value == "abc", "none of them was a command"
        await driver.press("enter", "f7")
        assert len(driver.app.screen_stack) == 1


async def test_changed_keys_of_a_narrowed_list_work_and_are_told() -> None:
    changed = {"pick.choose": "f10", "pick.close": "f9"}
    async with driving(source=source(**changed)) as driver:
        await driver.until(lambda: driver.app.key_of("pick.close") == "f9", "the keys")
        await driver.ask_to_the_end("the first")
        await driver.press("ctrl+f")
        assert keys_line(driver) == "f10 takes it into the query · f9 closes"
        await driver.press("escape", "f9")
        assert len(driver.app.screen_stack) == 1
        driver.main.query_pane.input.text = ""
        await driver.press("ctrl+f", "f10")
        assert driver.main.query_pane.input.text == "the first"


async def test_changed_answers_to_a_question_work_and_are_told() -> None:
    answers: list[bool | None] = []
    async with driving(source=source(**{"question.yes": "f10", "question.no": "x"})) as driver:
        await driver.until(lambda: driver.app.key_of("question.no") == "x", "the keys")
        driver.app.push_screen(dropping_question(1), answers.append)
        await driver.pilot.pause()
        assert keys_line(driver) == " f10 ask it again · x leave it"
        await driver.press("y", "n", "escape", "f10")
        driver.app.push_screen(dropping_question(1), answers.append)
        await driver.pilot.pause()
        await driver.press("x")
        assert answers == [True, False]


def test_as_many_keys_are_told_as_there_is_room_for() -> None:
    words = {"text.top text.end": "ends", "text.hit": "hit", "whole.close": "closes"}
    assert key_names.told_keys(words, 80) == "g G ends · h hit · esc closes"
    assert key_names.told_keys(words, 28) == "g G ends · esc closes"
    assert key_names.told_keys(words, 0) == "esc closes"
