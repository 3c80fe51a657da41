"""A Milvus Lite file that is damaged, of another version or gone is rebuilt, embedding nothing."""

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from engine import paths
from engine.server.folder import Folder
from tests.engine.tiny_encoder import TinyEncoder
from tests.hits import wanted
from tests.opened import embedded, indexed, on_disk, opening, write_notes

pytestmark = pytest.mark.real

NOTES = 40
PAGE = 4096
Harm = Callable[[Path], None]


def cut(part: float) -> Harm:
    def harm(file: Path) -> None:
        with file.open("r+b") as opened:
            opened.truncate(int(file.stat().st_size * part))

    return harm


def overwrite(begin: float, end: float, *, flip: bool) -> Harm:
    """Zero or flip the bytes from one part of the file to another."""

    def harm(file: Path) -> None:
        whole = bytearray(file.read_bytes())
        part = slice(int(len(whole) * begin), int(len(whole) * end))
        whole[part] = bytes(byte ^ 0x5A if flip else 0 for byte in whole[part])
        file.write_bytes(whole)

    return harm


def flip_the_rows(file: Path) -> None:
    """Flip some bytes at the beginning of every stored row."""
    connection = sqlite3.connect(file)
    tables = connection.execute("SELECT name FROM sqlite_master WHERE name LIKE 'chunks_%'")
    for (name,) in tables.fetchall():
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({name})")]
        for column in columns[1:]:
            connection.execute(
                f"UPDATE {name} SET {column} = x'5A5A5A5A' || substr({column}, 5) "
                f"WHERE typeof({column}) = 'blob'"
            )
    connection.commit()
    connection.close()


def another_schema(file: Path) -> None:
    """Be a database of a Milvus Lite that names its tables and columns differently."""
    file.unlink()
    connection = sqlite3.connect(file)
    connection.executescript(
        "CREATE TABLE collection_meta (name TEXT, schema BLOB); PRAGMA user_version = 99;"
    )
    connection.close()


def a_folder(file: Path) -> None:
    """Be a folder, as other versions of Milvus Lite keep their data."""
    file.unlink()
    (file / "chunks").mkdir(parents=True)
    (file / "chunks/manifest").write_bytes(b"\x00\x01")


def no_file(file: Path) -> None:
    file.unlink()


HARMS: dict[str, Harm] = {
    "cut to a half": cut(0.5),
    "zeroed": overwrite(0, 1, flip=False),
    "its rows flipped": flip_the_rows,
    "another schema": another_schema,
    "cut to nothing": cut(0),
    "cut by its last pages": cut(0.8),
    "its head zeroed": overwrite(0, 0.1, flip=False),
    "its end zeroed": overwrite(0.5, 1, flip=False),
    "its head flipped": overwrite(0, 0.002, flip=True),
    "flipped": overwrite(0, 1, flip=True),
    "flipped after its head": overwrite(0.1, 1, flip=True),
    "a folder": a_folder,
    "gone": no_file,
}


@pytest.mark.parametrize("harm", HARMS.values(), ids=HARMS)
async def test_all_is_found_again_and_nothing_is_embedded(
    root: Path, encoder: TinyEncoder, harm: Harm
) -> None:
    write_notes(root, NOTES)
    async with opening(root, encoder):
        pass
    known = len(embedded(encoder))
    harm(paths.index_dir(root) / "index.db")
    seal_of(root).unlink()  # as an engine that was killed leaves it: the harm has to be met
    async with opening(root, encoder) as opened:
        assert await indexed(opened) == on_disk(root)
        await all_are_their_own_nearest(root, opened)
        (root / "more.md").write_text("one more")
        assert (await opened.synced()).embedded == 1
        assert await indexed(opened) == on_disk(root)
    assert set(embedded(encoder)[known:]) == {"one more"}
    aside = paths.index_dir(root) / "damaged.db"
    shutil.rmtree(aside) if aside.is_dir() else aside.unlink(missing_ok=True)
    async with opening(root, encoder) as opened:  # and what was made anew is sound
        assert await indexed(opened) == on_disk(root)


def seal_of(root: Path) -> Path:
    return paths.index_dir(root) / "index.db.seal"


async def all_are_their_own_nearest(root: Path, opened: Folder) -> None:
    for path in root.glob("*.md"):
        reply = await opened.search(wanted(path.read_text(), 1))
        assert (reply.hits[0].path, (reply.hits[0].distance or 0) > 0.999) == (path.name, True)


async def test_a_vector_that_was_turned_around_in_the_file_is_noticed(
    root: Path, encoder: TinyEncoder
) -> None:
    async with opening(root, encoder):
        pass
    file = paths.index_dir(root) / "index.db"
    whole = bytearray(file.read_bytes())
    at = whole.index(encoder.encode_query("note 1").tobytes())
    for sign in range(at + 3, at + 4 * encoder.dimension, 4):
        whole[sign] ^= 0x80
    file.write_bytes(whole)
    async with opening(root, encoder) as opened:
        await all_are_their_own_nearest(root, opened)
    assert len(embedded(encoder)) == 3, "and nothing is embedded"


@pytest.mark.parametrize("content", ["", "12", "\0"])
async def test_a_seal_that_is_damaged_itself_costs_nothing(
    root: Path, encoder: TinyEncoder, content: str
) -> None:
    async with opening(root, encoder):
        pass
    assert seal_of(root).exists()
    seal_of(root).write_text(content)
    async with opening(root, encoder) as opened:
        assert not seal_of(root).exists(), "what is open changes"
        assert await indexed(opened) == on_disk(root)
    assert len(embedded(encoder)) == 3
