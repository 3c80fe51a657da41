"""The cross-encoder: the order is its own, and a search never waits for it or fails by it."""

import asyncio
import contextlib
import json
import shutil
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import wanted
from engine.chunks.chunk import Chunk
from engine.config import Settings
from engine.encoding import cross_encoder
from engine.encoding.cross_encoder import CrossEncoder
from engine.errors import ModelError
from engine.searching import reranker
from engine.searching.reranker import Reranker
from engine.server.folder import Folder
from engine.storage.fusion import Ranked
from engine.storage.index import Found
from engine.storage.manifest import StoredChunk
from engine.wire.api_search import RERANKER_LOADING, SearchReply, SearchRequest
from tests.engine.tiny_cross_encoder import WORDS, authority, save_cross_encoder
from tests.engine.tiny_encoder import TinyEncoder
from tests.opened import opening

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

QUERY = "owl at night"
TEXTS = [
    " ".join(WORDS[(start + 3 * step) % 16] for step in range(2 + start)) for start in range(20)
]
HOSTILE = ["", "\x00\x1b[31m", "\ud800", "[SEP] [CLS]", "😀" * 500, "kite " * 5000]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_cross_encoder(tmp_path_factory.mktemp("models") / "tiny-reranker")


@pytest.fixture(scope="module")
def expected(model: Path) -> list[float]:
    """The score of each of ``TEXTS``, by sentence-transformers itself."""
    pairs = [(QUERY, text) for text in TEXTS]
    scores: list[float] = authority(model).predict(pairs, show_progress_bar=False).tolist()
    assert len({round(score, 5) for score in scores}) == len(TEXTS)
    return scores


def found(number: int, text: str = "", named: tuple[str, ...] = ()) -> Found:
    text = text or TEXTS[number]
    chunk = Chunk(0, len(text), text, 1, 1, None, "")
    stored = StoredChunk(number, f"{number}.md".encode(), chunk)
    return Found(stored, Ranked(number, 1 - number / 100, 0.5, number, None, None), named=named)


def settings(model: Path | str, **changes: Any) -> Settings:
    return Settings(rerank_model=str(model), embedding_device="cpu", **changes)


def until(come: Callable[[], object]) -> None:
    deadline = time.monotonic() + 120
    while not come():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.01)


def loaded(of: Reranker) -> Reranker:
    until(lambda: of.best_first(QUERY, [found(0)])[1] != [RERANKER_LOADING])
    return of


def rows(some: Iterable[Found]) -> list[int]:
    return [one.stored.row for one in some]


def test_scores_are_those_of_sentence_transformers(model: Path, expected: list[float]) -> None:
    scores = CrossEncoder(model, "cpu").scores(QUERY, TEXTS)
    assert np.allclose(scores, expected, atol=1e-5)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_any_string_has_a_score(model: Path, text: str) -> None:
    made = CrossEncoder(model, "cpu")
    assert np.isfinite(made.scores(text, [*HOSTILE, "kite"])).all()


def test_the_first_hits_come_in_its_order_and_the_rest_follows(
    model: Path, expected: list[float]
) -> None:
    ready = loaded(Reranker(settings(model, rerank_hits=12)))
    some = [found(number) for number in range(20)]
    ranked, notices = ready.best_first(QUERY, iter(some))
    ranked = list(ranked)
    best = sorted(range(12), key=lambda number: -expected[number])
    assert best != sorted(best), "else nothing is shown by this test"
    assert rows(ranked) == [*best, *range(12, 20)]
    assert [one.rerank_score for one in ranked[:12]] == pytest.approx(
        [expected[n] for n in best], abs=1e-5
    )
    assert {one.rerank_score for one in ranked[12:]} == {None}
    assert notices == []


def test_hits_with_names_of_the_query_stay_first(model: Path, expected: list[float]) -> None:
    ready = loaded(Reranker(settings(model)))
    worst = min(range(20), key=lambda number: expected[number])
    some = [found(n, named=("E42",) if n == worst else ()) for n in range(20)]
    ranked, _ = ready.best_first(QUERY, some)
    best = sorted(set(range(20)) - {worst}, key=lambda number: -expected[number])
    assert rows(ranked) == [worst, *best]


def test_the_context_of_a_chunk_is_read_with_it(model: Path) -> None:
    chunk = Chunk(0, 4, "kite", 1, 1, None, "", context="river > night\n\n")
    one = Found(StoredChunk(1, b"a.md", chunk), Ranked(1, 1, 0.5, 1, None, None))
    ranked, _ = loaded(Reranker(settings(model))).best_first(QUERY, [one])
    pair = [(QUERY, "river > night\n\nkite")]
    score = authority(model).predict(pair, show_progress_bar=False)[0]
    assert [each.rerank_score for each in ranked] == [pytest.approx(float(score), abs=1e-5)]


def test_without_a_model_nothing_is_done() -> None:
    off = Reranker(Settings())
    some = iter([found(1), found(0)])
    assert off.best_first(QUERY, some) == (some, [])
    assert off._loading is None


def test_no_search_waits_while_the_model_is_loaded(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_load, load = threading.Event(), cross_encoder.load

    def slow(of: Settings) -> CrossEncoder:
        may_load.wait(60)
        return load(of)

    monkeypatch.setattr(cross_encoder, "load", slow)
    waiting = Reranker(settings(model))
    for _ in range(2):
        ranked, notices = waiting.best_first(QUERY, [found(1), found(0)])
        assert (rows(ranked), notices) == ([1, 0], [RERANKER_LOADING])
    may_load.set()
    assert [one.rerank_score for one in loaded(waiting).best_first(QUERY, [found(0)])[0]] != [None]


def broken(model: Path, tmp_path: Path, how: str) -> str:
    folder = tmp_path / "broken"
    if how == "two labels":
        return str(save_cross_encoder(folder, labels=2))
    if how in ("absent", "hub", "no name"):
        return {"absent": str(folder), "hub": "nobody/no-reranker", "no name": "../x y"}[how]
    shutil.copytree(model, folder)
    weights, config = folder / "model.safetensors", folder / "config.json"
    if how == "cut short":
        weights.write_bytes(weights.read_bytes()[:3000])
    elif how == "an encoder":
        config.write_text(
            json.dumps(json.loads(config.read_text()) | {"architectures": ["BertModel"]})
        )
    else:
        config.write_text("[1")
    return str(folder)


@pytest.mark.parametrize(
    ("how", "what"),
    [
        ("absent", "holds no model"),
        ("hub", "nobody/no-reranker is not on this machine"),
        ("no name", "neither a hub name nor an absolute folder"),
        ("cut short", "can't be loaded"),
        ("an encoder", "holds no cross-encoder: it is BertModel"),
        ("no json", "can't be read"),
        ("two labels", "several scores"),
    ],
)
def test_a_model_that_cannot_be_used_is_told_and_hits_stay_as_they_are(
    model: Path, tmp_path: Path, how: str, what: str
) -> None:
    of = loaded(Reranker(settings(broken(model, tmp_path, how))))
    ranked, notices = of.best_first(QUERY, [found(1), found(0)])
    assert rows(ranked) == [1, 0]
    assert len(notices) == 1
    assert notices[0].startswith("hits are not reranked: ")
    assert what in notices[0]
    assert ("fetch_models=true" if how == "hub" else "Set rerank_model to") in notices[0]


def test_a_model_that_came_later_is_found_after_a_while(model: Path, tmp_path: Path) -> None:
    clock = [0.0]
    of = loaded(Reranker(settings(tmp_path / "later"), now=lambda: clock[0]))
    shutil.copytree(model, tmp_path / "later")
    clock[0] = reranker.TRY_AGAIN - 1
    assert "not reranked" in of.best_first(QUERY, [found(0)])[1][0]
    clock[0] = reranker.TRY_AGAIN
    assert of.best_first(QUERY, [found(0)])[1] == [RERANKER_LOADING]
    assert loaded(of).best_first(QUERY, [found(0)])[1] == []


@pytest.mark.parametrize(
    "scores", [np.array([np.nan]), np.array([[0.1, 0.2]]), RuntimeError("oom")]
)
def test_a_model_that_fails_later_costs_only_the_order(
    model: Path, monkeypatch: pytest.MonkeyPatch, scores: Any
) -> None:
    of = loaded(Reranker(settings(model)))
    assert of._model

    def predict(*_: Any, **__: Any) -> Any:
        if isinstance(scores, Exception):
            raise scores
        return scores

    monkeypatch.setattr(of._model._model, "predict", predict)
    ranked, notices = of.best_first(QUERY, [found(1)])
    assert rows(ranked) == [1]
    assert "The reranking model failed" in notices[0]
    with pytest.raises(ModelError, match="failed"):
        of._model.scores(QUERY, ["kite"])


async def test_a_search_that_nobody_waits_for_ends_between_two_batches(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = await asyncio.to_thread(lambda: loaded(Reranker(settings(model))))
    assert of._model
    begun, go_on, batches = threading.Event(), threading.Event(), list[int]()
    predict = of._model._model.predict

    def slow(pairs: Any, **options: Any) -> Any:
        batches.append(len(pairs))
        begun.set()
        go_on.wait(60)
        return predict(pairs, **options)

    monkeypatch.setattr(of._model._model, "predict", slow)

    def rerank() -> None:
        of.best_first(QUERY, [found(number) for number in range(20)])

    first = asyncio.create_task(wanted.in_thread(rerank))
    await asyncio.to_thread(begun.wait, 60)
    second = asyncio.create_task(wanted.in_thread(rerank))  # waits for its turn
    await asyncio.sleep(0)
    for task in (first, second):
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    go_on.set()
    await asyncio.to_thread(until, of._turn.acquire)
    assert batches == [4]


# --- in a folder -----------------------------------------------------------------------------


@pytest.fixture
def root(tmp_path: Path) -> Path:
    place = tmp_path / "docs"
    place.mkdir()
    for number, text in enumerate(TEXTS[:6]):
        (place / f"{number}.md").write_text(text)
    return place


async def search(of: Folder, **request: Any) -> SearchReply:
    return await of.search(SearchRequest(query=QUERY, fold=False, explain=True, **request))


async def test_hits_of_a_folder_are_reranked_in_the_hybrid_mode_alone(
    root: Path, model: Path, expected: list[float]
) -> None:
    async with opening(root, TinyEncoder(), settings=settings(model)) as opened:
        reply = await search(opened)
        assert reply.notices == [RERANKER_LOADING]
        assert len(reply.hits) == 6
        async with asyncio.timeout(120):
            while reply.notices:
                reply = await search(opened)
        best = sorted(range(6), key=lambda number: -expected[number])
        assert [hit.path for hit in reply.hits] == [f"{number}.md" for number in best]
        assert [hit.rank for hit in reply.hits] == [1, 2, 3, 4, 5, 6]
        scores = [hit.rerank_score for hit in reply.hits]
        assert scores == pytest.approx([expected[number] for number in best], abs=1e-5)
        fused = [hit.score or 0 for hit in reply.hits]
        assert fused != sorted(fused, reverse=True)
        quick = await search(opened, rerank=False)
        assert {hit.rerank_score for hit in quick.hits} == {None}
        assert sorted(fused, reverse=True) == [hit.score for hit in quick.hits]
        few = await search(opened, hits=2)
        assert [hit.path for hit in few.hits] == [f"{number}.md" for number in best[:2]]
        for mode in ("dense", "bm25"):
            alone = await search(opened, mode=mode)
            assert {hit.rerank_score for hit in alone.hits} == {None}
            assert alone.notices == []
