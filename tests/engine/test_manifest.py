"""The manifest: what it keeps, counts and forgets, and how damage to its file is noticed."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.errors import ManifestError
from engine.files.scan import Entry
from engine.storage import kept_vectors
from engine.storage.kept_vectors import DAYS_KEPT
from engine.storage.manifest import FileUpdate, Manifest, row_id, text_hash
from engine.storage.manifest_file import clear, set_aside
from tests.engine.test_index import MODEL, VECTORS, keep, update

DAY = 86_400.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "manifest.sqlite"


@pytest.fixture
def manifest(path: Path) -> Iterator[Manifest]:
    opened = Manifest(path)
    yield opened
    opened.close()


HOSTILE_NAMES = [
    b"plain.md",
    b'it\'s "quoted".md',
    b"back\\slash.md",
    b"new\nline.md",
    b"\x1b]52;c;aGk=\x07.md",
    "\u202egnp.md".encode(),
    b"{braces} %s %d.md",
    b"caf\xe9.md",
    b"x" * 252 + b".md",
    b"'; DROP TABLE files; --.md",
]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_file_of_any_name_is_kept_found_and_removed_alone(
    manifest: Manifest, name: bytes
) -> None:
    keep(manifest, update(1, b"other.md", "stone"), update(2, name, "kite"))
    row = row_id(2, text_hash("kite"))
    assert manifest.chunks_at([row])[row].path == name
    manifest.save([], removed=[manifest.files_at([name])[name].id])
    assert list(manifest.files()) == [b"other.md"]
    assert manifest.counts() == (1, 1)


def test_file_ids_are_never_used_again(manifest: Manifest, path: Path) -> None:
    assert [manifest.new_id(), manifest.new_id()] == [1, 2]
    keep(manifest, update(1, b"a", "kite"), update(2, b"b", "stone"))
    manifest.save([], removed=[2])
    assert manifest.new_id() == 3
    manifest.close()
    again = Manifest(path)
    assert again.new_id() == 3
    again.close()


def test_what_was_ever_embedded_is_counted(manifest: Manifest, path: Path) -> None:
    vector = np.zeros(2, np.float32)
    manifest.save([], model="tiny", vectors={text_hash("kite"): vector, text_hash("owl"): vector})
    manifest.save([], model="other", vectors={text_hash("kite"): vector})
    keep(manifest, update(1, b"a", "kite"))
    manifest.save([], removed=[1])
    manifest.close()
    again = Manifest(path)
    assert again.embedded_total == 4
    again.close()


def test_the_same_text_has_one_vector_and_its_first_place(manifest: Manifest) -> None:
    keep(manifest, update(1, b"a", "kite", "stone", "kite"))
    row = row_id(1, text_hash("kite"))
    assert manifest.chunks_at([row])[row].chunk.start_line == 1
    assert manifest.counts() == (1, 3)
    known = manifest.vectors.of([text_hash("kite"), text_hash("unknown")], MODEL, 3)
    assert list(known) == [text_hash("kite")]
    np.testing.assert_array_equal(known[text_hash("kite")], VECTORS["kite"])


def test_a_failed_transaction_changes_nothing(manifest: Manifest) -> None:
    keep(manifest, update(1, b"a", "kite"))
    broken = update(1, b"a", "stone")
    with pytest.raises(ManifestError, match="NOT NULL"):
        manifest.save([broken, FileUpdate(2, Entry(b"b", None, 1, 1), "", "", ())])  # type: ignore[arg-type]
    assert list(manifest.chunks_at([row_id(1, text_hash("kite"))])) == [
        row_id(1, text_hash("kite"))
    ]


def test_another_model_lacks_vectors_until_they_are_saved(manifest: Manifest) -> None:
    keep(manifest, update(1, b"a", "kite"))
    assert manifest.vectors.files_without(MODEL) == set()
    assert manifest.vectors.files_without("another") == {1}


def test_counts_follow_every_change_without_counting(manifest: Manifest, path: Path) -> None:
    keep(manifest, update(1, b"a", "kite", "stone"), update(2, b"b", "kite"))
    assert manifest.counts() == (2, 3)
    manifest.save([update(1, b"a", "hawk")])
    unread = FileUpdate(2, Entry(b"b", 1, 1, 2), "", "recipe", reason="not a text")
    manifest.save([unread, update(3, b"c", "kite")], removed=[])
    assert manifest.counts() == (2, 2)
    assert manifest.unread_files(10) == ([(b"b", "not a text")], 1)
    manifest.save([], removed=[3, 2, 99])
    assert manifest.counts() == (1, 1)
    other = Manifest(path)
    assert other.counts() == manifest.counts()
    other.close()


def test_unread_files_are_listed_up_to_a_limit_and_all_counted(manifest: Manifest) -> None:
    manifest.save(
        [
            FileUpdate(n, Entry(b"%03d" % n, 1, 1, n), "", "recipe", reason="broken")
            for n in range(1, 101)
        ]
    )
    listed, total = manifest.unread_files(2)
    assert (listed, total) == ([(b"001", "broken"), (b"002", "broken")], 100)


@pytest.mark.parametrize(
    "stored",
    [
        b"",
        b"\x00\x11\x22",
        b"\x00" * 8,
        b"\x00" * 16,
        "twelve bytes",
        12,
        np.array([1, np.nan, 0], "<f4").tobytes(),
        np.array([-np.inf, 0, 0], "<f4").tobytes(),
    ],
)
def test_a_damaged_vector_is_not_known_and_can_be_saved_again(
    manifest: Manifest, path: Path, stored: object
) -> None:
    keep(manifest, update(1, b"a", "kite", "stone"))
    spoil(path, stored, text_hash("kite"))
    assert kept(manifest) == {"stone"}
    keep(manifest, update(1, b"a", "kite"))
    assert kept(manifest) == {"kite", "stone"}


# --- forgetting ------------------------------------------------------------------------------


def kept(manifest: Manifest, model: str = MODEL) -> set[str]:
    keys = {text_hash(text): text for text in VECTORS}
    return {keys[key] for key in manifest.vectors.of(keys, model, 3)}


def test_a_vector_that_no_chunk_needs_is_kept_for_a_while(manifest: Manifest) -> None:
    keep(manifest, update(1, b"a", "kite", "stone"))
    manifest.save([update(1, b"a", "kite")])
    assert manifest.vectors.forget_unused(MODEL, now=0) == 0
    assert manifest.vectors.forget_unused(MODEL, now=(DAYS_KEPT - 1) * DAY) == 0
    assert kept(manifest) == {"kite", "stone"}
    assert manifest.vectors.forget_unused(MODEL, now=DAYS_KEPT * DAY) == 1
    assert kept(manifest) == {"kite"}


def test_a_vector_that_was_needed_again_meanwhile_starts_afresh(manifest: Manifest) -> None:
    keep(manifest, update(1, b"a", "kite"))
    manifest.save([update(1, b"a")])
    manifest.vectors.forget_unused(MODEL, now=0)
    manifest.save([update(1, b"a", "kite")])
    assert manifest.vectors.forget_unused(MODEL, now=DAYS_KEPT * DAY) == 0
    manifest.save([update(1, b"a")])
    assert manifest.vectors.forget_unused(MODEL, now=(DAYS_KEPT + 1) * DAY) == 0
    assert kept(manifest) == {"kite"}


def test_vectors_of_another_model_are_forgotten_in_the_same_way(manifest: Manifest) -> None:
    keep(manifest, update(1, b"a", "kite"))
    assert manifest.vectors.forget_unused("another", now=0) == 0
    assert kept(manifest) == {"kite"}
    assert manifest.vectors.forget_unused("another", now=DAYS_KEPT * DAY) == 1
    assert kept(manifest) == set()


def test_of_too_many_unused_vectors_the_longest_unused_go_first(
    manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_vectors, "LEAST_KEPT", 1)
    keep(manifest, update(1, b"a", "kite", "stone", "hawk"))
    manifest.save([update(1, b"a", "kite", "stone")])
    assert manifest.vectors.forget_unused(MODEL, now=0) == 0
    manifest.save([update(1, b"a", "kite")])
    assert manifest.vectors.forget_unused(MODEL, now=DAY) == 1
    assert kept(manifest) == {"kite", "stone"}
    manifest.save([update(1, b"a")])
    monkeypatch.setattr(kept_vectors, "LEAST_KEPT", 2)
    assert manifest.vectors.forget_unused(MODEL, now=2 * DAY) == 0


# --- damage ----------------------------------------------------------------------------------


def damage(path: Path, table: str, *, seen: bool) -> None:
    """Overwrite the first page of a table; ``seen``: the file's time tells that it changed."""
    connection = sqlite3.connect(path)
    find = "SELECT rootpage FROM sqlite_master WHERE name = ?"
    (page,) = connection.execute(find, (table,)).fetchone()
    connection.close()
    before = path.stat()
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xa5" * 64)
    moved = 1_000_000_000 if seen else 0
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + moved))


def spoil(path: Path, stored: object, *keys: bytes) -> None:
    """Write ``stored`` in the place of the vectors of ``keys``."""
    connection = sqlite3.connect(path)
    for key in keys:
        connection.execute("UPDATE vectors SET vector = ? WHERE text_hash = ?", (stored, key))
    connection.commit()
    connection.close()


def test_a_file_that_changed_since_it_was_closed_is_checked_whole(path: Path) -> None:
    Manifest(path).close()
    damage(path, "vectors", seen=True)
    with pytest.raises(sqlite3.DatabaseError):
        Manifest(path)


def test_a_file_that_was_not_closed_is_checked_whole(path: Path) -> None:
    Manifest(path).close()
    damage(path, "vectors", seen=False)
    (path.parent / "manifest.sqlite-wal").write_bytes(b"")
    with pytest.raises(sqlite3.DatabaseError):
        Manifest(path)


def test_a_file_that_is_as_it_was_left_is_not_read_whole(path: Path) -> None:
    Manifest(path).close()
    damage(path, "vectors", seen=False)
    opened = Manifest(path)
    with pytest.raises(ManifestError, match="malformed") as met:
        keep(opened, update(1, b"a", "kite"))
    assert "Open the folder again" in met.value.next_step
    assert opened.damaged
    opened.close()
    with pytest.raises(sqlite3.DatabaseError):
        Manifest(path)


def test_damage_in_what_is_counted_shows_at_once(path: Path) -> None:
    Manifest(path).close()
    damage(path, "files", seen=False)
    with pytest.raises(sqlite3.DatabaseError):
        Manifest(path)


@pytest.mark.parametrize("statement", ["DROP TABLE chunks", "PRAGMA user_version = 3"])
def test_a_file_of_other_tables_than_its_version_promises_is_damaged(
    path: Path, statement: str
) -> None:
    Manifest(path).close()
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.close()
    with pytest.raises(sqlite3.DatabaseError):
        Manifest(path)


def test_a_folder_in_the_place_of_the_file_is_set_aside_time_and_again(path: Path) -> None:
    for number in range(2):
        path.mkdir()
        (path / f"kept{number}.txt").write_text("anything")
        with pytest.raises(sqlite3.DatabaseError, match="is not a file"):
            Manifest(path)
        set_aside(path)
        assert [found.name for found in path.parent.glob("*/*")] == [f"kept{number}.txt"]
    path.write_text("no database")
    set_aside(path)
    assert (path.parent / "damaged-manifest.sqlite").read_text() == "no database"
    path.mkdir()
    set_aside(path)
    assert (path.parent / "damaged-manifest.sqlite").is_dir()
    Manifest(path).close()


def test_a_file_that_goes_while_the_folder_is_cleared_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The Milvus Lite server of a killed engine removes its journal as it ends.
    journal, pipe = tmp_path / "index.db-journal", tmp_path / "pipe"
    journal.touch()
    os.mkfifo(pipe)
    listed = [journal, pipe]

    def listing(place: Path) -> Iterator[Path]:
        yield from listed
        journal.unlink()

    monkeypatch.setattr(Path, "iterdir", listing)
    clear(tmp_path)
    assert (tmp_path / "damaged-pipe").is_fifo()


def by_removal(path: Path) -> None:
    path.unlink()


def by_another(path: Path) -> None:
    path.rename(path.with_name("away"))
    path.write_bytes(b"")


def by_a_file_above(path: Path) -> None:
    shutil.rmtree(path.parent)
    path.parent.write_bytes(b"")


@pytest.mark.parametrize("lose", [by_removal, by_another, by_a_file_above])
def test_a_file_that_was_removed_while_it_was_open_is_missed(
    tmp_path: Path, lose: Callable[[Path], None]
) -> None:
    path = tmp_path / "index/manifest.sqlite"
    path.parent.mkdir()
    opened = Manifest(path)
    keep(opened, update(1, b"a", "kite"))
    opened.see_that_it_is_there()
    lose(path)
    with pytest.raises(ManifestError, match="was removed") as met:
        opened.see_that_it_is_there()
    assert "Open the folder again" in met.value.next_step
    assert opened.damaged
    opened.close()
