"""``hoverkite status DOCS --files``: every file of a folder, and what became of it."""

import argparse
import contextlib
import sqlite3
from pathlib import Path

from engine import paths
from engine.errors import ManifestError
from engine.figures import count, counted
from engine.front.connection import EngineClient
from engine.front.printing import FOUND, narrate, plain_line, print_json
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


async def from_engine(client: EngineClient, folder: str, choice: FileChoice) -> FilesReply:
    """Return all files of a folder that an engine has open.

    Raises:
        HoverkiteError: what the engine raised.
    """
    files: list[ListedFile] = []
    after: str | None = ""
    while after is not None:
        asked = FilesRequest(state=choice, after=after, limit=MOST_FILES)
        reply = await client.files(folder, asked)
        files += reply.files
        after = reply.next
    return reply.model_copy(update={"files": files})


def from_manifest(root: Path, choice: FileChoice) -> FilesReply:
    """Return what the manifest knows of a folder that no engine has open; nothing is started.

    Raises:
        ManifestError: it can't be read.
    """
    path = paths.index_dir(root) / kept.MANIFEST
    files: list[ListedFile] = []
    after: str | None = ""
    try:
        with contextlib.closing(kept.read_only(path)) as connection:
            while after is not None:
                asked = FilesRequest(state=choice, after=after, limit=MOST_FILES)
                reply = file_pages.page(asked, {}, connection)
                files += reply.files
                after = reply.next
    except FileNotFoundError:
        return FilesReply()
    except (OSError, sqlite3.Error) as error:
        step = "Open the folder once: what can't be read is made anew"
        raise ManifestError(f"{path} can't be read: {error}", step) from error
    return reply.model_copy(update={"files": files})


def tell(options: argparse.Namespace, root: Path, found: FilesReply) -> int:
    """Print the files, and return the exit status."""
    if options.json:
        files = [file.model_dump(mode="json") for file in found.files]
        print_json({"docs": str(root), "counts": found.counts, "files": files})
        return FOUND
    for file in found.files:
        reason = f": {file.reason}" if file.reason else ""
        print(plain_line(f"{file.state:<8} {file.path}{reason}"))
    states = [state for state in CHOSEN["all"] if state in found.counts]
    told = ", ".join(f"{count(found.counts[state])} {state}" for state in states)
    narrate(f"{counted(sum(found.counts.values()), 'file')}{': ' if told else ''}{told}")
    return FOUND
