"""Paint docs/images/screen.svg from the program itself: ``python tools/picture.py [FILE]``.

The engine is the scripted one of the tests, so the picture is the same on every machine; the
documents in it were written for it.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "images" / "screen.svg"
SIZE = (116, 34)


async def paint() -> str:
    """Return the SVG of an answered question."""
    from tests.tui import content, scripted
    from tests.tui.driver import FOLDER, Driver
    from tests.tui.scripted import ScriptedEngine, ScriptedSource, llm, status, whole_answer
    from tui.app import HoverkiteApp

    engine = ScriptedEngine()
    shown = [f"{hit.path}:{hit.start_line}" for hit in content.HITS[:2]]
    end = scripted.finished(content.CITED, sources=shown, citations=content.CITATIONS)
    engine.answer = [*whole_answer(content.HITS, content.CITED, content.EXTRACTS)[:-1], end]
    app = HoverkiteApp(FOLDER, ScriptedSource(engine))
    async with app.run_test(size=SIZE) as pilot:
        driver = Driver(app, pilot, [])
        engine.statuses.put_nowait(
            status(ignored=300, unread={"Word": 12}, last_edit_ms=210.0, llm=llm())
        )
        await driver.until(lambda: driver.main.status is not None)
        await driver.ask_to_the_end(content.QUESTION)
        await driver.press("tab")
        driver.main.answer.model.scroll_home(animate=False)
        await pilot.pause()
        return app.export_screenshot(title="hoverkite ~/notes")


def save(image: Callable[[], Coroutine[Any, Any, str]], place: Path) -> None:
    """Write the SVG of ``image`` to ``place``, or where the command line says."""
    sys.path.insert(0, str(ROOT))
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else place
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(asyncio.run(image()), "utf-8")
    print(f"painted {target}")


if __name__ == "__main__":
    save(paint, PICTURE)
