"""watchdog events → hints that something may have changed. A hint is never believed.

Events get lost, arrive twice and lie about order; the sync looks at the folder itself. Hints are
gathered until the folder has been quiet for a moment, but never for longer than ``LONGEST_WAIT``.
"""

import asyncio
import contextlib
import logging
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from watchdog import events
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

from engine import paths

log = logging.getLogger(__name__)

CHANGES: list[type[events.FileSystemEvent]] = [
    events.DirAttribEvent,
    events.DirCreatedEvent,
    events.DirDeletedEvent,
    events.DirMovedEvent,
    events.FileAttribEvent,
    events.FileClosedEvent,
    events.FileCreatedEvent,
    events.FileDeletedEvent,
    events.FileModifiedEvent,
    events.FileMovedEvent,
]
"""What the system is asked to tell: whoever only reads files fills no queue."""
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
"""The same while the system does not watch all of it."""


@dataclass
class Hints:
    """What may have changed since ``since``: some paths, or anything at all."""

    since: float
    """Wall-clock time of the first event, in seconds."""
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

    @property
    def may_hold_folders(self) -> bool:
        """Whether folders may have come or gone."""
        return self.everything or any(path.endswith(b"/") for path in self.paths)


class Watch:
    """Watches a folder for as long as ``run`` runs."""

    def __init__(self, root: Path, on_hints: Callable[[Hints], object]) -> None:
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
        ear = _OverflowEar(self)
        overflows = logging.getLogger("watchdog.observers.inotify_c")
        overflows.addHandler(ear)
        try:
            while True:
                await self._watch_once()
                self._note(None)
                self._hand_over()
                # A limit that is reached stays reached; a folder that is gone may soon be back.
                await asyncio.sleep(PARTIAL_EVERY if self.partial else BEGIN_AGAIN)
        finally:
            overflows.removeHandler(ear)

    async def _watch_once(self) -> None:
        """Watch until the watch dies, or could be a better one."""
        observer: BaseObserver | None = None
        try:
            observer = Observer()
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
            if observer:
                observer.stop()

    def _begin(self, observer: BaseObserver) -> None:
        observer.schedule(_Handler(self), str(self._root), recursive=True, event_filter=CHANGES)
        observer.start()

    async def _deliver(self, observer: BaseObserver) -> None:
        """Hand over batches until the observer's emitter dies, as it does when the root goes."""
        last_look = time.monotonic()
        identity = self._identity()
        while all(emitter.is_alive() for emitter in observer.emitters):
            if self._identity() != identity:
                return  # the system goes on watching a folder that was moved away
            if time.monotonic() - last_look > (PARTIAL_EVERY if self.partial else RECONCILE_EVERY):
                last_look = time.monotonic()
                self._note(None)
            if not await self._any_news(ALIVE_EVERY):
                continue
            await self._settle()
            was_partial = bool(self.partial)
            if self._hints and self._hints.may_hold_folders:
                self.partial = await asyncio.to_thread(_why_partial, observer)
            self._hand_over()
            if was_partial and not self.partial:
                return

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
            self._on_hints(hints)

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


class _Handler(events.FileSystemEventHandler):
    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def on_any_event(self, event: events.FileSystemEvent) -> None:
        for path in (event.src_path, event.dest_path):
            if path:
                self._watch.note(os.fsencode(path) + b"/" * event.is_directory)


class _OverflowEar(logging.Handler):
    """Hears of lost events: watchdog 7.1 tells its log, and no handler of events."""

    def __init__(self, watch: Watch) -> None:
        super().__init__(logging.WARNING)
        self._watch = watch

    def emit(self, record: logging.LogRecord) -> None:
        if "overflow" in record.getMessage():
            self._watch.note(None)


def _why_partial(observer: BaseObserver) -> str:
    """Return why parts of the folder may go unwatched; empty if all of it is watched.

    watchdog 7.1 says nothing of a subfolder that the system refused to watch, so one more watch is
    asked for: when a limit is reached, it is refused too.
    """
    with tempfile.TemporaryDirectory(dir=paths.runtime_dir()) as one_more:
        try:
            watch = observer.schedule(events.FileSystemEventHandler(), one_more)
        except OSError as error:
            return _explain(error)
        observer.unschedule(watch)
        return ""


def _explain(error: OSError) -> str:
    if error.errno == 28:  # ENOSPC: inotify's way to say that its limit is reached
        return "the system's limit of watched folders is reached (fs.inotify.max_user_watches)"
    return f"the system can't watch it ({error.strerror or error})"
