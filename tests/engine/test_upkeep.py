"""Indexes are examined, mended and forgotten by the engine, with real Milvus Lite."""

import asyncio
import contextlib
import os
import sqlite3
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from engine import paths
from engine.config import Settings
from engine.errors import FolderInUseError, ManifestError, NoIndexError, StoreError
from engine.server import kept
from engine.server.differences import Examination, verdict
from engine.server.open_folders import OpenFolders
from engine.server.upkeep import Upkeep
from engine.storage import lite_server, seal
from engine.storage import store as store_module
from engine.storage.manifest import Manifest, row_id, text_hash
from engine.storage.store import Row, Store
from engine.wire import api
from engine.wire.api_kept import Examined, ExamineRequest
from tests.engine.tiny_encoder import TinyEncoder, TinyShared
from tests.hits import wanted
from tests.supervised import until

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]

BIRDS = ("owl", "kite", "heron", "hawk", "crane")


class Keeper:
    """The part of an engine that opens folders and looks after their indexes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.encoder = TinyShared()
        settings = Settings()
        self.folders = OpenFolders(settings, self.encoder, lambda: None)
        self.upkeep = Upkeep(settings, self.folders, self.encoder)
        self.name = paths.short_hash(str(root))
        self.place = paths.index_dir(root)

    async def index(self) -> api.SyncFinished:
        opened = await self.folders.open(api.OpenFolder(path=str(self.root)))
        return await self.folders.get(opened.folder).synced()

    async def examine(self, *, repair: bool = False) -> Examined:
        return await self.upkeep.examine(ExamineRequest(path=str(self.root), repair=repair))

    def change(self, *statements: str) -> None:
        """Change the manifest behind everybody's back."""
        with contextlib.closing(sqlite3.connect(self.place / kept.MANIFEST)) as connection:
            for statement in statements:
                connection.execute(statement)
            connection.commit()

    def file_id(self, name: str) -> int:
        with contextlib.closing(sqlite3.connect(self.place / kept.MANIFEST)) as connection:
            row = connection.execute("SELECT id FROM files WHERE path = ?", (name.encode(),))
            return int(row.fetchone()[0])


@pytest.fixture
async def keeper(tmp_path: Path) -> AsyncIterator[Keeper]:
    root = tmp_path / "docs"
    root.mkdir()
    for bird in BIRDS:
        (root / f"{bird}.md").write_text(f"The {bird} flies.\n")
    keeper = Keeper(root)
    yield keeper
    await keeper.folders.close()


def told(examined: Examined) -> set[str]:
    """Return what was found, with its examples."""
    return {
        " ".join([finding.what, *finding.examples]).replace("\u00a0", " ")
        for finding in examined.findings
        if finding.level == "fault"
    }


def change_folder(keeper: Keeper) -> set[str]:
    (keeper.root / "\x1b[2Jnew\udcff.md").write_text("The tern dives.")
    (keeper.root / "owl.md").write_text("The owl sits on a branch.")
    (keeper.root / "kite.md").unlink()
    return {
        "1 file that is not in the index yet \x1b[2Jnew\ufffd.md",
        "1 file that has changed since it was read owl.md",
        "1 file that is gone and still in the index kite.md",
    } | forge(keeper)


def forge(keeper: Keeper) -> set[str]:
    """Change a file so that only its content tells."""
    path = keeper.root / "crane.md"
    before = path.stat()
    path.write_text("The crane f1ies.\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    # As a disk does that loses bits; whatever program has written shows in the ctime.
    told = path.stat().st_ctime_ns
    keeper.change(f"UPDATE files SET ctime_ns = {told} WHERE path = CAST('crane.md' AS BLOB)")
    return {"1 file with another content under the same time and size crane.md"}


def damage_rows(keeper: Keeper) -> set[str]:
    def key(bird: str) -> str:
        return f"x'{text_hash(f'The {bird} flies.').hex()}'"

    nan = np.full(TinyEncoder.dimension, np.nan, np.float32).tobytes().hex()
    keeper.change(
        f"UPDATE chunks SET text = 'forged' WHERE text_hash = {key('owl')}",
        f"DELETE FROM vectors WHERE text_hash = {key('kite')}",
        f"UPDATE vectors SET vector = x'{nan}' WHERE text_hash = {key('heron')}",
        f"UPDATE vectors SET vector = x'00' WHERE text_hash = {key('hawk')}",
    )
    return {
        "1 file whose chunks are damaged in the manifest owl.md",
        "1 file with chunks that have no vector of this encoder kite.md",
        "2 files with damaged vectors hawk.md heron.md",
    }


def damage_milvus(keeper: Keeper) -> set[str]:
    """Remove a row, add one twice and one that nobody needs."""
    vector = np.ones(TinyEncoder.dimension, np.float32)
    told = kept.stored(keeper.place)
    store = Store(keeper.place / "index.db", told.collection, TinyEncoder.dimension)
    rows = {
        bird: row_id(keeper.file_id(f"{bird}.md"), text_hash(f"The {bird} flies."))
        for bird in BIRDS
    }
    assert store.rows() == set(rows.values())
    seal.take_off(keeper.place / "index.db")
    store.delete([rows["owl"]])
    store.insert([Row(rows["kite"], 1, vector, ""), Row(7, 1, vector, "")])
    store.close()
    return {"1 row missing in Milvus", "1 row in Milvus twice"}


def cut_milvus(keeper: Keeper) -> set[str]:
    path = keeper.place / "index.db"
    path.write_bytes(b"\0" * path.stat().st_size)
    seal.take_off(path)
    return {f"{path} can't be opened"}


def rot_milvus(keeper: Keeper) -> set[str]:
    """Change a byte at the end, where nobody but the seal would notice."""
    path = keeper.place / "index.db"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    return {f"{path} is not what it was when it was closed"}


def lose_milvus(keeper: Keeper) -> set[str]:
    (keeper.place / "index.db").unlink()
    return {"5 rows missing in Milvus"}


def cut_manifest(keeper: Keeper) -> set[str]:
    (keeper.place / kept.MANIFEST).write_bytes(b"no database" * 500)
    return {"the manifest is damaged: file is not a database"}


def rot_manifest(keeper: Keeper) -> set[str]:
    """Damage a page that opening does not read, which changes neither size nor time."""
    path = keeper.place / kept.MANIFEST
    mark = path.with_name(f"{path.name}-sound")
    sound, marked, before = path.read_bytes(), mark.read_bytes(), path.stat()
    for begin in range(4096, len(sound), 4096):
        path.write_bytes(sound[:begin] + b"\xff" * 4096 + sound[begin + 4096 :])
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        mark.write_bytes(marked)
        with contextlib.suppress(sqlite3.DatabaseError, ManifestError):
            Manifest(path).close()
            if verdict(path) != "ok":
                return {"the manifest is damaged: "}
    raise AssertionError("opening reads every page")


@pytest.mark.parametrize(
    "harm",
    [
        change_folder,
        damage_rows,
        damage_milvus,
        cut_milvus,
        rot_milvus,
        lose_milvus,
        cut_manifest,
        rot_manifest,
    ],
    ids=lambda harm: harm.__name__,
)
async def test_what_differs_is_told_and_put_right(
    keeper: Keeper, harm: Callable[[Keeper], set[str]]
) -> None:
    await keeper.index()
    await keeper.folders.close()
    assert [finding.level for finding in (await keeper.examine()).findings] == ["ok"]

    expected = await asyncio.to_thread(harm, keeper)
    for repair in (False, True):
        examined = await keeper.examine(repair=repair)
        found = told(examined)
        assert len(found) == len(expected), found
        assert all(any(what.startswith(part) for what in found) for part in expected), found
        assert bool(examined.left) != repair, examined.left
    mended = await keeper.examine()
    assert [finding.what for finding in mended.findings] == [
        "5 files, 5 chunks: folder, manifest and Milvus agree"
    ]
    await keeper.folders.close()
    assert not told(await keeper.examine())


@pytest.mark.parametrize("harm", [forge, damage_rows])
async def test_an_open_folder_is_examined_and_mended_in_place(
    keeper: Keeper, harm: Callable[[Keeper], set[str]]
) -> None:
    await keeper.index()
    expected = harm(keeper)
    assert told(await keeper.examine()) == expected
    encoder = keeper.encoder.encoder
    before = Counter([*encoder.in_turn, *encoder.at_once])
    examined = await keeper.examine(repair=True)
    assert (told(examined), examined.left) == (expected, [])
    # As often as it may be: the event of the change may come in the middle of the repair.
    again = set(Counter([*encoder.in_turn, *encoder.at_once]) - before)
    damaged = ("The kite flies.", "The heron flies.", "The hawk flies.")
    assert again == (set(damaged) if harm is damage_rows else {"The crane f1ies."})
    folder = keeper.folders.get(keeper.name)
    found = {hit.text.strip() for hit in (await folder.search(wanted("bird", 9))).hits}
    assert found == {(keeper.root / f"{bird}.md").read_text().strip() for bird in BIRDS}


async def test_rows_that_an_edit_left_are_no_fault(keeper: Keeper) -> None:
    await keeper.index()
    (keeper.root / "owl.md").write_text("The owl sleeps.")
    assert (await keeper.index()).changed == 1
    assert not told(await keeper.examine())
    await keeper.folders.close()
    [note] = (await keeper.examine()).findings
    assert (note.level, note.what) == ("note", "1 row in Milvus that no chunk needs any more")


async def test_only_whoever_opens_the_folder_itself_waits_until_it_was_examined(
    keeper: Keeper, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    await keeper.index()
    await keeper.folders.close()
    begun, go_on = threading.Event(), threading.Event()
    look = Examination.look_at_folder

    def look_slowly(examination: Examination) -> None:
        begun.set()
        assert go_on.wait(30)
        look(examination)

    monkeypatch.setattr(Examination, "look_at_folder", look_slowly)
    examining = asyncio.create_task(keeper.examine())
    assert await asyncio.to_thread(begun.wait, 30)
    opening = asyncio.create_task(keeper.index())
    (tmp_path / "other").mkdir()
    other = await keeper.folders.open(api.OpenFolder(path=str(tmp_path / "other")))
    assert keeper.folders.get(other.folder)
    assert not opening.done() and not examining.done()
    go_on.set()
    assert [finding.level for finding in (await examining).findings] == ["ok"]
    assert (await opening).embedded == 0


async def test_a_folder_that_is_moved_while_it_is_examined_keeps_its_index(
    keeper: Keeper, tmp_path: Path
) -> None:
    await keeper.index()
    await keeper.folders.close()
    async with keeper.folders.closed(keeper.name):
        moved = Keeper(keeper.root.rename(tmp_path / "moved"))
        moved.folders = keeper.folders
        opening = asyncio.create_task(moved.index())
        await until(lambda: keeper.folders._changing._waiters)
        assert not opening.done()
    assert (await opening).embedded == 0


async def test_what_was_never_indexed_is_not_examined(keeper: Keeper) -> None:
    with pytest.raises(NoIndexError, match="nothing is kept"):
        await keeper.examine()
    assert not keeper.place.exists()


async def test_a_folder_in_use_is_not_forgotten(
    keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.server.upkeep.LEAVING_SECONDS", 0.3)
    await keeper.index()
    folder = keeper.folders.get(keeper.name)
    with keeper.folders.in_use(folder), pytest.raises(FolderInUseError, match="on a screen"):
        await keeper.upkeep.forget(keeper.name)
    assert keeper.place.exists()
    assert len((await folder.search(wanted("owl", 9))).hits) == 5


async def test_who_just_leaves_is_waited_for_and_who_comes_begins_anew(keeper: Keeper) -> None:
    await keeper.index()
    using = keeper.folders.in_use(keeper.folders.get(keeper.name))
    using.__enter__()
    asyncio.get_running_loop().call_later(0.2, using.__exit__, None, None, None)
    forgetting = asyncio.create_task(keeper.upkeep.forget(keeper.name))
    while keeper.folders.all():  # noqa: ASYNC110  it is closed by another task
        await asyncio.sleep(0.01)
    again = await keeper.index()
    forgotten = await forgetting
    assert (forgotten.index.docs, forgotten.index.files) == (str(keeper.root), 5)
    assert forgotten.left == ()
    assert (again.files, again.embedded) == (5, 5), "nothing was left to be used again"
    assert not kept.half_forgotten()
    assert not told(await keeper.examine())


def test_the_collection_on_a_server_is_dropped_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "CALL_SECONDS", 1)
    server = tmp_path / "server.db"
    vector = np.ones(TinyEncoder.dimension, np.float32)
    for name in ("chunks_mine", "chunks_others"):
        store = Store(server, name, TinyEncoder.dimension)
        store.insert([Row(1, 1, vector, "")])
        store.close()
    place = paths.make_private(paths.index_dir(tmp_path))
    manifest = Manifest(place / kept.MANIFEST)
    manifest.set_fact("collection", "chunks_mine")
    manifest.close()
    with pytest.raises(StoreError) as met:
        Store("http://127.0.0.1:9", "chunks_mine", TinyEncoder.dimension)
    assert met.value.next_step.startswith("Check milvus_uri")
    taken = kept.take_away(place)
    [left] = kept.remove(taken, partial(store_module.drop_collection, "http://127.0.0.1:9")).left
    assert "the collection chunks_mine could not be removed from http://127.0.0.1:9" in left

    taken.aside.mkdir()
    assert kept.remove(taken, partial(store_module.drop_collection, str(server))).left == ()
    lite_server.release(server)
    for name, rows in (("chunks_mine", set()), ("chunks_others", {1})):
        store = Store(server, name, TinyEncoder.dimension)
        assert store.rows() == rows
        store.close()
