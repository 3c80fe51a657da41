"""The real program in a real pseudo-terminal: which bytes reach it, and the editor's turn."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BOUND = 40.0


class Terminal:
    """A program in a pseudo-terminal of 100x30."""

    def __init__(self, code: str) -> None:
        self.seen = b""
        self.screen, program_end = pty.openpty()
        fcntl.ioctl(program_end, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        self.program = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=program_end,
            stdout=program_end,
            stderr=program_end,
            cwd=ROOT,
            # COLUMNS and LINES of the caller would win over the terminal's own size.
            env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"},
            start_new_session=True,
        )
        os.close(program_end)

    def wait_for(self, wanted: bytes) -> None:
        end = time.monotonic() + BOUND
        while wanted not in self.seen:
            left = end - time.monotonic()
            assert left > 0 and select.select([self.screen], [], [], left)[0], (
                f"no {wanted!r} in {self.seen[-2000:]!r}"
            )
            self.seen += os.read(self.screen, 65536)

    def type(self, keys: bytes) -> None:
        os.write(self.screen, keys)

    def close(self) -> None:
        if self.program.poll() is None:
            os.killpg(self.program.pid, signal.SIGKILL)
        self.program.wait()
        os.close(self.screen)


PROGRAM = """
from pathlib import Path
from engine import api
from tests.tui.scripted import *
from tui.app import HoverkiteApp

engine = ScriptedEngine()
attack = "\\x1b]52;c;ZXZpbA==\\x07\\x1b]0;owned\\x07\\x9b31m\\u202e"
hits = [hit(1, path="a.md", start_line=7, heading=attack, text="marker-one " + attack)]
engine.answer = [
    api.HitsFound(query="q", took_ms=1, hits=hits),
    api.ExtractsFound(extracts=[api.Extract(text=attack, hit=1)]),
    llm(model=attack),
    *(api.Token(text=piece) for piece in attack + " marker-two"),
    finished(attack + " marker-two", sources=[attack]),
]
engine.statuses.put_nowait(status(docs="/x/" + attack, unread={attack: 1}))
app = HoverkiteApp(Path(FOLDER), ScriptedSource(engine, editor=EDITOR))
app.run()
print("left the screen")
"""


@pytest.fixture
def editor(tmp_path: Path) -> str:
    """The command of an editor that writes down how it was called."""
    editor = tmp_path / "vim"
    editor.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/called\necho editor-was-here\n')
    editor.chmod(0o700)
    return str(editor)


@pytest.fixture
def terminal(tmp_path: Path, editor: str) -> Iterator[Terminal]:
    (tmp_path / "a.md").write_text("line\n" * 20)
    code = f"FOLDER = {str(tmp_path)!r}\nEDITOR = {editor!r}\n{PROGRAM}"
    opened = Terminal(code)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("editor", "wanted"),
    [("false", b"ended with status 1"), ("no-such-editor", b"can't be started")],
)
def test_the_screen_comes_back_from_an_editor_that_failed(
    terminal: Terminal, wanted: bytes
) -> None:
    terminal.wait_for(b"watching 274")
    terminal.type(b"q\r")
    terminal.wait_for(b"finished: stop")
    terminal.type(b"\t")
    terminal.wait_for(b"folder")
    terminal.type(b"e")
    terminal.wait_for(wanted)
    terminal.type(b"y")
    terminal.wait_for(b"\x1b]52;c;bWFya2VyLW9uZS")
    terminal.type(b"\x11")
    terminal.wait_for(b"left the screen")
    assert terminal.program.wait(BOUND) == 0


def test_no_escape_sequence_of_a_document_reaches_the_terminal_and_the_editor_comes_back(
    terminal: Terminal, tmp_path: Path
) -> None:
    terminal.wait_for(b"watching 274")
    terminal.type(b"q\r")
    terminal.wait_for(b"finished: stop")
    terminal.wait_for(b"marker-one")
    assert b"]52;c;ZXZpbA==\x07" not in terminal.seen
    assert b"\x1b]52" not in terminal.seen
    assert b"\x1b]0;owned" not in terminal.seen
    assert "\u202e".encode() not in terminal.seen
    assert b"\xc2\x9b" not in terminal.seen

    terminal.type(b"\t")
    terminal.wait_for(b"folder")  # the hints of the results
    terminal.type(b"eee")
    terminal.wait_for(b"editor-was-here")
    assert (tmp_path / "called").read_text().split() == ["+7", str(tmp_path / "a.md")]
    terminal.seen = b""
    terminal.wait_for(b"watching")  # the screen is painted again

    terminal.type(b"y")
    terminal.wait_for(b"\x1b]52;c;bWFya2VyLW9uZS")  # "marker-one", this time on purpose
    assert len((tmp_path / "called").read_text().splitlines()) == 1, "keys typed ahead are dropped"
    terminal.type(b"\x11")
    terminal.wait_for(b"left the screen")
    assert terminal.program.wait(BOUND) == 0
