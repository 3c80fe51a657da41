"""What hoverkite adds to vLLM: time to the first token, streaming, and all that is before.

``python -m benchmarks.answers [--pairs N] [--quick] [--json]``. Baseline: a bare client that sends
the same messages to the same vLLM, in turns with hoverkite; what fences the passages is another
each time, so that the prefix cache decides nothing. The model is the embedded one, shown what any
model would be. A server that sends 200 tokens a second tells whether streaming keeps up.
"""

import asyncio
import contextlib
import os
import re
import secrets
import statistics
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from benchmarks import _report
from benchmarks._asking import Answered, Server, bare, by_command, through_hoverkite
from benchmarks._own_engine import index, own_home
from benchmarks._paced_server import MODEL
from engine import config, paths
from engine.config import ENV_PREFIX
from engine.front import client
from engine.front.connection import EngineClient
from engine.serving import models, vllm_launch
from engine.wire.api_answer import AskRequest, Tray

EXTRA_TTFT_MS = 50
LEAST_OF_RATE = 0.97
PACE = 200
"""Tokens a second."""
LONGEST = 96
"""Tokens of an answer."""
NAMES = "kite owl swift wren heron stork crane raven finch eagle robin thrush lark plover"
PLACES = "meadow harbour ridge orchard marsh quarry tower bridge"
MARK = re.compile(r"^([0-9a-f]{8}) \[", re.MULTILINE)
CACHE_HITS = re.compile(r"^vllm:prefix_cache_hits_total\{.*\} ([\d.e+]+)$", re.MULTILINE)


def notes() -> Iterator[tuple[str, str]]:
    """Yield the birds and places of the notes, neighbours as different as can be."""
    names, places = NAMES.split(), PLACES.split()
    for number in range(len(names) * len(places)):
        yield names[number % len(names)], places[(number + number // len(names)) % len(places)]


def write(docs: Path) -> None:
    """Write notes of equal length, each about one bird in one place."""
    docs.mkdir()
    for name, place in notes():
        title = f"The {name} of the {place}"
        said = [f"{title} was counted at dawn on day {day} of its year." for day in range(10, 22)]
        (docs / f"{name}-{place}.md").write_text(f"# {title}\n\n{' '.join(said)}\n")


def questions() -> Iterator[str]:
    """Yield questions of equal form, each about a note of its own."""
    for name, place in notes():
        yield f"When was the {name} of the {place} counted, and what is known of it?"


@contextlib.contextmanager
def settings(**values: object) -> Iterator[None]:
    """Set settings for this process, for the engine and for the commands that it starts."""
    names = {f"{ENV_PREFIX}{name.upper()}": str(value) for name, value in values.items()}
    os.environ.update(names)
    try:
        yield
    finally:
        for name in names:
            del os.environ[name]


@contextlib.asynccontextmanager
async def connected(docs: Path) -> AsyncIterator[tuple[EngineClient, str]]:
    """Connect to the engine that runs, or start one, with ``docs`` indexed."""
    engine = await client.connect(config.load())
    try:
        folder, _ = await index(engine, docs)
        yield engine, folder
    finally:
        await engine.close()


# --- streaming, against a server of a known pace -----------------------------------------------


@contextlib.contextmanager
def paced_server(tokens: int, pace: float = PACE) -> Iterator[Server]:
    """Run the server that sends so many tokens, ``pace`` of them a second."""
    command = [sys.executable, "-m", "benchmarks._paced_server", str(pace), str(tokens)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield Server(f"http://127.0.0.1:{process.stdout.readline().strip()}/v1", MODEL)
        finally:
            process.terminate()


async def streaming(rounds: int, tokens: int) -> dict[str, Any]:
    """Return how fast an answer streams through hoverkite, against a bare client."""
    ours, theirs = [], []
    with own_home() as home, paced_server(tokens) as server:
        write(home / "docs")
        with settings(llm_url=server.url):
            try:
                async with connected(home / "docs") as (engine, folder):
                    for _, question in zip(range(rounds), questions(), strict=False):
                        asked = AskRequest(question=question, anyway=True)
                        answered = await through_hoverkite(engine, folder, asked)
                        ours.append(answered.rate)
                        theirs.append((await bare(server, answered.messages, tokens)).rate)
            finally:
                await client.stop_engine()
    share = statistics.median(ours) / PACE
    return {
        "tokens_per_s": statistics.median(ours),
        "bare_tokens_per_s": statistics.median(theirs),
        "targets": {"share_of_the_pace": _report.at_least(share, LEAST_OF_RATE)},
    }


# --- against the real vLLM ---------------------------------------------------------------------


def with_another_mark(messages: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return messages of the same length that no cache knows from the first passage on."""
    (mark,) = set(MARK.findall(messages[-1]["content"]))
    asked = messages[-1]["content"].replace(mark, secrets.token_hex(4))
    return [*messages[:-1], {"role": "user", "content": asked}]


async def pairs(
    engine: EngineClient, folder: str, server: Server, number: int
) -> tuple[list[Answered], list[Answered]]:
    """Ask through hoverkite and without it in turns, now the one first, now the other."""
    about = questions()
    known = await through_hoverkite(engine, folder, AskRequest(question=next(about), anyway=True))
    ours, theirs = [], []
    for turn in range(number):
        if turn % 2:
            theirs.append(await bare(server, with_another_mark(known.messages), LONGEST))
        known = await through_hoverkite(
            engine, folder, AskRequest(question=next(about), anyway=True)
        )
        ours.append(known)
        if not turn % 2:
            theirs.append(await bare(server, with_another_mark(known.messages), LONGEST))
    return ours, theirs


async def prefix_cache(
    engine: EngineClient, folder: str, server: Server, rounds: int
) -> dict[str, Any]:
    """Return what a second question about the same passages gains."""
    ratios, seconds, known = [], [], []
    for _, question in zip(range(rounds), list(questions())[::-1], strict=False):
        asked = AskRequest(question=question, anyway=True)
        first = await through_hoverkite(engine, folder, asked)
        tray = Tray(pinned=first.found[:4], exactly=True)
        first = await through_hoverkite(engine, folder, asked.model_copy(update={"tray": tray}))
        before = await cache_hits(server)
        again = AskRequest(
            question="On which days did somebody look for it?", tray=tray, anyway=True
        )
        second = await through_hoverkite(engine, folder, again)
        known.append(await cache_hits(server) - before)
        seconds.append(second.first - second.prompt)
        ratios.append(seconds[-1] / (first.first - first.prompt))
    return {
        "ttft_ms": statistics.median(seconds) * 1000,
        "times_the_first_question": statistics.median(ratios),
        "tokens_from_the_cache": statistics.median(known),
    }


async def cache_hits(server: Server) -> float:
    """Return how many tokens vLLM has taken from its prefix cache so far."""
    async with server.client() as http:
        found = CACHE_HITS.search((await http.get("http://vllm/metrics")).text)
    return float(found[1]) if found else 0.0


def summary(ours: list[Answered], theirs: list[Answered]) -> dict[str, Any]:
    """Return what hoverkite adds, each pair compared with itself."""
    extra = [(a.first - a.hits - b.first) * 1000 for a, b in zip(ours, theirs, strict=True)]
    rates = [
        a.rate / b.rate
        for a, b in zip(ours, theirs, strict=True)
        if min(a.tokens, b.tokens) >= LONGEST / 3
    ]
    low, high = _report.interval(rates) if rates else (0.0, 0.0)
    return {
        "pairs": len(ours),
        "ttft": {
            "from_hits_ms": statistics.median(a.first - a.hits for a in ours) * 1000,
            "bare_ms": statistics.median(b.first for b in theirs) * 1000,
            "extracts_ms": statistics.median(a.extracts - a.hits for a in ours) * 1000,
            "prompt_ms": statistics.median(a.prompt - a.extracts for a in ours) * 1000,
        },
        "search_and_prompt_ms": statistics.median(a.prompt for a in ours) * 1000,
        "rate": {
            "share_of_bare": statistics.median(rates) if rates else 0.0,
            "low_of_95_percent": low,
            "high": high,
            "tokens_per_s": statistics.median(a.rate for a in ours if a.tokens > 2),
        },
        "targets": {"extra_ttft_ms": _report.at_most(statistics.median(extra), EXTRA_TTFT_MS)},
    }


async def real(number: int, rounds: int) -> dict[str, Any]:
    """Return the figures with the real vLLM, which is started for them."""
    with own_home() as home, settings(llm_model=models.converted_dir(), llm_max_tokens=LONGEST):
        docs = home / "docs"
        write(docs)
        try:
            async with connected(docs):
                pass
            await client.stop_engine()
            begun = {"cold": started(docs), "lingering": started(docs)}
            async with connected(docs) as (engine, folder):
                (socket,) = paths.runtime_dir().glob("vllm-*.sock")
                server = Server("http://vllm/v1", models.converted_dir().name, socket)
                cached = await prefix_cache(engine, folder, server, rounds)
                paired = await pairs(engine, folder, server, number)
                return {"from_start": begun, "second_question": cached, **summary(*paired)}
        finally:
            await client.stop_engine()


def started(docs: Path) -> dict[str, float]:
    """Return the seconds from the start of ``hoverkite ask`` to what it prints."""
    answered = by_command(docs, "Who counts the kite of the tower?", ["--yes"])
    return {"extracts_s": answered.extracts, "first_token_s": answered.first}


def main() -> None:
    """Measure, and print milliseconds, ratios and targets."""
    parser = _report.options("What hoverkite adds to the time that vLLM takes.")
    parser.add_argument("--pairs", type=int, default=20)
    options = parser.parse_args()
    number = min(options.pairs, 4) if options.quick else options.pairs
    rounds = 1 if options.quick else 6
    result = {"streaming": asyncio.run(streaming(2 * rounds, 200 if options.quick else 600))}
    if vllm_launch.installed_package() and models.is_converted():
        result["vllm"] = asyncio.run(real(number, rounds))
    _report.show(result, as_json=options.json)


if __name__ == "__main__":
    main()
