"""A watched folder with the real encoder, Milvus Lite and watchdog: the index equals the tree."""

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from engine import config, documents
from engine.errors import FolderError, ModelError
from engine.server.folder import Folder
from engine.server.service import Engine
from engine.server.shared_encoder import SharedEncoder
from engine.storage.manifest import open_manifest
from engine.wire import api
from tests.hits import wanted

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]

KITE = "The red kite steers with its forked tail."
OWL = "The barn owl hears a mouse under the snow."
HERON = "The heron stands still in shallow water."


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    (folder / "birds").mkdir(parents=True)
    (folder / "birds/kite.md").write_text(f"# Kite\n\n{KITE}\n")
    (folder / "owl.txt").write_text(OWL)
    return folder


@pytest.fixture
async def folder(
    root: Path, encoder_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Folder]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(encoder_cache.parent))
    settings = config.load()
    encoder = SharedEncoder(settings)
    opened = Folder(root, open_manifest(root), settings, encoder, lambda: None)
    opened.begin()
    await opened.synced()
    yield opened
    await opened.close()
    await encoder.close()


async def texts(folder: Folder, query: str = "a bird") -> dict[str, str]:
    """Return path → text of everything that is found."""
    return {hit.path: hit.text for hit in (await folder.search(wanted(query, 50))).hits}


async def until(
    folder: Folder, expected: Callable[[dict[str, str]], bool], seconds: float = 20
) -> None:
    deadline = time.monotonic() + seconds
    while not expected(found := await texts(folder)):
        assert time.monotonic() < deadline, f"the index stayed at {found}"
        await asyncio.sleep(0.02)


async def test_a_new_folder_is_found_with_places_and_headings(folder: Folder) -> None:
    best = (await folder.search(wanted("which bird steers with its tail?", 1))).hits[0]
    assert (best.path, best.start_line, best.heading) == ("birds/kite.md", 1, "Kite")
    assert KITE in best.text
    assert best.distance is not None
    assert 0.3 < best.distance <= 1


def in_place(path: Path, text: str) -> None:
    path.write_text(text)


def by_rename(path: Path, text: str) -> None:
    new = path.with_name(".tmp-" + path.name)
    new.write_text(text)
    new.replace(path)


def as_vim_does(path: Path, text: str) -> None:
    backup = path.with_name(path.name + "~")
    path.rename(backup)
    path.write_text(text)
    backup.unlink()


@pytest.mark.parametrize("save", [in_place, by_rename, as_vim_does])
async def test_a_save_is_found_and_the_old_text_is_not(
    folder: Folder, root: Path, save: Callable[[Path, str], None]
) -> None:
    save(root / "owl.txt", HERON)
    await until(
        folder, lambda found: found == {"birds/kite.md": f"# Kite\n\n{KITE}", "owl.txt": HERON}
    )


async def test_created_deleted_and_moved_files_are_followed(folder: Folder, root: Path) -> None:
    (root / "heron.md").write_text(HERON)
    await until(folder, lambda found: "heron.md" in found)
    (root / "heron.md").rename(root / "birds/grey-heron.md")
    await until(folder, lambda found: "birds/grey-heron.md" in found and "heron.md" not in found)
    (root / "owl.txt").unlink()
    await until(folder, lambda found: "owl.txt" not in found)


async def test_whole_folders_may_be_renamed_moved_out_and_in(
    folder: Folder, root: Path, tmp_path: Path
) -> None:
    (root / "birds").rename(root / "raptors")
    await until(folder, lambda found: set(found) == {"raptors/kite.md", "owl.txt"})
    (root / "raptors").rename(tmp_path / "elsewhere")
    await until(folder, lambda found: set(found) == {"owl.txt"})
    (tmp_path / "elsewhere").rename(root / "back")
    await until(folder, lambda found: set(found) == {"back/kite.md", "owl.txt"})


async def test_a_rename_adds_nothing_and_keeps_its_rows(folder: Folder, root: Path) -> None:
    (root / "owl.txt").rename(root / "strix.txt")
    summary = await folder.synced()
    assert (summary.added, summary.removed, summary.embedded) == (0, 0, 0)
    assert set(await texts(folder)) == {"birds/kite.md", "strix.txt"}


async def test_renames_and_copies_embed_nothing(folder: Folder, root: Path) -> None:
    (root / "owl.txt").rename(root / "strix.txt")
    shutil.copy(root / "birds/kite.md", root / "copy.md")
    summary = await folder.synced()
    assert summary.embedded == 0
    assert set(await texts(folder)) == {"birds/kite.md", "copy.md", "strix.txt"}


async def test_an_ignored_file_leaves_the_index(folder: Folder, root: Path) -> None:
    (root / ".gitignore").write_text("owl.txt\n")
    await until(folder, lambda found: set(found) == {"birds/kite.md"})


async def test_a_folder_that_vanishes_keeps_its_index_and_comes_back(
    folder: Folder, root: Path, tmp_path: Path
) -> None:
    before = await texts(folder)
    root.rename(tmp_path / "away")
    with pytest.raises(FolderError, match="is gone"):
        await folder.synced()
    assert await texts(folder) == before
    (tmp_path / "away").rename(root)
    (root / "heron.md").write_text(HERON)
    await until(folder, lambda found: "heron.md" in found)


async def test_a_broken_file_is_skipped_with_its_reason_and_read_when_mended(
    folder: Folder, root: Path
) -> None:
    (root / "broken.md").write_bytes(b"\x00\x01\x02binary\x00" * 50)
    summary = await folder.synced()
    assert [skipped.path for skipped in summary.skipped] == ["broken.md"]
    assert summary.skipped[0].reason
    (root / "broken.md").write_text(HERON)
    await until(folder, lambda found: found.get("broken.md") == HERON)
    assert (await folder.synced()).skipped == []


async def test_a_killed_milvus_is_started_again_by_the_next_search(folder: Folder) -> None:
    before = await texts(folder)
    pid = folder.milvus_pid
    assert pid is not None
    psutil.Process(pid).kill()
    assert await texts(folder) == before
    assert folder.milvus_pid != pid


async def test_many_searches_while_files_are_written_all_succeed(
    folder: Folder, root: Path
) -> None:
    async def write() -> None:
        for number in range(30):
            (root / f"note{number}.md").write_text(f"Note {number}: {HERON}\n")
            await asyncio.sleep(0)

    searches = [folder.search(wanted(f"bird {n}", 5)) for n in range(60)]
    results = await asyncio.gather(write(), *searches, return_exceptions=True)
    assert [r for r in results if isinstance(r, BaseException)] == []
    await until(folder, lambda found: sum(path.startswith("note") for path in found) == 30)


@pytest.mark.parametrize("damage", [slice(0, 4096), slice(8192, None)])
async def test_a_damaged_manifest_is_set_aside_and_the_folder_read_again(
    folder: Folder, root: Path, damage: slice
) -> None:
    before = await texts(folder)
    await folder.close()
    index = next(Path(os.environ["HOME"]).glob(".local/share/hoverkite/indexes/*"))
    manifest = bytearray((index / "manifest.sqlite").read_bytes())
    manifest[damage] = bytes(byte ^ 0x5A for byte in manifest[damage])
    (index / "manifest.sqlite").write_bytes(manifest)
    settings = config.load()
    encoder = SharedEncoder(settings)
    again = Folder(root, open_manifest(root), settings, encoder, lambda: None)
    again.begin()
    assert (await again.synced()).added == 2
    assert await texts(again) == before
    assert list(index.glob("damaged-*"))
    await again.close()
    await encoder.close()


async def test_one_file_that_breaks_its_reader_stops_nothing(
    folder: Folder, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = documents.load

    def break_on_one(path: Path, **ways: Any) -> tuple[documents.Document, str]:
        if path.name == "cursed.md":
            raise ZeroDivisionError("a bug in a reader")
        return read(path, **ways)

    monkeypatch.setattr(documents, "load", break_on_one)
    (root / "cursed.md").write_text("anything\n")
    (root / "heron.md").write_text(HERON)
    await until(folder, lambda found: "heron.md" in found)
    (skipped,) = (await folder.synced()).skipped
    assert (skipped.path, "unforeseen" in skipped.reason) == ("cursed.md", True)


async def test_a_folder_that_failed_to_open_is_opened_anew_by_the_next_request(
    root: Path, encoder_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(encoder_cache.parent))
    engine = Engine(config.load(), lambda: None)
    request = api.OpenFolder(path=str(root))
    with monkeypatch.context() as broken:
        broken.setattr("engine.encoding.embedding.load", _no_model)
        opened = await engine.open(request)
        with pytest.raises(ModelError, match="not there yet"):
            await engine.folder(opened.folder).search(wanted("kite", 1))
    await engine.open(request)
    assert (await engine.folder(opened.folder).search(wanted("forked tail", 1))).hits
    await engine.close()


def _no_model(*_: object, **__: object) -> None:
    raise ModelError("the model is not there yet")
