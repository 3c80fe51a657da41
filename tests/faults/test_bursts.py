"""Many changes at once, and one file that never holds still."""

import asyncio
import os
import time
from pathlib import Path

import pytest

from engine.files import watch
from engine.files.watch import Hints
from engine.server.folder import Folder
from engine.syncing.batch import Outcome
from tests.engine.tiny_encoder import TinyEncoder
from tests.opened import embedded, on_disk, opening, status, until, until_equal

pytestmark = pytest.mark.real

SLOW = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def handed(monkeypatch: pytest.MonkeyPatch) -> list[Hints]:
    """Every batch of hints that the watch handed over."""
    found: list[Hints] = []
    follow = Folder._follow

    def listen(self: Folder, hints: Hints) -> "asyncio.Future[Outcome]":
        found.append(hints)
        return follow(self, hints)

    monkeypatch.setattr(Folder, "_follow", listen)
    return found


def check_out(root: Path, branch: str, files: int) -> None:
    """Write and remove files as a version control does that switches to another branch."""
    for number in range(files):
        path = root / f"{number % 50}/{number}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        if branch == "main" or number % 7:
            same = "both" if number % 3 else branch
            path.write_text(f"file {number} of {same}")


@pytest.mark.parametrize("files", [300, pytest.param(5000, marks=SLOW)])
async def test_a_checkout_of_many_files_is_followed_and_each_content_embedded_once(
    root: Path, encoder: TinyEncoder, handed: list[Hints], files: int
) -> None:
    check_out(root, "main", files)
    async with opening(root, encoder) as opened:
        await until(lambda: status(opened).state == "watching")
        for branch in ("other", "main", "other"):
            await asyncio.to_thread(check_out, root, branch, files)
            await until_equal(opened, root, 120)
        await until(lambda: not status(opened).pending)
    texts = embedded(encoder)
    assert len(texts) == len(set(texts))
    assert max(len(hints.paths) for hints in handed) <= watch.MOST_HINTS


async def test_so_many_hints_are_not_gathered_that_they_fill_the_memory(
    root: Path, encoder: TinyEncoder, handed: list[Hints], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "MOST_HINTS", 100)
    async with opening(root, encoder) as opened:
        await until(lambda: status(opened).state == "watching")
        await asyncio.to_thread(check_out, root, "main", 500)
        await until_equal(opened, root)
    assert max(len(hints.paths) for hints in handed) <= 100
    assert any(hints.everything for hints in handed)


async def test_a_file_rewritten_a_hundred_times_a_second_is_found_as_it_ends(
    root: Path, encoder: TinyEncoder
) -> None:
    path = root / "restless.md"
    async with opening(root, encoder) as opened:
        await until(lambda: status(opened).state == "watching")
        before = len(encoder.at_once)
        begun = time.monotonic()
        for number in range(150):
            path.write_text(f"version {number}")
            await asyncio.sleep(max(0.0, begun + number / 100 - time.monotonic()))
        seconds = time.monotonic() - begun
        await until_equal(opened, root)
    texts = encoder.at_once[before:]
    assert texts[-1] == "version 149"
    assert len(texts) == len(set(texts))
    assert len(texts) <= 2 * seconds + 3, "it is looked at once a second"


async def test_a_file_that_grows_while_it_is_read_is_read_again_and_embedded_once(
    root: Path, encoder: TinyEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = root / "growing.md"
    grown = 0
    fdopen = os.fdopen

    def grow(*given: object, **options: object) -> object:
        nonlocal grown
        if path.exists() and grown < 3:
            grown += 1
            with path.open("a") as file:
                file.write(f" and {grown}")
        return fdopen(*given, **options)  # type: ignore[call-overload]

    async with opening(root, encoder) as opened:
        await until(lambda: status(opened).state == "watching")
        before = len(encoder.at_once)
        with monkeypatch.context() as growing:
            growing.setattr(os, "fdopen", grow)
            path.write_text("one")
            await until(lambda: status(opened).pending == 1)
            await until(lambda: grown == 3)
        await until_equal(opened, root)
        await until(lambda: status(opened).pending == 0)
    assert on_disk(root)["growing.md"] == {"one and 1 and 2 and 3"}
    assert encoder.at_once[before:] == ["one and 1 and 2 and 3"]
