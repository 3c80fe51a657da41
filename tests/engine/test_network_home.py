"""A data folder on a network file system: SQLite must not share memory there."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine import mounts
from engine.mounts import Mount
from engine.storage import manifest_file
from engine.storage.manifest_file import ManifestFile
from tests.engine.tiny_encoder import TinyEncoder
from tests.opened import opening, texts, until_found


@pytest.fixture
def mount(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Say what kind of file system the tests' files are on."""

    def mount(kind: str) -> None:
        monkeypatch.setattr(mounts, "listed", lambda: [Mount("/", "ext4"), Mount(place, kind)])

    place = str(tmp_path)
    mount("nfs4")
    return mount


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "manifest.sqlite"


@pytest.fixture
def far(path: Path, mount: object) -> Iterator[ManifestFile]:
    file = ManifestFile(path)
    yield file
    file.close()


def journal_of(file: ManifestFile) -> str:
    ((mode,),) = file.all("PRAGMA journal_mode")
    return str(mode)


def parts(path: Path) -> set[str]:
    return {part.name.removeprefix(path.name) for part in path.parent.glob(path.name + "*")}


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "fuse.sshfs", "9p", "ceph"])
def test_on_a_network_there_is_no_wal_and_no_shared_memory(
    path: Path, mount: Callable[[str], None], kind: str
) -> None:
    mount(kind)
    file = ManifestFile(path)
    with file.transaction() as connection:
        connection.execute("INSERT INTO facts VALUES ('a', 'b')")
    assert file.all("SELECT * FROM facts") == [("a", "b")]
    assert journal_of(file) in {"delete", "truncate"}
    assert not parts(path) & {"-wal", "-shm"}
    file.close()


def test_on_a_disk_of_our_own_there_is_a_wal(path: Path, mount: Callable[[str], None]) -> None:
    mount("ext4")
    file = ManifestFile(path)
    assert journal_of(file) == "wal"
    file.close()


@pytest.mark.parametrize("crashed", [True, False])
def test_a_home_that_moves_to_a_network_and_back_keeps_everything(
    path: Path, tmp_path: Path, mount: Callable[[str], None], crashed: bool
) -> None:
    mount("ext4")
    file = ManifestFile(path)
    with file.transaction() as connection:
        connection.execute("INSERT INTO facts VALUES ('a', 'b')")
    if crashed:
        for end in ("", "-wal"):
            part = path.with_name(path.name + end)
            part.with_name(f"left-{part.name}").write_bytes(part.read_bytes())
    file.close()
    place = tmp_path / "left-manifest.sqlite" if crashed else path
    for kind in ("nfs4", "ext4", "nfs4"):
        mount(kind)
        file = ManifestFile(place)
        assert file.all("SELECT * FROM facts") == [("a", "b")]
        assert (journal_of(file) == "wal") == (kind == "ext4")
        assert ("-shm" in parts(place)) == (kind == "ext4")
        file.close()


def fill(connection: sqlite3.Connection) -> None:
    """Write more than SQLite's cache holds."""
    rows = [(f"{number}", "x" * 4000) for number in range(5000)]
    connection.executemany("INSERT INTO facts VALUES (?, ?)", rows)


def test_a_long_transaction_keeps_no_reader_waiting(
    far: ManifestFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[object] = []

    def read() -> None:
        found.extend(far.all("SELECT count(*) FROM facts"))

    monkeypatch.setattr(manifest_file, "BUSY_SECONDS", 0.0)  # whoever has to wait fails
    with far.transaction() as connection:
        fill(connection)
        reader = threading.Thread(target=read)
        reader.start()
        reader.join(30)
        assert found == [(0,)]
    assert far.all("SELECT count(*) FROM facts") == [(5000,)]


def test_whoever_reads_while_it_is_written_waits_and_so_does_the_writer(
    far: ManifestFile,
) -> None:
    over = threading.Event()
    failures: list[Exception] = []

    def read() -> None:
        try:
            while not over.is_set():
                ((counted,),) = far.all("SELECT count(*) FROM facts")
                assert counted % 5000 == 0, "half a transaction was seen"
        except Exception as error:  # any is a failure of this test
            failures.append(error)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for _ in range(4):
        with far.transaction() as connection:
            connection.execute("DELETE FROM facts")
            fill(connection)
    over.set()
    for reader in readers:
        reader.join(30)
    assert failures == []


@pytest.mark.real
async def test_searches_go_on_while_a_folder_is_indexed(
    tmp_path: Path, mount: Callable[[str], None]
) -> None:
    root = tmp_path / "docs"
    root.mkdir()
    for number in range(300):
        (root / f"{number}.md").write_text(f"bird {number}")
    async with opening(root, TinyEncoder(), sync=False) as opened:
        indexed = asyncio.create_task(opened.synced())
        found = await texts(opened)
        assert found
        assert (await indexed).files == 300
        for number in range(299):
            (root / f"{number}.md").unlink()
        await until_found(opened, {"bird 299"})
