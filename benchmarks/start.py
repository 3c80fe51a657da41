"""Engine not running → first search answered by Milvus, the folder unchanged, files in memory.

``python -m benchmarks.start [--rounds N] [--quick] [--json]``: made-up documents with made-up
vectors. ``whole`` is when the engine has also compared the folder with its manifest. Baseline, in a
process of its own on a copy of the same file: import pymilvus, open the file, load the collection
and search with a vector that is at hand.
"""

import asyncio
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import _corpus, _report
from benchmarks._own_engine import cpu_of, index, own_home, running
from engine import paths
from engine.wire.api_search import SearchRequest

BARE = """
import sys, tempfile
tempfile.tempdir = sys.argv[2]
from pymilvus import MilvusClient
client = MilvusClient(sys.argv[1])
(name,) = client.list_collections()
client.load_collection(name)
assert client.search(name, data=[[0.05] * int(sys.argv[3])], anns_field='vector', limit=8)[0]
client.close()
"""


class Size(NamedTuple):
    """A folder, and how long a start with it may take."""

    files: int
    chunks: int
    target_s: float


SIZES = (Size(274, 7_000, 2), Size(20_000, 40_000, 6), Size(2_500, 100_000, 9))


class Started(NamedTuple):
    """Seconds from nothing until the first search was answered, and until all was compared."""

    searched: float
    whole: float
    processor: float
    """Of engine and Milvus until the first search was answered: hardly longer on a busy machine."""


async def start(docs: Path) -> Started:
    """Start an engine, open ``docs`` and search; the time to stop it does not count."""
    begun = time.perf_counter()
    async with running() as engine:
        opened = await engine.open_folder(str(docs))
        reply = await engine.search(
            opened.folder, SearchRequest(query="a falcon above the harbour")
        )
        searched = time.perf_counter() - begun
        processor = cpu_of((await engine.hello()).pid)
        assert reply.hits, "the folder is not empty"
        async for status in engine.events(opened.folder):
            if status.state == "watching":
                break
        return Started(searched, time.perf_counter() - begun, processor)


async def prepare(docs: Path, size: Size) -> int:
    """Write and index the folder; return the vectors' dimension."""
    _corpus.write(docs, size.files, size.chunks)
    _corpus.make_known(docs)
    async with running() as engine:
        folder, _ = await index(engine, docs)
        return (await engine.status(folder)).embedding.dimension


def bare_script(home: Path, docs: Path, dimension: int) -> float:
    """Return the seconds that a script needs that does nothing but search."""
    copy = home / "bare.db"
    shutil.copyfile(paths.index_dir(docs) / "index.db", copy)
    command = [sys.executable, "-c", BARE, str(copy), str(home), str(dimension)]
    begun = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - begun


def measure(size: Size, rounds: int) -> dict[str, Any]:
    """Return the figures of one size: medians, and the slowest."""
    with own_home() as home:
        docs = home / "docs"
        dimension = asyncio.run(prepare(docs, size))
        asyncio.run(start(docs))
        started, bare = [], []
        for _ in range(rounds):
            started.append(asyncio.run(start(docs)))
            bare.append(bare_script(home, docs, dimension))
    searched = statistics.median(one.searched for one in started)
    return {
        "files": size.files,
        "chunks": size.chunks,
        "searched_s": searched,
        "slowest_s": max(one.searched for one in started),
        "whole_s": statistics.median(one.whole for one in started),
        "processor_s": statistics.median(one.processor for one in started),
        "bare_script_s": statistics.median(bare),
        "times_the_bare_script": searched / statistics.median(bare),
        "targets": {"searched_s": _report.at_most(searched, size.target_s)},
    }


def main() -> None:
    """Measure, and print seconds and ratios."""
    parser = _report.options("Engine not running → first search answered.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--chunks", type=int, nargs="+", help="only the sizes with so many")
    options = parser.parse_args()
    sizes = [size for size in SIZES if not options.chunks or size.chunks in options.chunks]
    sizes = sizes[:1] if options.quick else sizes
    result = {f"{size.files}_files": measure(size, options.rounds) for size in sizes}
    _report.show(result, as_json=options.json)


if __name__ == "__main__":
    main()
