"""Record docs/images/recording.svg from the program itself: ``python -m tools.recording [FILE]``.

A question is typed, answered and checked, a document is edited, and another theme chosen. The
engine is the scripted one of the tests, so the recording is the same on every machine.
"""

from __future__ import annotations

import asyncio

from tools.animation import Animation
from tools.picture import ROOT, save

RECORDING = ROOT / "docs" / "images" / "recording.svg"
SIZE = (110, 32)
TYPED = ("sourdough ", "starter ", "while I ", "travel?")
PARTS = 5
"""Frames of the answer while it streams."""


async def record() -> str:
    """Return the SVG."""
    from engine.wire.api_answer import Token
    from tests.tui import content, scripted
    from tests.tui.driver import FOLDER, Driver
    from tests.tui.scripted import ScriptedEngine, ScriptedSource, llm, status, whole_answer
    from tui.app import HoverkiteApp

    engine = ScriptedEngine()
    *before, _ = whole_answer(content.HITS, content.CITED, content.EXTRACTS)
    told = [step for step in before if not isinstance(step, Token)]
    gates = [asyncio.Event() for _ in range(PARTS)]
    streamed: list[scripted.Step] = []
    pieces = [step for step in before if isinstance(step, Token)]
    share = -(-len(pieces) // PARTS)
    for number, gate in enumerate(gates):
        streamed += [*pieces[number * share : (number + 1) * share], gate]
    end = scripted.finished(
        content.CITED,
        sources=[f"{hit.path}:{hit.start_line}" for hit in content.HITS[:2]],
        citations=content.CITATIONS,
    )
    engine.answer = [*told, *streamed, end]
    engine.refreshed = content.HITS
    film = Animation("hoverkite: a question is typed, answered and checked")
    app = HoverkiteApp(FOLDER, ScriptedSource(engine))
    async with app.run_test(size=SIZE) as pilot:
        driver = Driver(app, pilot, [])

        async def show(seconds: float) -> None:
            await pilot.pause(0.15)
            film.add(app.export_screenshot(), seconds)

        engine.statuses.put_nowait(status(ignored=300, last_edit_ms=210.0, llm=llm()))
        await driver.until(lambda: driver.main.status is not None)
        await show(1.5)
        for words in TYPED:
            driver.main.query_pane.input.insert(words)
            await pilot.pause(0.3)
            await show(0.7)
        await driver.press("enter")
        for gate in gates:
            await show(0.8)
            gate.set()
        await driver.until(lambda: not driver.main.answering)
        await show(2.0)
        driver.main.go_to("answer")
        for _ in range(3):
            await driver.press("n")
            await show(1.5)
        engine.refreshed = [content.HITS[2], content.HITS[0], *content.HITS[3:]]
        engine.statuses.put_nowait(status(revision=2, last_edit_ms=180.0, llm=llm()))
        await pilot.pause(1.0)
        await show(2.0)
        for theme in ("paper", "moor"):
            app.theme = theme
            await show(1.5)
    return str(film)


if __name__ == "__main__":
    save(record, RECORDING)
