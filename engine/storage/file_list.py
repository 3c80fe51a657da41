"""The files of a folder in the order of their paths, page by page, out of the manifest.

What the manifest does not know, such as files that wait to be read, is told beside it.
"""

import heapq
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from engine import wanted
from engine.files.scan import Entry, decode
from engine.wire.api_files import FileState

CHECK_EVERY = 1000
"""Files between two looks at whether anybody still waits for them."""


FIGURES_SINCE = 5
"""Version of the schema that tells how files were read."""
_DETAILS = (
    "SELECT size, mtime_ns, reason, (SELECT count(*) FROM chunks WHERE file = id), "
    "loader, characters, seconds FROM files WHERE path = ?"
)
_DETAILS_BEFORE = _DETAILS.replace("loader, characters, seconds", "'', NULL, NULL")
_UNKNOWN = (None, None, None, 0, "", None, None)


class Aside(NamedTuple):
    """What is known of a file beside the manifest."""

    state: FileState
    reason: str = ""
    entry: Entry | None = None


class Listed(NamedTuple):
    """A file of the list."""

    path: bytes
    state: FileState
    reason: str
    chunks: int
    characters: int | None
    size: int | None
    mtime_ns: int | None
    loader: str = ""
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """What is wanted of the list."""

    words: tuple[str, ...] = ()
    """Without case: each must stand in the path or in the reason."""
    states: tuple[FileState, ...] = ()
    after: bytes = b""
    skip: int = 0
    limit: int = 200
    counted: bool = True
    """Whether all files are to be counted, which takes a look at each."""

    def holds(self, path: bytes, reason: str | None) -> bool:
        """Whether all words stand in ``path`` or ``reason``."""
        text = f"{decode(path)}\n{reason or ''}".casefold()
        return all(word in text for word in self.words)


@dataclass(frozen=True, slots=True)
class Page:
    """A part of the list."""

    files: list[Listed]
    before: int
    """Files of the list that stand before it, and …"""
    counts: dict[FileState, int]
    """… files of each state that hold the words; none where nothing was to be counted."""
    is_last: bool


def page(connection: sqlite3.Connection, part: Part, aside: Mapping[bytes, Aside]) -> Page:
    """Return ``part`` of the list of all files of the manifest and ``aside``. Blocking.

    A file of both is as ``aside`` says; one that was indexed and waits to be read is stale.
    """
    connection.create_function("holds", 2, part.holds, deterministic=True)
    counts: Counter[FileState] = Counter()
    before = part.skip if part.counted else 0
    for path, state in _everything(connection, part, aside) if part.counted else ():
        counts[state] += 1
        before += path <= part.after and state in part.states
    found = islice(_in_order(connection, part, aside), part.skip, part.skip + part.limit + 1)
    shown = [_detailed(connection, path, state, aside.get(path)) for path, state in found]
    is_last = len(shown) <= part.limit
    return Page(shown[: part.limit], before, dict(counts), is_last)


def _everything(
    connection: sqlite3.Connection, part: Part, aside: Mapping[bytes, Aside]
) -> Iterator[tuple[bytes, FileState]]:
    """Yield every file that holds the words with its state, in no order."""
    left = dict(aside)
    narrowed = " WHERE holds(path, reason)" if part.words else ""
    for path, reason in _rows(connection, f"SELECT path, reason FROM files{narrowed}"):  # noqa: S608
        state: FileState = "indexed" if reason is None else "skipped"
        if other := left.pop(path, None):
            state = _state(other, is_indexed=reason is None)
        yield path, state
    for path, other in left.items():
        if part.holds(path, other.reason):
            yield path, other.state


def _state(aside: Aside, *, is_indexed: bool) -> FileState:
    return "stale" if is_indexed and aside.state == "waiting" else aside.state


def _in_order(
    connection: sqlite3.Connection, part: Part, aside: Mapping[bytes, Aside]
) -> Iterator[tuple[bytes, FileState]]:
    """Yield the files behind ``part.after`` that are of its states, by their paths.

    No more of them are looked at than are taken.
    """
    streams = [_of_aside(connection, part, aside)]
    narrowed = " AND holds(path, reason)" if part.words else ""
    for state, condition in (("indexed", "reason IS NULL"), ("skipped", "reason IS NOT NULL")):
        if state in part.states:
            statement = (
                f"SELECT path, '{state}' FROM files "  # noqa: S608
                f"WHERE path > ? AND {condition}{narrowed} ORDER BY path"
            )
            rows = _rows(connection, statement, part.after)
            streams.append(row for row in rows if row[0] not in aside)
    yield from heapq.merge(*streams)


def _of_aside(
    connection: sqlite3.Connection, part: Part, aside: Mapping[bytes, Aside]
) -> Iterator[tuple[bytes, FileState]]:
    """Yield those of the files behind ``part.after`` that are not as the manifest says."""
    states = {*part.states, *(["waiting"] if "stale" in part.states else [])}
    for path in sorted(path for path in aside if path > part.after):
        other = aside[path]
        if other.state not in states:
            continue
        wanted.check()
        known = connection.execute("SELECT reason FROM files WHERE path = ?", (path,)).fetchone()
        state = _state(other, is_indexed=known == (None,))
        holds = part.holds(path, other.reason) or (known and part.holds(path, known[0]))
        if state in part.states and holds:
            yield path, state


def _rows(
    connection: sqlite3.Connection, statement: str, *values: bytes
) -> Iterator[tuple[Any, Any]]:
    """Yield the rows of a statement as long as somebody waits for them."""
    rows = connection.execute(statement, values)
    while some := rows.fetchmany(CHECK_EVERY):
        wanted.check()
        yield from some


def _detailed(
    connection: sqlite3.Connection, path: bytes, state: FileState, aside: Aside | None
) -> Listed:
    """Return all that is known of one file."""
    known = _DETAILS if _has_figures(connection) else _DETAILS_BEFORE
    row = connection.execute(known, (path,)).fetchone()
    size, mtime_ns, reason, chunks, loader, characters, seconds = row or _UNKNOWN
    if aside:
        reason = aside.reason
        if aside.entry:
            size, mtime_ns = aside.entry.size, aside.entry.mtime_ns
    return Listed(path, state, reason or "", chunks, characters, size, mtime_ns, loader, seconds)


def _has_figures(connection: sqlite3.Connection) -> bool:
    """Whether the file tells how files were read; one of an earlier version does not."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return bool(version >= FIGURES_SINCE)
