"""What is read again, and whose reading counts, when a file is not what a sync took it for."""

import asyncio
import errno
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.errors import ManifestError
from engine.files.watch import Hints, Watch
from engine.storage.manifest import FileUpdate
from engine.storage.vectors import NO_VECTOR
from engine.syncing import sync
from engine.syncing.batch import Outcome
from engine.syncing.writer import Steps
from tests.engine.steps import finish, one_by_one
from tests.engine.test_batches import Place, place
from tests.engine.test_lanes import known_texts
from tests.engine.test_steps import EVERYTHING, Tollgate, many_paragraphs, now
from tests.engine.tiny_encoder import TinyEncoder
from tests.hits import wanted
from tests.opened import opening, status, until

__all__ = ["place"]

pytestmark = pytest.mark.real


def index_equals_manifest(place: Place) -> bool:
    """Whether Milvus holds each row of the manifest once, and no other that is alive."""
    return place.index.census() == (place.manifest.all_rows(), 0)


# --- a path that another file takes -----------------------------------------------------------


@pytest.mark.parametrize("also_linked", [False, True])
def test_a_file_that_takes_the_place_of_one_that_was_read_is_what_is_saved(
    place: Place, monkeypatch: pytest.MonkeyPatch, *, also_linked: bool
) -> None:
    place.write("old.md", 5, "the old text")
    place.run()
    if also_linked:
        (place.root / "new.md").hardlink_to(place.root / "old.md")
    else:
        place.write("new.md", 1, "the new text")
    monkeypatch.setattr(sync, "STEP_SECONDS", 0.0)
    bulk = one_by_one(place.sync.run(EVERYTHING))
    while not isinstance(place.sync._read_last.get(b"new.md"), FileUpdate):
        next(bulk)
    (place.root / "old.md").replace(place.root / "new.md")
    (place.root / "old.md").unlink(missing_ok=True)  # a link is not moved onto its own file
    assert finish(place.sync.edits(now("old.md", "new.md"))).outcome == Outcome(renamed=1)
    finish(bulk)
    assert place.saved() == ["new.md"]
    assert known_texts(place) == {"the old text"}
    assert index_equals_manifest(place)
    assert not place.run().any_change
    assert place.sync._read_last == {}


# --- a file that can't be read for a while ----------------------------------------------------

BARRED = PermissionError(errno.EACCES, "Permission denied")
TOO_MANY = OSError(errno.EMFILE, "Too many open files")
BROKEN = OSError(errno.EIO, "Input/output error")


def bar(monkeypatch: pytest.MonkeyPatch, name: str, error: OSError) -> None:
    """Let the file ``name`` be opened by nobody."""
    real = os.open

    def refuse(path: Any, *args: Any, **more: Any) -> int:
        if os.fspath(path).endswith(name):
            raise error
        return real(path, *args, **more)

    monkeypatch.setattr(os, "open", refuse)


@pytest.mark.parametrize("error", [BARRED, TOO_MANY, BROKEN])
def test_a_file_that_could_not_be_read_is_read_as_soon_as_it_can_be(
    place: Place, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    place.write("a.md", 1)
    place.write("b.md", 2)
    with monkeypatch.context() as patch:
        bar(patch, "a.md", error)
        assert place.run().added == 2
        unread = place.manifest.unread_files(9)
        assert ([path for path, _ in unread[0]], unread[1]) == ([b"a.md"], 1)
        for _ in range(2):
            assert not place.run().any_change, "it still can't be read"
            edit = finish(place.sync.edits(now("a.md"))).outcome
            assert edit and not edit.any_change
            assert place.manifest.unread_files(9) == unread
        place.close()
        place.open()
        assert not place.run().any_change
        assert place.manifest.unread_files(9) == unread
    assert place.run().changed == 1, "although its stat is the same"
    assert place.manifest.unread_files(9) == ([], 0)
    assert known_texts(place) == {"a.md", "b.md"}
    assert not place.run().any_change


def test_the_reason_that_is_told_is_the_latest(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.write("a.md", 1)
    told = []
    for error in (BARRED, TOO_MANY):
        with monkeypatch.context() as patch:
            bar(patch, "a.md", error)
            place.run()
        told.append(place.manifest.files()[b"a.md"].reason)
    assert told == ["no permission to read it", "it can't be read: Too many open files"]


# --- a text that gets no vector ---------------------------------------------------------------


class Cursed(TinyEncoder):
    """Gives texts with a certain word a vector that is no number."""

    word = "cursed"

    def _vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = super()._vectors(texts)
        vectors[[self.word in text for text in texts]] = np.nan
        return vectors

    def tried(self, text: str) -> int:
        return (self.in_turn + self.at_once).count(text)


@pytest.mark.parametrize("model", ["tiny", "another"])
async def test_a_file_whose_text_got_no_vector_is_tried_again_once_by_each_opening(
    tmp_path: Path, model: str
) -> None:
    root = tmp_path / "docs"
    root.mkdir()
    (root / "a.md").write_text("cursed words")
    (root / "b.md").write_text("fine words")
    for _ in range(2):
        encoder = Cursed()
        async with opening(root, encoder) as opened:
            await opened.synced()
            assert [(s.path, s.reason) for s in status(opened).skipped] == [("a.md", NO_VECTOR)]
        assert encoder.tried("cursed words") == 1
    async with opening(root, TinyEncoder(model)) as opened:
        assert status(opened).skipped == []
        assert (await opened.search(wanted("cursed words", 1))).hits[0].path == "a.md"


@pytest.mark.parametrize(("known", "reused"), [([], 0), (["some"], 1), (["some", "other"], 2)])
def test_a_refused_text_is_neither_embedded_nor_used_again(
    place: Place, known: list[str], reused: int
) -> None:
    texts = {word: f"{word} words " * 40 for word in ("some", "other", "cursed")}
    place.encoder = Cursed()
    place.close()
    place.open()
    place.write("known.md", 9, "\n\n".join(texts[word] for word in known))
    place.run()
    place.write("a.md", 1, "\n\n".join(texts.values()))
    outcome = place.run()
    assert place.manifest.files()[b"a.md"].reason == NO_VECTOR
    assert (outcome.reused, outcome.embedded) == (reused, 2 - len(known))


# --- a file with more rows than a step takes --------------------------------------------------

ROWS = 90
AT_ONCE = 20


def paragraphs(begin: int, end: int) -> list[str]:
    """Return paragraphs that are a chunk each."""
    return [" ".join([f"paragraph {part} tells of a kite"] * 15) for part in range(begin, end)]


def until_half_is_added(bulk: Steps[Outcome], place: Place) -> int:
    """Step on until some rows of a file are added and it is not saved; return the longest step."""
    before, most = len(place.index._rows), 0
    for _ in bulk:
        if (rows := len(place.index._rows)) >= before + 2 * AT_ONCE:
            return most
        most = max(most, rows - before)
    raise AssertionError("all were added at once")


@pytest.mark.parametrize(
    "left", [paragraphs(0, 1), paragraphs(60, ROWS), paragraphs(500, 560), []], ids=len
)
@pytest.mark.parametrize("known", [False, True])
def test_an_edit_between_two_steps_of_adding_a_file_counts(
    place: Place, monkeypatch: pytest.MonkeyPatch, left: list[str], *, known: bool
) -> None:
    monkeypatch.setattr(sync, "STEP_ROWS", AT_ONCE)
    monkeypatch.setattr(sync, "STEP_SECONDS", 0.0)
    place.write("other.md", 9)
    if known:
        place.write("big.md", 5, "what it was before")
    place.run()
    before = place.manifest.all_rows()
    place.write("big.md", 2, "\n\n".join(paragraphs(0, ROWS)))
    bulk = one_by_one(place.sync.run(EVERYTHING))
    assert 0 < until_half_is_added(bulk, place) <= AT_ONCE
    assert place.manifest.all_rows() == before
    if left:
        place.write("big.md", 1, "\n\n".join(left))
    else:
        (place.root / "big.md").unlink()
    finish(place.sync.edits(now("big.md")))
    finish(bulk)
    assert known_texts(place) == {"other.md", *left}
    assert index_equals_manifest(place)
    assert not place.run().any_change
    assert place.sync._read_last == {}


def test_a_file_that_is_added_in_steps_is_whole_at_the_end(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "STEP_ROWS", AT_ONCE)
    monkeypatch.setattr(sync, "STEP_SECONDS", 0.0)
    sizes = [len(place.index._rows)]
    place.write("big.md", text="\n\n".join(paragraphs(0, ROWS)))
    for _ in one_by_one(place.sync.run(EVERYTHING)):
        sizes.append(len(place.index._rows))
    assert max(np.diff([*sizes, len(place.index._rows)])) <= AT_ONCE
    assert len(place.manifest.all_rows()) == ROWS
    assert index_equals_manifest(place)


# --- hints at everything, and at some files ---------------------------------------------------


@pytest.fixture
def unwatched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have nobody look at a folder unasked."""

    async def run(_: Watch) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Watch, "run", run)


@pytest.mark.usefixtures("unwatched")
@pytest.mark.parametrize("edits_fail", [False, True])
async def test_hints_at_everything_are_acted_on_once_everything_was_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, edits_fail: bool
) -> None:
    root = tmp_path / "docs"
    root.mkdir()
    encoder = Tollgate()

    def fail(_: Hints) -> Steps[Any]:
        raise ManifestError("the disk is full")

    async with opening(root, encoder) as opened:
        (root / "note.md").write_text("a kite hovers")
        (root / "long.md").write_text(many_paragraphs(0))
        if edits_fail:
            monkeypatch.setattr(opened._sync, "edits", fail)
        followed = opened._follow(Hints(1.0, {b"note.md"}, everything=True))
        try:
            await until(lambda: opened._bulk.current is not None)
            assert not followed.done()
        finally:
            encoder.toll.release(1000)
        assert (await followed).added == 1 + edits_fail
        assert status(opened).files == 2
