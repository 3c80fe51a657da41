"""``hoverkite status DOCS --files``: every file of a folder, and what became of it."""

import argparse
import contextlib
import sqlite3
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from engine import paths
from engine.errors import ManifestError
from engine.figures import count, counted
from engine.front.connection import EngineClient
from engine.front.printing import FOUND, narrate, plain_line, print_json, width
from engine.front.stored_status import moved_from
from engine.searching import file_pages
from engine.server import kept
from engine.wire.api_files import (
    CHOSEN,
    MOST_FILES,
    FileChoice,
    FilesReply,
    FilesRequest,
    ListedFile,
)

ROOMY = 90
"""Characters of a line from which it tells what read the file, and how long that took."""
LOADER_CELLS = 26


async def from_engine(client: EngineClient, folder: str, choice: FileChoice) -> FilesReply:
    """Return all files of a folder that an engine has open.

    Raises:
        HoverkiteError: what the engine raised.
    """
    return await _all(choice, partial(client.files, folder))


async def from_manifest(root: Path, choice: FileChoice) -> FilesReply | None:
    """Return what the manifest knows of a folder that no engine has open; nothing is started.

    None for a folder that was never indexed.

    Raises:
        ManifestError: it can't be read.
    """
    path = paths.index_dir(root) / kept.MANIFEST
    try:
        with contextlib.closing(kept.read_only(path)) as connection:

            async def page(asked: FilesRequest) -> FilesReply:
                return file_pages.page(asked, {}, connection)

            found = await _all(choice, page)
        return found if found.counts or kept.stored(path.parent).agreed else None
    except FileNotFoundError:
        return None
    except (OSError, sqlite3.Error) as error:
        step = "Open the folder once: what can't be read is made anew"
        raise ManifestError(f"{path} can't be read: {error}", step) from error


async def _all(
    choice: FileChoice, page: Callable[[FilesRequest], Awaitable[FilesReply]]
) -> FilesReply:
    """Return the files of all pages; they are counted with the first, once."""
    first = await page(FilesRequest(state=choice, limit=MOST_FILES))
    files, after = list(first.files), first.next
    while after is not None:
        asked = FilesRequest(state=choice, after=after, limit=MOST_FILES, counted=False)
        reply = await page(asked)
        files += reply.files
        after = reply.next
    return first.model_copy(update={"files": files, "next": None})


def _line(file: ListedFile, room: int) -> str:
    """Return what is told of a file on a line; ``room`` is the terminal's, 0 without one."""
    if file.reason:
        read = f" ({file.loader})" if file.loader else ""
        return plain_line(f"{file.state:<8}  {file.path}{read}: {file.reason}")
    return _columns(
        file.state,
        str(file.chunks),
        "" if file.characters is None else str(file.characters),
        "" if file.seconds is None else f"{file.seconds:.3f}",
        plain_line(file.loader),
        plain_line(file.path),
        room,
    )


def _columns(
    state: str, chunks: str, characters: str, seconds: str, loader: str, path: str, room: int
) -> str:
    """Return the columns there is room for; the path is last, since it may be long."""
    columns = [f"{state:<8}", f"{chunks:>6}", f"{characters:>10}"]
    if not room or room >= ROOMY:
        columns += [f"{seconds:>7}", f"{loader:<{LOADER_CELLS}}"]
    return "  ".join([*columns, path])


def tell(options: argparse.Namespace, root: Path, known: FilesReply | None) -> int:
    """Print the files, and return the exit status; None is a folder that was never indexed."""
    found = known or FilesReply()
    if known is None:
        narrate(f"{root} is new: {moved_from(root) or 'it was never indexed'}")
    if options.json:
        files = [file.model_dump(mode="json") for file in found.files]
        print_json({"docs": str(root), "counts": found.counts, "files": files})
        return FOUND
    room = width() if sys.stdout.isatty() else 0
    if room and found.files:
        print(_columns("state", "chunks", "characters", "seconds", "loader", "file", room))
    for file in found.files:
        print(_line(file, room))
    if known is not None:
        states = [state for state in CHOSEN["all"] if state in found.counts]
        told = ", ".join(f"{count(found.counts[state])} {state}" for state in states)
        narrate(f"{counted(sum(found.counts.values()), 'file')}{': ' if told else ''}{told}")
    return FOUND
