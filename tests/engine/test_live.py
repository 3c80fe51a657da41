"""What a folder does by itself while it is open: it notices, keeps pace, tidies up, comes back."""

import asyncio
import ctypes
import errno
import os
import shutil
import threading
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from watchdog.observers import inotify_c

from engine import mounts, paths
from engine.errors import FolderError, ManifestError
from engine.files import watch
from engine.server import folder
from engine.server.folder import Folder
from engine.storage import index
from engine.storage.kept_vectors import KeptVectors
from engine.storage.manifest import open_manifest
from tests.engine.test_manifest import damage
from tests.engine.tiny_encoder import TinyEncoder
from tests.opened import opening, status, texts, until, until_found

pytestmark = pytest.mark.real


@pytest.fixture
def root(tmp_path: Path) -> Path:
    place = tmp_path / "docs"
    (place / "deep/down").mkdir(parents=True)
    (place / "deep/down/kite.md").write_text("kite")
    (place / "owl.md").write_text("owl")
    return place


@pytest.fixture
def encoder() -> TinyEncoder:
    return TinyEncoder()


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look sooner whether the watch still lives."""
    monkeypatch.setattr(watch, "ALIVE_EVERY", 0.1)
    monkeypatch.setattr(watch, "BEGIN_AGAIN", 0.1)
    monkeypatch.setattr(watch, "LOOKING_SHARE", 1)


@pytest.fixture
async def opened(root: Path, encoder: TinyEncoder) -> AsyncIterator[Folder]:
    async with opening(root, encoder) as made:
        await until(lambda: status(made).state == "watching")
        yield made


# --- what the system does not watch ---------------------------------------------------------


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many more watches the system grants; the real one grants them."""
    left = [1000]
    add = inotify_c.inotify_add_watch

    def limited(handle: int, path: bytes, mask: int) -> int:
        if left[0] <= 0:
            ctypes.set_errno(errno.ENOSPC)
            return -1
        left[0] -= 1
        return int(add(handle, path, mask))

    monkeypatch.setattr(inotify_c, "inotify_add_watch", limited)
    return left


@pytest.mark.parametrize("granted", [0, 1, 2])
async def test_a_folder_watched_in_part_says_so_and_is_compared_more_often(
    root: Path,
    encoder: TinyEncoder,
    limit: list[int],
    granted: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watch, "PARTIAL_EVERY", 0.3)
    limit[0] = granted
    async with opening(root, encoder) as opened:
        await until(lambda: status(opened).state == "partial watch")
        assert "max_user_watches" in status(opened).detail
        (root / "deep/down/kite.md").write_text("red kite")
        await until_found(opened, {"red kite", "owl"})
        limit[0] = 1000
        await until(lambda: status(opened).state == "watching")
        assert status(opened).detail == ""
        monkeypatch.setattr(watch, "PARTIAL_EVERY", 300)
        (root / "deep/down/kite.md").write_text("black kite")
        await until_found(opened, {"black kite", "owl"})


async def test_a_limit_reached_by_a_new_folder_is_noticed(
    root: Path, opened: Folder, limit: list[int]
) -> None:
    limit[0] = 0
    (root / "new").mkdir()
    await until(lambda: status(opened).state == "partial watch")


async def test_a_network_folder_says_so_and_what_others_write_there_is_found(
    root: Path, encoder: TinyEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mounts, "listed", lambda: [mounts.Mount(str(root), "nfs4")])
    monkeypatch.setattr(watch, "PARTIAL_EVERY", 0.3)
    monkeypatch.setattr(watch.Watch, "_note", _only_everything(watch.Watch._note))
    async with opening(root, encoder) as opened:
        await until(lambda: status(opened).state == "partial watch")
        assert "in a network folder (nfs4)" in status(opened).detail
        (root / "owl.md").write_text("barn owl")
        await until_found(opened, {"kite", "barn owl"})


async def test_without_a_watch_at_all_the_folder_is_compared(
    root: Path, encoder: TinyEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> int:
        ctypes.set_errno(errno.EMFILE)
        return -1

    monkeypatch.setattr(inotify_c, "inotify_init", refuse)
    monkeypatch.setattr(watch, "PARTIAL_EVERY", 0.3)
    async with opening(root, encoder) as opened:
        await until(lambda: status(opened).state == "partial watch")
        (root / "owl.md").write_text("barn owl")
        await until_found(opened, {"kite", "barn owl"})


async def test_after_lost_events_the_whole_folder_is_compared(
    root: Path, opened: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = inotify_c.WatchDescriptor(-1)
    lost = inotify_c.InotifyEvent(nowhere, inotify_c.InotifyConstants.IN_Q_OVERFLOW, 0, b"")
    monkeypatch.setattr(watch.Watch, "_note", _only_everything(watch.Watch._note))
    (root / "owl.md").write_text("barn owl")
    for thread in threading.enumerate():
        if isinstance(thread, inotify_c.InotifyFD):
            thread.handle_event(lost)
    await until_found(opened, {"kite", "barn owl"})


def _only_everything(note: Callable[[watch.Watch, Any], None]) -> Callable[..., None]:
    """Return ``note`` as it is when the events of single files are lost."""
    return lambda self, path: note(self, path) if path is None else None


async def test_reading_files_gives_no_hints(
    root: Path, opened: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    hints: list[object] = []
    note = watch.Watch._note

    def listen(self: watch.Watch, path: bytes | None) -> None:
        hints.append(path)
        note(self, path)

    monkeypatch.setattr(watch.Watch, "_note", listen)
    for _ in range(3):
        assert (root / "owl.md").read_text() == "owl"
    (root / "owl.md").touch()
    await until(lambda: bool(hints))
    assert set(hints) == {bytes(root / "owl.md")}


# --- figures --------------------------------------------------------------------------------


async def test_the_last_edit_is_timed_from_its_event_until_it_is_found(
    root: Path, opened: Folder
) -> None:
    await opened.synced()
    assert status(opened).last_edit_ms is None
    begun = time.monotonic()
    for number in range(100):  # an edit in the first moment is found by the first comparison
        (root / "owl.md").write_text(f"owl {number}")
        await until_found(opened, {"kite", f"owl {number}"})
        if figure := status(opened).last_edit_ms:
            break
    assert figure is not None
    assert watch.QUIET <= figure / 1000 <= time.monotonic() - begun + 0.01


async def test_a_few_new_texts_go_before_bulk_work(
    root: Path, opened: Folder, encoder: TinyEncoder
) -> None:
    encoder.at_once.clear()
    encoder.in_turn.clear()
    (root / "owl.md").write_text("barn owl")
    await until_found(opened, {"kite", "barn owl"})
    assert (encoder.at_once, encoder.in_turn) == (["barn owl"], [])
    encoder.at_once.clear()
    for number in range(30):
        (root / f"deep/{number}.md").write_text(f"bird {number}")
    await opened.synced()
    assert {*encoder.in_turn, *encoder.at_once} == {f"bird {number}" for number in range(30)}
    assert len(encoder.in_turn) > 8


# --- tidying up -----------------------------------------------------------------------------


def dead(opened: Folder) -> int:
    assert opened._index
    return opened._index.dead


async def test_dead_rows_wait_for_an_idle_moment(root: Path, opened: Folder) -> None:
    (root / "owl.md").write_text("barn owl")
    await until_found(opened, {"kite", "barn owl"})
    assert dead(opened) == 1
    opened._last_use = time.monotonic() - folder.IDLE / 2
    await opened.tidy_if_idle()
    assert dead(opened) == 1
    deadline = time.monotonic() + 15
    while dead(opened):  # until the watch has nothing left to hand over
        assert time.monotonic() < deadline, "the dead rows stayed"
        opened._last_use = time.monotonic() - folder.IDLE
        await opened.tidy_if_idle()
        await asyncio.sleep(0.01)
    assert await texts(opened) == {"kite", "barn owl"}


async def test_an_idle_folder_tidies_up_by_itself(
    root: Path, encoder: TinyEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "IDLE", 0.3)
    forgotten: list[str] = []
    monkeypatch.setattr(
        KeptVectors, "forget_unused", lambda self, model, now: forgotten.append(model)
    )
    async with opening(root, encoder) as opened:
        (root / "owl.md").write_text("barn owl")
        await until_found(opened, {"kite", "barn owl"})
        await until(lambda: dead(opened) == 0)
        await until(lambda: forgotten == ["tiny"])


async def test_many_dead_rows_are_purged_at_once(
    root: Path, opened: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "DEAD_ALWAYS_FINE", 1)
    (root / "owl.md").write_text("barn owl")
    await opened.synced()
    assert dead(opened) == 1
    (root / "owl.md").unlink()
    await opened.synced()
    assert dead(opened) == 0
    assert await texts(opened) == {"kite"}


# --- going and coming back ------------------------------------------------------------------


async def test_an_empty_folder_in_the_place_of_the_folder_deletes_nothing(
    root: Path, opened: Folder, tmp_path: Path
) -> None:
    root.rename(tmp_path / "away")
    root.mkdir()  # as when a disk is not mounted
    await until(lambda: status(opened).state == "missing")
    with pytest.raises(FolderError, match="perhaps a disk is missing"):
        await opened.synced()
    assert await texts(opened) == {"kite", "owl"}
    root.rmdir()
    (tmp_path / "away").rename(root)
    await until(lambda: status(opened).state == "watching")
    (root / "owl.md").write_text("barn owl")
    await until_found(opened, {"kite", "barn owl"})


async def test_an_empty_folder_is_no_reason_to_delete_for_the_next_engine_either(
    root: Path, encoder: TinyEncoder, tmp_path: Path
) -> None:
    async with opening(root, encoder):
        pass
    root.rename(tmp_path / "away")
    root.mkdir()
    with pytest.raises(FolderError, match="perhaps a disk is missing"):
        async with opening(root, encoder):
            pass
    assert open_manifest(root).counts() == (2, 2)


async def test_a_folder_that_was_emptied_is_empty(root: Path, opened: Folder) -> None:
    (root / "deep/down/kite.md").unlink()
    (root / "deep/down").rmdir()
    (root / "deep").rmdir()
    (root / "owl.md").unlink()
    await until_found(opened, set())


async def test_another_folder_in_its_place_is_what_is_searched(
    root: Path, opened: Folder, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other/heron.md").write_text("heron")
    root.rename(tmp_path / "away")
    (tmp_path / "other").rename(root)
    await until_found(opened, {"heron"})
    (root / "heron.md").write_text("grey heron")
    await until_found(opened, {"grey heron"})


async def test_a_part_that_cannot_be_listed_just_now_keeps_its_files(
    root: Path, opened: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing = os.scandir

    def fail(path: Any) -> Any:
        if str(path).endswith("deep"):
            raise OSError(errno.EIO, "the disk does not answer")
        return listing(path)

    with monkeypatch.context() as failing:
        failing.setattr(os, "scandir", fail)
        summary = await opened.synced()
    assert (summary.removed, [skip.path for skip in summary.skipped]) == (0, ["deep"])
    assert await texts(opened) == {"kite", "owl"}


async def test_damage_that_shows_only_in_the_work_is_mended_by_opening_again(
    root: Path, encoder: TinyEncoder
) -> None:
    for number in range(300):
        (root / f"deep/{number}.md").write_text(f"bird {number} " * 20)
    async with opening(root, encoder) as opened:
        assert not opened.failed_to_open
    (root / "owl.md").unlink()
    manifest = paths.index_dir(root) / "manifest.sqlite"
    damage(manifest, "chunks", seen=False)
    async with opening(root, encoder, sync=False) as opened:
        with pytest.raises(ManifestError, match="malformed") as met:
            await opened.synced()
        assert "Open the folder again" in met.value.next_step
        assert opened.failed_to_open
    async with opening(root, encoder) as opened:
        assert status(opened).files == 301
    assert (manifest.parent / "damaged-manifest.sqlite").exists()


async def test_an_index_that_was_removed_is_missed_and_made_anew_by_opening_again(
    root: Path, encoder: TinyEncoder
) -> None:
    async with opening(root, encoder) as opened:
        await until(lambda: status(opened).state == "watching")
        shutil.rmtree(paths.index_dir(root))
        (root / "owl.md").write_text("barn owl")
        await until(lambda: status(opened).state == "failed")
        assert "was removed" in status(opened).detail
        assert opened.failed_to_open
    async with opening(root, encoder) as opened:
        assert await texts(opened) == {"kite", "barn owl"}
