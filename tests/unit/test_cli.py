"""The command line itself: what it understands, what it refuses, and what it says of a folder.

No engine runs in these tests.
"""

from pathlib import Path
from typing import Any

import pytest

from engine import api, cli, commands, paths
from engine.manifest import Manifest

Opened = list[tuple[Path, dict[str, Any], bool]]


@pytest.fixture(autouse=True)
def plain_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working folder that holds one folder, ``notes``."""
    monkeypatch.setenv("PYDANTIC_DISABLE_PLUGINS", "__all__")
    (tmp_path / "notes").mkdir()
    monkeypatch.chdir(tmp_path)


def run(*words: str) -> tuple[int, Opened]:
    """Run a command line; return its status and the screens it opened."""
    opened: Opened = []

    def open_screen(folder: Path, flags: dict[str, Any], agreed: bool) -> int:
        opened.append((folder, flags, agreed))
        return 0

    try:
        return cli.main(words, open_screen), opened
    except SystemExit as left:
        assert isinstance(left.code, int)
        return left.code, opened


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("search", "notes", ""), "the query is empty"),
        (("ask", "notes", " \n"), "the query is empty"),
        (("search", "notes", "how", "kites", "fly"), "Quote it: hoverkite search notes 'how kites"),
        (("--hits", "3", "search", "notes", ""), "the query is empty"),
        (("--set", "hits=0", "search", "notes", "q"), "hits (from the command line): at least 1"),
        (("--profile", "odd", "index", "notes"), "invalid choice: 'odd'"),
        (("bogus",), "bogus is neither a folder nor a command"),
        (("serach", "notes", "q"), "search, ask, index, status, stop"),
        (("bo\x1b[2Jgus",), "gus is neither a folder nor a command"),
        (("./bogus",), "./bogus does not exist"),
        (("--set",), "expected one argument"),
    ],
)
def test_what_is_refused_is_explained(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*words) == (2, [])
    printed = capsys.readouterr()
    assert printed.out == ""
    assert said in printed.err
    assert "\x1b" not in printed.err


@pytest.mark.parametrize(
    ("words", "flags", "agreed"),
    [
        (("notes",), {}, False),
        (("--profile", "reference", "notes"), {"profile": "reference"}, False),
        (("--set", "hits=3", "--yes", "notes"), {"hits": "3"}, True),
        (("--set=hits=3", "notes", "--yes"), {"hits": "3"}, True),
        (("--", "notes"), {}, False),
        (("open", "notes"), {}, False),
    ],
)
def test_a_folder_is_opened_with_options_on_either_side(
    words: tuple[str, ...], flags: dict[str, Any], agreed: bool, tmp_path: Path
) -> None:
    assert run(*words) == (0, [((tmp_path / "notes").resolve(), flags, agreed)])


def test_help_lists_the_common_options_and_how_to_learn_more(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for words in (("--help",), ("notes", "-h"), ("--set", "hits=3", "--help")):
        assert run(*words) == (0, [])
        shown = capsys.readouterr().out
        assert "hoverkite COMMAND --help" in shown
        assert all(option in shown for option in ("--set", "--llm-url", "--profile", "--yes"))


@pytest.mark.parametrize(
    ("command", "usage"),
    [
        ("search", "usage: hoverkite search DOCS QUERY [options]"),
        ("ask", "usage: hoverkite ask DOCS QUESTION [options]"),
        ("index", "usage: hoverkite index DOCS [options]"),
        ("status", "usage: hoverkite status [DOCS] [options]"),
        ("stop", "usage: hoverkite stop [options]"),
    ],
)
def test_a_commands_help_shows_its_usage(
    command: str, usage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(command, "--help")[0] == 0
    assert capsys.readouterr().out.splitlines()[0] == usage


def test_stop_and_status_work_with_a_broken_config_file(
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = paths.config_dir() / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text("this is no TOML")
    assert run("stop")[0] == 0
    assert "No engine is running" in capsys.readouterr().err
    assert run("status")[0] == 0
    assert run("status", "notes")[0] == 0
    printed = capsys.readouterr()
    assert "state      new" in printed.out
    assert f"{file} can't be read" in printed.err
    assert run("search", "notes", "q")[0] == 2


def manifest_file() -> Path:
    place = paths.index_dir(Path("notes").resolve())
    place.mkdir(parents=True)
    return place / "manifest.sqlite"


def test_the_status_of_a_damaged_index_says_what_will_happen(
    capsys: pytest.CaptureFixture[str],
) -> None:
    manifest_file().write_bytes(b"\x1b]0;no database\x07" * 1000)
    assert run("status", "notes")[0] == 0
    line = capsys.readouterr().out.splitlines()[1]
    assert line.startswith("state      closed (the stored index can't be read")
    assert "set aside and read again" in line


def test_a_folder_that_was_never_agreed_to_is_new(capsys: pytest.CaptureFixture[str]) -> None:
    manifest = Manifest(manifest_file())
    run("status", "notes")
    assert "state      new\n" in capsys.readouterr().out
    manifest.set_fact("agreed", "1")
    manifest.close()
    run("status", "notes")
    assert "state      closed\n" in capsys.readouterr().out


def test_what_was_left_out_is_counted_by_kind() -> None:
    survey = api.FolderSurvey(
        files=1, bytes=10, seconds=1, ignored=2, unread={"data": 1, "Word": 1200}, reason=""
    )
    assert commands.describe(survey) == (
        "1 file, 0.0 MB, about 1 s to index, 2 ignored, "
        "1,200 Word files not read yet, 1 data file not read yet"
    )


def test_the_lines_of_a_status_read_well() -> None:
    status = api.FolderStatus(
        docs="/notes",
        state="partial watch",
        detail="too many folders",
        files=1,
        chunks=2,
        ignored=3,
        skipped_total=0,
        unread={"data": 1},
        embedding=api.EmbeddingState(model="m", dimension=1, max_tokens=1, device="cpu"),
        llm=api.LlmState(state="starting", model="tiny", detail="loading, 3 s so far"),
        pids=api.Processes(engine=7),
    )
    assert list(commands.status_lines(status)) == [
        "folder     /notes",
        "state      partial watch (too many folders)",
        "index      1 file, 2 chunks",
        "left out   3 ignored, 0 skipped, 1 data file not read yet",
        "embedding  m (cpu)",
        "answers    tiny: starting (loading, 3 s so far)",
        "processes  engine 7, milvus –, vllm –",
    ]
