"""Keys that arrive together, and open or close pages: the screen takes each once, and goes on."""

from __future__ import annotations

import asyncio
import time

import pytest
from textual.command import CommandPalette
from textual.widgets import OptionList

from tests.tui.driver import FOLDER, Driver, driving
from tests.tui.test_folder_races import RECIPES, burst, several
from tui.app import CLOSING_SECONDS
from tui.confirm import link_question
from tui.settings_page import SettingsPage


def palettes(driver: Driver) -> int:
    return sum(isinstance(screen, CommandPalette) for screen in driver.app.screen_stack)


async def settled(driver: Driver) -> None:
    for _ in range(5):
        await driver.pilot.pause(0.05)


@pytest.mark.parametrize("keys", [["enter"], ["enter"] * 2, ["enter"] * 4, ["enter", "escape"]])
async def test_what_is_chosen_in_the_palette_is_done_once(keys: list[str]) -> None:
    async with driving() as driver:
        await driver.press("ctrl+p")
        await driver.press(*"zoom")
        rows = driver.app.screen.query_one(OptionList)
        await driver.until(lambda: rows.option_count == 1, "the match")
        burst(driver, *keys)
        await driver.until(lambda: len(driver.app.screen_stack) == 1, "closing it")
        await settled(driver)
        assert driver.app.used_actions in (["Zoom"], []) if "escape" in keys else ["Zoom"]
        assert driver.main.has_class("-zoomed") == bool(driver.app.used_actions)


@pytest.mark.parametrize("key", ["pagedown", "pageup", "down", "up", "enter", "end", "home"])
async def test_a_key_right_behind_that_of_the_palette_does_no_harm(key: str) -> None:
    async with driving() as driver:
        burst(driver, "ctrl+p", key)
        await driver.until(lambda: palettes(driver), "the palette")
        await settled(driver)
        assert driver.app.is_running


@pytest.mark.parametrize("action", ["page_down", "page_up", "cursor_down", "select"])
async def test_rows_of_the_palette_that_are_not_laid_out_yet_can_be_passed(action: str) -> None:
    async with driving() as driver:
        await driver.press("ctrl+p")
        rows = driver.app.screen.query_one(OptionList)
        await driver.until(lambda: rows.option_count > 10, "the actions")
        rows.display = False
        await driver.pilot.pause()
        rows.set_options(list(rows.options))
        rows.highlighted = 0
        await driver.app.run_action(f"command_list('{action}')", driver.app.screen)


async def test_a_palette_that_was_just_closed_opens_again() -> None:
    async with driving() as driver:
        burst(driver, *["ctrl+p", "escape"] * 4, "ctrl+p")
        await settled(driver)
        await driver.press("ctrl+p")
        await driver.until(lambda: palettes(driver) == 1, "the palette")


@pytest.mark.parametrize("pane", ["query", "results"])
@pytest.mark.parametrize("keys", [["f3", "ctrl+p"], ["f8", "ctrl+p"], ["ctrl+p", "f3"]])
async def test_the_palette_opens_over_the_folder_that_was_chosen_before_it(
    keys: list[str], pane: str
) -> None:
    source, (_, second) = several(FOLDER, RECIPES)
    async with driving(source=source, others=[RECIPES]) as driver:
        await driver.until(lambda: second.opened, "the second")
        driver.main.go_to(pane)
        await driver.pilot.pause()
        burst(driver, *keys)
        await driver.until(lambda: palettes(driver), "the palette")
        await settled(driver)
        if keys[-1] == "ctrl+p":
            assert driver.app.shown.root == RECIPES
        assert palettes(driver) == 1
        await driver.press("escape")
        assert len(driver.app.screen_stack) == 1


async def test_a_folder_that_comes_while_the_palette_opens_waits_for_it() -> None:
    source, (_, second) = several(FOLDER, RECIPES)
    async with driving(source=source, others=[RECIPES]) as driver:
        await driver.until(lambda: second.opened, "the second")
        app = driver.app
        await asyncio.gather(app._open_palette(), app.show_folder(app.folders[1]))
        await driver.press("f2")
        assert app.shown.root == FOLDER
        assert palettes(driver) == 1


@pytest.mark.parametrize("keys", [["y", "y"], ["y", "n"], ["escape", "y", "escape"]])
async def test_a_question_is_answered_once(keys: list[str]) -> None:
    answers: list[bool | None] = []
    async with driving() as driver:
        await driver.app.push_screen(link_question("https://example.org"), answers.append)
        await driver.pilot.pause()
        burst(driver, *keys)
        await driver.until(lambda: answers, "the answer")
        await settled(driver)
        assert answers == [keys[0] == "y"]
        assert len(driver.app.screen_stack) == 1


@pytest.mark.parametrize(
    "keys", [["enter", "enter"], ["enter", "escape"], ["escape", "enter"], ["enter", "f1"]]
)
async def test_of_a_list_one_thing_is_chosen_once(keys: list[str]) -> None:
    chosen: list[object] = []
    async with driving() as driver:
        await driver.until(lambda: driver.app.settings is not None, "the settings")
        assert driver.app.settings is not None
        from engine.settings_told import told

        page = SettingsPage(told(driver.app.settings))
        await driver.app.push_screen(page, chosen.append)
        await driver.pilot.pause()
        burst(driver, *keys)
        await settled(driver)
        if keys == ["enter", "f1"] and len(driver.app.screen_stack) > 1:
            await driver.press("escape")
            await driver.press("escape")
        assert len(driver.app.screen_stack) == 1
        assert len(chosen) == 1


@pytest.mark.parametrize("key", ["pagedown", "pageup", "home", "end", "enter"])
async def test_a_key_right_behind_that_of_a_page_is_followed_in_it(key: str) -> None:
    async with driving() as driver:
        await driver.until(lambda: driver.app.settings is not None, "the settings")
        driver.main.go_to("results")
        await driver.pilot.pause()
        burst(driver, "S", key, key)
        await settled(driver)
        assert driver.app.is_running


async def test_keys_work_again_though_what_was_below_a_page_was_never_painted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def forget(*told: object) -> None:
        """As a screen does that is removed first."""

    async with driving() as driver:
        driver.main.go_to("results")
        await driver.press("question_mark")
        monkeypatch.setattr(driver.main, "_invoke_later", forget)
        await driver.press("escape")
        await driver.press_at(time.monotonic() + CLOSING_SECONDS, "question_mark")
        assert len(driver.app.screen_stack) == 2


@pytest.mark.parametrize("key", ["pagedown", "pageup", "end", "down", "enter"])
async def test_a_list_without_any_room_takes_keys_all_the_same(key: str) -> None:
    async with driving() as driver:
        await driver.until(lambda: driver.app.settings is not None, "the settings")
        driver.main.go_to("results")
        await driver.press("S")
        await driver.pilot.resize_terminal(10, 5)
        await driver.press(key, key)
        await driver.pilot.resize_terminal(100, 30)
        await driver.press("f1")
        assert driver.app.is_running


@pytest.mark.parametrize("action", ["page_down", "page_up"])
async def test_hits_without_any_room_are_passed_all_the_same(action: str) -> None:
    async with driving() as driver:
        await driver.ask_to_the_end("What is rye?")
        hits = driver.main.results.list
        hits.highlighted = 0
        await driver.pilot.resize_terminal(10, 5)
        hits.display = False
        await driver.pilot.pause()
        hits.set_options(list(hits.options))
        hits.highlighted = 0
        getattr(hits, f"action_{action}")()
