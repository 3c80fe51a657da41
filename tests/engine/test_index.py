"""The manifest and the real Milvus Lite behind it."""

import os
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from numpy.typing import NDArray
from pymilvus import MilvusClient
from pymilvus.exceptions import MilvusException

from engine import paths
from engine.chunks.chunk import Chunk
from engine.errors import StoreError
from engine.files.scan import Entry
from engine.storage.index import Found, Index, Query
from engine.storage.manifest import FileUpdate, Manifest, row_id, text_hash
from engine.storage.store import Row, Store

MODEL = "test-model"


def unit(*values: float) -> NDArray[np.float32]:
    vector = np.array(values, dtype=np.float32)
    return vector / np.linalg.norm(vector)


VECTORS = {"kite": unit(1, 0, 0), "hawk": unit(0.9, 0.1, 0), "stone": unit(0, 0, 1)}


def update(file: int, path: bytes, *texts: str) -> FileUpdate:
    chunks = [Chunk(0, len(t), t, n, n, None, "") for n, t in enumerate(texts, 1)]
    return FileUpdate(file, Entry(path, 1, 1, file), "content", "recipe", chunks)


def rows(file: int, *texts: str) -> list[Row]:
    return [Row(row_id(file, text_hash(t)), file, VECTORS[t], t) for t in texts]


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
    return [found.stored.chunk.text for found in near(index, query, limit)]


def near(index: Index, query: str, limit: int) -> list[Found]:
    return [*islice(index.search(Query(lambda: VECTORS[query]), limit), limit)]


def test_an_empty_index_finds_nothing(index: Index) -> None:
    assert near(index, "kite", 5) == []


def test_a_search_that_comes_after_closing_says_so(manifest: Manifest, index: Index) -> None:
    index.add(rows(1, "kite"))
    index.close()
    with pytest.raises(StoreError, match="closed"):
        near(index, "kite", 5)


def test_hits_come_best_first_with_the_distance_of_milvus(manifest: Manifest, index: Index) -> None:
    index.add(rows(1, "kite", "hawk", "stone"))
    keep(manifest, update(1, b"birds.md", "kite", "hawk", "stone"))
    found = near(index, "kite", 2)
    assert [f.stored.chunk.text for f in found] == ["kite", "hawk"]
    assert found[0].ranked.distance == pytest.approx(1.0, abs=1e-5)
    assert found[1].ranked.distance == pytest.approx(
        float(VECTORS["kite"] @ VECTORS["hawk"]), abs=1e-5
    )


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


def test_only_rows_that_were_added_are_counted(
    manifest: Manifest, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keep(manifest, update(1, b"a.md", "kite"))
    manifest.save([update(2, b"b.md", "hawk")])  # a text with no vector yet
    with caplog.at_level("INFO", "engine.storage.index"):
        Index(manifest, tmp_path / "index.db", MODEL, 3).close()
    (record,) = (record for record in caplog.records if record.name == "engine.storage.index")
    assert record.getMessage() == "1 rows were added to Milvus from the manifest"


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
        near(index, "kite", 1)
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


def test_the_collection_of_the_model_before_is_dropped_and_filled_again_on_the_way_back(
    manifest: Manifest, tmp_path: Path
) -> None:
    def collections(opened: Index) -> list[str]:
        return list(opened._open_store()._client.list_collections())

    keep(manifest, update(1, b"a.md", "kite"))
    for model in (MODEL, "another", MODEL):
        opened = Index(manifest, tmp_path / "index.db", model, 3)
        assert collections(opened) == [opened._collection]
        assert texts_found(opened, "kite") == (["kite"] if model == MODEL else [])
        opened.close()


def test_dropping_one_models_collection_leaves_other_folders_alone(tmp_path: Path) -> None:
    target = tmp_path / "index.db"  # stands for the server
    first, second = (Manifest(tmp_path / f"{name}.sqlite") for name in "ab")
    for manifest in (first, second):
        keep(manifest, update(1, b"a.md", "kite"))
    theirs = Index(second, target, MODEL, 3, owner="b")
    Index(first, target, MODEL, 3, owner="a").close()
    theirs.reopen()
    Index(first, target, "another", 3, owner="a").close()
    theirs.reopen()
    assert texts_found(theirs, "kite") == ["kite"]
    assert theirs.dead == 0
    theirs.close()
    first.close()
    second.close()


def test_milvus_lite_leaves_no_file_in_the_temporary_folder(
    manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    for name in ("TMPDIR", "TMP", "GOOGLE_LOG_DIR"):
        monkeypatch.setenv(name, str(temporary))
    for name in [name for name in os.environ if name.startswith("GLOG_")]:
        monkeypatch.delenv(name)
    before = milvus_logs()
    monkeypatch.setattr(tempfile, "tempdir", None)
    opened = Index(manifest, tmp_path / "index.db", MODEL, 3)
    opened.add(rows(1, "kite"))
    keep(manifest, update(1, b"a.md", "kite"))
    assert texts_found(opened, "kite") == ["kite"]
    opened.close()
    assert list(temporary.iterdir()) == []
    assert milvus_logs() == before


def milvus_logs() -> set[str]:
    """Return what Google's log library, which Milvus Lite uses, has left in /tmp."""
    return {path.name for path in Path("/tmp").glob("milvus.*")}
