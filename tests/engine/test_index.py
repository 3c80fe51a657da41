"""The manifest and the real Milvus Lite behind it."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from numpy.typing import NDArray
from pymilvus import MilvusClient
from pymilvus.exceptions import MilvusException

from engine import paths
from engine.chunk import Chunk
from engine.errors import ManifestError, StoreError
from engine.index import Index
from engine.manifest import FileUpdate, Manifest, row_id, text_hash
from engine.scan import Entry
from engine.store import Row, Store

MODEL = "test-model"


def unit(*values: float) -> NDArray[np.float32]:
    vector = np.array(values, dtype=np.float32)
    return vector / np.linalg.norm(vector)


VECTORS = {"kite": unit(1, 0, 0), "hawk": unit(0.9, 0.1, 0), "stone": unit(0, 0, 1)}


def update(file: int, path: bytes, *texts: str) -> FileUpdate:
    chunks = [Chunk(0, len(t), t, n, n, None, "") for n, t in enumerate(texts, 1)]
    return FileUpdate(file, Entry(path, 1, 1, file), "content", "recipe", chunks)


def rows(file: int, *texts: str) -> list[Row]:
    return [Row(row_id(file, text_hash(t)), file, VECTORS[t]) for t in texts]


def keep(manifest: Manifest, *updates: FileUpdate) -> None:
    vectors = {text_hash(c.text): VECTORS[c.text] for u in updates for c in u.chunks}
    manifest.save(updates, model=MODEL, vectors=vectors)


@pytest.fixture
def manifest(tmp_path: Path) -> Iterator[Manifest]:
    opened = Manifest(tmp_path / "manifest.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def index(manifest: Manifest, tmp_path: Path) -> Iterator[Index]:
    opened = Index(manifest, tmp_path / "index.db", MODEL, 3)
    yield opened
    opened.close()


def texts_found(index: Index, query: str, limit: int = 10) -> list[str]:
    return [found.stored.chunk.text for found in index.search(VECTORS[query], limit)]


def test_an_empty_index_finds_nothing(index: Index) -> None:
    assert index.search(VECTORS["kite"], 5) == []


def test_hits_come_best_first_with_the_distance_of_milvus(manifest: Manifest, index: Index) -> None:
    index.add(rows(1, "kite", "hawk", "stone"))
    keep(manifest, update(1, b"birds.md", "kite", "hawk", "stone"))
    found = index.search(VECTORS["kite"], 2)
    assert [f.stored.chunk.text for f in found] == ["kite", "hawk"]
    assert found[0].distance == pytest.approx(1.0, abs=1e-5)
    assert found[1].distance == pytest.approx(float(VECTORS["kite"] @ VECTORS["hawk"]), abs=1e-5)


def test_rows_without_a_manifest_entry_are_never_hits_and_take_no_place(
    manifest: Manifest, index: Index
) -> None:
    index.add(rows(1, "kite", "hawk"))
    keep(manifest, update(1, b"a.md", "kite", "hawk"))
    manifest.save([update(1, b"a.md", "hawk")])
    index.retire([row_id(1, text_hash("kite"))])
    assert index.dead == 1
    assert texts_found(index, "kite", 1) == ["hawk"]
    index.purge()
    assert index.dead == 0
    assert texts_found(index, "kite", 1) == ["hawk"]


def test_a_text_that_comes_back_is_alive_again_without_a_second_row(
    manifest: Manifest, index: Index
) -> None:
    for _ in range(2):
        index.add(rows(1, "kite"))
        keep(manifest, update(1, b"a.md", "kite"))
        assert texts_found(index, "kite") == ["kite"]
        manifest.save([update(1, b"a.md")])
        index.retire([row_id(1, text_hash("kite"))])
        assert texts_found(index, "kite") == []


def test_a_lost_milvus_file_is_filled_from_the_manifest(manifest: Manifest, tmp_path: Path) -> None:
    keep(manifest, update(1, b"a.md", "kite"), update(2, b"b.md", "stone"))
    first = Index(manifest, tmp_path / "index.db", MODEL, 3)
    assert texts_found(first, "kite") == ["kite", "stone"]
    first.close()
    (tmp_path / "index.db").unlink()
    again = Index(manifest, tmp_path / "index.db", MODEL, 3)
    assert texts_found(again, "stone") == ["stone", "kite"]
    again.close()


@pytest.mark.parametrize("damage", [b"", b"not a database at all" * 100])
def test_a_damaged_milvus_file_is_set_aside_and_made_anew(
    manifest: Manifest, tmp_path: Path, damage: bytes
) -> None:
    keep(manifest, update(1, b"a.md", "kite"))
    Index(manifest, tmp_path / "index.db", MODEL, 3).close()
    (tmp_path / "index.db").write_bytes(damage)
    healed = Index(manifest, tmp_path / "index.db", MODEL, 3)
    assert texts_found(healed, "kite") == ["kite"]
    healed.close()


def test_rows_that_appeared_in_milvus_alone_are_purged_as_dead(
    manifest: Manifest, tmp_path: Path
) -> None:
    first = Index(manifest, tmp_path / "index.db", MODEL, 3)
    first.add(rows(1, "kite"))  # and then the process was killed before the manifest was saved
    first.close()
    again = Index(manifest, tmp_path / "index.db", MODEL, 3)
    assert again.dead == 1
    assert texts_found(again, "kite") == []
    again.close()


def test_reopening_cures_a_store_whose_server_was_killed(manifest: Manifest, index: Index) -> None:
    index.add(rows(1, "kite"))
    keep(manifest, update(1, b"a.md", "kite"))
    pid = index.pid
    assert pid is not None
    psutil.Process(pid).kill()
    with pytest.raises(StoreError):
        index.search(VECTORS["kite"], 1)
    index.reopen()
    assert texts_found(index, "kite") == ["kite"]


def test_the_milvus_socket_is_private_and_goes_with_the_store(
    manifest: Manifest, tmp_path: Path
) -> None:
    before = os.umask(0o077)
    try:
        opened = Index(manifest, tmp_path / "index.db", MODEL, 3)
        sockets = list(paths.runtime_dir().glob("*.sock"))
        assert [s.stat().st_mode & 0o777 for s in sockets] == [0o700]
        opened.close()
        assert list(paths.runtime_dir().glob("*.sock")) == []
    finally:
        os.umask(before)


def test_a_store_that_cannot_be_opened_names_its_file() -> None:
    with pytest.raises(StoreError, match=r"/nonexistent/index\.db can't be opened"):
        Store(Path("/nonexistent/index.db"), "chunks", 3)


def test_folders_that_share_a_milvus_server_keep_apart(tmp_path: Path) -> None:
    target = tmp_path / "index.db"  # stands for the server
    manifests = [Manifest(tmp_path / f"{name}.sqlite") for name in "ab"]
    for manifest, text in zip(manifests, ("kite", "stone"), strict=True):
        keep(manifest, update(1, b"same-name.md", text))
    first = Index(manifests[0], target, MODEL, 3, owner="a")
    second = Index(manifests[1], target, MODEL, 3, owner="b")
    second.purge()
    assert (first.dead, second.dead) == (0, 0)
    assert texts_found(first, "kite") == ["kite"]
    assert texts_found(second, "kite") == ["stone"]
    first.close()
    second.close()
    for manifest in manifests:
        manifest.close()


def test_a_passing_failure_does_not_set_the_file_aside(
    manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(manifest, update(1, b"a.md", "kite"))
    Index(manifest, tmp_path / "index.db", MODEL, 3).close()
    failures = iter([True])
    load = MilvusClient.load_collection

    def fail_once(self: MilvusClient, *args: Any, **more: Any) -> Any:
        if next(failures, False):
            raise MilvusException(message="busy")
        return load(self, *args, **more)

    monkeypatch.setattr(MilvusClient, "load_collection", fail_once)
    again = Index(manifest, tmp_path / "index.db", MODEL, 3)
    assert texts_found(again, "kite") == ["kite"]
    assert not list(tmp_path.glob("damaged*"))
    again.close()


# --- manifest --------------------------------------------------------------------------------

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


def test_file_ids_are_never_used_again(manifest: Manifest) -> None:
    assert manifest.reserve_ids([b"a", b"b"]) == {b"a": 1, b"b": 2}
    keep(manifest, update(1, b"a", "kite"), update(2, b"b", "stone"))
    manifest.save([], removed=[2])
    assert manifest.reserve_ids([b"a", b"c"]) == {b"a": 1, b"c": 3}


def test_the_same_text_has_one_vector_and_its_first_place(manifest: Manifest) -> None:
    keep(manifest, update(1, b"a", "kite", "stone", "kite"))
    row = row_id(1, text_hash("kite"))
    assert manifest.chunks_at([row])[row].chunk.start_line == 1
    assert manifest.counts() == (1, 3)
    known = manifest.vectors_of([text_hash("kite"), text_hash("unknown")], MODEL)
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
    assert manifest.files_without_vectors(MODEL) == set()
    assert manifest.files_without_vectors("another") == {1}
