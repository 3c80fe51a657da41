"""A folder on a disk that is taken away and comes back."""

import os
import shutil
from pathlib import Path

import pytest

from engine.errors import FolderError
from tests.engine.tiny_encoder import TinyEncoder
from tests.faults.disks import mount_small, unmount
from tests.opened import (
    embedded,
    indexed,
    opening,
    status,
    until,
    until_equal,
    write_notes,
)

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("soon")]


async def test_a_disk_that_is_unmounted_deletes_nothing_and_is_followed_when_it_is_back(
    tmp_path: Path, encoder: TinyEncoder
) -> None:
    disk, stand_in = tmp_path / "docs", tmp_path / "kept"
    disk.mkdir()
    mount_small(disk, 4)
    try:
        write_notes(disk, 12)
        async with opening(disk, encoder) as opened:
            await until(lambda: status(opened).state == "watching")
            before = await indexed(opened)
            shutil.copytree(disk, stand_in)
            unmount(disk)
            await until(lambda: status(opened).state == "missing")
            assert "perhaps a disk is missing" in status(opened).detail
            with pytest.raises(FolderError):
                await opened.synced()
            assert await indexed(opened) == before
            known = len(embedded(encoder))
            mount_small(disk, 4)
            for note in stand_in.iterdir():
                shutil.copy2(note, disk)
            await until(lambda: status(opened).state == "watching")
            await until_equal(opened, disk)
            assert len(embedded(encoder)) == known
            (disk / "later.md").write_text("later")
            await until_equal(opened, disk)
    finally:
        if os.path.ismount(disk):
            unmount(disk)
