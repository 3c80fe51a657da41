"""A terminal whose size changes all the time, down to sizes that show nothing, while much comes."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.terminal import CTRL_Q, ENTER, TAB, Terminal
from tui.desk import TOO_SMALL

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.terminal

BOUND = 40.0
TIMES = 200

PROGRAM = """
import asyncio
from pathlib import Path
from engine.wire import api_answer
from tests.tui import content
from tests.tui.scripted import *
from tui.app import HoverkiteApp

class Endless(ScriptedEngine):
    async def events(self, folder):
        revision = 0
        while True:
            revision += 1
            self.refreshed = content.HITS[revision % 3 :]
            yield status(revision=revision)
            await asyncio.sleep(0.05)

    async def ask(self, folder, question, /):
        yield api_answer.HitsFound(query="q", took_ms=1, hits=content.HITS)
        yield api_answer.ExtractsFound(extracts=content.EXTRACTS)
        yield llm()
        number = 0
        while True:
            number += 6
            items = (f"- item {each} of `the list`\\n" for each in range(number - 6, number))
            yield api_answer.Token(text="".join(items))
            await asyncio.sleep(question.gather_ms / 1000)

app = HoverkiteApp(Path("."), ScriptedSource(Endless()))
app.run()
print("left the screen")
"""


LATE = PROGRAM.replace(
    "            self.refreshed",
    """
            if revision == 9:  # as if a handler of a signal had been interrupted by the next one
                from textual.events import Resize
                from textual.geometry import Size
                app.post_message(Resize(Size(30, 9), Size(30, 9)))
            self.refreshed""",
)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    command = [sys.executable, "-c", PROGRAM]
    with Terminal(command, os.environ | {"PYTHONPATH": str(ROOT)}) as opened:
        opened.wait_for("watching 274", BOUND)
        opened.type("q" + ENTER)
        opened.wait_for("item 2", BOUND)
        yield opened


def has_whole_frame(text: str, columns: int, rows: int) -> bool:
    """Whether the screen is painted from corner to corner for its size."""
    lines = text.split("\n")
    whole = len(lines) == rows and {len(line) for line in lines} == {columns}
    return whole and lines[0].startswith("╭─ query") and lines[0].rstrip().endswith("╮")


def storm(terminal: Terminal) -> None:
    sizes = random.Random(20)
    for _ in range(TIMES):
        terminal.resize(sizes.randint(1, 200), sizes.randint(1, 60))


@pytest.mark.parametrize(("columns", "rows"), [(100, 30), (60, 20)])
def test_after_a_storm_of_sizes_the_last_one_is_painted_and_keys_work(
    terminal: Terminal, columns: int, rows: int
) -> None:
    storm(terminal)
    terminal.resize(columns, rows)
    terminal.wait_for(lambda text: has_whole_frame(text, columns, rows), BOUND)
    terminal.type("\x1b")
    terminal.wait_for("stopped", BOUND)
    terminal.type(TAB)
    terminal.wait_for("e edit", BOUND)
    leave(terminal)


@pytest.mark.parametrize("page", ["\x10", "\x06", "\x1bOP"])
def test_a_storm_over_an_open_page_ends_well(terminal: Terminal, page: str) -> None:
    terminal.type(page)
    storm(terminal)
    terminal.resize(100, 30)
    terminal.type("\x1b")
    terminal.wait_for(lambda text: has_whole_frame(text, 100, 30), BOUND)
    leave(terminal)


def test_a_terminal_that_is_too_small_says_so(terminal: Terminal) -> None:
    terminal.resize(20, 5)
    terminal.wait_for(lambda text: " ".join(text.split()) == TOO_SMALL, BOUND)
    terminal.type("abc")
    terminal.resize(100, 30)
    terminal.wait_for(lambda text: has_whole_frame(text, 100, 30) and "abc" in text, BOUND)
    leave(terminal)


def test_a_size_that_is_told_too_late_is_put_right() -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with Terminal([sys.executable, "-c", LATE], environment) as opened:
        opened.wait_for("watching 274", BOUND)
        opened.type("q" + ENTER)
        opened.wait_for("item 60", BOUND)
        opened.wait_for(lambda text: has_whole_frame(text, 100, 30), BOUND)
        leave(opened)


def leave(terminal: Terminal) -> None:
    terminal.type(CTRL_Q)
    terminal.wait_for("left the screen", BOUND)
    assert terminal.wait_for_end(BOUND) == 0
    assert b"Traceback" not in terminal.raw
