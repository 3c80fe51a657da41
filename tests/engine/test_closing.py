"""Failures and endings: told once and in known words, leaving nothing behind and nobody waiting."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from engine import config
from engine.config import Settings
from engine.encoding import encoder_build
from engine.encoding.embedding import Encoder
from engine.errors import EngineError, FolderError, HoverkiteError, ModelError
from engine.files import scan
from engine.server import folder
from engine.server.folder import Folder
from engine.server.open_folders import OpenFolders
from engine.server.shared_encoder import SharedEncoder
from engine.storage.kept_vectors import KeptVectors
from engine.storage.manifest import Manifest, open_manifest
from engine.syncing.sync import Sync
from engine.wire import api
from tests.engine.tiny_encoder import TinyEncoder, TinyShared
from tests.hits import wanted
from tests.opened import opening, status, until, until_found

pytestmark = pytest.mark.real


@pytest.fixture
def root(tmp_path: Path) -> Path:
    place = tmp_path / "docs"
    place.mkdir()
    (place / "owl.md").write_text("owl")
    return place


class Slow(SharedEncoder):
    """Is the shared encoder while it loads."""

    async def get(self) -> Encoder:
        await asyncio.Event().wait()
        raise AssertionError("it never loads")


class Stuck(TinyEncoder):
    """Embeds nothing until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()
        self.reached = threading.Event()

    def _encode_now(self, texts: list[str], *, is_query: bool) -> Any:
        self.reached.set()
        self.go.wait(30)
        return super()._encode_now(texts, is_query=is_query)


async def test_an_unforeseen_failure_is_told_once_and_the_watch_goes_on(
    root: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with opening(root, TinyEncoder()) as opened:
        await until(lambda: status(opened).state == "watching" and not opened._bulk.busy)
        shown: list[str] = []
        monkeypatch.setattr(opened, "_on_change", lambda: shown.append(status(opened).detail))
        with monkeypatch.context() as broken:
            broken.setattr(Sync, "run", _divide)
            with pytest.raises(EngineError, match="division by zero"):
                await opened.synced()
        assert shown == ["ZeroDivisionError: division by zero. The engine's log tells more"]
        unforeseen = [record for record in caplog.records if record.levelno >= logging.ERROR]
        assert len(unforeseen) == 1 and unforeseen[0].exc_info
        (root / "owl.md").write_text("barn owl")
        await until_found(opened, {"barn owl"})
        assert (status(opened).state, status(opened).detail) == ("watching", "")


def _divide(*_: object) -> None:
    raise ZeroDivisionError("division by zero")


@pytest.mark.parametrize("ask", [lambda f: f.search(wanted("owl", 1)), lambda f: f.synced()])
async def test_closing_a_folder_that_is_opening_ends_what_waits_for_it(
    root: Path, ask: Callable[[Folder], Any]
) -> None:
    opened = Folder(root, open_manifest(root), config.load(), Slow(Settings()), lambda: None)
    opened.begin()
    asked = asyncio.create_task(ask(opened))
    await asyncio.sleep(0)
    await opened.close()
    with pytest.raises(FolderError, match="closed"):
        async with asyncio.timeout(10):
            await asked
    assert opened.failed_to_open


async def test_closing_during_the_first_sync_ends_what_waits_for_it(root: Path) -> None:
    encoder = Stuck()
    async with opening(root, encoder, sync=False) as opened:
        asked = [
            asyncio.create_task(opened.search(wanted("owl", 1))),
            asyncio.create_task(opened.synced()),
        ]
        await until(encoder.reached.is_set)
        closing = asyncio.create_task(opened.close())
        try:
            async with asyncio.timeout(10):
                errors = await asyncio.gather(*asked, return_exceptions=True)
        finally:
            encoder.go.set()
            await closing
    assert [type(error) for error in errors] == [FolderError, FolderError]


async def test_the_manifest_is_read_whole_and_closed_away_from_the_event_loop(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: dict[str, threading.Thread] = {}
    for kind, name in ((KeptVectors, "files_without"), (Manifest, "close")):
        monkeypatch.setattr(kind, name, _listening(kind, name, threads))
    async with opening(root, TinyEncoder()):
        pass
    assert threads["files_without"].name.startswith("write-")
    assert threads["close"] is not threading.main_thread()


def _listening(kind: type, name: str, threads: dict[str, threading.Thread]) -> Callable[..., Any]:
    method = getattr(kind, name)

    def listen(*args: Any) -> Any:
        threads[name] = threading.current_thread()
        return method(*args)

    return listen


def _full(*_: object, **__: object) -> None:
    raise HoverkiteError("the disk is full")


@pytest.mark.parametrize(("place", "name"), [(scan, "survey"), (folder.Folder, "agree")])
async def test_a_folder_that_cannot_be_begun_is_closed_again(
    root: Path, place: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = OpenFolders(config.load(), TinyShared(), lambda: None)
    request = api.OpenFolder(path=str(root))
    with monkeypatch.context() as broken:
        broken.setattr(place, name, _full)
        with pytest.raises(HoverkiteError, match="full"):
            await folders.open(request)
    files = [Path(file.path).name for file in psutil.Process().open_files()]
    assert [name for name in files if name.startswith("manifest")] == []
    opened = await folders.open(request)
    assert (await folders.get(opened.folder).synced()).added == 1
    await folders.close()


async def test_closing_ends_the_process_that_prepares_the_encoder(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    encoder = SharedEncoder(Settings(embedding_device="cpu"))
    loading = asyncio.create_task(encoder.get())
    await until(lambda: bool(encoder_build._children), 40)
    (child,) = encoder_build._children
    begun = time.monotonic()
    await encoder.close()
    assert time.monotonic() - begun < 5
    assert child.poll() is not None
    with pytest.raises(ModelError, match="stopped"):
        await loading
