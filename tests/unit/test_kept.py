"""What is kept of folders while no engine runs: listed, measured, forgotten."""

import contextlib
import json
import os
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from engine import paths
from engine.chunks.chunk import Chunk
from engine.errors import NoIndexError
from engine.figures import size
from engine.files.scan import Entry
from engine.front import cli
from engine.front.printing import plain_line
from engine.server import engine_lock, kept
from engine.storage.manifest import FileUpdate, Manifest
from tests.schemas import TO_SCHEMA_2

HOSTILE = "n\x1b]52;c;aGFja2Vk\x07\u202e[@click=app.quit]'\"; DROP\nTABLE {} %s"


def run(*words: str | Path) -> int:
    """Run a command line that opens no screen."""
    return cli.main([*map(str, words)], lambda *_: 0)


def index_of(root: Path) -> Path:
    """Make an index of ``root`` with one file of two chunks, and return its place."""
    root.mkdir(exist_ok=True)
    place = paths.make_private(paths.index_dir(root.resolve()))
    manifest = Manifest(place / kept.MANIFEST)
    manifest.set_fact("agreed", "1")
    manifest.set_fact("root", str(root.resolve()))
    chunks = [Chunk(0, 4, text, 1, 1, None, "") for text in ("kite", "hawk")]
    manifest.save([FileUpdate(1, Entry(b"birds.md", 9, 1, 1), "content", "recipe", chunks)])
    manifest.close()
    (place / "index.db").write_bytes(b"milvus" * 10_000)
    return place


def listing(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Return what ``hoverkite status --json`` prints."""
    capsys.readouterr()
    assert run("status", "--json") == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def test_a_status_lists_all_indexes_the_last_used_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, lost, broken = (index_of(tmp_path / name) for name in ("old", "lost", "broken"))
    (tmp_path / "lost").rmdir()
    (tmp_path / "large").write_bytes(b"large" * 1_000_000)
    (old / "large").symlink_to(tmp_path / "large")
    (old / "all").symlink_to(old)
    (broken / kept.MANIFEST).write_bytes(b"\x1b]0;no database\x07" * 1000)
    for age, place in enumerate((lost, broken, old)):
        for file in (place, *place.iterdir()):
            os.utime(file, (1e9 - age, 1e9 - age), follow_symlinks=False)
    told = listing(capsys)
    assert [Path(index["place"]) for index in told["indexes"]] == [lost, broken, old]
    assert [index["state"] for index in told["indexes"]] == ["missing", "damaged", "closed"]
    first, _, last = told["indexes"]
    assert (last["docs"], last["files"], last["chunks"]) == (str(tmp_path / "old"), 1, 2)
    assert 60_000 < last["bytes"] < 1_000_000
    assert first["last_used"].startswith("2001-09-0")
    assert told["engine"] is None
    assert set(told["caches"]) == set(kept.CACHES)

    assert run("status") == 0
    plain = capsys.readouterr().out
    assert "\x1b" not in plain
    assert f"{tmp_path / 'old'}\n  state      closed\n  index      1 file, 2 chunks, " in plain
    assert f"not known any more, kept in {broken}" in plain


def test_looking_leaves_no_trace_beside_a_manifest(tmp_path: Path) -> None:
    place = index_of(tmp_path / "notes")
    before = {file.name: file.stat().st_mtime_ns for file in place.iterdir()}
    assert kept.stored(place).chunks == 2
    assert kept.look(place).state == "closed"
    assert {file.name: file.stat().st_mtime_ns for file in place.iterdir()} == before


def test_an_index_of_the_version_before_is_sound(tmp_path: Path) -> None:
    place = index_of(tmp_path / "notes")
    with contextlib.closing(sqlite3.connect(place / kept.MANIFEST)) as connection:
        connection.executescript(TO_SCHEMA_2)
    index = kept.look(place)
    assert (index.state, index.files, index.chunks) == ("closed", 1, 2)
    manifest = Manifest(place / kept.MANIFEST)
    assert manifest.counts() == (1, 2), "it is brought up to this version"
    manifest.close()


def test_looking_at_what_a_crash_left_is_no_use_of_it(tmp_path: Path) -> None:
    place, whole = index_of(tmp_path / "notes"), index_of(tmp_path / "whole")
    manifest = Manifest(whole / kept.MANIFEST)
    manifest.set_fact("collection", "chunks_1")
    for file in whole.iterdir():  # as if the process had ended here
        shutil.copy(file, place)
    manifest.close()
    (place / f"{kept.MANIFEST}-shm").unlink()
    for file in (*place.iterdir(), place):
        os.utime(file, (1e9, 1e9))
    before = kept.look(place).last_used
    assert before.startswith("2001-09-0")
    assert kept.stored(place).collection == "chunks_1"
    assert (place / f"{kept.MANIFEST}-shm").exists()
    assert kept.look(place).last_used == before


def test_an_open_manifest_can_be_looked_at(tmp_path: Path) -> None:
    place = index_of(tmp_path / "notes")
    manifest = Manifest(place / kept.MANIFEST)
    manifest.set_fact("collection", "chunks_1")
    assert kept.stored(place).collection == "chunks_1"
    manifest.set_fact("collection", "chunks_2")
    assert kept.stored(place).collection == "chunks_2"
    manifest.close()


@pytest.mark.parametrize("wrong", ["folder", "pipe", "link", "old", "empty", "cut"])
def test_no_manifest_is_too_odd_to_be_listed_and_forgotten(
    wrong: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = index_of(tmp_path / "notes")
    path = place / kept.MANIFEST
    if wrong == "old":
        with sqlite3.connect(path) as connection:
            connection.execute("PRAGMA user_version = 1")
        connection.close()
    elif wrong == "cut":
        path.write_bytes(path.read_bytes()[:5000])
    else:
        path.unlink()
    if wrong == "folder":
        path.mkdir()
    elif wrong == "pipe":
        os.mkfifo(path)
    elif wrong == "link":
        path.symlink_to("/dev/zero")
    elif wrong == "empty":
        path.touch()
    told = listing(capsys)["indexes"]
    assert [index["state"] for index in told] == ([] if wrong == "empty" else ["damaged"])
    assert run("forget", place, "--yes") == 0
    assert not place.exists()


def test_forgetting_removes_all_of_one_index_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("precious")
    place, other = index_of(tmp_path / "notes"), index_of(tmp_path / "other")
    (tmp_path / "notes/doc.md").write_text("a document")
    (place / "link").symlink_to(outside)
    (place / "gone").symlink_to(tmp_path / "nothing")
    (place / "damaged.db").mkdir()
    (place / "damaged.db/deep").write_text("x")
    (place / "damaged.db/deep").chmod(0)
    (place / "damaged.db").chmod(0o500)
    place.chmod(0o500)
    assert run("forget", tmp_path / "notes", "--yes") == 0
    assert f"forgot {tmp_path / 'notes'}: 1 file, 2 chunks, " in capsys.readouterr().out
    assert [*place.parent.iterdir()] == [other]
    assert (outside / "precious").read_text() == "precious"
    assert (tmp_path / "notes/doc.md").read_text() == "a document"
    assert run("forget", tmp_path / "notes", "--yes") == 1
    assert f"nothing is kept of {tmp_path / 'notes'}" in capsys.readouterr().err


def test_an_index_that_is_forgotten_twice_at_once_is_named_by_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    index_of(tmp_path / "notes")
    take_away = kept.take_away

    def second(place: Path) -> kept.TakenAway:
        take_away(place)
        return take_away(place)

    monkeypatch.setattr(kept, "take_away", second)
    assert run("forget", tmp_path / "notes", "--yes") == 1
    assert f"nothing is kept of {tmp_path / 'notes'}" in capsys.readouterr().err


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_the_size_is_the_one_that_a_person_was_told(
    words: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    place = index_of(tmp_path / "notes")
    taken = kept.look(place).bytes
    take_away = kept.take_away

    def close_and_take_away(place: Path) -> kept.TakenAway:
        (place / "index.db").write_bytes(b"larger" * 100_000)
        return take_away(place)

    monkeypatch.setattr(kept, "take_away", close_and_take_away)
    assert run("forget", tmp_path / "notes", "--yes", *words) == 0
    printed = capsys.readouterr().out
    plain = plain_line(f", {size(taken)} on disk")
    assert (f'"bytes": {taken},' if words else plain) in printed


def test_a_folder_that_is_a_link_to_elsewhere_is_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / kept.MANIFEST).write_text("not ours")
    place = paths.index_dir(tmp_path / "notes")
    place.parent.mkdir(parents=True)
    place.symlink_to(precious)
    assert run("forget", tmp_path / "notes", "--yes") == 0
    assert not os.path.lexists(place)
    assert (precious / kept.MANIFEST).read_text() == "not ours"


@pytest.mark.parametrize("words", [("status",), ("doctor",), ("index",), ("search", "kite")])
def test_a_folder_that_is_gone_is_no_spelling_mistake(
    words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index_of(tmp_path / HOSTILE)
    (tmp_path / HOSTILE).rmdir()
    assert run(words[0], tmp_path / HOSTILE, *words[1:]) == 2
    said = capsys.readouterr().err
    assert "is gone; its index (1 file) is kept" in said
    assert "It is used again when the folder is back; to remove it: hoverkite forget '" in said
    assert "\x1b" not in said
    assert run(words[0], tmp_path / "never", *words[1:]) == 2
    assert "Check the spelling" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["gone", HOSTILE])
def test_a_folder_that_is_gone_is_forgotten_by_any_of_its_names(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = index_of(tmp_path / name)
    (tmp_path / "link").symlink_to(tmp_path)
    (tmp_path / name).rmdir()
    assert run("forget", tmp_path / "link" / name / "x/..", "--yes", "--json") == 0
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert "\u202e" not in printed
    told = json.loads(printed)
    assert (told["index"]["docs"], told["index"]["state"]) == (str(tmp_path / name), "missing")
    assert told["left"] == []
    assert not place.exists()


def test_without_a_terminal_nothing_is_forgotten_unasked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = index_of(tmp_path / HOSTILE)
    assert run("forget", tmp_path / HOSTILE) == 2
    said = capsys.readouterr().err
    assert "the input is not a terminal" in said
    assert "index: 1 file, 2 chunks, " in said
    assert f"it lies in {place}" in said
    assert "with --yes to remove it" in said
    assert "\x1b" not in said
    assert place.exists()


@pytest.mark.parametrize(
    ("answer", "status"), [("y\n", 0), ("n\n", 2), ("", 2), ("yesterday\n", 2)]
)
def test_a_person_is_asked(
    answer: str, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = index_of(tmp_path / "notes")
    monkeypatch.setattr("engine.front.commands_upkeep.can_be_asked", lambda: True)
    monkeypatch.setattr("sys.stdin.readline", lambda: answer, raising=False)
    assert run("forget", tmp_path / "notes") == status
    assert place.exists() == (status != 0)


@pytest.mark.parametrize("name", ["../../etc", "..", "", "engine.lock", "x" * 16, "0" * 17])
def test_only_what_is_named_like_an_index_is_one(name: str, tmp_path: Path) -> None:
    index_of(tmp_path / "notes")
    with pytest.raises(NoIndexError):
        kept.place_named(name)


def test_an_index_that_somebody_just_opens_is_not_taken_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place = index_of(tmp_path / "notes")
    monkeypatch.setattr("engine.front.commands_upkeep.START_SECONDS", 0.3)
    with engine_lock.held() as alone:
        assert alone
        assert run("forget", tmp_path / "notes", "--yes") == 1
    assert "neither there nor gone" in capsys.readouterr().err
    assert place.exists()
