"""File events by watchdog. What watchdog 7.1 keeps to itself is met here, nowhere else.

Seen with it on Linux: lost events and folders that it may not watch are at best logged; an
unreadable folder counts as watched; an observer lives on without the thread that reads its events.
"""

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path

from watchdog import events
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

if sys.platform == "linux":
    from watchdog.observers.inotify import InotifyEmitter
    from watchdog.observers.inotify_c import (
        CallbackId,
        InotifyEvent,
        InotifyFD,
        Mask,
        WatchCallback,
        WatchDescriptor,
    )

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


class Listener:
    """Hears of changes below a folder, from ``begin`` to ``stop``; both may take seconds."""

    def __init__(self, root: Path, note: Callable[[bytes | None], object]) -> None:
        """``note`` is called from other threads, with paths, or None for "anything".

        A folder's path ends with ``/``.

        Raises:
            OSError: the system can't watch any more.
        """
        self._root = root
        self._note = note
        self._observer = self._make()

    def begin(self) -> None:
        """Begin to listen.

        Raises:
            OSError: the folder is gone, closed to us, or the system can't watch any more.
        """
        self._observer.schedule(
            _Handler(self._note), str(self._root), recursive=True, event_filter=CHANGES
        )
        self._observer.start()

    def stop(self) -> None:
        """Stop listening."""
        self._observer.stop()

    if sys.platform == "linux":

        def _make(self) -> BaseObserver:
            self._ear = _Ear(lambda: self._note(None))
            self._ear.start()
            return _InotifyObserver(self._ear)

        @property
        def is_well(self) -> bool:
            """Whether events still come."""
            threads = (self._observer, self._ear, *self._observer.emitters)
            return all(thread.is_alive() for thread in threads)

        @property
        def refused(self) -> OSError | None:
            """Why folders below the folder go unwatched; None while all are watched."""
            return self._ear.refused

        def opened_up(self) -> bool:
            """Whether a folder that was closed to us, and so is not watched, can be read now."""
            closed = self._ear.closed.copy()
            return any(os.access(path, os.R_OK | os.X_OK) for path in closed)

    else:
        refused: OSError | None = None

        def _make(self) -> BaseObserver:
            return Observer()

        @property
        def is_well(self) -> bool:
            """Whether events still come."""
            threads = (self._observer, *self._observer.emitters)
            return all(thread.is_alive() for thread in threads)

        def opened_up(self) -> bool:
            """Whether a folder that was closed to us, and so is not watched, can be read now."""
            return False


class _Handler(events.FileSystemEventHandler):
    def __init__(self, note: Callable[[bytes | None], object]) -> None:
        self._note = note

    def on_any_event(self, event: events.FileSystemEvent) -> None:
        for path in (event.src_path, event.dest_path):
            if path:
                self._note(os.fsencode(path) + b"/" * event.is_directory)


if sys.platform == "linux":

    class _Ear(InotifyFD):
        """Reads the system's events, and tells which were lost and what is not watched."""

        def __init__(self, on_loss: Callable[[], object]) -> None:
            super().__init__()
            self._on_loss = on_loss
            self.refused: OSError | None = None
            self.closed: set[bytes] = set()
            self._is_over = False

        def add_callback(
            self, path: bytes, mask: Mask, callback: WatchCallback, id_: CallbackId
        ) -> WatchDescriptor:
            if self._is_over:  # its number may already be another file's
                raise OSError(errno.EBADF, os.strerror(errno.EBADF))
            try:
                handle = super().add_callback(path, mask, callback, id_)
            except (FileNotFoundError, NotADirectoryError):
                raise  # gone meanwhile
            except OSError as error:
                self.refused = error
                raise
            if handle == -1:  # for want of permission
                self.remove_callbacks([(handle, id_)])
                self.closed.add(path)
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            return handle

        def close(self) -> None:
            self._is_over = True
            super().close()

        def handle_event(self, event: InotifyEvent) -> None:
            super().handle_event(event)
            if event.is_queue_overflow:
                self._on_loss()

    class _InotifyObserver(BaseObserver):
        """watchdog's own for Linux, with another reader of events."""

        def __init__(self, ear: _Ear) -> None:
            super().__init__(InotifyEmitter, inotify_fd=ear)
            self._ear = ear

        def on_thread_stop(self) -> None:
            super().on_thread_stop()
            self._ear.stop()
            self._ear.join()
