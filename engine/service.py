"""The engine process: its folders, its models, and the HTTP routes in front of them."""

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import AsyncGenerator, Callable, Iterator

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse

from engine import __version__, api, api_kept
from engine.answer import answer
from engine.build import build
from engine.config import Settings
from engine.errors import EngineError, EngineStoppedError, HoverkiteError, UsageError
from engine.fingerprint import fingerprint
from engine.folder import Folder
from engine.open_folders import OpenFolders
from engine.problems import as_known, problem_of
from engine.shared_encoder import SharedEncoder
from engine.upkeep import Upkeep
from engine.vllm_server import AnswerModel

log = logging.getLogger(__name__)

NEWS_EVERY = 0.1
"""Seconds between two status messages of one stream, at least."""
LEAST_LINGER = 5.0
"""Seconds an engine stays unused whatever the setting, so that a client has time to begin."""
HEARTBEAT = 5.0
"""Seconds after which a status is sent although nothing changed, to notice a client that left."""


class Engine:
    """What the engine process holds: folders, one encoder, one answer model."""

    def __init__(self, settings: Settings, leave: Callable[[], None]) -> None:
        self.settings = settings
        self._leave = leave
        self._stopping = asyncio.Event()
        self._build = build()
        self.encoder = SharedEncoder(settings)
        self.model = AnswerModel(settings, self.changed)
        self.folders = OpenFolders(
            settings, self.encoder, self.changed, give_way=lambda: self.model.is_answering
        )
        self.upkeep = Upkeep(settings, self.folders, self.encoder)
        self.clients = 0
        self.last_used = time.monotonic()
        self._news: set[asyncio.Event] = set()

    def stop(self) -> None:
        """End every stream, then the process."""
        self._stopping.set()
        self.changed()
        self._leave()

    def changed(self) -> None:
        """Tell every stream that something is new."""
        for event in self._news:
            event.set()

    async def touch(self) -> None:
        """Note that a request arrived."""
        self.last_used = time.monotonic()

    @contextlib.contextmanager
    def in_use(self, folder: Folder | None = None) -> Iterator[None]:
        """Count a client for as long as the context lasts, and keep ``folder`` open."""
        self.clients += 1
        try:
            with self.folders.in_use(folder) if folder else contextlib.nullcontext():
                yield
        finally:
            self.clients -= 1
            self.last_used = time.monotonic()

    async def leave_when_unused(self) -> None:
        """Close folders that nobody uses any longer, and in the end the engine.

        A folder goes between once and twice the setting's minutes after its last use.
        """
        linger = max(self.settings.engine_linger_minutes * 60, LEAST_LINGER)
        while (left := self._seconds_left(linger)) > 0 and not self._stopping.is_set():
            await self.folders.close_unused(linger)
            await _wait(self._stopping, left)
        self.stop()

    def _seconds_left(self, linger: float) -> float:
        """Return how long to wait until nobody has used the engine for ``linger`` seconds."""
        if self.clients:
            return linger
        return self.last_used + linger - time.monotonic()

    async def open(self, request: api.OpenFolder) -> api.FolderOpened:
        """Open a folder, or say what a person has to agree to first."""
        opened = await self.folders.open(request)
        needs_a_yes = opened.survey and opened.survey.reason and not request.agreed
        if request.start_llm and not needs_a_yes:
            await self.model.start()
        return opened

    def folder(self, name: str) -> Folder:
        """Return an open folder by its id."""
        return self.folders.get(name)

    def hello(self) -> api.Hello:
        """Return which engine this is."""
        return api.Hello(
            protocol=api.PROTOCOL_VERSION,
            version=self._build,
            pid=os.getpid(),
            settings=fingerprint(self.settings),
            clients=self.clients,
        )

    def status(self, folder: Folder) -> api.FolderStatus:
        """Return the state of a folder and of the models."""
        return folder.status(self.model.state, self.model.pid)

    async def news(self, folder: Folder) -> AsyncGenerator[api.FolderStatus, None]:
        """Yield the folder's status now and after every change.

        Raises:
            EngineStoppedError: the engine stops, so that nobody takes its end for a crash.
        """
        event = asyncio.Event()
        self._news.add(event)
        try:
            while not self._stopping.is_set():
                event.clear()
                if folder.closed:
                    raise EngineError("the folder was opened anew", "Open it again")
                yield self.status(folder)
                await _wait(event, HEARTBEAT)
                await asyncio.sleep(NEWS_EVERY)
            raise EngineStoppedError("it was told to stop")
        finally:
            self._news.discard(event)

    async def close(self) -> None:
        """Close everything, the answer model first: it holds the most memory."""
        for result in await asyncio.gather(
            self.model.close(), self.folders.close(), return_exceptions=True
        ):
            if isinstance(result, BaseException):
                log.error("closing failed", exc_info=result)
        await self.encoder.close()


async def _wait(event: asyncio.Event, seconds: float) -> None:
    # Not wait_for: in Python 3.11 it may swallow a cancellation.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


def create_app(engine: Engine) -> FastAPI:
    """Return the HTTP application in front of ``engine``."""
    app = FastAPI(
        title="hoverkite engine",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        dependencies=[Depends(engine.touch)],
    )

    _handle_errors(app)
    _serve_kept(app, engine)

    @app.get(api.HELLO)
    async def hello() -> api.Hello:
        return engine.hello()

    @app.post(api.FOLDERS)
    async def open_folder(request: api.OpenFolder) -> api.FolderOpened:
        with engine.in_use():
            return await engine.open(request)

    @app.post(api.SEARCH)
    async def search(folder: str, request: api.SearchRequest) -> api.SearchReply:
        found = engine.folder(folder)
        with engine.in_use(found):
            return await found.search(request.query, request.hits or engine.settings.hits)

    @app.get(api.STATUS)
    async def status(folder: str) -> api.FolderStatus:
        return engine.status(engine.folder(folder))

    @app.post(api.PAUSE)
    async def pause(folder: str, request: api.PauseRequest) -> api.FolderStatus:
        found = engine.folder(folder)
        found.pause(paused=request.paused)
        return engine.status(found)

    @app.get(api.EVENTS)
    async def events(folder: str) -> StreamingResponse:
        found = engine.folder(folder)
        return _stream(engine, found, engine.news(found))

    @app.post(api.ASK)
    async def ask(folder: str, request: api.AskRequest) -> StreamingResponse:
        found = engine.folder(folder)
        return _stream(engine, found, answer(request, found, engine.model, engine.settings))

    @app.post(api.SYNC)
    async def sync(folder: str) -> StreamingResponse:
        found = engine.folder(folder)
        return _stream(engine, found, _sync_events(engine, found))

    @app.post(api.STOP)
    async def stop() -> api.Hello:
        engine.stop()
        return engine.hello()

    return app


def _serve_kept(app: FastAPI, engine: Engine) -> None:
    """Answer what is asked about all folders, open or not."""

    @app.get(api.FOLDERS)
    async def open_folders() -> api_kept.OpenFolders:
        return api_kept.OpenFolders(folders=[engine.status(f) for f in engine.folders.all()])

    @app.delete(api_kept.FOLDER)
    async def forget(folder: str) -> api_kept.Forgotten:
        with engine.in_use():
            engine.changed()  # streams that were left are noticed when something is sent
            return await engine.upkeep.forget(folder)

    @app.post(api_kept.EXAMINE)
    async def examine(request: api_kept.ExamineRequest) -> api_kept.Examined:
        with engine.in_use():
            return await engine.upkeep.examine(request)


def _handle_errors(app: FastAPI) -> None:
    """Answer every failure with a ``Problem``."""

    @app.exception_handler(HoverkiteError)
    async def known(_: Request, error: HoverkiteError) -> JSONResponse:
        status = 400 if isinstance(error, UsageError) else 503
        return JSONResponse(problem_of(error).model_dump(mode="json"), status)

    @app.exception_handler(RequestValidationError)
    async def malformed(_: Request, error: RequestValidationError) -> JSONResponse:
        fault = error.errors()[0]
        place = ".".join(str(part) for part in fault["loc"][1:])
        problem = problem_of(UsageError(f"the request's {place} is wrong: {fault['msg']}"))
        return JSONResponse(problem.model_dump(mode="json"), 400)

    @app.exception_handler(Exception)
    async def unknown(_: Request, error: Exception) -> JSONResponse:
        log.error("a request failed", exc_info=error)
        problem = problem_of(
            EngineError(f"{type(error).__name__}: {error}", "See the engine's log")
        )
        return JSONResponse(problem.model_dump(mode="json"), 500)


async def _sync_events(engine: Engine, folder: Folder) -> AsyncGenerator[api.SyncEvent, None]:
    finished = asyncio.create_task(folder.synced())
    finished.add_done_callback(lambda _: engine.changed())
    try:
        async with contextlib.aclosing(engine.news(folder)) as news:
            async for status in news:
                if finished.done():
                    break
                yield status
        yield await finished
    finally:
        finished.cancel()


def _stream(
    engine: Engine, folder: Folder, events: AsyncGenerator[api.Message, None]
) -> StreamingResponse:
    """Send messages one a line; a failure becomes a last line of type ``problem``."""

    async def lines() -> AsyncGenerator[str, None]:
        with engine.in_use(folder):
            try:
                async with contextlib.aclosing(events):
                    async for event in events:
                        yield event.model_dump_json() + "\n"
            except Exception as error:  # the stream must end with a word of why
                yield problem_of(as_known(error)).model_dump_json() + "\n"

    return StreamingResponse(lines(), media_type="application/x-ndjson")
