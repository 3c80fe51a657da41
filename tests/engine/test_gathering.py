"""Tokens that are put together before they are sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

import pytest

from engine.config import Settings
from engine.errors import EngineError
from engine.server.gathering import Gathering, gathered
from engine.wire.api_answer import AnswerFinished, AskEvent, Citation, Token
from tests.answering import asked, endpoint_of, the
from tests.engine.tiny_encoder import TinyEncoder
from tests.opened import opening
from tests.scripted_vllm import MODEL, scripted_vllm
from tests.supervised import until
from tests.tui.scripted import finished

CITED = Citation(n=1, supported=True, start=0, end=2)
LONG = 60.0
"""Seconds that no test waits for."""


class Said:
    """Events that come when the test says so."""

    def __init__(self) -> None:
        self.coming: asyncio.Queue[AskEvent | Exception | None] = asyncio.Queue()
        self.is_closed = False

    def say(self, *words: str) -> None:
        for word in words:
            self.coming.put_nowait(Token(text=word))

    async def events(self) -> AsyncGenerator[AskEvent, None]:
        try:
            while (event := await self.coming.get()) is not None:
                if isinstance(event, Exception):
                    raise event
                yield event
        finally:
            self.is_closed = True


async def texts(events: AsyncGenerator[AskEvent, None]) -> list[str]:
    return [event.text async for event in events if event.type == "token"]


async def test_the_first_token_comes_at_once_and_the_next_ones_together() -> None:
    said = Said()
    async with aclosing(gathered(said.events(), 0.01)) as events:
        said.say("one ", "two ", "three ")
        assert await anext(events) == Token(text="one ")
        assert await anext(events) == Token(text="two three ")


async def test_after_a_pause_a_token_comes_at_once_again() -> None:
    came: list[AskEvent] = []
    gathering = Gathering(came.append, 0)
    for word in ("one ", "two "):
        gathering.take(Token(text=word))
        assert came[-1] == Token(text=word)
        await asyncio.sleep(0)  # lets the pulse of no length end
        await asyncio.sleep(0)


async def test_other_events_keep_their_place_and_citations_theirs() -> None:
    said = Said()
    first, *others = [Token(text=f"{number}. [1]", citations=[CITED]) for number in range(3)]
    for event in (first, *others, end := finished("the end"), None):
        said.coming.put_nowait(event)
    came = [event async for event in gathered(said.events(), LONG)]
    assert came == [first, Token(text="1. [1]2. [1]", citations=[CITED] * 2), end]


async def test_what_came_is_sent_even_if_the_answer_breaks() -> None:
    said, came = Said(), []
    said.say("one ", "two ", "three")
    said.coming.put_nowait(EngineError("it broke"))
    with pytest.raises(EngineError, match="it broke"):
        async for event in gathered(said.events(), LONG):
            came.append(event)
    assert came == [Token(text="one "), Token(text="two three")]


async def test_an_answer_that_nobody_wants_any_more_is_ended() -> None:
    said = Said()
    said.say("one ", "two ")
    async with aclosing(gathered(said.events(), LONG)) as events:
        assert await anext(events) == Token(text="one ")
    assert said.is_closed


async def test_an_answer_is_ended_too_when_the_wait_for_it_is_cancelled() -> None:
    said = Said()
    waiting = asyncio.create_task(texts(gathered(said.events(), LONG)))
    said.say("one ")
    await until(said.coming.empty, 5)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert said.is_closed


@pytest.mark.real
async def test_whoever_asks_says_whether_tokens_are_sent_one_by_one(tmp_path: Path) -> None:
    root = tmp_path / "docs"
    root.mkdir()
    (root / "birds.md").write_text("A kite hovers above the meadow.")
    settings = Settings(llm_model=MODEL)
    counts = []
    async with (
        scripted_vllm(tmp_path / "v.sock") as vllm,
        opening(root, TinyEncoder()) as folder,
    ):
        for gather_ms in (0, 1000):
            endpoint = endpoint_of(vllm, tmp_path / "v.sock")
            events = await asked(folder, endpoint, settings, "kite hovers", gather_ms=gather_ms)
            tokens = [event for event in events if isinstance(event, Token)]
            assert "".join(token.text for token in tokens) == the(AnswerFinished, events).answer
            counts.append(len(tokens))
    assert counts == [3, 2]
