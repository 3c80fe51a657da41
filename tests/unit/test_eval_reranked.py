"""What ``eval`` waits for before it measures."""

from typing import Any, cast

import pytest

from engine.evaluating.evaluation import Judged
from engine.front import commands_eval
from engine.front.connection import EngineClient
from engine.wire.api_search import RERANKER_LOADING, SearchReply, SearchRequest


class LoadingClient:
    """Answers unreranked a few times."""

    def __init__(self) -> None:
        self.replies = 0

    async def search(self, folder: str, request: SearchRequest) -> SearchReply:
        self.replies += 1
        notices = [RERANKER_LOADING] if self.replies < 4 else []
        return SearchReply(query=request.query, took_ms=1, hits=[], notices=notices)


class OneQuery:
    """A trial of one query."""

    cases = ("q",)

    def ask(self, at: int, mode: str) -> SearchRequest:
        return SearchRequest(query=self.cases[at])

    def judge(self, at: int, hits: Any) -> Judged:
        return Judged([], {})


async def test_nothing_is_measured_while_the_reranker_is_loaded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(commands_eval, "RERANKER_EVERY", 0)
    client = LoadingClient()
    found = await commands_eval.ask_all(
        cast(EngineClient, client), "f", cast(Any, OneQuery()), ["hybrid", "dense"]
    )
    assert client.replies == 4 + 2
    assert {mode: len(judged) for mode, judged in found.items()} == {"hybrid": 1, "dense": 1}
    assert RERANKER_LOADING not in capsys.readouterr().err
