"""A client that leaves in the middle of an answer, over the engine's own server."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import uvicorn

from engine import paths
from engine.front.connection import EngineClient
from engine.server.routes import create_app
from engine.serving.precedence import Precedence
from engine.wire.api_answer import AskRequest, Token, TurnBegun
from tests.engine.conversing import Talking, talking
from tests.opened import until

pytestmark = pytest.mark.real


@contextlib.asynccontextmanager
async def serving(talk: Talking) -> AsyncIterator[EngineClient]:
    """Serve the folder as the engine does, and connect to it."""
    engine = SimpleNamespace(
        settings=talk.settings,
        model=talk.model(),
        precedence=Precedence(),
        folder=lambda _: talk.folder,
        touch=lambda: None,
        in_use=lambda *_: contextlib.nullcontext(),
    )
    app = create_app(cast(Any, engine))
    options: dict[str, Any] = {"lifespan": "off", "log_config": None}
    server = uvicorn.Server(uvicorn.Config(app, uds=str(paths.engine_socket()), **options))
    task = asyncio.create_task(server._serve())
    await until(lambda: server.started)
    client = EngineClient()
    try:
        yield client
    finally:
        await client.close()
        server.should_exit = True
        await task


@pytest.mark.parametrize("pieces", [0, 1])
async def test_what_came_until_a_client_left_is_kept_and_the_model_is_let_go(
    tmp_path: Path, pieces: int
) -> None:
    """In prefill as in decode."""
    root = tmp_path / "docs"
    root.mkdir()
    (root / "kite.md").write_text("The kite hovers above meadows.")
    async with talking(root, tmp_path / "v") as talk, serving(talk) as client:
        talk.vllm.script.pieces = ["The kite hovers above meadows. So", " it goes."]
        talk.vllm.script.hang_after = pieces
        request = AskRequest(question="Where does the kite hover?", mode="bm25")
        come = asyncio.Event()

        async def ask() -> None:
            async for event in client.ask("x", request):
                if isinstance(event, Token if pieces else TurnBegun):
                    come.set()

        asking = asyncio.create_task(ask())
        await until(lambda: come.is_set() or asking.done())
        await until(lambda: talk.vllm.running == 1)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await until(lambda: talk.vllm.running == 0)
        (summary,) = (await client.conversations("x")).conversations
        (turn,) = (await client.conversation("x", summary.id)).turns
        written = "The kite hovers above meadows. [1] So" if pieces else ""
        assert (turn.answer, turn.finish_reason) == (written, "")
        assert [each.n for each in turn.citations] == [1] * pieces
        assert turn.extracts
