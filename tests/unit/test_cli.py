"""The command line itself: what it understands, what it refuses, and what it says of a folder.

No engine runs in these tests.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

import pytest

from engine import paths
from engine.files.scan import Entry
from engine.front import cli, commands, opening
from engine.front.arguments import FILE_STATES
from engine.front.commands_status import status_lines
from engine.front.connection import EngineClient
from engine.front.printing import plain_line
from engine.storage.manifest import FileUpdate, Manifest
from engine.wire import api
from engine.wire.api_files import CHOSEN

HAS_TERMINAL = cli.has_terminal
Opened = list[tuple[Sequence[Path], dict[str, Any], bool]]


@pytest.fixture(autouse=True)
def plain_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal, and a working folder that holds one folder, ``notes``."""
    monkeypatch.setenv("PYDANTIC_DISABLE_PLUGINS", "__all__")
    (tmp_path / "notes").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "has_terminal", lambda: True)


def run(*words: str) -> tuple[int, Opened]:
    """Run a command line; return its status and the screens it opened."""
    opened: Opened = []

    def open_screen(folders: Sequence[Path], flags: dict[str, Any], agreed: bool) -> int:
        opened.append((folders, flags, agreed))
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
        (("--hits", "3", "search", "notes", ""), "the query is empty"),
        (
            ("--set", "hits=0", "search", "notes", "q"),
            "hits = 0 (from the command line): at least 1",
        ),
        (("--profile", "odd", "index", "notes"), "invalid choice: 'odd'"),
        (("bogus",), "bogus is neither a folder nor a command"),
        (("serach", "notes", "q"), "Did you mean search? The commands are search, ask, chat"),
        (("bo\x1b[2Jgus",), "gus is neither a folder nor a command"),
        (("./bogus",), "./bogus does not exist"),
        (("--set",), "--set: expected one argument"),
        (("search", "notes"), "required: QUERY\nSee: hoverkite search --help"),
        (("search",), "required: DOCS, QUERY\nSee: hoverkite search --help\n"),
        (("status", "notes", "extra"), "extra is one too many\nSee: hoverkite status --help"),
        (("notes", "extra"), "extra does not exist"),
        (("notes", ""), "name a folder; . is the current one"),
        (("search", "notes", "q", "--js"), "no option --js here\nSee: hoverkite search --help"),
        (("index", "notes", "--hits", "3"), "no option --hits here"),
        (("notes", "--\x1b[2J"), "no option --"),
        (("forget",), "required: DOCS\nSee: hoverkite forget --help"),
        (("forget", "a\0b", "--yes"), "can't be read: embedded null byte"),
        (("doctor", "gone"), "gone does not exist"),
        (("search", "", "q"), "name a folder; . is the current one\nSee: hoverkite search --help"),
        (("index", ""), "name a folder; . is the current one"),
        (("forget", "", "--yes"), "name a folder; . is the current one"),
        (("doctor", "--repair", ""), "name a folder; . is the current one"),
        (("",), "name a folder; . is the current one\nSee: hoverkite --help"),
        (("status", "notes", "--repair"), "no option --repair here"),
        (("status", "--files"), "--files lists one folder's files"),
        (("status", "--state", "skipped"), "--files lists one folder's files"),
        (("status", "notes", "--state", "odd"), "invalid choice: 'odd'"),
        (("search", "notes", "q", "-n", "0"), "a number from 1 to 100 is wanted"),
        (("eval", "notes"), "no collection in BEIR's format"),
        (("eval", "notes", "gone.jsonl"), "gone.jsonl can't be read"),
        (("eval", "notes", "--modes", "bm25,best"), "names of hybrid, dense, bm25, with commas"),
        (("eval", "notes", "--modes", ""), "names of hybrid, dense, bm25, with commas"),
        (("eval", "notes", "--limit", "0"), "a number from 1 on is wanted"),
        (("open", "--profile"), "expected one argument\nSee: hoverkite --help"),
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
    assert len(printed.err.splitlines()) == 2, "what is wrong, and what to do"


@pytest.mark.parametrize(
    ("words", "query"),
    [
        (("how", "kites", "fly"), "how kites fly"),
        (("how kites", "--json", "fly"), "how kites fly"),
        (("--json", "how", "kites", "-n", "3", "fly"), "how kites fly"),
        (("how", "--", "--kites"), "how --kites"),
        (("--", "-x"), "-x"),
    ],
)
def test_the_words_of_a_query_need_no_quotes(
    words: tuple[str, ...], query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def remember(options: argparse.Namespace, flags: dict[str, Any]) -> int:
        asked.append(options.query)
        return 0

    monkeypatch.setattr(commands, "run", remember)
    assert run("ask", "notes", *words)[0] == 0
    assert asked == [query]


def test_a_folder_named_like_a_command_can_be_opened(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "search").mkdir()
    assert run("search") == (2, [])
    assert "to open the folder search: hoverkite ./search" in capsys.readouterr().err
    assert run("search", "notes") == (2, [])
    assert "./search" not in capsys.readouterr().err
    status, [(folders, _, _)] = run("./search")
    assert (status, folders) == (0, [(tmp_path / "search").resolve()])


@pytest.mark.parametrize("missing", ["stdin", "stderr"])
def test_the_screen_is_not_opened_without_a_terminal(
    missing: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for stream in ("stdin", "stderr"):
        monkeypatch.setattr(getattr(sys, stream), "isatty", lambda it=stream: it != missing)
    monkeypatch.setattr(cli, "has_terminal", HAS_TERMINAL)
    assert run("notes") == (2, [])
    assert "needs a terminal" in capsys.readouterr().err


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
    assert run(*words) == (0, [([(tmp_path / "notes").resolve()], flags, agreed)])


def test_several_folders_are_opened_each_once(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    notes, other = ((tmp_path / name).resolve() for name in ("notes", "b"))
    for words in (("notes", "b", "./notes"), ("--yes", "notes", "b"), ("open", "notes", "b")):
        status, (opened,) = run(*words)
        assert (status, opened[0]) == (0, [notes, other])


def test_help_lists_the_common_options_and_how_to_learn_more(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for words in (("--help",), ("notes", "-h"), ("--set", "hits=3", "--help")):
        assert run(*words) == (0, [])
        shown = capsys.readouterr().out
        assert "hoverkite COMMAND --help" in shown
        assert all(option in shown for option in ("--set", "--llm-url", "--profile", "--yes"))


def test_help_of_models_shows_how_one_is_chosen_and_given_up(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run("models", "--help") == (0, [])
    shown = capsys.readouterr().out
    assert "hoverkite models fetch Qwen/" in shown
    assert "hoverkite models use embedded" in shown


@pytest.mark.parametrize(
    ("command", "usage"),
    [
        ("search", "usage: hoverkite search DOCS QUERY [options]"),
        ("ask", "usage: hoverkite ask DOCS QUESTION [options]"),
        ("chat", "usage: hoverkite chat DOCS [options]"),
        ("index", "usage: hoverkite index DOCS [options]"),
        ("eval", "usage: hoverkite eval DOCS [QUESTIONS] [options]"),
        ("status", "usage: hoverkite status [DOCS] [options]"),
        ("doctor", "usage: hoverkite doctor [DOCS] [options]"),
        ("forget", "usage: hoverkite forget DOCS [options]"),
        ("stop", "usage: hoverkite stop [options]"),
    ],
)
def test_a_commands_help_shows_its_usage(
    command: str, usage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(command, "--help")[0] == 0
    assert capsys.readouterr().out.splitlines()[0] == usage


@pytest.mark.parametrize(
    ("command", "absent", "present"),
    [
        ("stop", ("--set", "--llm-url", "--profile", "--yes"), ("--help",)),
        ("status", ("--yes",), ("without one: the engine", "--set", "--profile")),
        ("doctor", ("--yes",), ("without one: this machine", "--set", "--llm-url")),
        ("forget", ("--llm-url", "--profile"), ("--set", "--yes")),
        ("index", (), ("--set", "--llm-url", "--profile", "--yes")),
    ],
)
def test_a_commands_help_lists_what_does_something_there(
    command: str,
    absent: tuple[str, ...],
    present: tuple[str, ...],
    capsys: pytest.CaptureFixture[str],
) -> None:
    run(command, "--help")
    shown = " ".join(capsys.readouterr().out.split())
    assert [word for word in absent if word in shown] == []
    assert [word for word in present if word not in shown] == []


async def test_whoever_interrupts_indexing_hears_that_it_goes_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    begun = asyncio.Event()

    class Client(EngineClient):
        async def sync(self, folder: str) -> AsyncGenerator[api.SyncEvent, None]:
            if not begun.is_set():
                begun.set()
                await asyncio.Event().wait()
            counts = dict.fromkeys(("files", "chunks", "added", "changed", "removed"), 0)
            yield api.SyncFinished(embedded=0, skipped=[], seconds=0, **counts)

    syncing = asyncio.create_task(opening.bring_up_to_date(Client(), "folder", quiet=False))
    await begun.wait()
    syncing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await syncing
    said = "Indexing goes on in the background; hoverkite stop ends it.\n"
    assert capsys.readouterr().err == said


def test_the_status_of_a_moved_folder_says_where_its_index_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, there = tmp_path / "notes/a.md", (tmp_path / "notes").stat()
    file.write_text("kite")
    found = file.stat()
    manifest = Manifest(manifest_file())
    root = str((tmp_path / "notes").resolve())
    identity = f"{there.st_dev} {there.st_ino}"
    for name, value in {"agreed": "1", "root": root, "identity": identity}.items():
        manifest.set_fact(name, value)
    entry = Entry(b"a.md", found.st_size, found.st_mtime_ns, found.st_ino)
    manifest.save([FileUpdate(1, entry, "content", "recipe", [])])
    manifest.close()
    (tmp_path / "notes").rename(tmp_path / "moved")
    assert run("status", "moved")[0] == 0
    told = f"new (moved here from {root}; its index is taken along when it is opened)"
    assert told in capsys.readouterr().out


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
    place.mkdir(parents=True, exist_ok=True)
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


def test_the_files_of_a_folder_that_no_engine_has_open_are_listed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    never = f"{Path('notes').resolve()} is new: it was never indexed\n"
    assert run("status", "notes", "--files")[0] == 0
    assert capsys.readouterr() == ("", never)
    manifest = Manifest(manifest_file())
    assert run("status", "notes", "--files")[0] == 0
    assert capsys.readouterr() == ("", never)
    manifest.set_fact("agreed", "1")
    assert run("status", "notes", "--files")[0] == 0
    assert capsys.readouterr() == ("", "0 files\n")
    entry = Entry(b"a\n\x1b]52;c;AA==\x07.md", 10, 0, 1)
    manifest.save(
        [
            FileUpdate(1, entry, "", "", loader="text", characters=1234567, seconds=0.0214),
            FileUpdate(2, Entry(b"b.pdf", 0, 0, 2), "", "", reason="it holds a private key"),
        ]
    )
    assert run("status", "notes", "--files")[0] == 0
    told = capsys.readouterr()
    assert told.out.splitlines() == [
        "indexed        0     1234567    0.021  text                        "
        "a\u23ce\ufffd]52;c;AA==\ufffd.md",
        "skipped   b.pdf: it holds a private key",
    ]
    assert told.err == "2 files: 1 indexed, 1 skipped\n"
    run("status", "notes")
    assert "left out   1 skipped" in capsys.readouterr().out
    assert run("status", "notes", "--state", "skipped", "--json")[0] == 0
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    (file,) = json.loads(printed)["files"]
    named = {"path", "state", "reason", "next_step", "chunks", "characters", "bytes", "modified"}
    named |= {"loader", "seconds"}
    assert named <= file.keys()
    assert (file["path"], file["state"], file["bytes"]) == ("b.pdf", "skipped", 0)
    manifest.close()
    manifest_file().write_bytes(b"no database")
    assert run("status", "notes", "--files")[0] == 1
    assert "can't be read" in capsys.readouterr().err


def test_the_states_that_can_be_typed_are_those_that_an_engine_knows() -> None:
    assert tuple(CHOSEN) == FILE_STATES


def test_the_lines_of_a_status_read_well() -> None:
    status = api.FolderStatus(
        docs="/notes",
        state="partial watch",
        detail="too many folders",
        files=1,
        chunks=2,
        ignored=3,
        skipped_total=1200,
        unread={"data": 1},
        embedding=api.EmbeddingState(model="m", dimension=1, max_tokens=1, device="cpu"),
        llm=api.LlmState(state="starting", model="tiny", detail="loading, 3 s so far"),
        pids=api.Processes(engine=7),
    )
    assert [*map(plain_line, status_lines(status, 1_234_567))] == [
        "folder     /notes",
        "state      partial watch (too many folders)",
        "index      1 file, 2 chunks, 1.2 MB on disk",
        "left out   3 ignored, 1 data file not read yet, 1 200 skipped",
        "embedding  m (cpu)",
        "answers    tiny: starting (loading, 3 s so far)",
        "processes  engine 7, milvus –, vllm –",
    ]
