"""Memory of the engine and its Milvus server, right after indexing and after a fresh start.

``python -m benchmarks.memory [--chunks N ...] [--quick] [--json]``: made-up documents; all but a
few hundred chunks have made-up vectors, those are embedded. ``resident`` counts shared pages once
for each process, ``own`` only what would be freed. Baseline: a process with SentenceTransformer
and its model after one batch, no index.
"""

import asyncio
import subprocess
import sys
from typing import Any

import psutil

from benchmarks import _corpus, _report
from benchmarks._own_engine import index, own_home, running
from engine.config import Settings
from engine.encoding import encoder_files
from engine.front.connection import EngineClient
from engine.wire.api_search import SearchRequest

TARGETS = {7_000: 600, 100_000: 1_500}
"""Megabytes at most, at so many chunks, engine and Milvus together."""
CHUNKS_A_FILE = 40
EMBEDDED = 640
"""Chunks that are really embedded, so that the encoder has had full batches."""
SEARCHES = 20

BARE = """
import sys, psutil
from engine.encoding.encoder_torch import open_model
open_model(sys.argv[1], "cpu").encode(["a kite hovers over the field " * 20] * 32)
print(psutil.Process().memory_full_info().rss)
"""


async def memory_of(engine: EngineClient, folder: str) -> dict[str, float]:
    """Return what engine and Milvus hold in megabytes, after some searches."""
    for number in range(SEARCHES):
        await engine.search(
            folder, SearchRequest(query=f"question {number} about falcons above the harbour")
        )
    pids = (await engine.status(folder)).pids
    assert pids.engine and pids.milvus, "both run"
    ours, milvus = (psutil.Process(pid).memory_full_info() for pid in (pids.engine, pids.milvus))
    return {
        "resident_mb": (ours.rss + milvus.rss) / 1e6,
        "engine_mb": ours.rss / 1e6,
        "milvus_mb": milvus.rss / 1e6,
        "own_mb": (ours.uss + milvus.uss) / 1e6,
    }


async def measure(chunks: int) -> dict[str, Any]:
    """Return the figures of one size."""
    with own_home() as home:
        docs = home / "docs"
        _corpus.write(docs, chunks // CHUNKS_A_FILE, chunks)
        _corpus.make_known(docs, all_but=EMBEDDED)
        async with running() as engine:
            folder, summary = await index(engine, docs)
            after_indexing = await memory_of(engine, folder)
        async with running() as engine:
            folder, _ = await index(engine, docs)
            after_start = await memory_of(engine, folder)
    result: dict[str, Any] = {
        "chunks": summary.chunks,
        "after_indexing": after_indexing,
        "after_a_fresh_start": after_start,
    }
    if target := TARGETS.get(chunks):
        most = max(after_indexing["resident_mb"], after_start["resident_mb"])
        result["targets"] = {"resident_mb": _report.at_most(most, target)}
    return result


def bare_model() -> float:
    """Return the megabytes of a process that only holds the model, in torch."""
    found = encoder_files.find(Settings().embedding_model)
    assert found, "the default model is installed"
    command = [sys.executable, "-c", BARE, str(found.folder)]
    return int(subprocess.run(command, check=True, capture_output=True).stdout) / 1e6


def main() -> None:
    """Measure, and print megabytes and ratios."""
    parser = _report.options("Memory of the engine and its Milvus server.")
    parser.add_argument("--chunks", type=int, nargs="+", default=list(TARGETS))
    options = parser.parse_args()
    sizes = options.chunks[:1] if options.quick else options.chunks
    bare = bare_model()
    result: dict[str, Any] = {"model_in_torch_alone": {"resident_mb": bare}}
    for chunks in sizes:
        measured = asyncio.run(measure(chunks))
        measured["times_the_model_alone"] = measured["after_indexing"]["resident_mb"] / bare
        result[f"at_{chunks}_chunks"] = measured
    _report.show(result, as_json=options.json)


if __name__ == "__main__":
    main()
