"""Making up for syncs that failed: everything is looked at again until that has gone well."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from engine.errors import HoverkiteError

TRY_AGAIN = 30.0
"""Seconds after a failure until everything is looked at again."""


class CatchUp:
    """Remembers that a sync failed, until one that began later has seen the whole folder."""

    def __init__(
        self,
        look: Callable[[], Awaitable[object]],
        start: Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"],
    ) -> None:
        """``look`` brings the whole folder up to date; ``start`` makes a task."""
        self._look, self._start = look, start
        self._task: asyncio.Task[None] | None = None
        self.failures = 0
        self.behind = False
        """Whether something that should be in the index may not be there."""

    def failed(self) -> None:
        """Note that a sync failed."""
        self.failures += 1
        self.behind = True
        if self._task is None or self._task.done():
            self._task = self._start(self._try_again())

    def succeeded(self, failures_before: int) -> None:
        """Note that the whole folder was seen; what failed meanwhile is still to be made up for."""
        if failures_before == self.failures:
            self.behind = False

    async def _try_again(self) -> None:
        while self.behind:
            await asyncio.sleep(TRY_AGAIN)
            with contextlib.suppress(HoverkiteError):
                await self._look()
