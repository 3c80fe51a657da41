"""Output of the commands that can't be written, or not in every encoding."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.front import commands


@pytest.fixture(autouse=True)
def plain_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working folder that holds one folder, ``notes``."""
    monkeypatch.setenv("PYDANTIC_DISABLE_PLUGINS", "__all__")
    (tmp_path / "notes").mkdir()
    monkeypatch.chdir(tmp_path)


def command(stdout: int, *words: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command line in a process of its own."""
    line = [sys.executable, "-m", "tui.command", *words]
    place = Path(commands.__file__).parents[2]
    return subprocess.run(
        line,
        check=False,
        stdout=stdout,
        stderr=subprocess.PIPE,
        env=os.environ | environment | {"PYTHONPATH": str(place)},
    )


@pytest.mark.parametrize(
    ("words", "unbuffered"),
    [
        (("status",), ""),
        (("status",), "1"),
        (("status", "notes", "--json"), ""),
        (("--help",), ""),
    ],
)
def test_output_that_cannot_be_written_is_told_in_a_line(
    words: tuple[str, ...], unbuffered: str
) -> None:
    with Path("/dev/full").open("wb") as full:
        done = command(full.fileno(), *words, PYTHONUNBUFFERED=unbuffered)
    assert done.stderr == (b"hoverkite: the output could not be written: No space left on device\n")
    assert done.returncode == 1


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_every_terminal_shows_every_name(encoding: str) -> None:
    name = "n\xf6t\u2014\U0001f600"
    Path(name).mkdir()
    words = ("status", name)
    plain = command(subprocess.PIPE, *words, PYTHONIOENCODING=encoding)
    assert (plain.returncode, plain.stderr) == (0, b"")
    assert b"folder" in plain.stdout
    structured = command(subprocess.PIPE, *words, "--json", PYTHONIOENCODING=encoding)
    assert structured.returncode == 0
    assert json.loads(structured.stdout.decode(encoding))["docs"] == str(Path(name).resolve())


def test_a_closed_output_is_no_fault() -> None:
    line = f"{sys.executable} -m tui.command status >&-"
    place = Path(commands.__file__).parents[2]
    done = subprocess.run(
        ["sh", "-c", line],
        check=False,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(place)},
    )
    assert (done.returncode, done.stderr) == (0, b"")
