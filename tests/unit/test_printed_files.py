"""The columns of ``hoverkite status DOCS --files``."""

import argparse
from pathlib import Path

import pytest

from engine.front import commands_files
from engine.wire.api_files import FilesReply, ListedFile

HOSTILE = "\x1b]52;c;AA==\x07 \u202eevil [/]"
FILES = [
    ListedFile(
        path=f"a {HOSTILE}.txt",
        state="indexed",
        chunks=12,
        characters=4812,
        loader=f"text ({HOSTILE})",
        seconds=0.0214,
    ),
    ListedFile(path="b.md", state="waiting"),
    ListedFile(path="c.pdf", state="skipped", reason=f"odd {HOSTILE}", loader="pdf", seconds=0.3),
]


def told(capsys: pytest.CaptureFixture[str]) -> list[str]:
    found = FilesReply(files=FILES, counts={"indexed": 1, "waiting": 1, "skipped": 1})
    commands_files.tell(argparse.Namespace(json=False), Path("docs"), found)
    lines = capsys.readouterr().out.splitlines()
    assert not {"\x1b", "\x07", "\u202e"} & set("".join(lines))
    return lines


@pytest.mark.parametrize(
    ("columns", "header", "first"),
    [
        (60, "state     chunks  characters  file", "indexed       12        4812  a "),
        (
            100,
            "state     chunks  characters  seconds  loader                      file",
            "indexed       12        4812    0.021  text (",
        ),
    ],
)
def test_a_terminal_shows_the_columns_it_has_room_for_below_their_names(
    columns: int,
    header: str,
    first: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = told(capsys)
    assert lines[0] == header
    assert lines[1].startswith(first)
    assert lines[2].index("b.md") == header.index("file")
    assert lines[3].startswith("skipped   c.pdf (pdf): odd ")


def test_a_pipe_gets_every_column_and_no_names_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    first, second, third = told(capsys)
    assert first.startswith("indexed       12        4812    0.021  text (")
    assert second.split() == ["waiting", "0", "b.md"]
    assert third.startswith("skipped   c.pdf (pdf): odd ")
