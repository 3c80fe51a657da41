"""The prompt of an answer is told before the model's words, with the length of each passage."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.answering import prompt
from engine.wire.api_answer import PromptMade, Token
from tests.engine.conversing import Talking, only, talking
from tests.opened import until

pytestmark = pytest.mark.real

QUESTION = "Where does the kite hover?"


@pytest.fixture
async def talk(tmp_path: Path) -> AsyncIterator[Talking]:
    """A folder to ask about, and a server."""
    root = tmp_path / "docs"
    root.mkdir()
    (root / "kite.md").write_text("The kite hovers above meadows.")
    async with talking(root, tmp_path / "v") as made:
        yield made
        made.vllm.counts_passages.set()


def length_of_the_passage(talk: Talking) -> int:
    (shown,) = talk.vllm.requests
    fenced = shown["messages"][-1]["content"].split("Context:\n")[1].split("\n\nQuestion")[0]
    return talk.vllm.count([{"content": fenced}])


async def test_passages_are_counted_before_the_models_words_come(talk: Talking) -> None:
    events = await talk.ask(QUESTION)
    (passage,) = only(events, PromptMade).passages
    assert passage.tokens == length_of_the_passage(talk)
    kinds = [type(event) for event in events]
    assert kinds.index(PromptMade) < kinds.index(Token)


async def test_an_answer_does_without_counts_that_do_not_come(
    talk: Talking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompt, "MEASURE_S", 0.05)
    talk.vllm.counts_passages.clear()
    talk.vllm.tokens_per_character = 2
    events = await talk.ask(QUESTION)
    (passage,) = only(events, PromptMade).passages
    assert 0 < passage.tokens < length_of_the_passage(talk), "it is estimated"
    assert any(isinstance(event, Token) for event in events)


async def test_whoever_leaves_while_passages_are_counted_asks_nothing_of_the_model(
    talk: Talking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompt, "MEASURE_S", 60)
    talk.vllm.counts_passages.clear()
    asking = asyncio.create_task(talk.ask(QUESTION))
    await until(lambda: talk.vllm.counted > 0)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert talk.vllm.requests == []
