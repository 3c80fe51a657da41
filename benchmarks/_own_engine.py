"""An engine for one benchmark: default settings, no data, the models that are already prepared."""

import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import psutil

from engine import config, paths
from engine.front import client
from engine.front.connection import EngineClient
from engine.quick_start import spare_imports
from engine.wire.api import SyncFinished

PREFIX = "hoverkite-benchmark-"


@contextmanager
def own_home(kept: Path | None = None) -> Iterator[Path]:
    """Give this process, and what it starts, the home of nobody.

    It is removed in the end, unless it is ``kept``: what was embedded there is used again.
    """
    spare_imports()
    cache = paths.cache_dir().parent
    room = nullcontext(str(kept)) if kept else tempfile.TemporaryDirectory(prefix=PREFIX)
    with room as home:
        places = {f"XDG_{name}_HOME": f"{home}/{name}" for name in ("CONFIG", "DATA", "STATE")}
        before = dict(os.environ)
        os.environ |= places | {"HOME": home, "XDG_RUNTIME_DIR": home, "XDG_CACHE_HOME": str(cache)}
        try:
            yield Path(home).resolve()
        finally:
            os.environ.clear()
            os.environ.update(before)


@asynccontextmanager
async def running(**settings: Any) -> AsyncIterator[EngineClient]:
    """Start an engine in the home of now, and stop it in the end; its data stays."""
    flags = {"llm_start": "never"} | settings
    try:
        engine = await client.connect(config.load(flags), flags)
        try:
            yield engine
        finally:
            await engine.close()
    finally:
        await client.stop_engine()


@asynccontextmanager
async def own_engine(**settings: Any) -> AsyncIterator[EngineClient]:
    """Start an engine with the home of nobody, and stop it in the end."""
    with own_home():
        async with running(**settings) as engine:
            yield engine


async def index(engine: EngineClient, docs: Path) -> tuple[str, SyncFinished]:
    """Open ``docs``, wait until all of it can be searched, and return its id and the summary."""
    opened = await engine.open_folder(str(docs), agreed=True)
    async for event in engine.sync(opened.folder):
        if isinstance(event, SyncFinished):
            return opened.folder, event
    raise SystemExit("the engine stopped before the folder was indexed")


def cpu_of(pid: int) -> float:
    """Return the processor time of the engine and its Milvus servers."""
    engine = psutil.Process(pid)
    times = [process.cpu_times() for process in [engine, *engine.children(recursive=True)]]
    return sum(spent.user + spent.system for spent in times)
