"""A disk that is full while documents are indexed, and is freed later."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import paths
from engine.errors import ManifestError
from tests.engine.tiny_encoder import TinyEncoder
from tests.faults.disks import mount_small, unmount
from tests.opened import (
    embedded,
    indexed,
    on_disk,
    opening,
    status,
    until,
    until_equal,
    write_notes,
)

pytestmark = [pytest.mark.real, pytest.mark.timeout(150)]


@pytest.fixture
def small_disk(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A small disk that holds hoverkite's data and nothing else."""
    disk = home / "disk"
    disk.mkdir(mode=0o700)
    mount_small(disk, 16)
    monkeypatch.setenv("XDG_DATA_HOME", str(disk))
    yield disk
    unmount(disk)


def fill(disk: Path, *, leave: int = 0) -> Path:
    """Write a file that leaves no more than so many bytes free."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        while (free := _free(disk)) > leave:
            try:
                file.write(bytes(min(free - leave, 1 << 20)))
            except OSError as error:
                assert error.errno == errno.ENOSPC
                break
    return filler


def _free(disk: Path) -> int:
    found = os.statvfs(disk)
    return found.f_bavail * found.f_frsize


@pytest.mark.parametrize("left", [0, 200_000, 500_000])
async def test_what_was_indexed_before_the_disk_was_full_is_there_and_the_rest_comes_when_it_is_not(
    root: Path, encoder: TinyEncoder, small_disk: Path, left: int
) -> None:
    write_notes(root, 20)
    async with opening(root, encoder) as opened:
        await until_equal(opened, root)
        before = on_disk(root)
        filler = fill(small_disk, leave=left)
        for number in range(400):
            (root / f"long{number}.md").write_text(f"long {number}" + " and more" * 50)
        with pytest.raises(ManifestError) as met:
            await opened.synced()
        assert "full" in str(met.value)
        assert "Free some disk space" in met.value.next_step
        assert status(opened).state == "failed"
        assert "full" in status(opened).detail
        acknowledged = await indexed(opened)
        assert acknowledged.items() >= before.items()
    async with opening(root, encoder, sync=False) as opened:
        with pytest.raises(ManifestError):
            await opened.synced()
        assert (await indexed(opened)).items() >= acknowledged.items()
        filler.unlink()
        await opened.synced()
        await until_equal(opened, root)
        assert status(opened).state == "watching"
    assert not list(paths.index_dir(root).glob("damaged*"))
    already = len(embedded(encoder))
    async with opening(root, encoder) as opened:
        await until_equal(opened, root)
    assert len(embedded(encoder)) == already


async def test_an_edit_that_found_no_space_is_made_up_for_by_the_next_one(
    root: Path, encoder: TinyEncoder, small_disk: Path
) -> None:
    write_notes(root, 5)
    async with opening(root, encoder) as opened:
        await until(lambda: status(opened).state == "watching")
        filler = fill(small_disk)
        (root / "lost.md").write_text("no room for this")
        await until(lambda: status(opened).state == "failed")
        filler.unlink()
        (root / "next.md").write_text("there is room again")
        await until_equal(opened, root, 5)
        assert status(opened).state == "watching"
