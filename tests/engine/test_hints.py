"""Which events make an open folder look again, and at how much."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.errors import FolderError
from engine.files import scan
from engine.files.rules import Place
from engine.files.watch import Hints, Watch
from engine.server.folder import Folder
from tests.engine.tiny_encoder import TinyEncoder
from tests.opened import opening, status, texts, until_found

pytestmark = pytest.mark.real


@pytest.fixture
def root(tmp_path: Path) -> Path:
    place = tmp_path / "docs"
    for folder in ("notes/old", ".git/objects", "node_modules", "logs"):
        (place / folder).mkdir(parents=True)
    (place / ".gitignore").write_text("logs/\n")
    (place / "notes/old/kite.md").write_text("kite")
    (place / "owl.md").write_text("owl 0")
    return place


@pytest.fixture
async def opened(root: Path) -> AsyncIterator[Folder]:
    async with opening(root, TinyEncoder()) as made:
        for number in range(100):  # until an edit is not found by the watch's first comparison
            (root / "owl.md").write_text(f"owl {number}")
            await until_found(made, {"kite", f"owl {number}"})
            if status(made).last_edit_ms:
                break
        (root / "owl.md").write_text("owl")
        await until_found(made, {"kite", "owl"})
        yield made


@pytest.fixture
async def unwatched(root: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Folder]:
    """An open folder that gets no hints but the test's."""
    monkeypatch.setattr(Watch, "run", lambda self: asyncio.Event().wait())
    async with opening(root, TinyEncoder()) as made:
        yield made


@pytest.fixture
def scans(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The scans of whole folders."""
    seen: list[Path] = []
    whole = scan.scan

    def listen(root: Path, *args: Any, **options: Any) -> scan.Scan:
        seen.append(root)
        return whole(root, *args, **options)

    monkeypatch.setattr(scan, "scan", listen)
    return seen


async def test_what_happens_in_ignored_folders_makes_no_scan(
    root: Path, opened: Folder, scans: list[Path]
) -> None:
    scans.clear()
    (root / ".git/objects/ab").mkdir()
    (root / "node_modules/x/deep").mkdir(parents=True)
    (root / "node_modules/x/.gitignore").write_text("*.log\n")
    for number in range(600):
        (root / f"node_modules/x/deep/{number}.md").write_text("module")
    (root / "logs/today").mkdir()
    (root / ".git/objects/ab").rmdir()
    (root / "owl.md").write_text("barn owl")
    await until_found(opened, {"kite", "barn owl"})
    assert scans == []


def make(root: Path) -> set[str]:
    (root / "new").mkdir()
    (root / "new/heron.md").write_text("heron")
    return {"kite", "owl", "heron"}


def move_out(root: Path) -> set[str]:
    (root / "notes").rename(root.with_name("elsewhere"))
    return {"owl"}


def move_into_an_ignored_folder(root: Path) -> set[str]:
    (root / "notes").rename(root / "node_modules/notes")
    return {"owl"}


def move_out_of_an_ignored_folder(root: Path) -> set[str]:
    (root / "logs/heron.md").write_text("heron")
    (root / "logs").rename(root / "records")
    return {"kite", "owl", "heron"}


def ignore_more(root: Path) -> set[str]:
    (root / "notes/.ignore").write_text("kite.md\n")
    return {"owl"}


@pytest.mark.parametrize(
    "change",
    [make, move_out, move_into_an_ignored_folder, move_out_of_an_ignored_folder, ignore_more],
)
async def test_what_changes_many_files_at_once_is_followed(
    root: Path, opened: Folder, change: Callable[[Path], set[str]]
) -> None:
    await until_found(opened, change(root))


@pytest.mark.parametrize(
    "path",
    [
        b".git/objects/ab/",
        b".git/index",
        b"node_modules/x/",
        b"node_modules/x/README.md",
        b"node_modules/x/.gitignore",
        b"logs/a.md",
        b".owl.md.swp",
        b"picture.png",
        b"not.gitignore",
        b"gone/",
        b"gone/a.md",
        b"../outside/",
        b"../outside.md",
        b"owl.md/",
        b"a\0b/",
        b"/",
        b"//",
        b"caf\xe9/\x1b[31m/x.md",
        b"a/" * 2000,
    ],
)
async def test_a_hint_at_what_is_not_read_changes_nothing(
    unwatched: Folder, scans: list[Path], path: bytes
) -> None:
    scans.clear()
    before, last_use = status(unwatched), unwatched._last_use
    await unwatched._follow(Hints(time.time(), {path}))
    assert status(unwatched) == before
    assert (unwatched._last_use, scans) == (last_use, [])


@pytest.mark.parametrize(
    ("path", "everything"),
    [
        (b"owl.md", False),
        (b"notes/new.md", False),
        (b"notes/", True),
        (b"notes/old/", True),
        (b".gitignore", True),
        (b"notes/old/.ignore", True),
    ],
)
async def test_a_hint_at_what_is_read_goes_on(
    unwatched: Folder, path: bytes, everything: bool
) -> None:
    assert unwatched._sync
    hints = unwatched._sync.narrow(Hints(1.0, {path, b"node_modules/a.md"}))
    assert hints and (hints.everything, hints.since) == (everything, 1.0)
    assert everything or hints.paths == {path}


async def test_a_folder_that_is_gone_counts_only_if_files_in_it_are_known(
    root: Path, unwatched: Folder
) -> None:
    (root / "notes").rename(root.with_name("elsewhere"))
    assert unwatched._sync
    for path in (b"note/", b"notes/ol/", b"notes/old/kite.md/", b"notes/older/"):
        assert unwatched._sync.narrow(Hints(1.0, {path})) is None
    await unwatched._follow(Hints(1.0, {b"notes/"}))
    await until_found(unwatched, {"owl 0"})


async def test_an_edit_in_a_large_folder_does_not_list_it(
    root: Path, unwatched: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(50):
        (root / f"picture {number}.png").touch()
    taken: list[str] = []
    listing = os.scandir

    def take(entry: "os.DirEntry[str]") -> "os.DirEntry[str]":
        taken.append(entry.name)
        return entry

    @contextlib.contextmanager
    def counted(path: Any) -> Iterator[Iterator[os.DirEntry[str]]]:
        with listing(path) as entries:
            yield map(take, entries)

    monkeypatch.setattr(os, "scandir", counted)
    monkeypatch.setattr(Path, "iterdir", None)  # it takes all names before it gives one
    (root / "owl.md").write_text("barn owl")
    await unwatched._follow(Hints(time.time(), {b"owl.md"}))
    assert await texts(unwatched) == {"kite", "barn owl"}
    assert len(taken) == 1, "asked whether anything is there"


@pytest.mark.parametrize("hints", [Hints(1.0, everything=True), Hints(1.0, {b"notes/old/kite.md"})])
async def test_a_folder_that_is_moved_while_it_is_looked_at_loses_nothing(
    root: Path, unwatched: Folder, monkeypatch: pytest.MonkeyPatch, hints: Hints
) -> None:
    before = await texts(unwatched)
    away = root.with_name("away")
    inner = Place.inner

    def moved_first(self: Place, name: str) -> Place | None:
        if root.exists():
            root.rename(away)
        return inner(self, name)

    with monkeypatch.context() as moving:
        moving.setattr(Place, "inner", moved_first)
        with pytest.raises(FolderError, match="is gone"):
            await unwatched._follow(hints)
    away.rename(root)
    assert await texts(unwatched) == before
    summary = await unwatched.synced()
    assert (summary.added, summary.embedded) == (0, 0)
