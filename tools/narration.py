"""What set-up says: a line a step, alive on a terminal. What the commands print goes into a log.

Parses on Python 3.7 (see :mod:`tools.machine`).
"""

from __future__ import annotations

import collections
import os
import re
import select
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from tools.machine import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    StageOf = Callable[[str], str]

LOG = ROOT / "setup.log"
LAST_LINES = 8
"""Lines of a failed command that are shown."""
BEAT_S = 0.5
"""How often the line on a terminal is painted again."""


def say(text: str) -> None:
    """Tell the person at the terminal; standard output stays free for data."""
    print(text, file=sys.stderr, flush=True)


def same_stage(line: str) -> str:
    """Tell nothing from what a command prints."""
    return ""


def uv_stages(expected_gb: float) -> StageOf:
    """Return a function from a line of uv's output to the stage of the installation.

    It gives an empty text where the line says nothing new.
    """
    sizes: dict[str, float] = {}
    done: list[float] = []
    units = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30}

    def stage_of(line: str) -> str:
        begun = re.match(r"Downloading (\S+) \(([\d.]+)([KMG]iB)\)", line)
        if begun:
            sizes[begun[1]] = float(begun[2]) * units[begun[3]] / 10**9
            return "downloading"
        word, _, rest = line.strip().partition(" ")
        if word == "Downloaded":
            done.append(sizes.get(rest, 0))
            return f"downloading, {sum(done):.2f} of about {expected_gb:.2f} GB"
        after = {
            "Resolved": "fetching",
            "Prepared": "installing",
            "Installed": "compiling bytecode",
        }
        return after.get(word, "")

    return stage_of


def follow(
    title: str,
    command: list[str],
    env: dict[str, str] | None = None,
    stage_of: StageOf = same_stage,
) -> list[str] | None:
    """Run a step's command and show how far it is; return None, or its last lines if it failed.

    ``stage_of`` finds in a line of the command's output what is being done now.
    """
    line = _Line(title)
    last: collections.deque[str] = collections.deque(maxlen=LAST_LINES)
    with LOG.open("a", encoding="utf-8") as log:
        log.write(f"$ {' '.join(command)}\n")
        try:
            with subprocess.Popen(
                command,
                cwd=ROOT,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            ) as child:
                for text in _lines(child, line.paint):
                    log.write(text + "\n")
                    log.flush()
                    last.append(text)
                    line.enter(stage_of(text))
        except OSError as error:
            last.append(f"{command[0]}: {error.strerror}")
            child = None
        line.end()
    return None if child and child.returncode == 0 else list(last)


def _lines(child: subprocess.Popen[bytes], beat: Callable[[], None]) -> Iterator[str]:
    """Yield the lines that a command prints; ``beat`` is called between and while it is silent."""
    assert child.stdout is not None
    begun = b""
    while True:
        beat()
        if not select.select([child.stdout], [], [], BEAT_S)[0]:
            continue
        piece = os.read(child.stdout.fileno(), 65536)
        if not piece:
            break
        *whole, begun = (begun + piece).split(b"\n")
        for line in whole:
            yield line.decode("utf-8", "replace").rstrip()
    if begun:
        yield begun.decode("utf-8", "replace").rstrip()


class _Line:
    """A step's line: on a terminal painted again and again, elsewhere written on."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._stage = ""
        self._began = time.monotonic()
        self._alive = sys.stderr.isatty()
        if not self._alive:
            self._write(f"  {title}:")

    def enter(self, stage: str) -> None:
        """Show that a stage has begun or got on."""
        if not stage or stage == self._stage:
            return
        if not self._alive and stage.partition(",")[0] != self._stage.partition(",")[0]:
            self._write(f" {stage.partition(',')[0]},")
        self._stage = stage
        self.paint()

    def paint(self) -> None:
        """Show the stage and the time; on a terminal only."""
        if self._alive:
            text = f"  {self._title}: {self._stage + ', ' if self._stage else ''}{self._seconds()}"
            self._write("\r\033[K" + text[: shutil.get_terminal_size().columns - 1])

    def end(self) -> None:
        """Leave the line with the time that the step took."""
        self._write(
            f"\r\033[K  {self._title}: {self._seconds()}\n"
            if self._alive
            else f" {self._seconds()}\n"
        )

    def _seconds(self) -> str:
        return f"{time.monotonic() - self._began:.0f} s"

    @staticmethod
    def _write(text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()
