"""The list of a folder's files, as messages tell it: with reasons, and what to do about them."""

import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from urllib.parse import unquote_to_bytes

from engine.files.what_to_do import what_to_do
from engine.searching.place import place_at
from engine.storage import file_list
from engine.storage.file_list import Aside, Listed, Part
from engine.wire.api_files import CHOSEN, FilesReply, FilesRequest, ListedFile


def page(
    request: FilesRequest, aside: Mapping[bytes, Aside], connection: sqlite3.Connection
) -> FilesReply:
    """Return the page that ``request`` asks for, from a manifest's file and ``aside``. Blocking.

    Raises:
        sqlite3.Error: the file can't be read.
    """
    part = Part(
        words=tuple(request.match.casefold().split()),
        states=CHOSEN[request.state],
        after=unquote_to_bytes(request.after),
        skip=request.skip,
        limit=request.limit,
        counted=request.counted,
    )
    found = file_list.page(connection, part, aside)
    files = [_told(file) for file in found.files]
    total = sum(number for state, number in found.counts.items() if state in part.states)
    return FilesReply(
        files=files,
        before=min(found.before, total),
        total=total,
        counts=found.counts,
        next=None if found.is_last else files[-1].cursor,
    )


def _told(file: Listed) -> ListedFile:
    place = place_at(file.path, 1, 1, None)
    return ListedFile(
        path=place.path,
        quoted_path=place.quoted_path,
        state=file.state,
        reason=file.reason,
        next_step=what_to_do(file.reason),
        chunks=file.chunks,
        characters=file.characters,
        bytes=file.size,
        modified=_moment(file.mtime_ns),
        loader=file.loader,
        seconds=None if file.seconds is None else round(file.seconds, 3),
    )


def _moment(mtime_ns: int | None) -> str | None:
    if mtime_ns is not None:
        with suppress(OverflowError, ValueError, OSError):  # a time that no calendar has
            moment = datetime.fromtimestamp(mtime_ns / 1e9).astimezone()
            return moment.isoformat(timespec="seconds")
    return None
