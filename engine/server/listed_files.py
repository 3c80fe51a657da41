"""The files of a folder as a person is told of them: which are in the index and which are not."""

import asyncio
import contextlib
import sys
from collections.abc import Callable, Collection, Coroutine
from functools import partial
from typing import Any

from engine.errors import ManifestError
from engine.files.watch import Hints
from engine.searching import file_pages
from engine.searching.place import path_of
from engine.storage.file_list import Aside
from engine.storage.manifest import Manifest
from engine.syncing.sync import Sync
from engine.syncing.writer import Lane, Writer
from engine.wire.api_files import FilesReply, FilesRequest, ReadAgainReply, ReadAgainRequest


class ListedFiles:
    """The files of an open folder. All methods run on the event loop, but ``page``."""

    def __init__(
        self,
        manifest: Manifest,
        writer: Writer,
        edits: Lane[Any],
        look_at: Callable[[Hints], asyncio.Future[Any]],
        start: Callable[[Coroutine[Any, Any, None]], object],
        tell: Callable[[], None],
    ) -> None:
        """``look_at`` acts on hints, of which some wait in ``edits``; ``start`` makes a task.

        ``tell`` is called when another number of files is ``waiting``.
        """
        self._manifest, self._writer = manifest, writer
        self._edits, self._look_at = edits, look_at
        self._start, self._tell = start, tell
        self.waiting = 0
        """Files that were hinted at in a pause, and wait for its end."""
        self.sync: Sync | None = None
        """None until the folder is open; till then only what the manifest knows is listed."""

    def page(self, request: FilesRequest, manifest: Manifest) -> FilesReply:
        """Return the files that ``request`` asks for. Blocking.

        Raises:
            ManifestError: the manifest can't be read.
        """
        aside = _aside(self.sync, self._edits.waiting, manifest) if self.sync else {}
        return manifest.read(partial(file_pages.page, request, aside))

    def follow(self, hints: Hints) -> asyncio.Future[Any]:
        """Act on hints, and return what comes of it; in a pause they wait, and are counted."""
        asked = self._look_at(hints)
        if self._writer.paused:
            self.count_waiting()
        return asked

    def count_waiting(self) -> None:
        """Count anew what waits for the end of a pause, and tell it once that is known."""
        self._tell()
        self._start(self._count_waiting())

    async def _count_waiting(self) -> None:
        counted, read = set[bytes](), None
        # More may come while they are looked at, and the pause may end.
        while self._writer.paused and self.sync and counted != self._edits.waiting:
            counted = self._edits.waiting
            with contextlib.suppress(ManifestError):  # whoever needs the manifest tells of it
                read = await asyncio.to_thread(self.sync.narrow, Hints(0, counted))
        self.waiting = len(read.paths) if read and self._writer.paused else 0
        self._tell()

    async def read_again(self, request: ReadAgainRequest) -> ReadAgainReply:
        """Have files read again though they have not changed; it does not wait for that.

        Before the folder is open there are none: opening it looks at all of them.
        """
        if self.sync is None:
            return ReadAgainReply(files=0)
        mark = partial(_to_read_again, request, self.sync, self._edits.waiting, self._manifest)
        hints, reply = await self._writer.do(mark)
        self.follow(hints)
        return reply


def _to_read_again(
    request: ReadAgainRequest, sync: Sync, hinted: Collection[bytes], manifest: Manifest
) -> tuple[Hints, ReadAgainReply]:
    """Have the next look at the files of ``request`` read them; return what to look at. Blocking.

    That is the whole folder where some were not read: they may have been left out.
    """
    named = {path_of(file.path, file.quoted_path): file for file in request.files}
    paths = set(named)
    if request.failed:
        paths |= {path for path, _ in manifest.unread_files(sys.maxsize)[0]}
    known = sync.read_again(paths)
    others = paths - known
    unknown = others - _aside(sync, hinted, manifest).keys() if others else others
    hints = Hints(0, paths, everything=request.failed or bool(others))
    return hints, ReadAgainReply(
        files=len(paths - unknown), unknown=[named[path] for path in sorted(unknown)]
    )


def _aside(sync: Sync, hinted: Collection[bytes], manifest: Manifest) -> dict[bytes, Aside]:
    """Return what is known of files beside the manifest."""
    skipped = dict(sync.last_scan.skipped)
    for known in manifest.files_at(skipped):  # it was let in since
        del skipped[known]
    aside = {path: Aside("skipped", reason) for path, reason in skipped.items()}
    if hinted and (hints := sync.narrow(Hints(0, set(hinted)))):
        aside |= {path: Aside("waiting") for path in hints.paths}
    in_hand = sync.under_way.in_hand()
    for path, entry in sync.under_way.left().items():
        aside[path] = Aside("reading" if path in in_hand else "waiting", "", entry)
    return aside
