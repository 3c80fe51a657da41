"""A pause: how long it lasts, and what is told of it; and edits beside the listing of a folder."""

import time
from pathlib import Path
from typing import Any

import pytest

from engine.config import Settings
from engine.server.open_folders import OpenFolders
from engine.syncing.writer import Writer
from engine.wire.api import OpenFolder
from engine.wire.api_files import NamedFile, ReadAgainRequest
from tests.engine.steps import finish
from tests.engine.test_batches import Place, place
from tests.engine.test_steps import EVERYTHING, now
from tests.engine.tiny_encoder import TinyEncoder, TinyShared
from tests.opened import opening, status, until, write_notes

__all__ = ["place"]

pytestmark = pytest.mark.real


async def test_what_is_told_of_the_pace_leaves_out_pauses() -> None:
    writer = Writer("test", give_way=lambda: False)
    begun = writer.clock()
    writer.pause(paused=True)
    writer.pause(paused=True)
    paused = writer.clock()
    deadline = time.monotonic() + 0.05
    await until(lambda: time.monotonic() > deadline)
    assert writer.clock() == paused
    writer.pause(paused=False)
    assert 0 <= writer.clock() - begun < 0.05
    writer.close()


async def test_a_pause_ends_with_the_last_who_has_the_folder_open(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    folders = OpenFolders(Settings(), TinyShared(), lambda: None)
    opened = await folders.open(OpenFolder(path=str(tmp_path / "docs")))
    folder = folders.get(opened.folder)
    with folders.in_use(folder):
        with folders.in_use(folder):
            folder.pause(paused=True)
        paused = [folder.paused]  # the first window is still there
    assert [*paused, folder.paused] == [True, False]
    await folders.close()


async def test_a_pause_tells_how_many_files_wait_for_its_end(tmp_path: Path) -> None:
    root = tmp_path / "docs"
    write_notes(root, 3)
    async with opening(root, TinyEncoder()) as folder:
        folder.pause(paused=True)
        again = [NamedFile(path=f"note{number}.md") for number in (0, 1)]
        await folder.files.read_again(ReadAgainRequest(files=again))
        await until(lambda: status(folder).pending == 2)
        (root / "note0.md").write_text("changed")
        (root / "new.md").write_text("new")
        (root / ".new.md.swp").write_text("of an editor")
        await until(lambda: status(folder).pending == 3)
        folder.pause(paused=False)
        await folder.synced()
        assert not folder.files.waiting
        folder.pause(paused=True)
        assert (status(folder).state, status(folder).pending) == ("paused", 0)


def test_what_edits_did_while_the_folder_was_listed_stays(place: Place) -> None:
    for name in ("gone.md", "renamed.md", "changed.md"):
        place.write(name, 9)
    place.run()
    bulk = place.sync.run(EVERYTHING)
    scanning = next(bulk)
    assert scanning, "it is listed beside edits"
    found = scanning()
    place.write("new.md", 1)
    place.write("changed.md", 1, "another text")
    (place.root / "gone.md").unlink()
    (place.root / "renamed.md").rename(place.root / "name.md")
    finish(place.sync.edits(now("new.md", "changed.md", "gone.md", "renamed.md", "name.md")))
    result: Any = found
    with pytest.raises(StopIteration) as ended:
        while True:
            work = bulk.send(result)
            result = work() if work else None
    assert not ended.value.value.any_change
    assert place.saved() == ["changed.md", "name.md", "new.md"]
