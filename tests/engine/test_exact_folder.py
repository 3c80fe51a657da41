"""Exact search in an open folder: before the encoder is there, and as files change."""

import asyncio
from pathlib import Path

import pytest

from engine import config
from engine.errors import UsageError
from engine.server.folder import Folder
from engine.server.shared_encoder import SharedEncoder
from engine.storage.manifest import open_manifest
from tests.engine.tiny_encoder import TinyEncoder
from tests.hits import wanted
from tests.opened import opening

pytestmark = pytest.mark.real


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    (folder / "guide").mkdir(parents=True)
    (folder / "guide/kite.md").write_text("# Kite\n\nA kite hovers.\nERR_TAIL-12 is an error.\n")
    (folder / "owl.txt").write_text("The owl sees err_tail-12 too.\n")
    return folder


async def found(folder: Folder, query: str) -> list[tuple[str, int]]:
    return [(h.path, h.start_line) for h in (await folder.search(wanted(query, 50))).hits]


async def test_lines_are_found_with_their_places_and_counted(root: Path) -> None:
    async with opening(root, TinyEncoder()) as opened:
        reply = await opened.search(wanted("'err_tail", 50))
        assert reply.mode == "exact"
        assert (reply.matches, reply.files) == (2, ["guide/kite.md", "owl.txt"])
        assert [(h.path, h.start_line, h.text) for h in reply.hits] == [
            ("guide/kite.md", 4, "ERR_TAIL-12 is an error."),
            ("owl.txt", 1, "The owl sees err_tail-12 too."),
        ]
        assert await found(opened, "/ERR_\\w+-\\d+/") == [("guide/kite.md", 4)]
        with pytest.raises(UsageError, match="look-around"):
            await opened.search(wanted("/(?=a)b/", 50))


async def test_changed_renamed_and_removed_files_are_followed(root: Path) -> None:
    async with opening(root, TinyEncoder()) as opened:
        assert await found(opened, "'err_tail") == [("guide/kite.md", 4), ("owl.txt", 1)]
        (root / "owl.txt").rename(root / "strix.txt")
        await opened.synced()
        assert await found(opened, "'err_tail") == [("guide/kite.md", 4), ("strix.txt", 1)]
        (root / "guide/kite.md").write_text("Nothing there.\nNow err_tail is in line 2.")
        await opened.synced()
        assert await found(opened, "'err_tail") == [("guide/kite.md", 2), ("strix.txt", 1)]
        (root / "strix.txt").unlink()
        (root / "guide/kite.md").write_bytes(b"\0\1\2 err_tail")
        await opened.synced()
        assert await found(opened, "'err_tail") == []


async def test_no_encoder_is_waited_for(root: Path) -> None:
    async with opening(root, TinyEncoder()):
        pass
    settings = config.load()
    never = SharedEncoder(settings)
    folder = Folder(root, open_manifest(root), settings, never, lambda: None)
    async with asyncio.timeout(5):  # nobody has begun to open its index
        assert await found(folder, "'err_tail") == [("guide/kite.md", 4), ("owl.txt", 1)]
    await folder.close()
    await never.close()
