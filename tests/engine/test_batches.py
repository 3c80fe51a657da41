"""What a sync saves when: slow files hold nothing up, and what is damaged is embedded again."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import pytest

from engine import documents, paths
from engine.config import Settings
from engine.documents import Document
from engine.files.watch import Hints
from engine.storage.index import Index, Query
from engine.storage.manifest import Manifest, text_hash
from engine.syncing import batch
from engine.syncing.batch import Outcome
from engine.syncing.sync import Sync
from engine.wire.api import Progress
from tests.engine.steps import finish
from tests.engine.test_manifest import spoil
from tests.engine.tiny_encoder import TinyEncoder

pytestmark = pytest.mark.real


class Place:
    """A folder with its manifest and index, and a clock that only reading moves."""

    def __init__(self, base: Path) -> None:
        self.root = base / "docs"
        self.root.mkdir()
        self.stored = base / "manifest.sqlite"
        self.milvus = base / "index.db"
        self.encoder = TinyEncoder()
        self.now = 0.0
        self.reports: list[Progress] = []
        self.open()

    def open(self) -> None:
        self.manifest = Manifest(self.stored)
        self.index = Index(self.manifest, self.milvus, "tiny", TinyEncoder.dimension)
        self.sync = Sync(
            self.root,
            Settings(),
            self.manifest,
            self.index,
            self.encoder,
            data=paths.data_dir(),
            stopping=Event(),
        )
        self.sync.clock = lambda: self.now

    def close(self) -> None:
        self.index.close()
        self.manifest.close()

    def write(self, name: str, seconds: int = 0, text: str = "") -> None:
        """Make a file that holds its name, or ``text``, its time ``seconds`` before the newest."""
        (self.root / name).write_text(text or name)
        os.utime(self.root / name, (1_000_000 - seconds, 1_000_000 - seconds))

    def run(self) -> Outcome:
        """Bring everything up to date."""
        return finish(self.sync.run(Hints(0, everything=True), self.reports.append))

    def saved(self) -> list[str]:
        return sorted(path.decode() for path in self.manifest.files())


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.close()


@pytest.fixture
def reading(place: Place, monkeypatch: pytest.MonkeyPatch) -> list[Callable[[str], None]]:
    """What is called with the name of each file before it is read; each is read as plain text."""
    called: list[Callable[[str], None]] = []

    def load(path: Path, **_: object) -> tuple[Document, str]:
        for call in called:
            call(path.name)
        return Document(path.read_text(), "text", None), path.name

    monkeypatch.setattr(documents, "load", load)
    return called


@pytest.mark.parametrize(
    ("seconds", "done"), [(0.0, [0, 4]), (batch.BATCH_SECONDS, [0, 2, 4]), (60.0, [0, 2, 4])]
)
def test_what_was_read_is_saved_after_some_seconds(
    place: Place, reading: list[Callable[[str], None]], seconds: float, done: list[int]
) -> None:
    for number, name in enumerate(("a.md", "slow.md", "b.md", "c.md")):
        place.write(name, number)

    def take_long(name: str) -> None:
        place.now += seconds if name == "slow.md" else 0

    reading.append(take_long)
    place.run()
    assert [progress.files_done for progress in place.reports] == done
    assert place.saved() == ["a.md", "b.md", "c.md", "slow.md"]


def test_slow_kinds_are_read_when_all_others_are_saved(
    place: Place, reading: list[Callable[[str], None]]
) -> None:
    for number, name in enumerate(("new.pdf", "b.md", "old.PDF", "a.md")):
        place.write(name, number)
    order: list[str] = []
    before: dict[str, list[str]] = {}
    reading.append(order.append)
    reading.append(lambda name: before.update({name: place.saved()}))
    place.run()
    assert order == ["b.md", "a.md", "new.pdf", "old.PDF"]
    assert before["new.pdf"] == ["a.md", "b.md"]
    assert place.saved() == ["a.md", "b.md", "new.pdf", "old.PDF"]


def test_a_file_from_the_far_future_is_read_like_any_other(place: Place) -> None:
    place.write("a.md")
    place.write("b.md")
    os.utime(place.root / "b.md", (10_413_792_000, 10_413_792_000))  # the year 2300
    assert place.run().added == 2
    assert not place.run().any_change


@pytest.mark.parametrize("stored", [b"\x00\x11\x22", b"\xff" * 32])
def test_damaged_vectors_that_are_needed_are_embedded_again(
    place: Place,
    reading: list[Callable[[str], None]],
    monkeypatch: pytest.MonkeyPatch,
    stored: bytes,
) -> None:
    monkeypatch.setattr(batch, "BATCH_FILES", 1)  # the texts that two files share, in two batches
    place.write("a.md", 1)
    place.write("b.md", 2)
    place.write("c.md", 3, "a.md")
    place.run()
    place.close()
    spoil(place.stored, stored, text_hash("a.md"))
    place.milvus.unlink()
    place.open()
    assert place.run().embedded == 1
    vector = place.encoder.encode_now(["a.md"])[0]
    found = {found.stored.path for found in place.index.search(Query(lambda: vector), 9)}
    assert found == {b"a.md", b"b.md", b"c.md"}
    read: list[str] = []
    reading.append(read.append)
    assert not place.run().any_change
    assert read == []
