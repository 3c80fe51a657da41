"""A client that leaves: what was done for it alone ends."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
import uvicorn

from engine import paths, wanted
from engine.front.connection import EngineClient
from engine.server.routes import create_app
from engine.wire.api_search import SearchReply, SearchRequest

BOUND = 10.0


class SlowFolder:
    """A folder whose searches last until they are let go on; each tells how it ended."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.go_on = threading.Event()
        self.ended: list[str] = []

    async def search(self, request: Any, *_: object) -> SearchReply:
        self.begun.set()
        try:
            await wanted.in_thread(self._work)
        except asyncio.CancelledError:
            self.ended.append("cancelled")
            raise
        return SearchReply(query="q", took_ms=1.0, hits=[])

    def _work(self) -> None:
        assert self.go_on.wait(BOUND)
        try:
            wanted.check()
        except wanted.NoLongerWantedError:
            self.ended.append("work stopped")
            raise
        self.ended.append("work done")


class OneFolder:
    """As much of the engine as a search needs."""

    def __init__(self) -> None:
        self.slow = SlowFolder()
        self.settings: Any = type("Settings", (), {"hits": 8})()

    def folder(self, _: str) -> SlowFolder:
        return self.slow

    def touch(self) -> None:
        pass

    def in_use(self, _: SlowFolder) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()


async def until(happened: Any) -> None:
    for _ in range(int(BOUND / 0.005)):
        if happened():
            return
        await asyncio.sleep(0.005)
    raise AssertionError(f"it did not happen within {BOUND:.0f} s")


@pytest.fixture
async def engine() -> AsyncIterator[OneFolder]:
    """An engine that serves at the engine's socket."""
    found = OneFolder()
    config = uvicorn.Config(
        create_app(cast(Any, found)),
        uds=str(paths.engine_socket()),
        lifespan="off",
        log_config=None,
    )
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    serving = asyncio.create_task(server._serve())
    await until(lambda: server.started)
    yield found
    found.slow.go_on.set()
    server.should_exit = True
    await serving


@pytest.fixture
async def client(engine: OneFolder) -> AsyncIterator[EngineClient]:
    found = EngineClient()
    yield found
    await found.close()


async def test_a_cancelled_search_ends_in_the_engine_too(
    engine: OneFolder, client: EngineClient
) -> None:
    searching = asyncio.create_task(client.search("f", SearchRequest(query="old")))
    await engine.slow.begun.wait()
    searching.cancel()
    await until(lambda: engine.slow.ended == ["cancelled"])
    engine.slow.go_on.set()
    await until(lambda: engine.slow.ended == ["cancelled", "work stopped"])
    with pytest.raises(asyncio.CancelledError):
        await searching


async def test_a_search_that_is_waited_for_is_answered_and_the_next_one_too(
    engine: OneFolder, client: EngineClient
) -> None:
    engine.slow.go_on.set()
    for _ in range(3):
        reply = await client.search("f", SearchRequest(query="q"))
        assert reply.query == "q"
    assert engine.slow.ended == ["work done"] * 3


def test_without_anybody_to_leave_work_goes_on() -> None:
    wanted.check()


async def test_leaving_in_the_middle_of_a_request_is_no_failure(
    caplog: pytest.LogCaptureFixture,
) -> None:
    came = iter(
        [
            {"type": "http.request", "body": b'{"query": "a se', "more_body": True},
            {"type": "http.disconnect"},
        ]
    )
    sent: list[Any] = []

    async def receive() -> Any:
        return next(came)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/v1/folders/1/search", "headers": []}
    await create_app(cast("Any", OneFolder()))(scope, receive, send)
    assert sent[0]["status"] == 499
    assert "a request failed" not in caplog.text
