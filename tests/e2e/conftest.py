"""The real program on a small folder, with the models that set-up prepared."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.models import PREPARED_CACHE

NOTES = {
    "birds/kites.md": """\
# Kites

## Hovering

The black-winged kite hovers over a meadow before it drops on a vole. It beats its wings about
three times a second and keeps its head still.

## Nesting

Kites lay two to five eggs in a nest of sticks, lined with wool.
""",
    "tools/anvil.md": "# Anvil\n\nAn anvil is a block of hard steel on which metal is forged.\n",
    "tools/kettle.txt": "The kettle holds two litres. Descale it with vinegar every month.\n",
}

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def program_env(home: Path) -> Iterator[dict[str, str]]:
    """Environment of a fresh user who shares only the models; the engine is stopped at the end."""
    env = dict(os.environ) | {
        "XDG_CACHE_HOME": str(PREPARED_CACHE),
        "HOVERKITE_LLM_START": "question",
        "HOVERKITE_ASK_BEFORE_INDEXING": "large",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    yield env
    subprocess.run([*HOVERKITE, "stop"], env=env, timeout=60, check=True, capture_output=True)


HOVERKITE = [sys.executable, "-m", "tui.command"]


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    """A small folder of notes."""
    root = tmp_path / "notes"
    for name, text in NOTES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return root


@pytest.fixture
def hoverkite(program_env: dict[str, str]) -> Run:
    """Run one hoverkite command to its end, with pipes for a terminal."""

    def run(*words: str | Path, **more: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*HOVERKITE, *map(str, words)],
            env=program_env | more,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=170,
            check=False,
        )

    return run
