"""What lies in the folder of an index in the place of our files: no file, or not what we wrote."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from engine import paths
from tests.engine.tiny_encoder import TinyEncoder
from tests.opened import indexed, on_disk, opening, until_equal

pytestmark = pytest.mark.real

OURS = (
    "manifest.sqlite",
    "manifest.sqlite-wal",
    "manifest.sqlite-sound",
    "index.db",
    "index.db.seal",
    ".index.db.lock",
    "damaged.db",
)


def a_full_folder(path: Path) -> None:
    (path / "inner").mkdir(parents=True)
    (path / "inner/file").write_text("text")


def a_link_to_nowhere(path: Path) -> None:
    path.symlink_to("/nowhere/at/all")


def a_link_to_itself(path: Path) -> None:
    path.symlink_to(path)


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize(
    "make",
    [a_full_folder, os.mkfifo, a_link_to_nowhere, a_link_to_itself],
    ids=lambda m: m.__name__,
)
async def test_what_is_no_file_is_put_aside_and_nothing_waits_for_it(
    root: Path, encoder: TinyEncoder, name: str, make: Callable[[Path], None]
) -> None:
    async with opening(root, encoder):
        pass
    place = paths.index_dir(root) / name
    place.unlink(missing_ok=True)
    make(place)
    if name == "damaged.db":  # it is in the way only when something is put aside
        (paths.index_dir(root) / "index.db").write_bytes(b"no database")
    async with opening(root, encoder) as opened:
        assert await indexed(opened) == on_disk(root)
        (root / "more.md").write_text("one more")
        await until_equal(opened, root)


@pytest.mark.parametrize("content", [b"\xff\xfe\n", b"", b"\0" * 5000])
@pytest.mark.parametrize("name", ["manifest.sqlite-sound", "index.db.seal"])
async def test_a_mark_that_says_anything_else_costs_nothing_but_a_look(
    root: Path, encoder: TinyEncoder, name: str, content: bytes
) -> None:
    async with opening(root, encoder):
        pass
    known = len(encoder.in_turn) + len(encoder.at_once)
    (paths.index_dir(root) / name).write_bytes(content)
    async with opening(root, encoder) as opened:
        assert await indexed(opened) == on_disk(root)
    assert len(encoder.in_turn) + len(encoder.at_once) == known
