"""How long a search takes through the client, against brute force over as many vectors.

``python -m benchmarks.search [--chunks N ...] [--queries N] [--quick] [--json]``: made-up documents
with made-up vectors; each query is asked once, so none is remembered. Baseline, in turns with it:
SentenceTransformer.encode in float32 of the query, and numpy's product with all vectors.
"""

import asyncio
import statistics
import time
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks import _corpus, _report
from benchmarks._own_engine import index, own_home, running
from engine.config import Settings
from engine.encoding import encoder_files
from engine.encoding.encoder_torch import open_model
from engine.front.connection import EngineClient
from engine.wire.api_search import SearchRequest

TARGETS = {7_000: {"p50_ms": 15, "p95_ms": 40}, 100_000: {"p50_ms": 50}}
"""Milliseconds at most, at so many chunks: fast enough to search on each pause in typing."""
CHUNKS_A_FILE = 40
HITS = 8
TURN = 25
"""Queries after which the other gets its turn: torch's threads go on spinning for a moment."""


class Answered(NamedTuple):
    """Seconds of one search, seen from the client and from inside the engine."""

    through_client: float
    in_engine: float


async def ask(engine: EngineClient, folder: str, queries: list[str]) -> list[Answered]:
    """Search for each query through the client."""
    answered = []
    for query in queries:
        begun = time.perf_counter()
        reply = await engine.search(folder, SearchRequest(query=query, hits=HITS))
        answered.append(Answered(time.perf_counter() - begun, reply.took_ms / 1000))
    return answered


def brute_force(model: Any, vectors: NDArray[np.float32], queries: list[str]) -> list[float]:
    """Return how long each query takes without an index and without another process."""
    spent = []
    for query in queries:
        begun = time.perf_counter()
        near = vectors @ model.encode(query)
        np.argpartition(near, -HITS)[-HITS:]
        spent.append(time.perf_counter() - begun)
    return spent


async def measure(chunks: int, queries: int, model: Any) -> dict[str, Any]:
    """Return the figures of one size."""
    chance = np.random.default_rng(4)
    asked = [" ".join(chance.choice(_corpus.WORDS, 7)) for _ in range(queries)]
    ours: list[Answered] = []
    theirs: list[float] = []
    with own_home() as home:
        _corpus.write(home / "docs", chunks // CHUNKS_A_FILE, chunks)
        _corpus.make_known(home / "docs")
        async with running() as engine:
            folder, summary = await index(engine, home / "docs")
            dimension = (await engine.status(folder)).embedding.dimension
            vectors = chance.standard_normal((summary.chunks, dimension), np.float32)
            await ask(engine, folder, [f"warm {query}" for query in asked[:TURN]])
            brute_force(model, vectors, asked[:1])
            for begin in range(0, queries, TURN):
                ours += await ask(engine, folder, asked[begin : begin + TURN])
                theirs += brute_force(model, vectors, asked[begin : begin + TURN])
    spread = _report.p50_p95([one.through_client for one in ours])
    baseline = _report.p50_p95(theirs)
    result = {
        "chunks": summary.chunks,
        **spread,
        "in_the_engine_p50_ms": statistics.median(one.in_engine for one in ours) * 1000,
        "brute_force": baseline,
        "ratio": baseline["p50_ms"] / spread["p50_ms"],
    }
    result["targets"] = {
        name: _report.at_most(spread[name], most) for name, most in TARGETS.get(chunks, {}).items()
    }
    return result


def main() -> None:
    """Measure, and print milliseconds and ratios."""
    parser = _report.options("Search through the client, against brute force.")
    parser.add_argument("--chunks", type=int, nargs="+", default=list(TARGETS))
    parser.add_argument("--queries", type=int, default=200)
    options = parser.parse_args()
    found = encoder_files.find(Settings().embedding_model)
    assert found, "the default model is installed"
    model = open_model(str(found.folder), "cpu")
    sizes = options.chunks[:1] if options.quick else options.chunks
    result = {
        f"at_{chunks}_chunks": asyncio.run(measure(chunks, options.queries, model))
        for chunks in sizes
    }
    _report.show(result, as_json=options.json)


if __name__ == "__main__":
    main()
