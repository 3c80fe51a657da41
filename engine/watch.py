"""watchdog events → hints that something may have changed. A hint is never believed.

Events get lost, arrive twice and lie about order; the sync looks at the folder itself. Hints are
gathered until the folder has been quiet for a moment, but never for longer than ``LONGEST_WAIT``.
"""

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from watchdog.events import (
    EVENT_TYPE_CLOSED_NO_WRITE,
    EVENT_TYPE_OPENED,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

log = logging.getLogger(__name__)

QUIET = 0.1
"""Seconds without an event before hints are acted on."""
LONGEST_WAIT = 1.0
"""Seconds after which hints are acted on although events keep coming."""
MOST_HINTS = 500
"""More changed paths than this, and the whole folder is looked at instead."""
ALIVE_EVERY = 2.0
"""Seconds between looks at whether the watch still lives."""
BEGIN_AGAIN = 5.0
"""Seconds until a watch that died, because its folder went, is begun again."""
RECONCILE_EVERY = 300.0
"""Seconds between looks at the whole folder, for what events have missed."""


@dataclass
class Hints:
    """What may have changed since ``since``: some paths, or anything at all."""

    since: float
    """Wall-clock time of the first event, in seconds."""
    paths: set[bytes] = field(default_factory=set)
    """Relative to the folder."""
    everything: bool = False


class Watch:
    """Watches a folder for as long as ``run`` runs."""

    def __init__(self, root: Path, on_hints: Callable[[Hints], Awaitable[None]]) -> None:
        self._root = root
        self._prefix = os.fsencode(root).rstrip(b"/") + b"/"
        self._on_hints = on_hints
        self._hints: Hints | None = None
        self._news = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self.partial = ""
        """Why changes may go unseen until the next reconcile; empty while all are seen."""

    async def run(self) -> None:
        """Watch until cancelled, calling ``on_hints`` with each batch."""
        while True:
            observer = Observer()
            try:
                await asyncio.to_thread(self._begin, observer)
                self.partial = ""
                self._note(None)  # whatever happened before the watch began
                await self._deliver(observer)
            except FileNotFoundError:
                log.info("%s is gone", self._root)
            except OSError as error:
                self.partial = _explain(error)
                log.warning("the watch of %s failed: %s", self._root, self.partial)
            finally:
                observer.unschedule_all()
                if observer.is_alive():
                    observer.stop()
            self._note(None)
            await self._hand_over()
            # A limit that is reached stays reached; a folder that is gone may soon be back.
            await asyncio.sleep(RECONCILE_EVERY if self.partial else BEGIN_AGAIN)

    def _begin(self, observer: BaseObserver) -> None:
        observer.schedule(_Handler(self), str(self._root), recursive=True)
        observer.start()

    async def _deliver(self, observer: BaseObserver) -> None:
        """Hand over batches until the observer's emitter dies, as it does when the root goes."""
        last_look = time.monotonic()
        identity = self._identity()
        while all(emitter.is_alive() for emitter in observer.emitters):
            if self._identity() != identity:
                return  # the system goes on watching a folder that was moved away
            if time.monotonic() - last_look > RECONCILE_EVERY:
                last_look = time.monotonic()
                self._note(None)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), timeout=ALIVE_EVERY)
                await self._settle()
                await self._hand_over()

    def _identity(self) -> tuple[int, int] | None:
        """Return which folder stands at the root's path now."""
        try:
            found = self._root.lstat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    async def _settle(self) -> None:
        begun = time.monotonic()
        while time.monotonic() - begun < LONGEST_WAIT:
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), timeout=QUIET)
            except TimeoutError:
                return

    async def _hand_over(self) -> None:
        self._news.clear()
        hints, self._hints = self._hints, None
        if hints:
            await self._on_hints(hints)

    def note(self, path: str | bytes | None) -> None:
        """Take one event's path, or None for "anything"; called from watchdog's thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
            self._loop.call_soon_threadsafe(self._note, None if path is None else os.fsencode(path))

    def _note(self, path: bytes | None) -> None:
        hints = self._hints = self._hints or Hints(time.time())
        if path is None or not path.startswith(self._prefix):
            hints.everything = True
        else:
            hints.paths.add(path.removeprefix(self._prefix))
        if len(hints.paths) > MOST_HINTS:
            hints.everything = True
            hints.paths.clear()
        self._news.set()


class _Handler(FileSystemEventHandler):
    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.event_type in (EVENT_TYPE_OPENED, EVENT_TYPE_CLOSED_NO_WRITE):
            return
        if event.is_directory:
            if event.event_type != "modified":  # else an entry changed, which has its own event
                self._watch.note(None)
            return
        for path in (event.src_path, event.dest_path):
            if path:
                self._watch.note(path)


def _explain(error: OSError) -> str:
    if error.errno == 28:  # ENOSPC: inotify's way to say that its limit is reached
        return "the system's limit of watched folders is reached (fs.inotify.max_user_watches)"
    return f"the system can't watch it ({error.strerror or error})"
