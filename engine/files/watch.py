"""watchdog events → hints that something may have changed. A hint is never believed.

Events get lost, arrive twice and lie about order; the sync looks at the folder itself. Hints are
gathered until the folder has been quiet for a moment, but never for longer than ``LONGEST_WAIT``.
"""

import asyncio
import contextlib
import errno
import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine import mounts
from engine.files.listener import Listener

log = logging.getLogger(__name__)

QUIET = 0.1
"""Seconds without an event before hints are acted on."""
LONGEST_WAIT = 1.0
"""Seconds after which hints are acted on although events keep coming."""
MOST_HINTS = 10_000
"""More changed paths than this, and the whole folder is looked at instead: it costs no more."""
ALIVE_EVERY = 2.0
"""Seconds between looks at whether the watch still lives."""
BEGIN_AGAIN = 5.0
"""Seconds until a watch that died, because its folder went, is begun again."""
RECONCILE_EVERY = 300.0
"""Seconds between looks at the whole folder, for what events have missed."""
PARTIAL_EVERY = 30.0
"""The same, at least, where some changes come without an event."""
LOOKING_SHARE = 0.02
"""Of the time, at most, is spent on those looks."""
SUSPENDED = 5.0
"""Seconds that the clock on the wall may gain between two looks before the machine has slept."""


@dataclass
class Hints:
    """What may have changed since ``since``: some paths, or anything at all."""

    since: float
    """Wall-clock time of the first event, in seconds; 0 where it is not known."""
    paths: set[bytes] = field(default_factory=set)
    """Relative to the folder; a folder's ends with ``/``."""
    everything: bool = False

    def __add__(self, other: "Hints") -> "Hints":
        """Return what both hint at."""
        return Hints(
            min(self.since, other.since),
            self.paths | other.paths,
            self.everything or other.everything,
        )


class Watch:
    """Watches a folder for as long as ``run`` runs."""

    def __init__(
        self,
        root: Path,
        on_hints: Callable[[Hints], asyncio.Future[Any]],
        *,
        now: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """``on_hints`` acts on hints; what it returns is done when it has."""
        self._root = root
        self._prefix = os.fsencode(root).rstrip(b"/") + b"/"
        self._on_hints = on_hints
        self._now, self._wall = now, wall
        self._hints: Hints | None = None
        self._news = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._listener: Listener | None = None
        self._failure: OSError | None = None
        """Why there is no listener, or what the last one was refused."""
        self._shared: mounts.Mount | None = None
        """Where others write unseen."""
        self._looked = now()
        self._look_took = 0.0

    @property
    def partial(self) -> str:
        """Why changes may go unseen until the next reconcile; empty while all are seen."""
        if refused := self._refused:
            return _explain(refused)
        if self._shared:
            return (
                f"changes that others make in a network folder ({self._shared.kind}) "
                f"are looked for every {self._every:.0f} s"
            )
        return ""

    @property
    def _refused(self) -> OSError | None:
        return self._listener.refused if self._listener else self._failure

    @property
    def _every(self) -> float:
        """Seconds between looks at the whole folder."""
        least = PARTIAL_EVERY if self._refused or self._shared else RECONCILE_EVERY
        return max(least, min(self._look_took / LOOKING_SHARE, RECONCILE_EVERY))

    async def run(self) -> None:
        """Watch until cancelled, calling ``on_hints`` with each batch."""
        while True:
            rest = await self._watch_once()
            self._note(None)
            self._hand_over()
            await asyncio.sleep(rest)

    async def _watch_once(self) -> float:
        """Watch until the watch dies, or could be a better one; return when to begin again."""
        listener: Listener | None = None
        try:
            around = await asyncio.to_thread(self._look_around)
            self._shared = next((mount for mount in around.mounts if mount.is_shared), None)
            listener = Listener(self._root, self.note)
            await asyncio.to_thread(listener.begin)
            self._listener = listener
            self._note(None)  # whatever happened before the watch began
            return await self._deliver(listener, around)
        except (FileNotFoundError, NotADirectoryError):
            log.info("%s is gone", self._root)
            return BEGIN_AGAIN  # it may soon be back
        except OSError as error:
            if str(error) != str(self._failure):
                log.warning("the watch of %s failed: %s", self._root, _explain(error))
            self._listener, self._failure = None, error
            return self._every  # a limit that is reached stays reached
        finally:
            if self._listener:
                self._failure = self._listener.refused
                self._listener = None
            if listener:
                await asyncio.to_thread(listener.stop)

    async def _deliver(self, listener: Listener, begun_in: "_Around") -> float:
        """Hand over batches until it is time to begin again; return in how many seconds."""
        gained = self._wall() - self._now()
        while listener.is_well and not await asyncio.to_thread(listener.opened_up):
            if await asyncio.to_thread(self._look_around) != begun_in:
                break  # the system goes on watching a folder that was moved away
            before, gained = gained, self._wall() - self._now()
            if gained - before > SUSPENDED:
                self._note(None)
            if self._now() - self._looked > self._every:
                if listener.refused:
                    return 0
                self._note(None)
            if await self._any_news(ALIVE_EVERY):
                await self._settle()
                self._hand_over()
        return BEGIN_AGAIN

    def _look_around(self) -> "_Around":
        """Return which folder stands at the root's path now, and on what; it may hang."""
        found = self._root.lstat()
        return _Around((found.st_dev, found.st_ino), mounts.of(self._root))

    async def _settle(self) -> None:
        begun = time.monotonic()
        while time.monotonic() - begun < LONGEST_WAIT:
            self._news.clear()
            if not await self._any_news(QUIET):
                return

    async def _any_news(self, seconds: float) -> bool:
        """Wait for an event, but no longer than ``seconds``."""
        # Not wait_for: in Python 3.11 it may swallow a cancellation.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()
        return self._news.is_set()

    def _hand_over(self) -> None:
        self._news.clear()
        hints, self._hints = self._hints, None
        if hints:
            begun = self._now()
            acted = self._on_hints(hints)
            if hints.everything:
                self._looked = begun
                acted.add_done_callback(lambda _: self._take_look(begun))

    def _take_look(self, begun: float) -> None:
        self._looked = self._now()
        self._look_took = self._looked - begun

    def note(self, path: bytes | None) -> None:
        """Take one event's path, a folder's with ``/`` at its end, or None for "anything".

        Called from watchdog's threads.
        """
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
            self._loop.call_soon_threadsafe(self._note, path)

    def _note(self, path: bytes | None) -> None:
        hints = self._hints = self._hints or Hints(time.time())
        if path and path != self._prefix and path.startswith(self._prefix):
            hints.paths.add(path.removeprefix(self._prefix))
        else:
            hints.everything = True
        if len(hints.paths) > MOST_HINTS:
            hints.everything = True
            hints.paths.clear()
        self._news.set()


@dataclass(frozen=True, slots=True)
class _Around:
    """What a watch depends on besides its events."""

    identity: tuple[int, int]
    mounts: tuple[mounts.Mount, ...]


def _explain(error: OSError) -> str:
    if error.errno == errno.ENOSPC:  # inotify's way to say that its limit is reached
        return "the system's limit of watched folders is reached (fs.inotify.max_user_watches)"
    if error.errno == errno.EMFILE:
        return "the system's limit of watches is reached (fs.inotify.max_user_instances)"
    return f"the system can't watch it ({error.strerror or error})"
