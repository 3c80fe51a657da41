"""``hoverkite status DOCS --files``: every file of a folder, and what became of it."""

import argparse
import contextlib
import sqlite3
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from engine import paths
from engine.errors import ManifestError
from engine.figures import count, counted
from engine.front.connection import EngineClient
from engine.front.printing import FOUND, narrate, plain_line, print_json
from engine.front.stored_status import moved_from
from engine.searching import file_pages
from engine.server import kept
from engine.wire.api_files import (
    CHOSEN,
    MOST_FILES,
    FileChoice,
    FilesReply,
    FilesRequest,
)


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


def tell(options: argparse.Namespace, root: Path, known: FilesReply | None) -> int:
    """Print the files, and return the exit status; None is a folder that was never indexed."""
    found = known or FilesReply()
    if known is None:
        narrate(f"{root} is new: {moved_from(root) or 'it was never indexed'}")
    if options.json:
        files = [file.model_dump(mode="json") for file in found.files]
        print_json({"docs": str(root), "counts": found.counts, "files": files})
        return FOUND
    for file in found.files:
        reason = f": {file.reason}" if file.reason else ""
        print(plain_line(f"{file.state:<8} {file.path}{reason}"))
    if known is not None:
        states = [state for state in CHOSEN["all"] if state in found.counts]
        told = ", ".join(f"{count(found.counts[state])} {state}" for state in states)
        narrate(f"{counted(sum(found.counts.values()), 'file')}{': ' if told else ''}{told}")
    return FOUND
