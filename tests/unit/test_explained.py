"""What ``search --explain`` prints, and what ``eval`` waits for."""

import argparse
from typing import Any, cast

import pytest

from engine import commands, commands_eval
from engine.api_search import Cut, Place, SearchReply, SearchRequest
from engine.connection import EngineClient
from engine.evaluation import Judged
from engine.explained import provenance
from engine.reranker import STILL_LOADING
from tests.hits import hit

ALL: dict[str, Any] = {
    "distance": 0.75,
    "dense_rank": 3,
    "bm25_rank": 1,
    "bm25_score": 11.42,
    "score": 0.91,
    "rerank_score": -3.5,
    "template": 0.4,
    "named": ["ERR_42"],
    "folded": [Place(path="copy.md", start_line=1, end_line=2)],
}


def test_everything_known_of_a_hit_is_told_in_a_line() -> None:
    assert provenance(hit(1, **ALL)) == (
        "distance 0.7500 · dense rank 3 · BM25 rank 1 with 11.42 · fused score 0.910 · "
        "reranked -3.500 · 40% template text · holds ERR_42 · says the same as copy.md:1-2"
    )
    assert provenance(hit(1, distance=0.0)) == "distance 0.0000"
    assert provenance(hit(1, distance=None)) == ""


def test_it_is_printed_below_the_hit_and_only_if_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    attack = "\x1b]52;c;x\x07\u202e\n"
    cut = Cut(place=Place(path=f"cut{attack}", start_line=1, end_line=2), score=0.2, reason="late")
    reply = SearchReply(query="q", took_ms=1, hits=[hit(1, **ALL | {"named": [attack]})], cut=[cut])
    for explain in (True, False):
        options = argparse.Namespace(docs="d", json=False, explain=explain)
        left = reply if explain else reply.model_copy(update={"cut": []})
        commands._print_hits(left, options)
        printed = capsys.readouterr()
        assert ("    distance 0.7500 · " in printed.out) == explain
        assert len(printed.out.splitlines()) == 1 + explain
        assert ("left out: cut" in printed.err) == explain
        assert not {"\x1b", "\x07", "\u202e"} & {*printed.out, *printed.err}


class LoadingClient:
    """Answers unreranked a few times."""

    def __init__(self) -> None:
        self.replies = 0

    async def search(self, folder: str, request: SearchRequest) -> SearchReply:
        self.replies += 1
        notices = [STILL_LOADING] if self.replies < 4 else []
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
    assert STILL_LOADING not in capsys.readouterr().err
