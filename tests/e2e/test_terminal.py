"""The real program in a real pseudo-terminal: which bytes reach it, and the editor's turn."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.terminal import CTRL_C, CTRL_Q, CTRL_U, ENTER, TAB, Terminal

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.terminal

BOUND = 40.0

PROGRAM = """
from pathlib import Path
from engine.wire import api, api_answer
from tests.tui.scripted import *
from tui.app import HoverkiteApp

engine = ScriptedEngine()
attack = "\\x1b]52;c;ZXZpbA==\\x07\\x1b]0;owned\\x07\\x9b31m\\u202e"
hits = [hit(1, path="a.md", start_line=7, heading=attack, text="marker-one " + attack)]
engine.answer = [
    api_answer.HitsFound(query="q", took_ms=1, hits=hits),
    api_answer.ExtractsFound(extracts=[api_answer.Extract(text=attack, hit=1)]),
    llm(model=attack),
    *(api_answer.Token(text=piece) for piece in attack + " marker-two"),
    finished(attack + " marker-two", sources=[attack]),
]
engine.statuses.put_nowait(status(docs="/x/" + attack, unread={attack: 1}))
app = HoverkiteApp(Path(FOLDER), ScriptedSource(engine, editor=EDITOR))
app.run()
print("left the screen")
"""

COPIED = b"\x1b]52;c;bWFya2VyLW9uZS"
"""The clipboard sequence of a text that begins with "marker-one"."""


def editor_that(folder: Path, does: str) -> str:
    """The command of an editor, a shell script that ``does`` something."""
    editor = folder / "vim"
    editor.write_text(f"#!/bin/sh\ncd {folder}\n{does}\n")
    editor.chmod(0o700)
    return str(editor)


NOTES_ITS_CALL = 'echo "$@" >> called; echo editor-was-here'
WAITS_FOR_CTRL_C = "trap 'echo interrupted >> called; exit 0' INT; echo editor-was-here; "
WAITS_FOR_CTRL_C += "while :; do sleep 0.05; done"
DIES_OF_CTRL_C = "echo editor-was-here; while :; do sleep 0.05; done"


@pytest.fixture
def does() -> str:
    return NOTES_ITS_CALL


@pytest.fixture
def editor(tmp_path: Path, does: str) -> str:
    return editor_that(tmp_path, does)


@pytest.fixture
def terminal(tmp_path: Path, editor: str) -> Iterator[Terminal]:
    (tmp_path / "a.md").write_text("line\n" * 20)
    code = f"FOLDER = {str(tmp_path)!r}\nEDITOR = {editor!r}\n{PROGRAM}"
    command = [sys.executable, "-c", code]
    with Terminal(command, os.environ | {"PYTHONPATH": str(ROOT)}) as opened:
        opened.wait_for("watching 274", BOUND)
        opened.type("q" + ENTER)
        opened.wait_for("finished: stop", BOUND)
        opened.wait_for("marker-one", BOUND)
        yield opened


def go_to_the_results(terminal: Terminal) -> None:
    terminal.type(TAB)
    terminal.wait_for("e edit", BOUND)


def wait_for_bytes(terminal: Terminal, wanted: bytes) -> None:
    terminal.wait_for(lambda _: wanted in terminal.raw, BOUND)


def leave(terminal: Terminal) -> None:
    terminal.type(CTRL_Q)
    wait_for_bytes(terminal, b"left the screen")
    assert terminal.wait_for_end(BOUND) == 0


@pytest.mark.parametrize(
    ("editor", "wanted"),
    [("false", "ended with status 1"), ("no-such-editor", "can't be started")],
)
def test_the_screen_comes_back_from_an_editor_that_failed(terminal: Terminal, wanted: str) -> None:
    go_to_the_results(terminal)
    terminal.type("e")
    terminal.wait_for(wanted, BOUND)
    terminal.type("y")
    wait_for_bytes(terminal, COPIED)
    leave(terminal)


@pytest.mark.parametrize(
    ("does", "wanted"), [(WAITS_FOR_CTRL_C, "e edit"), (DIES_OF_CTRL_C, "ended by SIGINT")]
)
def test_ctrl_c_in_the_editor_reaches_the_editor_alone(
    terminal: Terminal, tmp_path: Path, does: str, wanted: str
) -> None:
    go_to_the_results(terminal)
    terminal.type("e")
    wait_for_bytes(terminal, b"editor-was-here")
    terminal.type(CTRL_C)
    terminal.wait_for("e edit", BOUND)
    terminal.wait_for(wanted, BOUND)
    assert (tmp_path / "called").exists() is (does == WAITS_FOR_CTRL_C)
    assert "ctrl+c" not in terminal.text, "the screen took it for its own"
    terminal.type("y")
    wait_for_bytes(terminal, COPIED)
    leave(terminal)


def test_no_escape_sequence_of_a_document_reaches_the_terminal_and_the_editor_comes_back(
    terminal: Terminal, tmp_path: Path
) -> None:
    assert b"]52;c;ZXZpbA==\x07" not in terminal.raw
    assert b"\x1b]52" not in terminal.raw
    assert b"\x1b]0;owned" not in terminal.raw
    assert "\u202e".encode() not in terminal.raw
    assert b"\xc2\x9b" not in terminal.raw

    go_to_the_results(terminal)
    terminal.type("eee")
    wait_for_bytes(terminal, b"editor-was-here")
    assert (tmp_path / "called").read_text().split() == ["+7", str(tmp_path / "a.md")]
    terminal.wait_for("watching", BOUND)  # the screen is painted again

    terminal.type("y")
    wait_for_bytes(terminal, COPIED)  # this time on purpose
    assert len((tmp_path / "called").read_text().splitlines()) == 1, "keys typed ahead are dropped"
    leave(terminal)


def test_alt_enter_begins_a_new_line_in_a_terminal_without_the_kitty_protocol(
    terminal: Terminal,
) -> None:
    terminal.type(CTRL_U + "line-one\x1b\rline-two")
    terminal.wait_for(lambda page: "line-one " in page and "line-two " in page, BOUND)
    leave(terminal)


def test_a_screen_whose_terminal_was_closed_ends_even_where_hangups_were_ignored(
    tmp_path: Path,
) -> None:
    screen = f"""
from pathlib import Path
from tests.tui.scripted import ScriptedEngine, ScriptedSource, status
from tui import command, engine_port

engine = ScriptedEngine()
engine.statuses.put_nowait(status())
engine_port.LocalEngine = lambda flags: ScriptedSource(engine)
command.run_screen([Path({str(tmp_path)!r})], {{}}, False)
"""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with Terminal([sys.executable, "-c", screen], environment, ignores_hangup=True) as opened:
        opened.wait_for("watching 274", BOUND)
        program = opened.hang_up()
        try:
            program.wait(BOUND)
        finally:
            if program.is_running():
                program.kill()
