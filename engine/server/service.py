"""What the engine process holds: its folders and its models, and for whom it stays."""

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import AsyncGenerator, Callable, Iterator

from engine.build import build
from engine.config import Settings
from engine.errors import EngineError, EngineStoppedError
from engine.fingerprint import fingerprint
from engine.searching.reranker import Reranker
from engine.server.folder import Folder
from engine.server.open_folders import OpenFolders
from engine.server.shared_encoder import SharedEncoder
from engine.server.upkeep import Upkeep
from engine.serving.precedence import Precedence
from engine.serving.vllm_server import AnswerModel
from engine.wire import api

log = logging.getLogger(__name__)

NEWS_EVERY = 0.1
"""Seconds between two status messages of one stream, at least."""
LEAST_LINGER = 5.0
"""Seconds an engine stays unused whatever the setting, so that a client has time to begin."""
HEARTBEAT = 5.0
"""Seconds after which a status is sent although nothing changed, to notice a client that left."""


class Engine:
    """What the engine process holds: folders, one encoder, one reranker, one answer model."""

    def __init__(self, settings: Settings, leave: Callable[[], None]) -> None:
        self.settings = settings
        self._leave = leave
        self._stopping = asyncio.Event()
        self._build = build()
        self.encoder = SharedEncoder(settings)
        self.model = AnswerModel(settings, self.changed)
        self.precedence = Precedence()
        self.reranker = Reranker(settings)
        self.folders = OpenFolders(
            settings,
            self.encoder,
            self.changed,
            give_way=lambda: self.model.is_answering,
            reranker=self.reranker,
        )
        self.upkeep = Upkeep(settings, self.folders, self.encoder)
        self._starting: asyncio.Task[None] | None = None
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

    def touch(self) -> None:
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

    def use(self, settings: Settings) -> None:
        """Let the answer model of ``settings`` answer from now on, and begin to start it.

        Answers under way are written to their end by the one before, which then is ended first.
        """
        self.settings = settings
        self.model = AnswerModel(settings, self.changed, before=self.model)
        self._starting = asyncio.create_task(self.model.start())
        self.changed()

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

    async def sync_events(self, folder: Folder) -> AsyncGenerator[api.SyncEvent, None]:
        """Yield the folder's status while it is brought up to date, then the summary."""
        finished = asyncio.create_task(folder.synced())
        finished.add_done_callback(lambda _: self.changed())
        try:
            async with contextlib.aclosing(self.news(folder)) as news:
                async for status in news:
                    if finished.done():
                        break
                    yield status
            yield await finished
        finally:
            finished.cancel()

    async def close(self) -> None:
        """Close everything, the answer model first: it holds the most memory."""
        for result in await asyncio.gather(
            self.model.close(), self.folders.close(), return_exceptions=True
        ):
            if isinstance(result, BaseException):
                log.error("closing failed", exc_info=result)
        await self.encoder.close()
        await self.reranker.close()


async def _wait(event: asyncio.Event, seconds: float) -> None:
    # Not wait_for: in Python 3.11 it may swallow a cancellation.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
