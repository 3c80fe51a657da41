"""Several folders in one screen: each keeps what it has, and one's troubles are not another's."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from textual.events import Key
from textual.widgets import Input, OptionList

from engine.errors import EngineError
from engine.wire import api
from engine.wire.api_answer import HitsFound
from engine.wire.api_kept import KeptIndex
from engine.wire.api_models import OfferedModel
from tests.tui import content
from tests.tui.driver import FOLDER, Driver, driving
from tests.tui.scripted import ScriptedEngine, ScriptedSource, finished, status, tokens
from tests.tui.test_start import after_a_pause
from tui import directories

RECIPES = Path("/home/ada/recipes")
HOSTILE = "\x1b]52;c;AA==\x07 \u202eevil [/] [@click=app.quit]x"


def two() -> tuple[ScriptedSource, ScriptedEngine, ScriptedEngine]:
    """A source whose first connection has one engine, and whose second another."""
    first, second = ScriptedEngine(), ScriptedEngine()
    for engine, docs in ((first, FOLDER), (second, RECIPES)):
        engine.refreshed = content.HITS
        engine.statuses.put_nowait(status(docs=str(docs)))
    source = ScriptedSource(first)
    source.engines = [first, second]
    return source, first, second


def title(driver: Driver) -> str:
    return str(driver.main.query_pane.border_title)


def listed(driver: Driver) -> list[str]:
    rows = driver.app.screen.query_one(OptionList)
    return [str(option.prompt).replace("\u00a0", " ") for option in rows.options]


async def go_on(driver: Driver, key: str = "f3") -> None:
    before = driver.main
    await driver.press(key)
    await driver.until(lambda: driver.main is not before, "another folder")
    await driver.pilot.pause()


async def test_each_folder_keeps_what_it_has() -> None:
    source, first, second = two()
    async with driving(source=source, others=[RECIPES]) as driver:
        await driver.until(lambda: second.opened, "opening the second, which is hidden")
        await driver.until(lambda: "1 of 2" in title(driver), "the number")
        await driver.until(lambda: "f3 folders" in driver.hints, "the hint")
        await driver.ask_to_the_end("What is rye?")
        await go_on(driver)
        await driver.until(lambda: "recipes · 2 of 2" in title(driver), "the title")
        assert driver.main.question == "" and driver.main.query_pane.input.text == ""
        await driver.press(*"bread")
        await go_on(driver)
        assert driver.main.question == "What is rye?"
        assert (first.questions, second.questions) == (["What is rye?"], [])
        await go_on(driver, "f2")
        assert driver.main.query_pane.input.text == "bread"


async def test_an_answer_goes_on_while_another_folder_is_shown() -> None:
    source, first, _ = two()
    gate = asyncio.Event()
    words = tokens("It is a grass.")
    hits = HitsFound(query="q", took_ms=1.0, hits=content.HITS)
    first.answer = [hits, gate, *words, finished("It is a grass.")]
    async with driving(source=source, others=[RECIPES]) as driver:
        await driver.ask("What is rye?")
        await driver.until(lambda: driver.main.results.hits, "the hits")
        asking = driver.main
        await go_on(driver)
        gate.set()
        await driver.until(lambda: not asking.answering, "the end of the answer")
        assert not driver.main.answering and first.stopped == 0
        await go_on(driver)
        assert driver.main is asking
        await driver.until(lambda: "It is a grass." in asking.answer.answer_text, "the answer")


async def test_one_that_fails_leaves_the_other_alone() -> None:
    source, first, second = two()
    first.statuses = asyncio.Queue()
    async with driving(source=source, others=[RECIPES], pauses=()) as driver:
        await driver.until(lambda: second.opened, "the second")
        await go_on(driver)
        await driver.until(lambda: "watching" in driver.status_line, "its status")
        first.statuses.put_nowait(EngineError("the disk is full", "Make room"))
        hidden = driver.app.folders[0].screen
        assert hidden is not None
        await driver.until(lambda: "tries again" in str(hidden.status_bar.content), "the failure")
        assert "watching" in driver.status_line
        await driver.ask_to_the_end("What is rye?")
        assert second.questions == ["What is rye?"]


async def test_what_is_typed_right_after_the_key_goes_to_the_folder_it_shows() -> None:
    source, _, second = two()
    async with driving(source=source, others=[RECIPES]) as driver:
        await driver.until(lambda: second.opened, "the second")
        await go_on(driver)
        await go_on(driver)
        for key in [*"rye", "f3", *"bread", "f2", "!"]:
            driver.app.post_message(Key(key, key if len(key) == 1 else None))

        def typed() -> list[str]:
            screens = [folder.screen for folder in driver.app.folders]
            return [screen.query_pane.input.text for screen in screens if screen]

        await driver.until(lambda: "!" in "".join(typed()), "the last key")
        assert typed() == ["rye!", "bread"]


async def test_a_key_that_comes_before_a_folder_is_laid_out_waits_for_it() -> None:
    source, _, second = two()
    async with driving(source=source, others=[RECIPES]) as driver:
        await driver.until(lambda: second.opened, "the second")
        await driver.ask("rye")
        for key in ("ctrl+f", "f4", "f3"):
            driver.app.post_message(Key(key, None))
        await driver.until(lambda: driver.app.shown.root == RECIPES, "the second, shown")
        await driver.until(lambda: driver.main.zoomed, "its pane alone")


async def test_a_message_of_a_hidden_folder_names_it() -> None:
    source, _, second = two()
    async with driving(source=source, others=[RECIPES]) as driver:
        await driver.until(lambda: second.opened, "the second")
        hidden = driver.main
        hidden.notify("It is done")
        await go_on(driver)
        hidden.notify("It failed", title="Saving")
        await driver.until(lambda: len(driver.toasts) == 2, "the toasts")
        assert [toast.title for toast in driver.toasts] == ["", "notes: Saving"]


async def test_a_single_folder_has_no_number_and_no_next() -> None:
    async with driving(ScriptedEngine()) as driver:
        driver.main.go_to("results")
        for key, words in (("f3", "F opens one"), ("f8", "ctrl+q quits")):
            await driver.press(key)
            assert words in driver.toasts[-1].message
        assert " of 1" not in title(driver)


async def test_closing_one_keeps_the_others() -> None:
    source, first, second = two()
    async with driving(source=source, others=[RECIPES]) as driver:
        await driver.until(lambda: second.opened, "the second")
        await driver.press(*"rye")
        await go_on(driver)
        await driver.press("f8")
        await driver.until(lambda: second.closed, "leaving the engine")
        assert "recipes is closed" in driver.toasts[-1].message
        assert driver.main.query_pane.input.text == "rye"
        assert [folder.root for folder in driver.app.folders] == [FOLDER]
        assert not first.closed and "of" not in title(driver)
        await driver.until(lambda: "f3" not in driver.hints, "the end of the hint")


async def test_a_hidden_folder_asks_when_it_is_shown() -> None:
    source, _, second = two()
    second.survey = api.FolderSurvey(
        files=9, bytes=9, seconds=1, ignored=0, unread={}, reason="it is large"
    )
    async with driving(source=source, others=[RECIPES]) as driver:
        await driver.until(lambda: driver.toasts, "the toast")
        assert "recipes waits for you" in driver.toasts[-1].title
        assert len(driver.app.screen_stack) == 1, "nobody is asked while typing elsewhere"
        await go_on(driver)
        await driver.until(lambda: "it is large" in driver.page(), "the question")
        await driver.press_at(after_a_pause(), "escape")
        await driver.until(lambda: len(driver.app.folders) == 1, "closing it")
        assert driver.app.shown.root == FOLDER and len(second.opened) == 1


@pytest.mark.parametrize("typed", ["", "r"])
async def test_the_cursor_stays_on_its_folder_when_known_ones_come(
    typed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, _, second = two()
    source.known = [
        KeptIndex(docs="/r", place="/x", state="closed", files=3, chunks=9, bytes=1, last_used="")
    ]
    gate, real = asyncio.Event(), source.known_folders

    async def slow() -> list[KeptIndex]:
        await gate.wait()
        return await real()

    monkeypatch.setattr(source, "known_folders", slow)
    async with driving(source=source, others=[RECIPES]) as driver:
        await driver.until(lambda: second.opened, "the second")
        await driver.press("f12", *typed, "down")
        rows = driver.app.screen.query_one(OptionList)
        assert rows.highlighted == 1
        under = listed(driver)[1].split()
        before = rows.option_count
        gate.set()
        await driver.until(lambda: rows.option_count == before + 1, "the known folder")
        assert rows.highlighted is not None
        assert listed(driver)[rows.highlighted].split() == under


async def test_the_page_lists_open_and_known_folders_and_opens_others(tmp_path: Path) -> None:
    source, _, second = two()
    known = KeptIndex(
        docs=HOSTILE, place="/x", state="closed", files=3, chunks=9, bytes=1,
        last_used="2026-05-01T09:30:00+02:00",
    )  # fmt: skip
    source.known = [known.model_copy(update={"docs": str(FOLDER)}), known]
    (tmp_path / "deep" / "rye [x]").mkdir(parents=True)
    async with driving(source=source) as driver:
        await driver.press("f12")
        await driver.until(lambda: len(listed(driver)) == 3, "the known folder")
        open_one, hostile, another = listed(driver)
        assert "▸ /home/ada/notes" in open_one and "watching, 274 files" in open_one
        assert hostile.isprintable() and "evil [/]" in hostile and "2026-05-01" in hostile
        assert another == "+ another folder …"
        box = driver.app.screen.query_one(".dialog")
        assert box.border_title == "folders · 2 of 2", "the last row is none"
        await driver.press(*"noth", "enter")
        assert len(driver.app.screen_stack) == 2, "there is none"
        field = driver.app.screen.query_one(Input)
        field.value = f"{tmp_path}/de"
        await driver.until(lambda: listed(driver) == [f"{tmp_path}/deep/"], "the directory")
        await driver.press("tab")
        await driver.until(lambda: len(listed(driver)) == 2, "what is in it")
        assert listed(driver) == [f"{tmp_path}/deep/", f"{tmp_path}/deep/rye [x]/"]
        await driver.press("down", "enter")
        await driver.until(lambda: second.opened, "opening it")
        assert second.opened[0][0] == str(tmp_path / "deep" / "rye [x]")
        await driver.until(lambda: "2 of 2" in title(driver), "showing it")


async def test_a_folder_that_is_open_is_shown_and_one_that_is_not_there_is_told() -> None:
    source, _, second = two()
    async with driving(source=source, others=[RECIPES]) as driver:
        await driver.until(lambda: second.opened, "the second")
        await driver.press("f12", "down", "down", "enter")
        assert driver.app.screen.query_one(Input).value == "~/", "any other is typed"
        await driver.press("escape")
        driver.app.open_folder("/no/such [/] folder")
        await driver.until(lambda: driver.toasts, "the toast")
        assert "/no/such [/] folder does not exist" in driver.toasts[-1].message
        assert len(driver.app.folders) == 2


@pytest.mark.parametrize(
    ("typed", "is_path"),
    [("~", True), ("/", True), ("./a", True), ("..", True), ("notes", False), (".config", False)],
)
def test_what_is_a_path(typed: str, is_path: bool) -> None:
    assert directories.is_path(typed) == is_path


def test_directories_are_found_by_their_beginning(tmp_path: Path) -> None:
    here = tmp_path / "here"
    for name in ("Docs", "docker", "other", ".hidden", "\u202eevil"):
        (here / name).mkdir(parents=True)
    (here / "document.md").write_text("")
    (here / "loop").symlink_to("loop")
    at = f"{here}/"
    assert directories.matching(f"{at}do") == [f"{at}docker/", f"{at}Docs/"]
    assert directories.matching(f"{at}.") == [f"{at}.hidden/"]
    assert directories.matching(at)[0] == at and len(directories.matching(at)) == 5
    for odd in ("/no/such/", "~nobody-of-that-name/", "/a\0b/", "~nobody-of-that-name", "/x\ny/"):
        assert directories.matching(odd) == []


async def test_a_better_model_that_was_taken_is_offered_in_no_folder() -> None:
    source, first, second = two()
    better = OfferedModel(name="org/better", place="hub", detail="fits", download_bytes=1)
    first.better_model = second.better_model = better
    async with driving(source=source, others=[RECIPES]) as driver:
        one = driver.main
        for engine in (first, second):
            await driver.ask_to_the_end("q")
            await driver.until(lambda: driver.main.offered == "better model", "the offer")
            if engine is first:
                await go_on(driver)
        await driver.press("ctrl+o")
        await driver.until(lambda: len(driver.app.screen_stack) == 2, "the question")
        await driver.press("y")
        await driver.until(lambda: second.models_used)
        await driver.until(lambda: driver.main.offered == "", "the end of the offer")
        assert one.offered == ""
        await go_on(driver)
        assert driver.said("offer") == ""
        assert "better" not in driver.hints
