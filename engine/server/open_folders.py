"""The folders that are open in the engine: opened on request, closed when nobody uses them."""

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

from engine import paths
from engine.config import Settings
from engine.errors import FolderError, FolderInUseError
from engine.files import scan
from engine.searching.reranker import Reranker
from engine.server import kept, moved
from engine.server.folder import Folder
from engine.server.folders import resolve
from engine.server.shared_encoder import SharedEncoder
from engine.storage.manifest import Manifest, open_manifest
from engine.wire import api

log = logging.getLogger(__name__)

FIRST = "it is among the first folders to be indexed"
EACH = "that is asked of each, as the setting ask_before_indexing says"
"""Why a person is asked about a folder that is not large; it follows ``because``."""


class OpenFolders:
    """All open folders, by their ids, and who uses them."""

    def __init__(
        self,
        settings: Settings,
        encoder: SharedEncoder,
        on_change: Callable[[], None],
        *,
        give_way: Callable[[], bool] = lambda: False,
        reranker: Reranker | None = None,
    ) -> None:
        """``give_way`` tells whether bulk work should leave the processor to somebody else."""
        self._settings = settings
        self._encoder = encoder
        self._reranker = reranker or Reranker(settings)
        self._on_change = on_change
        self._give_way = give_way
        self._open: dict[str, Folder] = {}
        self._users: Counter[str] = Counter()
        self._last_used: dict[str, float] = {}
        self._changing = asyncio.Condition()
        """Held while a folder is opened or closed: only one may have its files."""
        self._set_apart: set[str] = set()
        """Ids of folders that stay closed for now."""

    async def open(self, request: api.OpenFolder) -> api.FolderOpened:
        """Open a folder, or say what a person has to agree to first.

        Other folders wait until this one is surveyed, a few seconds at most.
        """
        root = await asyncio.to_thread(resolve, request.path)
        name = _id(root)
        survey = None
        async with self._changing:
            while True:
                folder = self._open.get(name)
                former = None if folder else await asyncio.to_thread(moved.find, root)
                if self._set_apart.isdisjoint({name, _id(former.root) if former else name}):
                    break
                await self._changing.wait()
            if folder and folder.failed_to_open:
                await self._close([folder])
                folder = None
            if folder is None:
                folder = await self._make(root, former)
                try:
                    survey = await self._survey(folder, can_ask=request.can_ask)
                    if not (survey and survey.reason) or request.agreed:
                        if survey:
                            await asyncio.to_thread(folder.agree)
                        self._open[folder.id] = folder
                        folder.begin()
                finally:
                    if folder.id not in self._open:
                        await folder.close()
            self._last_used[folder.id] = time.monotonic()
        return api.FolderOpened(folder=folder.id, path=str(root), survey=survey)

    async def _survey(self, folder: Folder, *, can_ask: bool) -> api.FolderSurvey | None:
        """Return what indexing would take; None if the folder was agreed to before."""
        if await asyncio.to_thread(lambda: folder.agreed):
            return None
        survey = await asyncio.to_thread(scan.survey, folder.root, self._settings)
        asks = self._settings.ask_before_indexing
        if asks == "never":
            return survey.model_copy(update={"reason": ""})
        if survey.reason or not can_ask or asks == "large":
            return survey
        if asks == "always":
            return survey.model_copy(update={"reason": EACH})
        is_first = not await asyncio.to_thread(lambda: any(kept.indexes()))
        return survey.model_copy(update={"reason": FIRST}) if is_first else survey

    async def _make(self, root: Path, former: moved.Former | None) -> Folder:
        if former and await self._let_go_of(former.root):
            await asyncio.to_thread(moved.take_over, former, root)
        manifest = await asyncio.to_thread(_open_manifest, root)
        return Folder(
            root,
            manifest,
            self._settings,
            self._encoder,
            self._on_change,
            give_way=self._give_way,
            reranker=self._reranker,
        )

    async def _let_go_of(self, root: Path) -> bool:
        """Close the folder that was at ``root`` if it is open; False if somebody uses it."""
        folder = self._open.get(_id(root))
        if folder and self._users[folder.id]:
            return False
        if folder:
            await self._close([folder])
        return True

    def get(self, name: str) -> Folder:
        """Return an open folder by its id.

        Raises:
            FolderError: it is not open.
        """
        if name not in self._open:
            raise FolderError("that folder is not open in this engine", "Open it again")
        self._last_used[name] = time.monotonic()
        return self._open[name]

    @contextlib.asynccontextmanager
    async def closed(self, name: str) -> AsyncIterator[None]:
        """Close a folder, and let nobody open it for as long as the context lasts.

        Raises:
            FolderInUseError: somebody uses it.
        """
        async with self._changing:
            await self._changing.wait_for(lambda: name not in self._set_apart)
            if self._users[name]:
                raise FolderInUseError("somebody has that folder open on a screen or indexes it")
            await self._close([self._open[name]] if name in self._open else [])
            self._set_apart.add(name)
        try:
            yield
        finally:
            async with self._changing:
                self._set_apart.remove(name)
                self._changing.notify_all()

    def all(self) -> list[Folder]:
        """Return the folders that are open."""
        return list(self._open.values())

    @contextlib.contextmanager
    def in_use(self, folder: Folder) -> Iterator[None]:
        """Keep a folder open for as long as the context lasts."""
        self._users[folder.id] += 1
        try:
            yield
        finally:
            self._users[folder.id] -= 1
            if not self._users[folder.id] and folder.paused and not folder.closed:
                folder.pause(paused=False)  # nobody is left who could
            self._last_used[folder.id] = time.monotonic()

    async def close_unused(self, seconds: float) -> None:
        """Close every folder that nobody has used for so long."""
        async with self._changing:
            before = time.monotonic() - seconds
            await self._close(
                [
                    folder
                    for name, folder in self._open.items()
                    if not self._users[name] and self._last_used[name] <= before
                ]
            )

    async def close(self) -> None:
        """Close all folders."""
        async with self._changing:
            await self._close(list(self._open.values()))

    async def _close(self, folders: list[Folder]) -> None:
        # Nobody finds a folder that is being closed; whoever opens it again waits for the lock.
        for folder in folders:
            del self._open[folder.id]
            log.info("closing %s", folder.id)
        closing = [folder.close() for folder in folders]
        for result in await asyncio.gather(*closing, return_exceptions=True):
            if isinstance(result, BaseException):
                log.error("closing failed", exc_info=result)


def _id(root: Path) -> str:
    return paths.short_hash(str(root))


def _open_manifest(root: Path) -> Manifest:
    """Open the manifest of ``root``, which may have been taken along from where it was."""
    manifest = open_manifest(root)
    if manifest.fact("root") not in (None, str(root)):
        manifest.set_fact("root", str(root))
    return manifest
