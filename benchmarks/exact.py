"""How long an exact search takes through the client, against ripgrep, or grep where there is none.

``python -m benchmarks.exact [--docs FOLDER] [--rounds N] [--quick] [--json]``: for 20 patterns, the
files that are found and the median time, in turns with ``rg -l`` (a process each time, as a person
would run it) over the same folder. The figures hold while nothing of the folder is embedded: an
exact search needs none of that.
"""

import asyncio
import os
import shutil
import statistics
import subprocess
import time
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import _corpus, _report
from benchmarks._own_engine import index, own_home, running
from engine.front.connection import EngineClient
from engine.wire.api_search import SearchRequest

DOCS = Path("../shared/data/milvus-docs/md")
TARGET = 1.0
"""Times as long as the tool at most, in the median of all patterns."""
PATTERNS = (
    "'hnsw", "'HNSW", "'search", "'create_index", "'consistency level", "'nothing holds this",
    "'e", "'向量", "'—", "/index_type|metric_type/", "/^#+ .*index/", "/^$/", r"/\bef\b/",
    "/[A-Z]{3,}_[A-Z]+/", r"/[0-9]+\.[0-9]+\.[0-9]+/", r"/\w+\(\)/", "/vector.*search$/",
    "/collection.*(load|release)/", "/(a+)+$/", "/[^ -~]/",
)  # fmt: skip
"""Words, identifiers, anchors, alternation, classes, case, other scripts, nothing and very much."""


class Tool(NamedTuple):
    """What the same is asked of."""

    name: str
    command: tuple[str, ...]


def tool() -> Tool:
    """Return ripgrep, or grep as a stand-in."""
    if shutil.which("rg"):
        return Tool("rg -l", ("rg", "-l", "--smart-case", "--no-ignore", "--no-config"))
    return Tool("GNU grep -rlE (rg is not installed)", ("grep", "-rl"))


def ask_tool(of: Tool, docs: Path, query: str) -> tuple[set[str], float]:
    """Return the files it finds, and the seconds that took."""
    pattern = query[1:] if query[0] == "'" else query[1:-1]
    ignores_case = [] if any(letter.isupper() for letter in pattern) else ["-i"]
    how = ["-F" if query[0] == "'" else "-E", *ignores_case]
    if of.command[0] == "rg":
        how = ["-F"] if query[0] == "'" else []
    command = [*of.command, *how, "-e", pattern, "."]
    begun = time.perf_counter()
    said = subprocess.run(
        command, cwd=docs, env=os.environ | {"LC_ALL": "C.UTF-8"}, capture_output=True, check=False
    )
    spent = time.perf_counter() - begun
    return {line.removeprefix("./") for line in said.stdout.decode().splitlines()}, spent


async def ask(engine: EngineClient, folder: str, query: str) -> tuple[set[str], float]:
    """Return the files the engine finds, and the seconds until the client has them."""
    begun = time.perf_counter()
    reply = await engine.search(folder, SearchRequest(query=query, hits=8))
    return set(reply.files), time.perf_counter() - begun


async def compare(
    engine: EngineClient, folder: str, docs: Path, query: str, rounds: int
) -> dict[str, Any]:
    """Return the figures of one pattern."""
    theirs_by = tool()
    ours, theirs = [], []
    for _ in range(rounds + 1):  # the first of each is not counted
        found, spent = await ask(engine, folder, query)
        ours.append(spent)
        wanted, spent = ask_tool(theirs_by, docs, query)
        theirs.append(spent)
    p50, tool_p50 = statistics.median(ours[1:]) * 1000, statistics.median(theirs[1:]) * 1000
    return {
        "files": len(found),
        "same_set": found == wanted,
        "p50_ms": p50,
        "tool_p50_ms": tool_p50,
        "times_as_long": p50 / tool_p50,
    }


async def measure(docs: Path, rounds: int) -> dict[str, Any]:
    """Return the figures of all patterns."""
    figures: dict[str, Any] = {}
    with own_home() as home:
        copy = home / "docs"
        shutil.copytree(docs, copy, ignore=shutil.ignore_patterns("*.json"))  # which is not read
        _corpus.make_known(copy)
        async with running() as engine:
            folder, summary = await index(engine, copy)
            for query in PATTERNS:
                figures[query] = await compare(engine, folder, copy, query, rounds)
        size = sum(path.stat().st_size for path in copy.rglob("*.md"))
    ratios = [one["times_as_long"] for one in figures.values()]
    return {
        "files": summary.files,
        "megabytes": size / 1e6,
        "against": tool().name,
        "patterns": figures,
        "same_sets": sum(one["same_set"] for one in figures.values()),
        "of": len(figures),
        "times_as_long": {
            "worst": max(ratios),
            "targets": {"median": _report.at_most(statistics.median(ratios), TARGET)},
        },
    }


def main() -> None:
    """Measure, and print milliseconds and ratios."""
    parser = _report.options("Exact search through the client, against ripgrep or grep.")
    parser.add_argument("--docs", type=Path, default=DOCS)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    if not options.docs.is_dir():
        parser.error(f"{options.docs} is no folder: name one with --docs")
    result = asyncio.run(measure(options.docs, 5 if options.quick else options.rounds))
    _report.show(result, as_json=options.json)


if __name__ == "__main__":
    main()
