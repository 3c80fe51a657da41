"""The settings on the screen, and the way to change one."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import OptionList, Static

from engine import config, config_file
from engine.config import Settings
from engine.settings_told import told
from tests.tui.driver import Driver, driving
from tests.tui.scripted import ScriptedEngine, ScriptedSource
from tui.app import HoverkiteApp
from tui.messages import FolderReady, SettingsLoaded
from tui.settings_page import SettingsPage, about, row


class Editor:
    """Stands for an editor that writes ``text``, or nothing."""

    def __init__(self, text: str = "") -> None:
        self.text, self.commands = text, [[""]]
        self.found: list[str] = []
        """What stood in the config file when it was opened."""

    def run(self, command: list[str]) -> int:
        self.commands.append(command)
        self.found.append(config_file.text_of(config.config_file()))
        if self.text:
            config.config_file().write_text(self.text)
        return 0


@pytest.fixture(autouse=True)
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HoverkiteApp, "suspend", lambda _: contextlib.nullcontext())
    monkeypatch.setenv("EDITOR", "vim")


def page_of(driver: Driver) -> str:
    rows = driver.app.screen.query_one(OptionList)
    return "\n".join(str(rows.get_option_at_index(n).prompt) for n in range(rows.option_count))


def row_of(name: str) -> str:
    return str(row(next(each for each in told(Settings()) if each.name == name)))


async def opened(driver: Driver) -> OptionList:
    await driver.until(lambda: driver.seen(SettingsLoaded), "the settings")
    driver.main.go_to("results")
    await driver.press("S")
    await driver.until(lambda: isinstance(driver.app.screen, SettingsPage), "the page")
    return driver.app.screen.query_one(OptionList)


@pytest.mark.parametrize("size", [(100, 30), (60, 20)])
async def test_every_setting_is_listed_those_that_were_set_first(size: tuple[int, int]) -> None:
    source = ScriptedSource(ScriptedEngine(), hits=12, theme="paper")
    async with driving(source=source, size=size) as driver:
        rows = await opened(driver)
        assert rows.option_count == len(Settings.model_fields)
        first, second, *_ = page_of(driver).splitlines()
        assert first.startswith("● hits ") and "12" in first
        assert second.startswith("● theme") and '"paper"' in second
        text = driver.app.screen.query_one(".about")
        assert "Default: 8." in str(text.content)  # type: ignore[attr-defined]
        assert text.region.bottom <= size[1]
        await driver.press("escape")
        assert not isinstance(driver.app.screen, SettingsPage)


async def test_letters_narrow_the_list_and_the_one_under_the_cursor_is_explained() -> None:
    async with driving() as driver:
        await opened(driver)
        await driver.press(*"chunkover")
        assert page_of(driver).splitlines()[0].startswith("  chunk_overlap ")
        assert len(page_of(driver).splitlines()) < 5
        text = driver.app.screen.query_one(".about", Static)
        await driver.until(lambda: "neighbouring chunks" in str(text.content))
        await driver.press("z", "z", "z", "q", "q")
        assert not page_of(driver)


def test_links_of_the_manual_are_told_by_their_words() -> None:
    keys = next(each for each in told(Settings()) if each.name == "keys")
    assert "the page on keys" in keys.about and "](" not in keys.about


async def test_enter_opens_the_config_file_and_what_is_saved_is_used() -> None:
    editor = Editor("hits = 20\n")
    source = ScriptedSource(ScriptedEngine())
    async with driving(source=source, run_editor=editor.run) as driver:
        rows = await opened(driver)
        rows.highlighted = page_of(driver).splitlines().index(row_of("hits"))
        source.values = {"hits": 20}
        await driver.press("enter")
        await driver.until(lambda: driver.seen(FolderReady) == 2, "the new settings")
        offered = editor.found[-1].splitlines()
        file = config.config_file()
        assert editor.commands[-1] == ["vim", "+2", str(file)], "where it stands as a comment"
        assert offered == ["# How many chunks a search returns.", "# hits = 8"]


async def test_what_is_saved_in_a_window_of_its_own_is_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("EDITOR", "code")
    source = ScriptedSource(ScriptedEngine(), hits=12)
    async with driving(source=source) as driver:
        windows: list[list[str]] = []

        def start(command: list[str], tell_failure: Callable[[int], object]) -> None:
            windows.append(command)

        driver.app.start_window = start
        await opened(driver)
        await driver.press("enter")
        await driver.until(lambda: windows, "the window")
        await opened(driver)
        await driver.press("enter")
        await driver.until(lambda: len(windows) == 2, "the window")
        assert source.connections == 1
        source.values = {"hits": 20}
        config.config_file().write_text("hits = 20\n")
        await driver.until(lambda: source.connections == 2, "the new settings")


async def test_what_the_file_cannot_change_is_told() -> None:
    editor = Editor()
    source = ScriptedSource(ScriptedEngine(), hits=12)
    async with driving(source=source, run_editor=editor.run) as driver:
        await opened(driver)
        await driver.press("enter")
        await driver.until(lambda: len(editor.commands) == 2, "the editor")
        assert "hits comes from the command line, which wins" in driver.toasts[-1].message
        assert not editor.found[-1], "nothing is put there for that"


async def test_a_key_of_a_server_is_never_put_into_the_file() -> None:
    editor = Editor()
    async with driving(run_editor=editor.run) as driver:
        rows = await opened(driver)
        rows.highlighted = page_of(driver).splitlines().index(row_of("llm_api_key"))
        await driver.press("enter")
        await driver.until(lambda: driver.toasts, "the toast")
        assert "HOVERKITE_LLM_API_KEY" in driver.toasts[-1].message
        assert not config.config_file().exists() and not editor.found


async def test_a_config_file_that_is_wrong_is_opened_as_it_is() -> None:
    editor = Editor()
    async with driving(run_editor=editor.run) as driver:
        await opened(driver)
        config.config_file().parent.mkdir(parents=True, exist_ok=True)
        config.config_file().write_text("hits = = 3\n")
        await driver.press("enter")
        await driver.until(lambda: editor.found, "the editor")
        assert editor.found == ["hits = = 3\n"]


async def test_a_setting_that_stands_in_the_file_is_opened_at_its_line() -> None:
    config.config_file().parent.mkdir(parents=True)
    config.config_file().write_text("# mine\ntheme = 'paper'\nhits = 12\n")
    editor = Editor()
    source = ScriptedSource(ScriptedEngine(), hits=12)
    async with driving(source=source, run_editor=editor.run) as driver:
        await opened(driver)
        assert "config file" in page_of(driver).splitlines()[0]
        await driver.press("enter")
        await driver.until(lambda: len(editor.commands) == 2, "the editor")
        assert editor.commands[-1] == ["vim", "+3", str(config.config_file())]
        assert editor.found[-1] == "# mine\ntheme = 'paper'\nhits = 12\n"
        assert source.connections == 1, "nothing was saved"


@pytest.mark.parametrize(
    ("name", "value", "origin"),
    [
        ("HOVERKITE_HITS", "9", "environment"),
        ("", "", "command line"),
    ],
)
def test_where_a_value_comes_from_is_told(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, origin: str
) -> None:
    if name:
        monkeypatch.setenv(name, value)
    (hits,) = [each for each in told(Settings(hits=9)) if each.origin]
    assert (hits.name, hits.value, hits.default, hits.origin) == ("hits", "9", "8", origin)


def test_the_profile_is_told_as_the_origin_of_what_it_sets() -> None:
    settings = config.load({"profile": "reference"})
    origins = {each.name: each.origin for each in told(settings)}
    assert (origins["chunk_size"], origins["profile"]) == ("profile", "command line")
    assert origins["hits"] == ""


def test_a_secret_is_never_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOVERKITE_LLM_API_KEY", "sk-very-secret")
    everything = "".join(map(str, told(config.load())))
    assert "(secret)" in everything and "sk-very" not in everything


def test_a_broken_config_file_is_no_trouble(tmp_path: Path) -> None:
    config.config_file().parent.mkdir(parents=True, exist_ok=True)
    config.config_file().write_bytes(b"hits = [\xff")
    assert len(told(Settings())) == len(Settings.model_fields)


@pytest.mark.parametrize("attack", ["\x1b]52;c;AA==\x07", "\u202eevil", "[/]", "[@click=app.quit]"])
def test_a_hostile_value_is_text(attack: str) -> None:
    values: dict[str, Any] = {"editor": attack}
    (hostile,) = [each for each in told(Settings(**values)) if each.origin]
    for shown in (row(hostile), about(hostile)):
        assert not {"\x1b", "\u202e", "\x07"} & set(shown.plain)
        assert not [span for span in shown.spans if "click" in str(span.style)]
