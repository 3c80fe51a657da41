"""The screen with a scripted engine, to look at it: ``python -m tests.tui.demo``."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from engine.wire import api_answer
from tests.tui import content
from tests.tui.scripted import (
    MODEL,
    ScriptedEngine,
    ScriptedSource,
    Step,
    finished,
    llm,
    status,
    tokens,
)
from tui.app import HoverkiteApp


def demo_engine(pause: float, *, stuck: bool = False) -> ScriptedEngine:
    engine = ScriptedEngine()
    streamed: list[Step] = []
    for token in tokens(content.ANSWER):
        streamed += [token, pause]
    engine.answer = [
        api_answer.HitsFound(query=content.QUESTION, took_ms=14.2, hits=content.HITS),
        api_answer.ExtractsFound(extracts=content.EXTRACTS),
        llm("starting", detail="12 s of about 35 s"),
        asyncio.Event() if stuck else pause * 60,
        llm(),
        api_answer.PromptMade(model=MODEL, hits=[2, 1]),
        pause * 10,
        *streamed,
        finished(content.ANSWER, completion_tokens=96, sources=["bread/starter.md:41"]),
    ]
    engine.refreshed = content.HITS
    engine.statuses.put_nowait(
        status(ignored=300, unread={"Word": 12}, last_edit_ms=210.0, llm=llm())
    )
    return engine


async def run(pause: float) -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    app = HoverkiteApp(folder, ScriptedSource(demo_engine(pause)))
    await app.run_async()


if __name__ == "__main__":
    asyncio.run(run(0.03))
