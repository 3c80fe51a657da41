"""Milvus breaks and is opened again: once for all who met it, and nothing is left running."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import psutil
import pytest

from engine.errors import ManifestError, StoreError
from engine.storage import index as index_module
from engine.storage.index import Index
from engine.storage.manifest import Manifest
from engine.storage.store import Store
from tests.engine.test_lite_server import servers
from tests.engine.tiny_encoder import TinyEncoder
from tests.hits import wanted
from tests.opened import opening, status, until

pytestmark = pytest.mark.real

SEARCHES = 40
NOTES = 20


@pytest.fixture
def root(tmp_path: Path) -> Path:
    place = tmp_path / "docs"
    place.mkdir()
    for number in range(NOTES):
        (place / f"{number}.md").write_text(f"text {number}")
    return place


def kill(pid: int | None) -> None:
    """End a Milvus, and see that it has ended."""
    assert pid is not None
    server = psutil.Process(pid)
    server.kill()
    server.wait(10)


@pytest.fixture
def reopened(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The generation before each reopening."""
    found: list[int] = []
    reopen = Index.reopen

    def note(index: Index) -> None:
        found.append(index.generation)
        reopen(index)

    monkeypatch.setattr(Index, "reopen", note)
    return found


async def test_many_searches_that_meet_a_dead_milvus_reopen_it_and_none_fails(
    root: Path, reopened: list[int]
) -> None:
    async with opening(root, TinyEncoder()) as opened:
        del reopened[:]
        kill(opened.milvus_pid)
        searches = [opened.search(wanted(f"text {number}", 3)) for number in range(SEARCHES)]
        replies = await asyncio.gather(*searches)
        assert [len(reply.hits) for reply in replies] == [3] * SEARCHES
        assert 1 <= len(reopened) <= 2


async def test_a_folder_tells_that_its_milvus_is_dead_until_it_is_started_again(
    root: Path,
) -> None:
    async with opening(root, TinyEncoder()) as opened:
        assert (status(opened).detail, status(opened).pids.milvus) == ("", opened.milvus_pid)
        kill(opened.milvus_pid)
        told = status(opened)
        assert (told.state, told.detail) == ("watching", index_module.MILVUS_ENDED)
        assert told.pids.milvus is None
        await opened.search(wanted("text 0", 3))
        assert not status(opened).detail
        assert status(opened).pids.milvus is not None


async def test_searches_that_come_while_the_index_is_reopened_wait_for_that_and_do_not_do_it_again(
    root: Path, reopened: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    opens, go = threading.Event(), threading.Event()
    failed: list[str] = []
    search = Index.search

    def open_slowly(*args: Any) -> Store:
        opens.set()
        assert go.wait(30)
        return Store(*args)

    def note(index: Index, *args: Any) -> Any:
        try:
            return search(index, *args)
        except StoreError as error:
            failed.append(str(error))
            raise

    async with opening(root, TinyEncoder()) as opened:
        del reopened[:]
        monkeypatch.setattr(index_module, "Store", open_slowly)
        monkeypatch.setattr(Index, "search", note)
        kill(opened.milvus_pid)
        searches = [asyncio.create_task(opened.search(wanted("text 0", 3)))]
        try:
            await until(opens.is_set)
            for number in range(1, SEARCHES):
                searches.append(asyncio.create_task(opened.search(wanted(f"text {number}", 3))))
            await until(lambda: len(failed) == SEARCHES)
        finally:
            go.set()
        replies = await asyncio.gather(*searches)
        assert [len(reply.hits) for reply in replies] == [3] * SEARCHES
        assert len(reopened) == 1
        assert len(failed) == SEARCHES, "none met another reopening"


async def test_a_sync_whose_milvus_dies_twice_ends_well(
    root: Path, reopened: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    deaths = iter(range(2))
    add = Index.add

    def die(index: Index, *args: Any) -> None:
        if next(deaths, None) is not None:
            kill(index.pid)
            raise StoreError("it died")
        add(index, *args)

    async with opening(root, TinyEncoder()) as opened:
        del reopened[:]
        monkeypatch.setattr(Index, "add", die)
        (root / "more.md").write_text("a kite hovers")
        assert (await opened.synced()).files == NOTES + 1
        assert (await opened.search(wanted("a kite hovers", 1))).hits[0].text == "a kite hovers"
        assert (len(reopened), len(set(reopened))) == (2, 2)
        assert status(opened).state == "watching"
    assert not servers(root)


def test_the_generation_grows_only_once_a_reopening_went_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = Manifest(tmp_path / "manifest.sqlite")
    index = Index(manifest, tmp_path / "index.db", "tiny", TinyEncoder.dimension)
    before = index.generation
    with monkeypatch.context() as broken:
        broken.setattr(Manifest, "all_rows", _damaged)
        with pytest.raises(ManifestError):
            index.reopen()
    assert index.generation == before
    index.reopen()
    assert index.generation > before
    index.close()
    manifest.close()


def test_an_index_that_fails_to_open_leaves_no_milvus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest, target = Manifest(tmp_path / "manifest.sqlite"), tmp_path / "index.db"
    started: list[int | None] = []

    def fail(_: Manifest) -> set[int]:
        started.extend(server.pid for server in servers(target))
        raise ManifestError("the manifest is damaged")

    with monkeypatch.context() as broken:
        broken.setattr(Manifest, "all_rows", fail)
        with pytest.raises(ManifestError, match="is damaged"):
            Index(manifest, target, "tiny", TinyEncoder.dimension)
    left = servers(target)
    Index(manifest, target, "tiny", TinyEncoder.dimension).close()
    manifest.close()
    assert (len(started), left) == (1, [])


def test_milvus_is_known_by_its_process_id_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to("disk")
    manifest = Manifest(tmp_path / "link/manifest.sqlite")
    index = Index(manifest, tmp_path / "link/index.db", "tiny", TinyEncoder.dimension)
    told, found = index.pid, [server.pid for server in servers(tmp_path / "disk/index.db")]
    index.close()
    manifest.close()
    assert [told] == found
    assert not servers(tmp_path)


def _damaged(_: Manifest) -> set[int]:
    raise ManifestError("the manifest is damaged")
