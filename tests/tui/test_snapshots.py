"""What the screen looks like, as pictures that a change must be seen to change.

After a wanted change: ``pytest tests/tui/test_snapshots.py --snapshot-update``, then look at them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.tui.driver import Driver
from tests.tui.scenes import SCENES, Scene, answered, app_for, browsing

SIZES = [(100, 30), (60, 20), (160, 50)]


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_scene(scene: Scene, size: tuple[int, int], snap_compare: Any) -> None:
    app, engine = app_for(scene)

    async def set_the_scene(pilot: Pilot[None]) -> None:
        driver = Driver(app, pilot, [])
        await driver.until(lambda: app.screen_stack and app.main.query("#results-note"))
        await pilot.pause()
        await scene(driver, engine)
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=set_the_scene)


@pytest.mark.parametrize("name", ["paper", "contrast", "harbour", "moor"])
def test_theme(name: str, snap_compare: Any) -> None:
    app, engine = app_for(answered)

    async def set_the_scene(pilot: Pilot[None]) -> None:
        driver = Driver(app, pilot, [])
        await driver.until(lambda: app.link.is_open)
        await pilot.pause()
        app.theme = name
        await browsing(driver, engine)
        await pilot.pause()

    assert snap_compare(app, terminal_size=(100, 30), run_before=set_the_scene)


def test_without_colour(snap_compare: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app, engine = app_for(browsing)

    async def set_the_scene(pilot: Pilot[None]) -> None:
        await browsing(Driver(app, pilot, []), engine)
        await pilot.pause()

    assert snap_compare(app, terminal_size=(100, 30), run_before=set_the_scene)


def test_a_snapshot_of_every_scene_is_kept() -> None:
    folder = Path(__file__).parent / "__snapshots__" / "test_snapshots"
    # pytest-textual-snapshot 1.0 names its SVG files .raw under the newer syrupy.
    kept = {path.stem for path in folder.iterdir()}
    wanted = {f"test_scene[{s.__name__}-{w}x{h}]" for s in SCENES for w, h in SIZES}
    assert wanted <= kept
