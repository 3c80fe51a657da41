"""The folder panel: its files, states and words, what follows the index, and what keys do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
from textual.content import Content
from textual.events import Key
from textual.widgets import Static

from engine.errors import EngineError
from engine.wire.api_files import FileState, ListedFile
from tests.tui.driver import Driver, driving
from tests.tui.scripted import ScriptedEngine, status
from tui import file_row
from tui.file_list import MOST_HELD, FileList
from tui.filter_line import FilterLine
from tui.folder_page import FolderPage
from tui.messages import HitOpened

ATTACK = "[/] [@click=app.quit]x[/] \x1b]52;c;AA==\x07 \u202eevil"


def file(path: str, state: FileState = "indexed", **more: Any) -> ListedFile:
    values: dict[str, Any] = {"path": path, "state": state}
    if state == "indexed":
        values |= {"chunks": 12, "characters": 4812, "bytes": 4900, "seconds": 0.021}
        values |= {"loader": "text (cp1251, 93 % sure)"}
    return ListedFile.model_validate(values | more)


def some(number: int) -> list[ListedFile]:
    return [file(f"notes/{at:05}.md") for at in range(number)]


MIXED = [
    file("a.md"),
    file("b.md", "stale"),
    file("c.md", "waiting"),
    file("d.md", "reading"),
    file(
        "e.pdf",
        "skipped",
        reason="a scanned PDF without text",
        next_step="Try: ocrmypdf",
        loader="pdf",
        seconds=0.312,
    ),
    file("f.md", "skipped", reason="a link to nothing"),
]


@asynccontextmanager
async def panel(files: list[ListedFile], **options: Any) -> AsyncIterator[tuple[Driver, FileList]]:
    """The panel over a folder of ``files``, once the first of them are shown."""
    engine = options.pop("engine", None) or ScriptedEngine()
    engine.files_kept = files
    async with driving(engine, **options) as driver:
        engine.statuses.put_nowait(status(ignored=300))
        await driver.until(lambda: driver.main.status is not None)
        driver.main.go_to("answer")
        await driver.press("i")
        await driver.until(lambda: driver.app.screen.query(FileList), "the panel")
        listed = driver.app.screen.query_one(FileList)
        await driver.until(lambda: listed.total == len(files) and (listed.file or not files))
        await driver.pilot.pause()
        yield driver, listed


def engine_of(driver: Driver) -> ScriptedEngine:
    engine = driver.app.link._open
    assert engine is not None
    assert isinstance(engine[0], ScriptedEngine)
    return engine[0]


def told(driver: Driver, part: str) -> str:
    shown = driver.app.screen.query_one(f"#{part}", Static).content
    return str(shown).replace("\u00a0", " ")


def rows(listed: FileList) -> list[str]:
    """What is drawn of the list."""
    drawn = [listed.render_line(y).text.rstrip() for y in range(listed.size.height)]
    return [row.replace("\u00a0", " ") for row in drawn if row]


def _has(listed: FileList, total: int) -> bool:
    return listed.total == total


# --- what is shown ---------------------------------------------------------------------------


async def test_i_shows_the_folder_in_short_and_each_file_with_its_state() -> None:
    async with panel(MIXED) as (driver, listed):
        page = driver.page().replace("\u00a0", " ")
        for words in ("274 files, 6 848 chunks", "watching", "300 ignored", "all-MiniLM", "4713"):
            assert words in page
        assert told(driver, "choices") == "all 6  skipped 2  waiting 3  indexed 1"
        assert [row.split()[:2] for row in rows(listed)] == [
            ["✓", "a.md"],
            ["◆", "b.md"],
            ["○", "c.md"],
            ["●", "d.md"],
            ["✗", "e.pdf"],
            ["✗", "f.md"],
        ]
        assert told(driver, "file") == (
            "in the index · text (cp1251, 93 % sure) · 12 chunks · 4 812 characters · 4.9 kB"
            " · read in 0.02 s"
        )
        await driver.press("j", "j", "j", "j")
        assert told(driver, "file") == (
            "skipped (pdf, 0.31 s): a scanned PDF without text\n→ Try: ocrmypdf"
        )


@pytest.mark.parametrize("size", [(100, 30), (60, 20)])
async def test_hostile_names_and_reasons_stay_text(size: tuple[int, int]) -> None:
    bad = file(f"{ATTACK}\n.md", "skipped", reason=ATTACK, next_step=ATTACK)
    async with panel([bad], size=size) as (driver, listed):
        shown = "\n".join([*rows(listed), told(driver, "file")])
        await driver.press("y")
    assert not {"\x1b", "\x07", "\u202e"} & set(shown)
    assert "[@click=app.quit]x[/]" in shown
    assert driver.app.clipboard == "[/] [@click=app.quit]x[/] \ufffd]52;c;AA==\ufffd evil⏎.md"


def test_a_row_has_its_width_whatever_is_in_it() -> None:
    names = ["a.md", "folder/" * 30 + "a.md", "長い名前" * 30, ATTACK]
    for name in names:
        for width in (20, 52, 90):
            for each in (file(name), file(name, "skipped", reason="too long " * 9)):
                assert file_row.row(each, width).cell_length <= width
    row = file_row.row(file("x" * 90, "skipped", reason="a link to nothing"), 52)
    assert str(row).endswith("a link to nothing")
    assert isinstance(row, Content)


@pytest.mark.parametrize("width", range(40, 190, 6))
def test_columns_of_a_row_never_touch(width: int) -> None:
    row = str(file_row.row(file("a.md", chunks=1, bytes=142), width)).replace("\u00a0", " ")
    columns = [column.strip() for column in row.split("  ") if column.strip()]
    few, loader = ["✓ a.md", "1 chunk", "142 bytes"], "text (cp1251, 93 % sure)"
    some = ["✓ a.md", loader, "1 chunk", "4 812 chars", "0.02 s"]
    most = ["✓ a.md", loader, "1 chunk", "4 812 chars", "142 bytes", "0.02 s"]
    assert columns == (few if width < 82 else some if width < 100 else most)
    reason = "a scanned PDF without text, which needs OCR"
    assert " a scanned" in str(file_row.row(file("x.pdf", "skipped", reason=reason), width))


async def test_a_folder_without_files_says_so() -> None:
    async with panel([]) as (driver, _):
        await driver.until(lambda: told(driver, "file") == "No file is so.")
        await driver.press("enter", "y", "R", "G", "j")
        assert not driver.toasts
        assert not driver.seen(HitOpened)


# --- narrowing -------------------------------------------------------------------------------


async def test_s_goes_through_the_states() -> None:
    async with panel(MIXED) as (driver, listed):
        for total, first in ((2, "e.pdf"), (3, "b.md"), (1, "a.md"), (6, "a.md")):
            await driver.press("s")
            await driver.until(partial(_has, listed, total), "the next states")
            assert listed.file is not None
            assert listed.file.path == first
        states = [asked.state for asked in engine_of(driver).files_asked]
        assert states == ["all", "skipped", "waiting", "indexed", "all"]


async def test_a_click_lists_the_files_of_a_state() -> None:
    async with panel(MIXED) as (driver, listed):
        at = told(driver, "choices").index("waiting")
        await driver.pilot.click("#choices", offset=(at + 1, 0))
        await driver.until(partial(_has, listed, 3), "those that wait")


async def test_f_filters_by_words_and_esc_ends_that_before_the_page() -> None:
    async with panel(MIXED) as (driver, listed):
        await driver.press("f", *"scan e")
        await driver.until(lambda: listed.total == 1, "the filter")
        assert told(driver, "choices") == "all 1  skipped 1  waiting 0  indexed 0"
        await driver.press("enter", "j", "y")
        assert driver.app.clipboard == "e.pdf"
        await driver.press("escape")
        await driver.until(lambda: listed.total == 6, "all files")
        assert not driver.app.screen.query_one(FilterLine).display
        await driver.press("escape")
        await driver.until(lambda: len(driver.app.screen_stack) == 1, "closing")


@pytest.mark.parametrize("key", ["f", "slash"])
async def test_what_is_typed_right_after_f_filters(key: str) -> None:
    async with panel(MIXED) as (driver, listed):
        for typed in (key, *"quick"):
            driver.app.post_message(Key(typed, "/" if typed == "slash" else typed))
        line = driver.app.screen.query_one(FilterLine)
        await driver.until(lambda: line.value == "quick", "the words")
        await driver.until(lambda: listed.total == 0, "the filter")
        assert isinstance(driver.app.screen, FolderPage)


async def test_what_is_pasted_into_the_filter_is_made_safe() -> None:
    async with panel(MIXED) as (driver, _):
        await driver.press("f")
        driver.app.screen.query_one(FilterLine).insert_text_at_cursor(ATTACK)
        await driver.until(lambda: engine_of(driver).files_asked[-1].match, "the filter")
        assert "\x1b" not in engine_of(driver).files_asked[-1].match


# --- long lists ------------------------------------------------------------------------------


async def test_of_a_long_list_only_what_comes_into_view_is_asked_for() -> None:
    async with panel(some(100_000)) as (driver, listed):
        assert len(engine_of(driver).files_asked) == 1
        await driver.press("G")
        await driver.until(lambda: listed.file and listed.file.path == "notes/99999.md")
        assert rows(listed)[-1].startswith("✓ notes/99999.md")
        await driver.press("pageup")
        await driver.press("g")
        assert rows(listed)[0].startswith("✓ notes/00000.md")
        assert len(engine_of(driver).files_asked) <= 3
        for _ in range(20):
            await driver.press("pagedown")
        await driver.until(lambda: listed.file is not None, "the rows there")
        assert "…" not in rows(listed)
        assert len(listed._held) <= MOST_HELD


async def test_rows_that_are_not_known_yet_can_be_passed() -> None:
    async with panel(some(5000)) as (driver, listed):
        engine_of(driver).files_gate.clear()
        await driver.press("G")
        assert listed.cursor == 4999
        assert set(rows(listed)) == {"…"}
        await driver.press("enter", "y")
        assert not driver.app.clipboard
        await driver.press("g")
        assert listed.file is not None
        engine_of(driver).files_gate.set()


async def test_rows_far_from_the_cursor_are_asked_for_once_and_stay() -> None:
    async with panel(some(6000)) as (driver, listed):
        asked = engine_of(driver).files_asked
        for y in range(0, 5000, 15):
            listed.scroll_to(y=y, animate=False, force=True)
            await driver.until(lambda: "…" not in rows(listed), "the rows there")
        before = len(asked)
        assert before <= 5000 / 140
        for _ in range(20):
            await driver.pilot.pause()
        assert len(asked) == before
        assert len(listed._held) <= MOST_HELD + 1
        assert listed.cursor == 0
        assert listed.file == some(1)[0]


# --- following the index -----------------------------------------------------------------------


async def test_the_cursor_stays_on_its_file_while_others_come_and_go() -> None:
    async with panel(some(300)) as (driver, listed):
        engine = engine_of(driver)
        for _ in range(6):
            await driver.press("pagedown")
        assert listed.file is not None
        path, in_view = listed.file.path, listed.cursor - listed.top
        engine.files_kept = [*(file(f"early/{at}.md") for at in range(70)), *some(300)[3:]]
        engine.statuses.put_nowait(status(revision=1, files=367))
        await driver.until(lambda: listed.total == 367, "the new list")
        assert listed.file is not None
        assert (listed.file.path, listed.cursor - listed.top) == (path, in_view)
        engine.files_kept = engine.files_kept[:20]
        engine.statuses.put_nowait(status(revision=2, files=20))
        await driver.until(lambda: listed.total == 20, "the short list")
        await driver.until(lambda: listed.file is not None, "its last row")
        assert listed.cursor == 19


async def test_filter_and_state_outlast_a_change_and_the_summary_follows() -> None:
    async with panel(MIXED) as (driver, listed):
        await driver.press("s", "f", *"link", "enter")
        await driver.until(lambda: listed.total == 1)
        engine = engine_of(driver)
        engine.files_kept = [*MIXED, file("g.md", "skipped", reason="a link that leads back")]
        engine.statuses.put_nowait(status(skipped_total=3, pending=7))
        await driver.until(lambda: listed.total == 2, "the other link")
        assert ", 7 waiting" in driver.page()
        last = engine.files_asked[-1]
        assert (last.match, last.state) == ("link", "skipped")


async def test_a_status_that_changes_no_file_asks_for_none() -> None:
    async with panel(MIXED) as (driver, _):
        engine = engine_of(driver)
        asked = len(engine.files_asked)
        engine.statuses.put_nowait(status(ignored=301))
        await driver.until(lambda: "301 ignored" in driver.page().replace("\u00a0", " "))
        await driver.pilot.pause()
        assert len(engine.files_asked) == asked


@pytest.mark.parametrize("has_news", [False, True])
async def test_an_engine_that_fails_is_told_of_and_asked_again(
    has_news: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.folder_page.REST_AFTER_FAULT", 0.05)
    async with panel(MIXED) as (driver, listed):
        engine = engine_of(driver)
        engine.files_fault = EngineError(f"it broke {ATTACK}", "Try again")
        await driver.press("s")
        await driver.until(lambda: "it broke" in told(driver, "file"), "the fault")
        assert "\x1b" not in told(driver, "file")
        engine.files_fault = None
        if has_news:
            engine.statuses.put_nowait(status(revision=5))
        await driver.until(lambda: listed.total == 2, "those that were skipped")
        assert told(driver, "choices") == "all 6  skipped 2  waiting 3  indexed 1"
        await driver.until(lambda: "a scanned PDF" in told(driver, "file"), "its file")


# --- keys --------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["enter", "e"])
async def test_a_file_opens_in_the_editor_and_the_panel_stays(key: str) -> None:
    odd = file("\ufffd.md", quoted_path="%FF.md")
    async with panel([file("a.md"), odd]) as (driver, _):
        await driver.press("j", key)
        await driver.until(lambda: driver.seen(HitOpened), "opening")
        opened = next(m.hit for m in driver.messages if isinstance(m, HitOpened))
        assert (opened.path, opened.quoted_path, opened.start_line) == ("\ufffd.md", "%FF.md", 1)
        assert isinstance(driver.app.screen, FolderPage)


async def test_one_file_is_read_again_or_all_that_failed() -> None:
    async with panel(MIXED) as (driver, _):
        engine = engine_of(driver)
        asked = len(engine.files_asked)
        await driver.press("j", "R")
        await driver.until(lambda: engine.read_again_asked, "the request")
        (request,) = engine.read_again_asked
        assert ([each.path for each in request.files], request.failed) == (["b.md"], False)
        await driver.until(lambda: len(engine.files_asked) > asked, "the list")
        assert driver.toasts[-1].message == "1 file is read again"
        await driver.press("ctrl+r")
        await driver.until(lambda: len(engine.read_again_asked) == 2, "the other request")
        assert (engine.read_again_asked[1].files, engine.read_again_asked[1].failed) == ([], True)


async def test_a_file_that_is_gone_meanwhile_is_not_said_to_be_read_again() -> None:
    files = [file(f"{ATTACK}.md"), *MIXED]
    async with panel(files) as (driver, _):
        engine_of(driver).files_kept = MIXED
        await driver.press("R")
        await driver.until(lambda: driver.toasts, "the words")
        (toast,) = driver.toasts
        assert toast.message.endswith(".md is no longer a file of this folder")
        assert "[@click=app.quit]x" in toast.message
        assert not {"\x1b", "\x07", "\u202e"} & set(toast.message)


async def test_in_a_pause_a_file_is_said_to_wait() -> None:
    async with panel(MIXED) as (driver, _):
        engine_of(driver).statuses.put_nowait(status(state="paused", watch="paused", pending=1))
        await driver.until(lambda: "paused" in driver.page(), "the pause")
        await driver.press("R")
        await driver.until(lambda: driver.toasts, "the words")
        words = "1 file is read again once the folder is no longer paused"
        assert driver.toasts[-1].message == words


@pytest.mark.parametrize("key", ["escape", "q", "i"])
async def test_the_panel_closes_and_asks_for_no_more(key: str) -> None:
    async with panel(MIXED) as (driver, _):
        engine = engine_of(driver)
        await driver.press(key)
        await driver.until(lambda: len(driver.app.screen_stack) == 1, "closing")
        asked = len(engine.files_asked)
        engine.statuses.put_nowait(status(revision=9))
        await driver.until(lambda: driver.main.status == status(revision=9))
        await driver.pilot.pause()
        assert len(engine.files_asked) == asked
