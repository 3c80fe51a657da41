"""A folder that was moved or renamed keeps its index."""

import os
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from engine import paths
from engine.config import Settings
from engine.server import moved
from engine.server.folder import Folder
from engine.server.open_folders import OpenFolders
from engine.wire import api
from tests.engine.tiny_encoder import TinyEncoder, TinyShared
from tests.opened import status, until, until_found

pytestmark = pytest.mark.real

NAMES = [f"notes/{name}.md" for name in ("kite", "owl", "heron", "swift", "tern", "wren")]
TEXTS = {Path(name).stem for name in NAMES}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    place = tmp_path / "docs"
    (place / "notes").mkdir(parents=True)
    for name in NAMES:
        (place / name).write_text(Path(name).stem)
    return place


@pytest.fixture
async def folders() -> AsyncIterator["Engine"]:
    made = Engine()
    yield made
    await made.folders.close()


class Engine:
    """Opens folders; each needs a person's word."""

    def __init__(self) -> None:
        self.encoder = TinyEncoder()
        settings = Settings(confirm_files=1)
        self.folders = OpenFolders(settings, TinyShared(self.encoder), lambda: None)

    async def open(self, root: Path, *, agreed: bool = False) -> Folder:
        opened = await self.folders.open(api.OpenFolder(path=str(root), agreed=agreed))
        assert agreed or opened.survey is None, "somebody was asked again"
        return self.folders.get(opened.folder)

    async def index(self, root: Path) -> None:
        """Index ``root``, and forget what that took."""
        assert (await (await self.open(root, agreed=True)).synced()).embedded
        self.encoder.in_turn.clear()
        self.encoder.at_once.clear()

    @property
    def embedded(self) -> list[str]:
        return self.encoder.in_turn + self.encoder.at_once


def kept(root: Path) -> str | None:
    """Return the root that the index of ``root`` says is its folder's."""
    path = paths.index_dir(root) / "manifest.sqlite"
    if not path.exists():
        return None
    connection = sqlite3.connect(path)
    (found,) = connection.execute("SELECT value FROM facts WHERE name = 'root'").fetchone()
    connection.close()
    return str(found)


def renamed(root: Path) -> Path:
    return root.rename(root.with_name("r'enamed %20? #é"))


def moved_away(root: Path) -> Path:
    root.parent.joinpath("a/b").mkdir(parents=True)
    return root.rename(root.parent / "a/b/docs")


def moved_with_the_folder_above(root: Path) -> Path:
    return root.parent.rename(root.parent.with_name("above")) / root.name


def another_in_its_place(root: Path) -> Path:
    there = renamed(root)
    shutil.copytree(there, root)
    return there


@pytest.mark.parametrize("still_open", [True, False])
@pytest.mark.parametrize("move", [renamed, moved_away, another_in_its_place])
async def test_a_moved_folder_keeps_its_index(
    root: Path, folders: Engine, move: Callable[[Path], Path], still_open: bool
) -> None:
    await folders.index(root)
    if not still_open:
        await folders.folders.close()
    there = move(root)
    opened = await folders.open(there)
    await until_found(opened, TEXTS)
    assert (await opened.synced()).embedded == 0
    assert folders.embedded == []
    assert (kept(there), kept(root)) == (str(there), None)
    await until(lambda: status(opened).state == "watching")
    (there / "notes/owl.md").write_text("barn owl")
    await until_found(opened, TEXTS - {"owl"} | {"barn owl"})
    assert folders.embedded == ["barn owl"]
    again = moved_away(there)
    await until_found(await folders.open(again), TEXTS - {"owl"} | {"barn owl"})
    assert folders.embedded == ["barn owl"]


async def test_a_folder_above_that_was_renamed_takes_it_along(
    tmp_path: Path, root: Path, folders: Engine
) -> None:
    (tmp_path / "outer").mkdir()
    inner = root.rename(tmp_path / "outer/docs")
    await folders.index(inner)
    there = moved_with_the_folder_above(inner)
    await until_found(await folders.open(there), TEXTS)
    assert folders.embedded == []


async def test_what_changed_on_the_way_is_followed(root: Path, folders: Engine) -> None:
    await folders.index(root)
    await folders.folders.close()
    there = renamed(root)
    (there / "notes/owl.md").write_text("barn owl")
    (there / "notes/tern.md").unlink()
    opened = await folders.open(there)
    await until_found(opened, TEXTS - {"owl", "tern"} | {"barn owl"})
    assert folders.embedded == ["barn owl"]


async def test_a_moved_folder_that_somebody_looks_at_stays_with_them(
    root: Path, folders: Engine
) -> None:
    await folders.index(root)
    with folders.folders.in_use(await folders.open(root)):
        there = renamed(root)
        opened = await folders.open(there, agreed=True)
        await until_found(opened, TEXTS)
    assert sorted(folders.embedded) == sorted(TEXTS)
    assert (kept(there), kept(root)) == (str(there), str(root))


async def test_an_index_that_was_asked_about_in_vain_gives_way(root: Path, folders: Engine) -> None:
    await folders.index(root)
    await folders.folders.close()
    there = renamed(root)
    parked = paths.index_dir(root).rename(paths.data_dir() / "parked")
    asked = await folders.folders.open(api.OpenFolder(path=str(there)))
    assert asked.survey and asked.survey.reason
    parked.rename(paths.index_dir(root))
    await until_found(await folders.open(there), TEXTS)
    assert folders.embedded == []


# --- what must not be taken -----------------------------------------------------------------


async def find_after(folders: Engine, root: Path) -> None:
    await folders.index(root)
    await folders.folders.close()


async def test_a_copy_takes_nothing(root: Path, folders: Engine, tmp_path: Path) -> None:
    await find_after(folders, root)
    copy = tmp_path / "copy"
    shutil.copytree(root, copy)
    assert moved.find(copy) is None
    shutil.rmtree(root)
    assert moved.find(copy) is None


async def test_the_same_folder_at_a_second_place_takes_nothing(
    root: Path, folders: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await find_after(folders, root)
    mounted = tmp_path / "mounted"
    shutil.copytree(root, mounted)
    stat = Path.stat

    def bound(self: Path, **options: bool) -> os.stat_result:
        return stat(root if self == mounted else self, **options)

    monkeypatch.setattr(Path, "stat", bound)
    assert moved.find(mounted) is None
    monkeypatch.setattr(Path, "stat", stat)
    there = renamed(root)
    assert moved.find(there) == moved.Former(paths.index_dir(root), root)


@pytest.mark.parametrize("there", [0, 2, 3, 6])
async def test_a_stranger_that_got_the_inode_takes_nothing(
    root: Path, folders: Engine, there: int
) -> None:
    await find_after(folders, root)
    stranger = renamed(root)
    for name in NAMES[there:]:
        (stranger / name).write_text(f"another text of {name}")
    found = moved.find(stranger)
    assert (found is not None) == (there >= 3)


async def test_other_times_make_it_a_stranger(root: Path, folders: Engine) -> None:
    await find_after(folders, root)
    stranger = renamed(root)
    for name in NAMES:
        os.utime(stranger / name, ns=(0, 0))
    assert moved.find(stranger) is None


async def test_damaged_and_foreign_things_among_the_indexes_are_passed_over(
    root: Path, folders: Engine
) -> None:
    await find_after(folders, root)
    indexes = paths.data_dir() / "indexes"
    for name in ("0", "0 ?mode=memory", "00%23#"):
        (indexes / name).mkdir()
    (indexes / "0/manifest.sqlite").write_bytes(b"\x1b]0;no database\x07" * 1000)
    (indexes / "00%23#/manifest.sqlite").mkdir()
    (indexes / "a file").write_text("")
    there = renamed(root)
    found = moved.find(there)
    assert found == moved.Former(paths.index_dir(root), root)
    assert not (indexes / "0 ?mode=memory/manifest.sqlite").exists()


async def test_looking_leaves_the_other_indexes_as_they_were(
    root: Path, folders: Engine, tmp_path: Path
) -> None:
    await find_after(folders, root)

    def everything() -> dict[Path, tuple[int, int]]:
        place = paths.index_dir(root)
        return {p: (p.stat().st_size, p.stat().st_mtime_ns) for p in place.iterdir()}

    before = everything()
    (tmp_path / "new").mkdir()
    assert moved.find(tmp_path / "new") is None
    assert everything() == before


# --- killed on the way ----------------------------------------------------------------------


async def test_killed_after_the_move_the_new_root_is_written_at_the_next_opening(
    root: Path, folders: Engine
) -> None:
    await find_after(folders, root)
    there = renamed(root)
    former = moved.find(there)
    assert former
    moved.take_over(former, there)
    assert kept(there) == str(root)
    await until_found(await folders.open(there), TEXTS)
    assert (kept(there), folders.embedded) == (str(there), [])


async def test_killed_after_the_move_and_moved_again_it_is_found_again(
    root: Path, folders: Engine
) -> None:
    await find_after(folders, root)
    there = renamed(root)
    former = moved.find(there)
    assert former
    moved.take_over(former, there)
    again = moved_away(there)
    await until_found(await folders.open(again), TEXTS)
    assert (kept(again), folders.embedded) == (str(again), [])


async def test_a_data_folder_that_cannot_be_written_changes_nothing(
    root: Path, folders: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await find_after(folders, root)
    there = renamed(root)

    def refuse(self: Path, target: Path) -> Path:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as failing:
        failing.setattr(Path, "rename", refuse)
        opened = await folders.open(there, agreed=True)
        await until_found(opened, TEXTS)
    assert (kept(there), kept(root)) == (str(there), str(root))
