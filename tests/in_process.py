"""A client of one open folder without an engine process: its requests go straight to the routes."""

import contextlib
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import httpcore
import httpx

from engine import config
from engine.front.connection import EngineClient
from engine.server.folder import Folder
from engine.server.routes import create_app

if TYPE_CHECKING:
    from engine.server.service import Engine


class _Routes:
    """What is used of a connection pool."""

    def __init__(self, folder: Folder) -> None:
        engine = SimpleNamespace(
            settings=config.load(),
            folder=lambda _: folder,
            in_use=lambda *_: contextlib.nullcontext(),
            touch=lambda: None,
        )
        transport = httpx.ASGITransport(create_app(cast("Engine", engine)))
        self._client = httpx.AsyncClient(transport=transport)

    async def request(self, **asked: Any) -> httpcore.Response:
        reply = await self._client.request(**asked)
        response = httpcore.Response(reply.status_code, content=reply.content)
        await response.aread()
        return response

    async def aclose(self) -> None:
        await self._client.aclose()


def client_of(folder: Folder) -> EngineClient:
    """Return a client whose every folder is ``folder``."""
    client = EngineClient()
    client._http = cast("httpcore.AsyncConnectionPool", _Routes(folder))
    return client
