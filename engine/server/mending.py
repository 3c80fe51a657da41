"""Work with a store that may break meanwhile: it is reopened, and the work done once more."""

import contextlib
from collections.abc import Awaitable, Callable
from typing import TypeVar

from engine.errors import StoreError
from engine.storage.index import Index
from engine.syncing.writer import Writer

_T = TypeVar("_T")

TRIALS = 3  # others may reopen it meanwhile, and it break again


class Mending:
    """Reopens one folder's index, between two steps of its writer."""

    def __init__(self, writer: Writer, check_open: Callable[[], None]) -> None:
        """``check_open`` raises when the folder was closed."""
        self._writer, self._check_open = writer, check_open

    async def trying(self, index: Index, work: Callable[[], Awaitable[_T]]) -> _T:
        """Return what ``work`` does; a store that breaks meanwhile is reopened, and it is redone.

        Raises:
            StoreError: it broke again and again.
        """
        for _ in range(TRIALS - 1):
            generation = index.generation
            with contextlib.suppress(StoreError):
                return await work()
            await self._reopen(index, generation)
        return await work()

    async def _reopen(self, index: Index, seen: int) -> None:
        """Reopen the index unless someone has done so since ``seen``, its generation then."""

        def reopen() -> None:
            if index.generation == seen:
                index.reopen()

        self._check_open()
        await self._writer.do(reopen)
