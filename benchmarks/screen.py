"""How the screen feels: its first frame, how soon a key shows, what a streaming answer costs.

``python -m benchmarks.screen [ROUNDS] [--quick] [--json]``: the program runs in a pseudo-terminal
of 100 columns and 30 rows. First frames are compared with ``import textual.app`` alone, measured in
the same run and in turns, so that a busy machine slows both. A key is a letter that nothing else on
the screen holds, typed at a person's pace: its echo takes from the key until it is painted, once
with nothing else to do but to search what is typed, and once while a folder is indexed and the real
vLLM answers. The processor time of the screen's own process is taken while an answer streams at 100
tokens a second from a scripted server, and its memory after that.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import _report
from benchmarks._own_engine import own_home
from benchmarks._terminal import PAINTED, ROOT, Terminal, hoverkite
from benchmarks.answers import connected, paced_server, questions, settings, write
from engine import config
from engine.front import client
from engine.serving import models

BASELINE = "import textual.app"
FIRST_FRAME_S = 0.35
IDLE_ECHO_MS, BUSY_ECHO_MS = 10.0, 33.0
STREAMING_SHARE, MEMORY_MB = 0.15, 150.0
PACE = 100.0
"""Tokens a second of the streamed answer."""
LETTERS = [chr(code) for code in (*range(0x430, 0x450), *range(0x561, 0x587))]
"""Cyrillic and Armenian ones, of which the folder holds none; each is typed once."""
CLEAR = b"\x15"
"""ctrl+u, which empties the line."""


def environment(**more: str) -> dict[str, str]:
    """Return what the program is started with, in the home that is set."""
    kept = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    # Installed packages are compiled; a checkout's own files are on their first run.
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return kept | {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"} | more


# --- the first frame ---------------------------------------------------------------------------


def first_frame(docs: Path) -> float:
    """Seconds from starting ``hoverkite DOCS`` until the query pane has been painted."""
    # An engine of its own would outlive the benchmark: the first frame needs none.
    alone = environment(HOVERKITE_ENGINE_LINGER_MINUTES="0", HOVERKITE_LLM_START="never")
    with hoverkite(alone, docs) as terminal:
        return terminal.wait_for(PAINTED) - terminal.started


def baseline() -> float:
    """Seconds a bare import of Textual takes in a fresh process."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", BASELINE], check=True, cwd=ROOT, env=environment())
    return time.perf_counter() - started


def first_frames(rounds: int) -> dict[str, Any]:
    """Return how long first frames take, beside bare imports taken in turns with them."""
    frames, imports = [], []
    with own_home() as home:
        docs = home / "docs"
        docs.mkdir()
        first_frame(docs)
        baseline()
        for _ in range(rounds):
            frames.append(first_frame(docs))
            imports.append(baseline())
        asyncio.run(client.stop_engine())
    frame, bare = statistics.median(frames), statistics.median(imports)
    return {
        "slowest_s": max(frames),
        "import_textual_s": bare,
        "times_the_import": frame / bare,
        "targets": {"median_s": _report.at_most(frame, FIRST_FRAME_S)},
    }


# --- the echo of a key -------------------------------------------------------------------------


def echoes(terminal: Terminal, number: int, chance: random.Random) -> list[float]:
    """Return the seconds until each of so many typed letters was painted."""
    took = []
    for letter in LETTERS[:number]:
        terminal.drain(chance.uniform(0.08, 0.2))
        pressed = time.perf_counter()
        terminal.type(letter.encode())
        took.append(terminal.wait_for(letter.encode()) - pressed)
    terminal.type(CLEAR)
    terminal.drain(0.5)
    return took


@contextmanager
def at_work(files: int) -> Iterator[tuple[Terminal, Path]]:
    """Run the program on an indexed folder, in the home of nobody."""
    with own_home() as home:
        docs = home / "docs"
        write(docs)
        try:
            asyncio.run(_indexed(docs))
            with hoverkite(environment(), docs) as terminal:
                terminal.wait_for(f"{files} files".encode())
                terminal.drain(2)
                yield terminal, docs
        finally:
            asyncio.run(client.stop_engine())


async def _indexed(docs: Path) -> None:
    async with connected(docs):
        pass


def idle_echo(rounds: int) -> dict[str, Any]:
    """Return how soon a key shows while nothing else is done."""
    chance = random.Random(6)
    with settings(llm_start="never"), at_work(_files()) as (terminal, _):
        took = [each for _ in range(rounds) for each in echoes(terminal, len(LETTERS), chance)]
    return _echo_figures(took, IDLE_ECHO_MS)


def busy_echo(rounds: int, bulk: int) -> dict[str, Any]:
    """Return how soon a key shows while a folder is indexed and the real vLLM answers."""
    chance, took = random.Random(6), []
    with settings(llm_model=models.converted_dir()), at_work(_files()) as (terminal, docs):
        about = questions()
        _ask(terminal, next(about))
        terminal.wait_for(b"vLLM ready")
        _fill(docs / "bulk", bulk)
        terminal.wait_for("◐".encode())
        for _ in range(rounds):
            _ask(terminal, next(about))
            terminal.drain(1)
            took += echoes(terminal, 30, chance)
            terminal.drain(3)
        still = asyncio.run(_state(docs))
    return _echo_figures(took, BUSY_ECHO_MS) | {"folder_at_the_end": still}


def _echo_figures(took: list[float], target: float) -> dict[str, Any]:
    figures = _report.p50_p95(took)
    met = _report.at_most(figures.pop("p95_ms"), target)
    return {**figures, "slowest_ms": max(took) * 1000, "targets": {"p95_ms": met}}


def _ask(terminal: Terminal, question: str) -> None:
    terminal.type(CLEAR + question.encode() + b"\r")
    terminal.wait_for(b"vLLM answering")


def _files() -> int:
    return sum(1 for _ in questions())


def _fill(folder: Path, files: int) -> None:
    folder.mkdir()
    for number in range(files):
        said = [
            f"Entry {number}-{line} tells of the weather at station {line}." for line in range(20)
        ]
        (folder / f"{number}.md").write_text(f"# Log {number}\n\n{' '.join(said)}\n")


async def _state(docs: Path) -> str:
    engine = await client.connect(config.load())
    try:
        opened = await engine.open_folder(str(docs), agreed=True)
        return (await engine.status(opened.folder)).state
    finally:
        await engine.close()


# --- a streaming answer ------------------------------------------------------------------------


def streaming(seconds: float) -> dict[str, Any]:
    """Return what the process of the screen takes while an answer streams."""
    with (
        paced_server(int(PACE * (seconds + 10)), pace=PACE) as server,
        settings(llm_url=server.url),
        at_work(_files()) as (terminal, _),
    ):
        _ask(terminal, next(questions()))
        terminal.drain(2)
        before, begun = sum(terminal.process.cpu_times()[:2]), time.perf_counter()
        terminal.drain(seconds)
        used = sum(terminal.process.cpu_times()[:2]) - before
        share = used / (time.perf_counter() - begun)
        memory = terminal.process.memory_info().rss / 1e6
    return {
        "targets": {
            "share_of_a_core": _report.at_most(share, STREAMING_SHARE),
            "memory_mb": _report.at_most(memory, MEMORY_MB),
        }
    }


def main() -> None:
    """Measure, and print the figures beside their targets."""
    parser = _report.options("First frame, echo of keys, and the cost of a streaming answer.")
    parser.add_argument("rounds", nargs="?", type=int, default=9)
    options = parser.parse_args()
    rounds = min(options.rounds, 3) if options.quick else options.rounds
    result = {
        "first_frame": first_frames(rounds),
        "echo_idle": idle_echo(min(rounds, 3)),
        "streaming": streaming(5 if options.quick else 20),
    }
    if not options.quick:
        result["echo_busy"] = busy_echo(min(rounds, 5), 6000)
    _report.show(result, as_json=options.json)


if __name__ == "__main__":
    main()
