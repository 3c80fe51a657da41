"""An edit never waits for bulk work: who writes when, and whose reading of a file counts."""

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from engine import config
from engine.encoding.embedding import PART_TEXTS, Encoder
from engine.errors import FolderError
from engine.files.watch import Hints
from engine.server.folder import Folder
from engine.storage.index import Query
from engine.storage.manifest import open_manifest
from engine.syncing import sync
from engine.syncing.batch import FIRST_BATCH_CHUNKS
from engine.syncing.sync import MOST_EDITS
from engine.syncing.writer import Lane, Steps, Writer
from tests.engine.steps import finish, one_by_one
from tests.engine.test_batches import Place, place, reading
from tests.engine.tiny_encoder import TinyEncoder, TinyShared
from tests.hits import wanted
from tests.opened import opening, status, until

__all__ = ["place", "reading"]

pytestmark = pytest.mark.real

EVERYTHING = Hints(0, everything=True)


def now(*names: str) -> Hints:
    return Hints(time.time(), {name.encode() for name in names})


# --- a folder ---------------------------------------------------------------------------------


class Tollgate(TinyEncoder):
    """Lets bulk work embed a slice only when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.toll = threading.Semaphore(0)

    def _encode(self, texts: list[str]) -> NDArray[np.float32]:
        assert self.toll.acquire(timeout=30)
        return super()._encode(texts)


def many_paragraphs(number: int, count: int = 3 * PART_TEXTS) -> str:
    return "\n\n".join(f"paragraph {part} of {number} " * 15 for part in range(count))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    place = tmp_path / "docs"
    place.mkdir()
    for number in range(4):
        (place / f"long {number}.md").write_text(many_paragraphs(number))
        os.utime(place / f"long {number}.md", (1_000_000 - number, 1_000_000 - number))
    return place


@pytest.fixture
def encoder() -> Tollgate:
    return Tollgate()


@pytest.fixture
async def busy(
    root: Path, encoder: Tollgate, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Folder]:
    """A folder in the middle of its first indexing, with one file saved."""
    monkeypatch.setattr(sync, "STEP_SECONDS", 0.0)
    async with opening(root, encoder, sync=False) as made:
        for _ in range(3):
            encoder.toll.release()
        await until(lambda: status(made).files == 1)
        try:
            yield made
        finally:
            encoder.toll.release(1000)


async def test_an_edit_is_found_while_a_first_indexing_goes_on(
    root: Path, encoder: Tollgate, busy: Folder
) -> None:
    (root / "note.md").write_text("a kite hovers")
    edit = busy._follow(now("note.md"))
    await until(edit.done)  # although the slice in hand is not embedded yet
    shown = status(busy)
    assert (shown.files, shown.state, shown.watch) == (2, "indexing", "events")
    assert shown.embedded_total == len(encoder.in_turn) + len(encoder.at_once) > 64
    assert shown.last_edit_ms is not None
    assert (await busy.search(wanted("a kite hovers", 1))).hits[0].text == "a kite hovers"
    encoder.toll.release(1000)
    await until(lambda: status(busy).state == "watching")
    assert status(busy).files == 5


async def test_many_changed_files_wait_for_the_bulk_work(
    root: Path, encoder: Tollgate, busy: Folder
) -> None:
    names = [f"{number}.md" for number in range(MOST_EDITS + 1)]
    for name in names:
        (root / name).write_text(f"text of {name}")
    (root / "long 0.md").write_text("a kite hovers")
    await until(busy._follow(now("long 0.md", *names)).done)
    assert status(busy).files == 1
    (hit,) = (await busy.search(wanted("a kite hovers", 1))).hits
    assert hit.text == "a kite hovers", "a known file among many is an edit"
    encoder.toll.release(1000)
    await until(lambda: status(busy).files == 4 + len(names))


async def test_a_pause_holds_bulk_work_and_edits_and_lets_searches_pass(
    root: Path, encoder: Tollgate, busy: Folder
) -> None:
    busy.pause(paused=True)
    shown = status(busy)
    assert (shown.state, shown.watch, shown.pending) == ("paused", "paused", 3)
    encoder.toll.release(1000)
    (root / "note.md").write_text("a kite hovers")
    edit = busy._follow(now("note.md"))
    await until(lambda: status(busy).pending == 4)
    (root / "second.md").write_text("a falcon stoops")
    busy._follow(now("second.md", "note.md"))
    await until(lambda: status(busy).pending == 5)
    (root / "second.md").unlink()
    assert len((await busy.search(wanted("anything", 3))).hits) == 3
    assert (await busy.synced()).files == 1, "nobody waits for what is paused"
    assert not edit.done()
    busy.pause(paused=False)
    await until(lambda: edit.done() and status(busy).state == "watching")
    assert status(busy).files == 5
    assert status(busy).watch == "events"


async def test_a_paused_folder_can_be_closed(root: Path, encoder: Tollgate) -> None:
    async with opening(root, encoder, sync=False) as made:
        made.pause(paused=True)
        encoder.toll.release(1000)
    assert not made._tasks


async def test_bulk_work_is_nicer_than_edits(
    root: Path, encoder: Tollgate, busy: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, int] = {}
    bulk, at_once = encoder._encode, encoder._encode_now

    def note(name: str) -> None:
        seen[name] = os.getpriority(os.PRIO_PROCESS, 0)

    def encode(given: list[str]) -> NDArray[np.float32]:
        note("bulk")
        return bulk(given)

    def encode_now(given: list[str], *, is_query: bool) -> NDArray[np.float32]:
        note("edit")
        return at_once(given, is_query=is_query)

    monkeypatch.setattr(encoder, "_encode", encode)
    monkeypatch.setattr(encoder, "_encode_now", encode_now)
    (root / "note.md").write_text("a kite hovers")
    edit = busy._follow(now("note.md"))
    encoder.toll.release(1000)
    await until(lambda: edit.done() and status(busy).files == 5)
    assert seen["edit"] == os.getpriority(os.PRIO_PROCESS, 0)
    assert seen["bulk"] > seen["edit"] or seen["bulk"] == 19


async def test_a_folder_that_is_closed_keeps_nobody_waiting(root: Path, encoder: Tollgate) -> None:
    async with opening(root, encoder, sync=False) as made:
        await until(lambda: made._bulk.current is not None)
        waiting = asyncio.create_task(made.synced())
        edit = made._follow(now("long 1.md"))
        encoder.toll.release(1000)
    with pytest.raises(FolderError, match="closed"):
        await waiting
    assert edit.cancelled() or edit.done()


# --- a sync -----------------------------------------------------------------------------------


def test_the_first_batches_are_small(place: Place) -> None:
    for number in range(3 * FIRST_BATCH_CHUNKS):
        place.write(f"{number}.md", number)
    place.run()
    done = [progress.files_done for progress in place.reports]
    assert done[:3] == [0, FIRST_BATCH_CHUNKS, 3 * FIRST_BATCH_CHUNKS]


def test_a_long_file_is_embedded_in_several_steps(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.write("long.md", text=many_paragraphs(0))
    monkeypatch.setattr(sync, "STEP_SECONDS", 0.0)
    assert sum(1 for _ in one_by_one(place.sync.run(EVERYTHING))) >= 3
    place.write("long.md", 1, many_paragraphs(1))
    assert sum(1 for _ in one_by_one(place.sync.edits(now("long.md")))) >= 3, "a part each"


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("text", ["it was shortened", None])
def test_of_a_file_read_twice_the_later_reading_counts(
    place: Place, monkeypatch: pytest.MonkeyPatch, known: bool, text: str | None
) -> None:
    monkeypatch.setattr(sync, "STEP_SECONDS", 0.0)
    place.write("other.md", 9)
    if known:
        place.write("long.md", text=many_paragraphs(0))
        place.run()
    place.write("long.md", 2, many_paragraphs(1))
    bulk = one_by_one(place.sync.run(EVERYTHING))
    while not place.sync._read_last:
        next(bulk)
    next(bulk)
    if text:
        place.write("long.md", 1, text)
    else:
        (place.root / "long.md").unlink()
    finish(place.sync.edits(now("long.md")))
    finish(bulk)
    chunks = place.manifest.chunks_at(list(place.manifest.all_rows())).values()
    found = {stored.chunk.text for stored in chunks if stored.path == b"long.md"}
    assert found == ({text} if text else set())
    vector = place.encoder.encode_now(["long"])[0]
    near = place.index.search(Query(lambda: vector), 1000)
    assert {each.stored.chunk.text for each in near} == found | {"other.md"}
    assert not place.run().any_change, "nothing was left to mend"
    assert place.sync._read_last == {}


# --- the writer and its lanes -----------------------------------------------------------------


async def test_whoever_waits_goes_between_two_steps_and_steps_never_overlap() -> None:
    writer = Writer("test", give_way=lambda: False)
    order: list[str] = []
    inside = 0

    def work(name: str) -> None:
        nonlocal inside
        inside += 1
        assert inside == 1
        time.sleep(0.01)
        order.append(name)
        inside -= 1

    def steps() -> Steps[str]:
        for number in range(6):
            work(f"step {number}")
            yield None
        return "done"

    bulk = asyncio.create_task(writer.finish(steps(), bulk=True))
    await until(lambda: bool(order))
    await writer.do(lambda: work("edit"))
    assert await bulk == "done"
    assert order.index("edit") <= 3
    cancelled = asyncio.create_task(writer.do(lambda: work("cancelled")))
    await asyncio.sleep(0)
    cancelled.cancel()
    await asyncio.gather(*(writer.finish(steps(), bulk=each) for each in (True, False)))
    await asyncio.to_thread(writer.close)


async def test_bulk_work_gives_way() -> None:
    waited = 0

    def give_way() -> bool:
        nonlocal waited
        waited += 1
        return True

    def steps() -> Steps[None]:
        for _ in range(3):
            yield None

    writer = Writer("test", give_way=give_way)
    await writer.finish(steps(), bulk=False)
    assert waited == 0
    await writer.finish(steps(), bulk=True)
    assert waited == 3
    await asyncio.to_thread(writer.close)


async def test_a_failing_step_ends_the_work_and_not_the_writer() -> None:
    writer = Writer("test", give_way=lambda: False)

    def steps() -> Steps[None]:
        yield None
        raise FolderError("it is gone")

    with pytest.raises(FolderError, match="gone"):
        await writer.finish(steps())
    assert await writer.do(lambda: 7) == 7
    await asyncio.to_thread(writer.close)


async def test_what_is_asked_meanwhile_is_done_once_and_after() -> None:
    runs: list[Hints] = []
    go = asyncio.Event()

    async def run(hints: Hints) -> int:
        runs.append(hints)
        await go.wait()
        if b"bad" in hints.paths:
            raise FolderError("bad")
        return len(runs)

    def start(work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        tasks.append(asyncio.create_task(work))
        return tasks[-1]

    tasks: list[asyncio.Task[None]] = []
    lane = Lane(run, start)
    first = lane.ask(now("a"))
    await until(lambda: len(runs) == 1)
    later = [lane.ask(now("b")), lane.ask(now("bad")), lane.ask(now("c"))]
    assert lane.busy
    go.set()
    assert await first == 1
    for asked in later:
        with pytest.raises(FolderError):
            await asked
    assert [hints.paths for hints in runs] == [{b"a"}, {b"b", b"bad", b"c"}]
    await until(lambda: not lane.busy)
    assert await lane.ask(EVERYTHING) == 3
    assert finish(iter_none()) == 5


def iter_none() -> Steps[int]:
    """Return at once."""
    yield from ()
    return 5


async def test_the_index_opens_beside_an_encoder_that_is_known(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = asyncio.Event()

    class Slow(TinyShared):
        def expected(self) -> tuple[str, int] | None:
            return "tiny", TinyEncoder.dimension

        async def get(self) -> Encoder:
            await loaded.wait()
            return self.encoder

    made = Folder(root, open_manifest(root), config.load(), Slow(), lambda: None)
    made.begin()
    try:
        await until(lambda: made.milvus_pid is not None)
        milvus = made.milvus_pid
        loaded.set()
        assert (await made.synced()).files == 4
        assert made.milvus_pid == milvus
    finally:
        await made.close()


async def test_an_encoder_that_is_another_than_expected_gets_its_own_index(root: Path) -> None:
    class Changed(TinyShared):
        def expected(self) -> tuple[str, int] | None:
            return "another", 4

    made = Folder(root, open_manifest(root), config.load(), Changed(), lambda: None)
    made.begin()
    try:
        assert (await made.synced()).files == 4
        assert (await made.search(wanted("anything", 1))).hits
    finally:
        await made.close()
