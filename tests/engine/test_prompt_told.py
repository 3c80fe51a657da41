"""The prompt of an answer is told before the model's words, the length of each passage after."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.answering import prompt
from engine.wire.api_answer import AnswerFinished, PassagesCounted, PromptMade, Token
from tests.engine.conversing import Talking, only, talking

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


async def test_passages_are_counted_while_the_model_writes(talk: Talking) -> None:
    events = await talk.ask(QUESTION)
    (estimated,) = only(events, PromptMade).passages
    (passage,) = only(events, PassagesCounted).passages
    assert passage == estimated.model_copy(update={"tokens": passage.tokens, "counted": True})
    assert passage.tokens == length_of_the_passage(talk)
    kinds = [type(event) for event in events]
    assert kinds.index(PromptMade) < kinds.index(Token) < kinds.index(PassagesCounted)


async def test_the_models_words_wait_for_no_count(talk: Talking) -> None:
    talk.vllm.counts_passages.clear()
    events = talk.events(QUESTION)
    async for event in events:
        if isinstance(event, Token):
            break
    await events.aclose()


async def test_an_answer_does_without_counts_that_do_not_come(
    talk: Talking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompt, "MEASURE_S", 0.05)
    talk.vllm.counts_passages.clear()
    talk.vllm.tokens_per_character = 2
    events = await talk.ask(QUESTION)
    (passage,) = only(events, PromptMade).passages
    assert 0 < passage.tokens < length_of_the_passage(talk), "it is estimated"
    assert only(events, AnswerFinished).answer
    assert not any(isinstance(event, PassagesCounted) for event in events)
