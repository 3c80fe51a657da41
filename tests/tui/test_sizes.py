"""The borders between the panes: moved, bounded, remembered, and set back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from textual.events import MouseDown, MouseMove, MouseUp

from engine import paths
from tests.tui import content
from tests.tui.driver import FOLDER, Driver, driving
from tests.tui.scripted import ScriptedEngine, ScriptedSource, whole_answer
from tui import layout
from tui.app import HoverkiteApp
from tui.layout import Layout


def answering() -> ScriptedEngine:
    engine = ScriptedEngine()
    engine.answer = whole_answer(content.HITS, content.ANSWER, content.EXTRACTS)
    return engine


def sizes(driver: Driver) -> tuple[int, int, int]:
    """Columns and rows of the evidence, and rows of the results."""
    side = driver.main.evidence_side.region
    return side.width, side.height, driver.main.results.region.height


async def drag(driver: Driver, start: tuple[int, int], end: tuple[int, int]) -> None:
    def event(kind: type[MouseDown | MouseMove | MouseUp], x: int, y: int) -> None:
        app, button = driver.app, 1
        app.post_message(kind(None, x, y, 0, 0, button, False, False, False, x, y))

    event(MouseDown, *start)
    await driver.pilot.pause()
    for moved in (0.5, 1.0):
        x, y = (round(a + (b - a) * moved) for a, b in zip(start, end, strict=True))
        event(MouseMove, x, y)
        await driver.pilot.pause()
    event(MouseUp, *end)
    await driver.pilot.pause()


async def browsing(driver: Driver) -> None:
    await driver.ask_to_the_end("How do I rest it?")
    await driver.press("tab")


async def test_keys_move_the_borders_and_0_sets_them_back() -> None:
    async with driving(answering()) as driver:
        await browsing(driver)
        at_first = sizes(driver)
        await driver.press("L")
        assert sizes(driver)[0] == at_first[0] + 5
        await driver.press("H", "shift+left")
        assert sizes(driver)[0] == at_first[0] - 5
        await driver.press("J")
        assert sizes(driver)[2] > at_first[2]
        await driver.press("K", "K", "shift+up")
        assert sizes(driver)[2] < at_first[2]
        await driver.press("0")
        assert sizes(driver) == at_first
        kept = driver.main.layout_kept
        assert kept == kept.without_sizes()


@pytest.mark.parametrize("size", [(100, 30), (60, 20), (80, 40), (200, 60)])
@pytest.mark.parametrize("key", ["H", "L", "J", "K"])
async def test_no_border_leaves_a_pane_without_use(key: str, size: tuple[int, int]) -> None:
    async with driving(answering(), size=size) as driver:
        await browsing(driver)
        await driver.press(*[key] * 15)
        main = driver.main
        for pane in (main.results, main.preview, main.answer):
            if pane.display:
                assert pane.region.width >= 28 and pane.region.height >= 3
                assert driver.main.query_one("#desk").region.contains_region(pane.region)


async def test_the_mouse_drags_the_borders_and_selects_nothing() -> None:
    async with driving(answering()) as driver:
        await browsing(driver)
        main = driver.main
        column = main.answer.region.x
        await drag(driver, (column, 12), (column + 9, 14))
        assert main.answer.region.x == column + 9
        assert main.answer.region.right == 100, "nothing is lost between them"
        await drag(driver, (main.answer.region.x - 1, 12), (column - 1, 12))
        assert main.answer.region.x == column
        row = main.preview.region.y
        await drag(driver, (10, row), (12, row + 3))
        assert main.preview.region.y == row + 3
        assert not main.selections
        assert layout.load() == main.layout_kept
        before = main.layout_kept
        await drag(driver, (column + 10, row), (column - 10, row))
        assert main.layout_kept == before, "inside a pane nothing is dragged"
        assert driver.app.mouse_captured is None


async def test_keys_pressed_faster_than_the_screen_is_painted_all_count() -> None:
    async with driving(answering()) as driver:
        await browsing(driver)
        for _ in range(3):
            driver.main.action_move_border("answer", 1)
        await driver.pilot.pause()
        assert sizes(driver)[0] == 65


async def test_a_stacked_screen_has_a_border_of_its_own() -> None:
    async with driving(answering(), size=(80, 40)) as driver:
        await browsing(driver)
        before = sizes(driver)
        await driver.press("L")
        assert sizes(driver)[1] > before[1] and sizes(driver)[0] == 80
        row = driver.main.answer.region.y
        await drag(driver, (20, row), (20, row - 4))
        assert driver.main.answer.region.y == row - 4
        assert driver.main.layout_kept.width is None
        await driver.pilot.resize_terminal(120, 40)
        await driver.pilot.pause()
        assert sizes(driver)[0] == 60, "the width was left alone"


async def test_a_border_that_is_not_there_is_not_moved() -> None:
    async with driving(answering(), size=(60, 20)) as driver:
        await browsing(driver)
        await driver.press("L")
        assert "not on the screen" in driver.toasts[-1].message
        await driver.press("z", "J")
        assert driver.main.layout_kept == Layout()


async def test_sizes_and_layout_are_there_at_the_next_start() -> None:
    async with driving(answering()) as driver:
        await browsing(driver)
        await driver.press("L", "L", "J")
        kept, seen = driver.main.layout_kept, sizes(driver)
    assert layout.load() == kept
    assert oct((paths.state_dir() / "layout.json").stat().st_mode & 0o777) == "0o600"
    app = HoverkiteApp(FOLDER, ScriptedSource(answering()))
    app.kept_layout = layout.load()
    async with app.run_test(size=(100, 30)):
        assert app.main.evidence_side.region.width == seen[0]


async def test_the_palette_chooses_how_panes_stand() -> None:
    async with driving(answering(), size=(100, 30)) as driver:
        await browsing(driver)
        main, answer = driver.main, driver.main.answer
        actions = {each.name: each.do for each in driver.app.actions()}
        actions["Layout: stacked"]()
        await driver.pilot.pause()
        assert main.results.region.width == 100
        assert layout.load().way == "stacked"
        await driver.pilot.resize_terminal(80, 30)
        actions["Layout: side by side"]()
        await driver.pilot.pause()
        assert answer.region.y == main.results.region.y and answer.region.x == 40
        await driver.pilot.resize_terminal(50, 20)
        await driver.pilot.pause()
        assert main.is_stacked, "too narrow for two"
        actions["Layout: automatic"]()
        await driver.pilot.resize_terminal(99, 30)
        await driver.pilot.pause()
        assert main.is_stacked


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[1]",
        b"[" * 5000,
        b'{"way": "\x1b]52;c;AA==\x07", "width": "wide", "height": true, "results": NaN}',
        b'{"width": null, "results": [1]}',
    ],
)
def test_a_damaged_file_is_as_good_as_none(damaged: bytes) -> None:
    paths.state_dir().mkdir(parents=True)
    (paths.state_dir() / "layout.json").write_bytes(damaged)
    assert layout.load() == Layout()


def test_kept_shares_are_bounded() -> None:
    paths.state_dir().mkdir(parents=True)
    values = {"way": "stacked", "width": 7, "height": -1, "results": 0.4, "more": 1}
    (paths.state_dir() / "layout.json").write_text(json.dumps(values))
    assert layout.load() == Layout("stacked", width=0.8, height=0.2, results=0.4)


async def test_a_layout_that_cannot_be_kept_is_told_of() -> None:
    Path(paths.state_dir().parent).mkdir(parents=True)
    Path(paths.state_dir()).write_text("in the way")
    async with driving(answering()) as driver:
        await browsing(driver)
        await driver.press("L")
        assert "can't be kept" in driver.toasts[-1].message
