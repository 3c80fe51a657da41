"""A folder opened in the test's own process, and what its index says against what is on disk."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from engine import config
from engine.files import scan
from engine.searching.reranker import Reranker
from engine.server.folder import Folder
from engine.storage.manifest import open_manifest
from engine.wire.api import FolderStatus, LlmState
from tests.engine.tiny_encoder import TinyEncoder, TinyShared
from tests.hits import wanted

if TYPE_CHECKING:
    from engine.server.shared_encoder import SharedEncoder

ALL = 10_000
"""More hits than any folder of these tests has chunks."""


@contextlib.asynccontextmanager
async def opening(
    root: Path,
    encoder: "TinyEncoder | SharedEncoder",
    *,
    settings: config.Settings | None = None,
    sync: bool = True,
) -> AsyncIterator[Folder]:
    """Open a folder, which is indexed unless not ``sync``, and close it in the end."""
    shared = TinyShared(encoder) if isinstance(encoder, TinyEncoder) else encoder
    settings = settings or config.load()
    reranker = Reranker(settings)
    made = Folder(root, open_manifest(root), settings, shared, lambda: None, reranker=reranker)
    made.begin()
    try:
        if sync:
            await made.synced()
        yield made
    finally:
        await made.close()
        await reranker.close()


def status(of: Folder) -> FolderStatus:
    """Return its status; no model answers."""
    return of.status(LlmState(state="off", model="none"), None)


async def texts(of: Folder) -> set[str]:
    """Return what is found."""
    return {hit.text for hit in (await of.search(wanted("anything", 50))).hits}


async def until_found(of: Folder, expected: set[str]) -> None:
    """Wait until exactly ``expected`` is found."""
    deadline = time.monotonic() + 15
    while (found := await texts(of)) != expected:
        assert time.monotonic() < deadline, f"the index stayed at {found}"
        await asyncio.sleep(0.01)


async def until(come: Callable[[], object], seconds: float = 20) -> None:
    """Wait until ``come()`` is true, at most ``seconds``."""

    async def ask() -> object:
        return come()

    await until_it(ask, seconds)


async def until_it(come: Callable[[], Awaitable[object]], seconds: float = 20) -> None:
    """The same for a question that has to be waited for."""
    deadline = time.monotonic() + seconds
    while not await come():
        assert time.monotonic() < deadline, "it never came"
        await asyncio.sleep(0.01)


def embedded(encoder: TinyEncoder) -> list[str]:
    """Return every text that was embedded since the encoder was made, as often as it was."""
    return encoder.in_turn + encoder.at_once


async def indexed(of: Folder) -> dict[str, set[str]]:
    """Return path → texts of everything that can be found; nothing may be found twice."""
    found: dict[str, set[str]] = {}
    for hit in (await of.search(wanted("anything", ALL))).hits:
        texts = found.setdefault(hit.path, set())
        assert hit.text not in texts, f"{hit.path} is found twice"
        texts.add(hit.text)
    return found


def on_disk(root: Path) -> dict[str, set[str]]:
    """Return what ``indexed`` has to return: each file of these tests is one chunk."""
    return {
        scan.decode(os.fsencode(path.relative_to(root))): {path.read_text()}
        for path in root.rglob("*.md")
        if path.is_file() and not path.is_symlink()
    }


async def until_equal(of: Folder, root: Path, seconds: float = 20) -> None:
    """Wait until the index holds exactly what is on disk."""
    expected = on_disk(root)
    deadline = time.monotonic() + seconds
    begun = time.monotonic()
    while (found := await indexed(of)) != expected:
        assert time.monotonic() < deadline, _difference(found, expected)
        # Looking takes time in a large folder: the indexing shall have at least half of it.
        await asyncio.sleep(max(0.02, time.monotonic() - begun))
        begun = time.monotonic()


def _difference(found: dict[str, set[str]], expected: dict[str, set[str]]) -> str:
    missing = sorted(expected.keys() - found.keys())[:5]
    extra = sorted(found.keys() - expected.keys())[:5]
    other = sorted(path for path in found.keys() & expected if found[path] != expected[path])[:5]
    return f"not indexed: {missing}; not on disk: {extra}; another text: {other}"


def write_notes(root: Path, count: int, *, begin: int = 0) -> None:
    """Write ``count`` notes of one chunk each, all different."""
    root.mkdir(exist_ok=True)
    for number in range(begin, begin + count):
        (root / f"note{number}.md").write_text(f"note {number}")
