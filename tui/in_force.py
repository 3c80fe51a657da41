"""The settings in force, and whether the config file they come from is another by now."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.config import Settings
    from engine.wire.api_kept import KeptIndex
    from tui.engine_port import Engine, EngineSource

Stamp = tuple[int, int, int]
"""What tells a file from what it was: when it was written, its size, its number on the disk."""

SETTLED = 0.2
"""Seconds in which a file must not change to count as saved: editors empty it before they write."""


class InForce:
    """Gives all links the same settings, those of the last time that the file was right.

    It is an ``EngineSource`` itself, on top of the one it is made with.
    """

    def __init__(self, source: EngineSource) -> None:
        self._source = source
        self.settings_now: Settings | None = None
        """None until they could be read."""
        self._stamp: Stamp | None = None
        self._reading = asyncio.Lock()
        self._given = asyncio.Event()
        self._given.set()

    async def settings(self) -> Settings:
        """Return the settings in force, reading them if nobody has yet.

        Raises:
            ConfigError: one of them is wrong.
        """
        await self._given.wait()
        async with self._reading:  # once for all, and folders are opened in their order
            if self.settings_now is None:
                self._stamp = await asyncio.to_thread(_stamp)
                self.settings_now = await self._source.settings()
            return self.settings_now

    @contextmanager
    def withheld(self) -> Iterator[None]:
        """Have whoever asks for the settings wait until the end of the block."""
        self._given.clear()
        try:
            yield
        finally:
            self._given.set()

    async def was_saved(self) -> bool:
        """Whether the config file is another than it was the last time, and no longer changes."""
        seen = self._stamp
        while (found := await asyncio.to_thread(_stamp)) != seen:
            seen = found
            await asyncio.sleep(SETTLED)
        was_saved, self._stamp = seen != self._stamp, seen
        return was_saved

    async def saved(self) -> Settings:
        """Return the settings as they are saved now, whichever are in force.

        Raises:
            ConfigError: one of them is wrong.
        """
        return await self._source.settings()

    async def connect(self, settings: Settings) -> Engine:
        """Connect to the engine, starting it when none runs."""
        return await self._source.connect(settings)

    async def known_folders(self) -> list[KeptIndex]:
        """Return what is kept of folders on this machine, the one used last first."""
        return await self._source.known_folders()


def _stamp() -> Stamp | None:
    from engine.config import config_file

    try:
        found = config_file().stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
