"""Many clients search and ask while a folder is indexed and edited."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from engine import config
from engine.errors import EngineError
from engine.front import client
from engine.front.connection import EngineClient
from engine.server import engine_lock
from engine.wire import api
from engine.wire.api_answer import AskRequest
from engine.wire.api_search import SearchRequest
from tests.opened import until_it, write_notes
from tests.scripted_vllm import scripted_vllm

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]

CLIENTS = 5
NOTES = 120


@pytest.fixture
async def flags(cache: Path, launched: list[object]) -> AsyncIterator[dict[str, str]]:
    """The flags of clients whose engine asks a scripted vLLM."""
    async with scripted_vllm() as vllm:
        yield {"llm_url": vllm.url}
        with contextlib.suppress(EngineError):
            await client.stop_engine()


class Guest:
    """One client: how long its searches took, and how its answers ended."""

    def __init__(self, engine: EngineClient, folder: str) -> None:
        self.engine, self.folder = engine, folder
        self.took: list[float] = []
        self.ends: list[str] = []

    async def visit(self, number: int, enough: asyncio.Event) -> None:
        """Search and ask in turn until it is enough, and at least once."""
        while not (self.took and enough.is_set()):
            begun = time.monotonic()
            reply = await self.engine.search(
                self.folder, SearchRequest(query=f"note {number}", hits=5, per_file=0)
            )
            self.took.append(time.monotonic() - begun)
            paths = [hit.path for hit in reply.hits]
            assert len(paths) == len(set(paths)), "each note is one chunk"
            async with contextlib.aclosing(
                self.engine.ask(self.folder, AskRequest(question="Which note?"))
            ) as events:
                self.ends.append([event.type async for event in events][-1])


async def test_nobody_meets_an_error_and_all_share_one_writer(
    root: Path, flags: dict[str, str], launched: list[object]
) -> None:
    first = await client.connect(config.load(flags), flags)
    folder = (await first.open_folder(str(root))).folder
    await synced(first, folder)
    write_notes(root, NOTES)
    others = await asyncio.gather(
        *(client.connect(config.load(flags), flags) for _ in range(CLIENTS))
    )
    guests = [Guest(engine, folder) for engine in others]
    enough = asyncio.Event()
    visits = [
        asyncio.create_task(guest.visit(number, enough)) for number, guest in enumerate(guests)
    ]
    summaries = await asyncio.gather(*(synced(engine, folder) for engine in others))
    await until_it(lambda: has_notes(first, folder, NOTES))
    enough.set()
    await asyncio.gather(*visits)
    found = (await first.search(folder, SearchRequest(query="note", hits=100, per_file=0))).hits
    status = await first.status(folder)
    for engine in (first, *others):
        await engine.close()
    assert {end for guest in guests for end in guest.ends} == {"finished"}
    assert sum(len(guest.took) for guest in guests) >= CLIENTS
    assert {summary.files for summary in summaries} <= {NOTES}
    assert len({hit.path for hit in found}) == len(found) == 100
    assert (status.state, status.files, status.chunks) == ("watching", NOTES, NOTES)
    assert len(launched) == 1
    assert engine_lock.holder() == status.pids.engine


async def synced(engine: EngineClient, folder: str) -> api.SyncFinished:
    async with contextlib.aclosing(engine.sync(folder)) as events:
        last = [event async for event in events][-1]
    assert isinstance(last, api.SyncFinished)
    return last


async def has_notes(engine: EngineClient, folder: str, count: int) -> bool:
    status = await engine.status(folder)
    return status.state == "watching" and status.files == count


@pytest.mark.slow
async def test_searches_take_about_as_long_while_a_folder_is_indexed(
    root: Path, flags: dict[str, str]
) -> None:
    first = await client.connect(config.load(flags), flags)
    folder = (await first.open_folder(str(root))).folder
    await synced(first, folder)
    idle = await searches(first, folder, lambda: False)
    for number in range(120):
        text = " ".join(f"sentence {number} {part} of a long note." for part in range(40))
        (root / f"long{number}.md").write_text(text)
    indexing = asyncio.create_task(synced(first, folder))
    await until_it(lambda: is_indexing(first, folder))
    busy = await searches(first, folder, lambda: not indexing.done())
    files = (await indexing).files
    await first.close()
    print({"idle_p95_ms": round(idle * 1000), "busy_p95_ms": round(busy * 1000)})
    assert files == 123
    assert busy <= 2 * idle + 0.1


async def searches(engine: EngineClient, folder: str, goes_on: Callable[[], bool]) -> float:
    """Search again and again; return the 95th percentile of the seconds it took."""
    took: list[float] = []
    while len(took) < 100 or (goes_on() and len(took) < 1000):
        begun = time.monotonic()
        await engine.search(
            folder, SearchRequest(query=f"which note is number {len(took)}?", hits=8, per_file=0)
        )
        took.append(time.monotonic() - begun)
    return sorted(took)[int(len(took) * 0.95)]


async def is_indexing(engine: EngineClient, folder: str) -> bool:
    return (await engine.status(folder)).state == "indexing"
