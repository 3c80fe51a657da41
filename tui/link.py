"""The link to the engine: made after the first frame, mended when it breaks."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from engine.errors import EngineError, EngineStoppedError, HoverkiteError, UsageError
from tui.engine_port import closing
from tui.messages import (
    AgreementNeeded,
    EngineFailed,
    EngineLost,
    FolderReady,
    SettingsLoaded,
    StatusArrived,
)

if TYPE_CHECKING:
    from textual.message import Message

    from engine.wire.api import FolderOpened
    from tui.engine_port import Engine, EngineSource

log = logging.getLogger(__name__)

MENDING_PAUSES = (0.2, 1.0, 2.0, 4.0)
"""Seconds before each quiet attempt to reach an engine that was lost."""

REST_AFTER_FAULT = 2.0
"""Seconds after which a page asks again for what it could not be given."""

STEADY_SECONDS = 10.0
"""A link that held this long counts as mended: the next break starts the attempts anew."""


class EngineLink:
    """Keeps one folder open in the engine and tells the screen what happens to it."""

    def __init__(
        self,
        source: EngineSource,
        folder: Path,
        post: Callable[[Message], object],
        *,
        agreed: bool = False,
        pauses: tuple[float, ...] = MENDING_PAUSES,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._folder = folder
        self._post = post
        self._agreed = agreed
        self._pauses = pauses
        self._now = now
        self._ready = asyncio.Event()
        self._decided = asyncio.Event()
        self._open: tuple[Engine, str] | None = None
        self._session: asyncio.Timeout | None = None
        """Ends the session under way, from reading the settings on."""
        self._left = asyncio.Event()
        """Set while no engine is held."""
        self._left.set()
        self._fault: HoverkiteError | None = None
        self._failed_attempts = 0
        self._was_reached = False
        """Whether an engine has spoken of the folder: one that is lost then is reached again."""
        self._paused = False

    @property
    def name(self) -> str:
        """What the folder is called, as it came."""
        return self._folder.name or str(self._folder)

    @property
    def root(self) -> Path:
        """The folder, as it came."""
        return self._folder

    async def ready(self) -> tuple[Engine, str]:
        """Wait until the folder is open; return the engine and the folder's name there."""
        while self._open is None:
            await self._ready.wait()
        return self._open

    @property
    def opened(self) -> tuple[Engine, str] | None:
        """The engine and the folder's name there; None while it is not open."""
        return self._open

    @property
    def is_open(self) -> bool:
        """Whether the folder is open in the engine now."""
        return self._open is not None

    @property
    def fault(self) -> HoverkiteError | None:
        """Why nothing more is tried; None while the folder is open or being opened."""
        return self._fault

    def agree(self) -> None:
        """Pass on a person's yes to indexing the folder."""
        self._agreed = True
        self._decided.set()

    def retry(self) -> None:
        """Try again after :class:`EngineFailed`; a folder that is open is opened anew."""
        self._failed_attempts = 0
        self._decided.set()
        if self._open is not None:
            self._end_session()

    def renew(self) -> None:
        """Begin anew with other settings, whatever is going on."""
        self._failed_attempts = 0
        self._decided.set()
        self._end_session()

    async def left(self) -> None:
        """Wait until no engine is held."""
        await self._left.wait()

    def _end_session(self) -> None:
        self._forget()  # whoever asks from now on waits for the next one
        if self._session is not None and not self._session.expired():
            self._session.reschedule(0)

    async def keep(self) -> NoReturn:
        """Hold the link until cancelled; every trouble becomes a message."""
        while True:
            try:
                await self._one_session()
            except HoverkiteError as error:
                await self._recover(error)
            except Exception as error:  # the boundary of a task: a person must hear of it
                log.exception("the link to the engine broke")
                await self._recover(EngineError(f"{type(error).__name__}: {error}"))

    async def _one_session(self) -> None:
        """Open the folder and tell of it until that breaks, or until it is to be begun anew."""
        self._session = session = asyncio.timeout(None)
        self._fault = None
        try:
            async with session:
                await self._open_and_hold()
        except TimeoutError:
            if not session.expired():
                raise
        finally:
            self._session = None

    async def _open_and_hold(self) -> NoReturn:
        settings = await self._source.settings()
        self._post(SettingsLoaded(settings))
        engine = await self._source.connect(settings)
        self._left.clear()
        try:
            opened = await self._open_folder(engine, settings.llm_start == "screen")
            self._open = engine, opened.folder
            self._ready.set()
            self._post(FolderReady(engine.note, opened.survey))
            await self._hold(engine, opened.folder)
        finally:
            self._forget()
            with suppress(HoverkiteError):
                await engine.close()
            self._left.set()

    async def _hold(self, engine: Engine, folder: str) -> NoReturn:
        """Tell every status of the folder."""
        opened_at = self._now()
        pause_again = self._paused  # an engine that was started anew knows nothing of it
        async with closing(engine.events(folder)) as statuses:
            async for status in statuses:
                if self._now() - opened_at > STEADY_SECONDS:
                    self._failed_attempts = 0
                if pause_again and status.state != "loading":
                    pause_again = False  # not sooner: only then it is known what waits
                    await engine.pause(folder, paused=True)
                elif not pause_again:
                    self._paused = status.watch == "paused"
                self._post(StatusArrived(status))
        raise EngineError("The engine stopped")

    def _forget(self) -> None:
        self._ready.clear()
        self._open = None

    async def _open_folder(self, engine: Engine, start_llm: bool) -> FolderOpened:
        opened = await self._try_to_open(engine, start_llm)
        while opened.survey is not None and opened.survey.reason and not self._agreed:
            self._decided.clear()
            self._post(AgreementNeeded(opened))
            await self._decided.wait()
            opened = await self._try_to_open(engine, start_llm)
        return opened

    async def _try_to_open(self, engine: Engine, start_llm: bool) -> FolderOpened:
        path, agreed = str(self._folder), self._agreed
        opened = await engine.open_folder(path, agreed=agreed, start_llm=start_llm, can_ask=True)
        self._was_reached = True
        return opened

    async def _recover(self, error: HoverkiteError) -> None:
        mendable = self._was_reached and not isinstance(error, (UsageError, EngineStoppedError))
        if mendable and self._failed_attempts < len(self._pauses):
            self._failed_attempts += 1
            self._post(EngineLost(self._failed_attempts))
            await asyncio.sleep(self._pauses[self._failed_attempts - 1])
            return
        self._decided.clear()
        self._fault = error
        self._post(EngineFailed(error))
        await self._decided.wait()
