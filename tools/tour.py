"""Write docs/tour.md from the program itself, driven in tmux: ``python -m tools.tour``.

It opens a copy of the manual in a home of its own, with the real engine, encoder and model, presses
keys and keeps each screen. Figures and the model's words differ from one time to the next.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from engine import paths
from tools.picture import ROOT

TOUR = ROOT / "docs" / "tour.md"
COLUMNS, ROWS = 100, 30
LONGEST_S = 90.0
"""Seconds within which a step must show what it waits for."""
QUIET_S = 1.0
"""Seconds without a change after which a screen is kept."""

HEAD = """# A tour

A walk through hoverkite as a newcomer takes it, on a copy of this manual, in a terminal of 100
columns and 30 rows. `python -m tools.tour` makes this page from the program itself: the screens are
what it shows on a machine with two cores and the embedded model, which is a demonstration.
"""


@dataclass(frozen=True)
class Step:
    """What is done, and the text that the screen shows once it is done."""

    title: str
    words: str
    keys: tuple[str, ...]
    until: str
    edit: str = ""
    """Put at the top of a document, before the keys."""


STEPS = (
    Step(
        "The first start",
        "`hoverkite manual` counts the folder and tells what indexing it takes. Nothing is read "
        "before you agree.",
        (),
        "Index this folder?",
    ),
    Step(
        "The index grows",
        "Enter agrees. A few seconds later everything can be found; the line at the bottom counts.",
        ("Enter",),
        "watching",
    ),
    Step(
        "Search while typing",
        "Hits come while you type: a bar, the distance, where each stands. Below is its text.",
        ("which files are left out",),
        "━",
    ),
    Step(
        "An answer with its sources",
        "Enter asks. Sentences of the documents come first, then the model's own text. Behind each "
        "sentence stands the hit that supports it, or `[?]`.",
        ("Enter",),
        "finished: ",
    ),
    Step(
        "From an answer to its passage",
        "In the answer pane `n` goes to the next citation; results and preview follow it.",
        ("Tab", "Tab", "Tab", "n"),
        "enter passage",
    ),
    Step(
        "The whole file",
        "`A` shows the file around the hit; `g`, `G` and `h` go to its top, its end and the hit.",
        ("A",),
        "esc closes",
    ),
    Step(
        "Filters complete themselves",
        "Back in the query, `path:` offers what is in the folder.",
        ("Escape", "/", "C-u", "keys path:"),
        "path:",
    ),
    Step(
        "A document is edited",
        "Another question is typed, and somebody writes an answer to it into a document: the "
        "results follow, with a sign for what is new.",
        ("Escape", "C-u", "where do kites sleep"),
        "✦",
        edit="Kites sleep in tall trees, where the wind holds them.",
    ),
    Step(
        "What is in the index",
        "`i` lists every file with its state, and why one is left out.",
        ("Escape", "Tab", "i"),
        "s states",
    ),
    Step(
        "Several folders",
        "`F` lists the folders that are open and known; a path opens another one.",
        ("Escape", "F"),
        "another folder",
    ),
    Step(
        "Every key",
        "`?` lists all keys, those of the pane at hand first. Esc closes it, ctrl+q leaves.",
        ("Escape", "?"),
        "What a question can hold",
    ),
)


class Tmux:
    """A terminal of its own."""

    def __init__(self, folder: Path, environment: dict[str, str], command: list[str]) -> None:
        self._server = ["tmux", "-S", str(folder / "tmux"), "-f", "/dev/null"]
        size = ["-x", str(COLUMNS), "-y", str(ROWS)]
        subprocess.run(
            [*self._server, "new-session", "-d", *size, *command],
            check=True, cwd=folder, env=environment,
        )  # fmt: skip

    def press(self, key: str) -> None:
        """Press a named key, or type a text."""
        named = (key[:1].isupper() and len(key) > 1) or key.startswith("C-")
        self._run("send-keys", *(() if named else ("-l",)), key)
        time.sleep(0.5)

    def screen(self) -> str:
        """What is shown."""
        rows = self._run("capture-pane", "-p").split("\n")
        return "\n".join(row.rstrip() for row in rows).rstrip()

    def until(self, text: str) -> str:
        """Return the screen once it shows ``text`` and changes no more."""
        latest, since, end = "", time.monotonic(), time.monotonic() + LONGEST_S
        while time.monotonic() < end:
            shown = self.screen()
            if shown != latest:
                latest, since = shown, time.monotonic()
            elif text in shown and time.monotonic() - since > QUIET_S:
                return shown
            time.sleep(0.1)
        raise SystemExit(f"“{text}” did not come within {LONGEST_S:.0f} s:\n{latest}")

    def close(self) -> None:
        """End it."""
        subprocess.run([*self._server, "kill-server"], check=False)

    def _run(self, *command: str) -> str:
        ran = subprocess.run([*self._server, *command], check=True, capture_output=True, text=True)
        return ran.stdout


@contextmanager
def opened() -> Iterator[tuple[Tmux, Path]]:
    """Run the program on a copy of the manual, in the home of nobody."""
    with tempfile.TemporaryDirectory() as place:
        home = Path(place) / "ada"
        (home / "run").mkdir(parents=True, mode=0o700)
        (home / "run").chmod(0o700)
        manual = home / "manual"
        shutil.copytree(ROOT / "docs", manual, ignore=shutil.ignore_patterns("images", "tour.md"))
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
        environment = kept | {
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(home / "run"),
            "XDG_CACHE_HOME": str(paths.cache_dir().parent),
            "PYTHONPATH": str(ROOT),
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
        }
        run = [sys.executable, "-m", "tui.command"]
        tmux = Tmux(home, environment, [*run, str(manual)])
        try:
            yield tmux, manual
        finally:
            tmux.close()
            subprocess.run([*run, "stop"], check=False, env=environment, cwd=home)


def write() -> str:
    """Return the page."""
    parts = [HEAD]
    with opened() as (tmux, manual):
        for step in STEPS:
            for key in step.keys:
                tmux.press(key)
            if step.edit:
                time.sleep(QUIET_S)
                file = manual / "troubleshooting.md"
                file.write_text(f"{step.edit}\n\n{file.read_text()}")
            shown = tmux.until(step.until)
            parts.append(f"## {step.title}\n\n{step.words}\n\n```text\n{shown}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    TOUR.write_text(write())
    print(f"{TOUR} is written")
