"""Who is answered when: a person at once, a program's questions only while no person waits."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import TypeVar

_T = TypeVar("_T")

BULK_AT_ONCE = 2
"""Questions of programs that are answered at the same time: what a person who comes meanwhile
shares the model with."""


class Precedence:
    """The queue in front of the answer model, for all folders and clients of the engine."""

    def __init__(self) -> None:
        self._persons = 0
        self._alone = asyncio.Event()
        self._alone.set()
        self._places = asyncio.Semaphore(BULK_AT_ONCE)

    async def in_turn(
        self, events: AsyncGenerator[_T, None], *, bulk: bool
    ) -> AsyncGenerator[_T, None]:
        """Yield ``events``, which begin when it is their turn; a ``bulk`` question waits."""
        async with self._turn(bulk=bulk), contextlib.aclosing(events):
            async for event in events:
                yield event

    @contextlib.asynccontextmanager
    async def _turn(self, *, bulk: bool) -> AsyncGenerator[None, None]:
        if bulk:
            async with self._places:
                await self._alone.wait()
                yield
            return
        self._persons += 1
        self._alone.clear()
        try:
            yield
        finally:
            self._persons -= 1
            if not self._persons:
                self._alone.set()
