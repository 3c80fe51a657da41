"""Answers that are cut off, by whoever: a real engine, and a server that follows a script."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine import config
from engine.errors import EngineError
from engine.front import client
from engine.front.connection import EngineClient
from engine.wire.api_answer import (
    AnswerFailed,
    AnswerFinished,
    AskEvent,
    AskRequest,
    ExtractsFound,
    Token,
)
from tests.scripted_vllm import END, Script, ScriptedVllm, choice, event, scripted_vllm
from tests.supervised import until

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]

QUESTION = AskRequest(question="How does the red kite steer?")


@dataclass
class Running:
    """A real engine with a folder open, which asks the scripted server."""

    client: EngineClient
    folder: str
    root: Path
    vllm: ScriptedVllm

    async def asked(self) -> list[AskEvent]:
        """Return all events of an answer."""
        return [event async for event in self.client.ask(self.folder, QUESTION)]

    async def first_word(self) -> None:
        """Ask, and leave at the first word of the answer."""
        asking = self.client.ask(self.folder, QUESTION)
        async with contextlib.aclosing(asking) as events:
            async for each in events:
                if isinstance(each, Token):
                    break


@pytest.fixture
async def running(
    tmp_path: Path,
    encoder_cache: Path,
    launched: list["subprocess.Popen[bytes]"],
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Running]:
    root = tmp_path / "docs"
    root.mkdir()
    (root / "kite.md").write_text("# Kite\n\nThe red kite steers with its forked tail.\n")
    monkeypatch.setenv("XDG_CACHE_HOME", str(encoder_cache.parent))
    async with scripted_vllm() as vllm:
        monkeypatch.setenv("HOVERKITE_LLM_URL", vllm.url)
        engine = await client.connect(config.load())
        try:
            opened = await engine.open_folder(str(root))
            async with contextlib.aclosing(engine.sync(opened.folder)) as events:
                assert [event async for event in events][-1].type == "synced"
            yield Running(engine, opened.folder, root, vllm)
        finally:
            await engine.close()
            with contextlib.suppress(EngineError):
                await client.stop_engine()


BEGUN = event(choices=[choice({"content": "With its tail. "})])
DIED = b'data: {"error": {"message": "EngineCore died", "code": 500}}\n\n'


async def test_whoever_leaves_frees_the_model_and_what_is_cut_off_is_no_answer(
    running: Running, launched: list["subprocess.Popen[bytes]"]
) -> None:
    """One engine for all, since its start is what takes the time."""
    await leave_before_the_first_word(running)
    await leave_in_the_middle(running)
    for end in ([END], [], [DIED, END], [b"data: {"]):
        await be_cut_off(running, end)
    await be_killed_as_a_client(running)
    await be_killed_as_the_engine(running, launched[0])


async def leave_before_the_first_word(running: Running) -> None:
    running.vllm.script = Script(prefill=asyncio.Event())
    asking = asyncio.create_task(running.first_word())
    await until(lambda: running.vllm.running == 1)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await until(lambda: running.vllm.running == 0, 5)


async def leave_in_the_middle(running: Running) -> None:
    running.vllm.script = Script(hang_after=1)
    await running.first_word()
    await until(lambda: running.vllm.running == 0, 5)


async def be_cut_off(running: Running, end: list[bytes]) -> None:
    running.vllm.script = Script(raw=[BEGUN, *end])
    events = await running.asked()
    failed = events[-1]
    assert isinstance(failed, AnswerFailed)
    assert failed.answer.startswith("With its tail."), "what came is kept"
    assert failed.problem.kind in ("ModelError", "CutOffError")
    assert next(each for each in events if isinstance(each, ExtractsFound)).extracts
    running.vllm.script = Script()
    assert isinstance((await running.asked())[-1], AnswerFinished), "it can be asked again"


async def be_killed_as_a_client(running: Running) -> None:
    running.vllm.script = Script(hang_after=1)
    words = ["-m", "tui.command", "ask", str(running.root), QUESTION.question]
    with subprocess.Popen(  # noqa: ASYNC220  it starts at once
        [sys.executable, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as asking:
        await until(lambda: running.vllm.running == 1, 60)
        asking.kill()
    await until(lambda: running.vllm.running == 0, 5)


async def be_killed_as_the_engine(running: Running, engine: "subprocess.Popen[bytes]") -> None:
    running.vllm.script = Script(hang_after=1)
    asking = asyncio.create_task(running.asked())
    await until(lambda: running.vllm.running == 1)
    os.kill(engine.pid, signal.SIGKILL)
    with pytest.raises(EngineError):
        await asking
    await until(lambda: running.vllm.running == 0, 5)
