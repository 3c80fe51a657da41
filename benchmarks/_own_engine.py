"""An engine for one benchmark: default settings, no data, the models that are already prepared."""

import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from engine import client, config, paths
from engine.api import SyncFinished
from engine.connection import EngineClient


@asynccontextmanager
async def own_engine() -> AsyncIterator[EngineClient]:
    """Start an engine with the home of nobody, and stop it in the end."""
    cache = paths.cache_dir().parent
    with tempfile.TemporaryDirectory(prefix="hoverkite-benchmark-") as home:
        places = {f"XDG_{name}_HOME": f"{home}/{name}" for name in ("CONFIG", "DATA", "STATE")}
        before = dict(os.environ)
        os.environ |= places | {"HOME": home, "XDG_RUNTIME_DIR": home, "XDG_CACHE_HOME": str(cache)}
        try:
            flags = {"llm_start": "never"}
            engine = await client.connect(config.load(flags), flags)
            try:
                yield engine
            finally:
                await engine.close()
                await client.stop_engine()
        finally:
            os.environ.clear()
            os.environ.update(before)


async def index(engine: EngineClient, docs: Path) -> tuple[str, SyncFinished]:
    """Open ``docs``, wait until all of it can be searched, and return its id and the summary."""
    opened = await engine.open_folder(str(docs), agreed=True)
    async for event in engine.sync(opened.folder):
        if isinstance(event, SyncFinished):
            return opened.folder, event
    raise SystemExit("the engine stopped before the folder was indexed")
