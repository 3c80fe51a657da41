"""Two syncs at once: whatever order their steps come in, the index equals the folder."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from engine import config
from engine.errors import ManifestError
from engine.files.watch import Hints
from engine.server.answer import answer
from engine.serving.vllm_server import AnswerModel
from engine.syncing import sync
from engine.wire.api_answer import AnswerFailed, AskRequest
from tests.engine.steps import finish, one_by_one
from tests.engine.test_batches import Place, place, reading
from tests.engine.test_steps import EVERYTHING, Tollgate, many_paragraphs, now
from tests.hits import wanted
from tests.opened import opening, status, until

__all__ = ["place", "reading"]

pytestmark = pytest.mark.real


def known_texts(place: Place) -> set[str]:
    chunks = place.manifest.chunks_at(list(place.manifest.all_rows())).values()
    return {stored.chunk.text for stored in chunks}


@pytest.mark.parametrize("known", [False, True])
def test_a_file_that_a_full_look_found_gone_is_not_saved_by_an_edit_that_read_it(
    place: Place, known: bool
) -> None:
    if known:
        place.write("gone.md", 9)
    place.write("other.md", 9)
    place.run()
    place.write("gone.md", 1, many_paragraphs(0))
    edit = one_by_one(place.sync.edits(now("gone.md")))
    next(edit)
    (place.root / "gone.md").rename(place.root / "moved.txt")
    place.run()
    finish(edit)
    assert place.saved() == ["moved.txt", "other.md"]
    assert place.sync._read_last == {}


@pytest.mark.parametrize("name", ["slow.pdf", "large.md"])
def test_a_file_that_is_long_in_reading_holds_up_nobody_and_a_later_reading_counts(
    place: Place,
    reading: list[Callable[[str], None]],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    monkeypatch.setattr(sync, "LARGE_FILE", 10)
    place.write(name, text="the first text")
    read: list[str] = []
    reading.append(read.append)
    bulk = place.sync.run(EVERYTHING)
    scanning = next(bulk)
    assert scanning
    work = bulk.send(scanning())
    while work is None:
        work = next(bulk)
    assert read == [], "it is read while others have their turn"
    old = work()
    place.write(name, 1, "the second text")
    finish(place.sync.edits(now(name)))
    with pytest.raises(StopIteration):
        while True:
            bulk.send(old)
    assert known_texts(place) == {"the second text"}
    assert not place.run().any_change


def test_rows_of_a_save_that_failed_are_dead(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.write("a.md", 9, "kite")
    place.run()
    save = place.manifest.save

    def fail(updates: object, *args: object, **more: object) -> None:
        if updates:
            raise ManifestError("the disk is full")
        save([], **more)  # type: ignore[arg-type]

    place.write("a.md", 1, "owl")
    place.write("b.md", 1, "heron")
    with monkeypatch.context() as broken:
        broken.setattr(place.manifest, "save", fail)
        with pytest.raises(ManifestError):
            place.run()
    assert place.index._rows - place.index._dead == place.manifest.all_rows()
    place.run()
    assert place.index._rows - place.index._dead == place.manifest.all_rows()
    assert known_texts(place) == {"owl", "heron"}


def test_an_edit_makes_no_step_of_bulk_work_longer(place: Place) -> None:
    for number in range(3):
        place.write(f"{number}.md", number, many_paragraphs(number))
    bulk = one_by_one(place.sync.run(EVERYTHING))
    next(bulk)
    place.write("note.md", text="a kite hovers")
    finish(place.sync.edits(now("note.md")))
    next(bulk)
    assert place.sync._step_seconds == sync.STEP_SECONDS
    finish(bulk)


async def test_a_folder_that_is_paused_at_once_can_be_searched(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/kite.md").write_text(many_paragraphs(0))
    encoder = Tollgate()
    async with opening(tmp_path / "docs", encoder, sync=False) as opened:
        opened.pause(paused=True)
        async with asyncio.timeout(20):
            assert (await opened.search(wanted("kite", 3))).hits == []
            request = AskRequest(question="kite")
            model = AnswerModel(config.load(), lambda: None)
            events = [each async for each in answer(request, opened, model, config.load())]
            failed = events[-1]
            assert isinstance(failed, AnswerFailed)
            assert "indexing is paused" in failed.problem.detail
        encoder.toll.release(1000)


async def test_an_edit_is_not_kept_waiting_by_hints_at_everything(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    for number in range(3):
        (tmp_path / f"docs/{number}.md").write_text(many_paragraphs(number))
    encoder = Tollgate()
    async with opening(tmp_path / "docs", encoder, sync=False) as opened:
        async with asyncio.timeout(20):
            await until(lambda: status(opened).progress.files_total > 0)
            (tmp_path / "docs/note.md").write_text("a kite hovers")
            opened._follow(Hints(1.0, {b"note.md"}, everything=True))
            await until(lambda: status(opened).chunks == 1)
            assert (await opened.search(wanted("a kite hovers", 1))).hits[0].text == "a kite hovers"
        encoder.toll.release(1000)
