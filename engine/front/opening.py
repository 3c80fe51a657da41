"""Opening a folder for a command, and bringing it up to date before anything is asked of it."""

import argparse
import asyncio
import contextlib
import sys
from typing import TYPE_CHECKING, Any

from engine.errors import EngineError, ManifestError, NotAgreedError, StoreError
from engine.figures import counted
from engine.front.connection import EngineClient
from engine.front.printing import can_be_asked, narrate, says_yes
from engine.front.survey_text import survey_facts
from engine.server.folders import resolve
from engine.wire import api

if TYPE_CHECKING:
    from tqdm import tqdm


async def open_docs(client: EngineClient, options: argparse.Namespace) -> str:
    """Open the folder that is named, with a person's yes where one is needed; return its id.

    Raises:
        NotAgreedError: there is none.
    """
    path = str(resolve(options.docs))
    opened = await client.open_folder(path, agreed=options.yes)
    survey = opened.survey
    if survey:
        narrate(f"{path} is new here")
        for label, fact in survey_facts(survey).items():
            narrate(f"  {label}: {fact}")
    if survey and survey.reason and not options.yes:
        if not can_be_asked():
            raise NotAgreedError(f"{path} is not indexed yet: {survey.reason}")
        narrate(f"It is asked because {survey.reason}.")
        if not says_yes("Index it?"):
            raise NotAgreedError(f"{path} was not indexed")
        opened = await client.open_folder(path, agreed=True)
    return opened.folder


async def what_is_missing(client: EngineClient, folder: str, *, bar: bool = True) -> str:
    """Bring the folder up to date; return why what is found may be old, empty if it is not.

    Without ``bar`` no progress is drawn.
    """
    try:
        last = await bring_up_to_date(client, folder, quiet=True, bar=bar)
    except (ManifestError, StoreError) as error:
        return f"What was indexed before is searched. {error}. {error.next_step}"
    return paused(last) if isinstance(last, api.FolderStatus) else ""


def paused(status: api.FolderStatus) -> str:
    """Return what a person should know of a folder that a window has paused."""
    waiting = f"{counted(status.pending, 'file')} {'waits' if status.pending == 1 else 'wait'}"
    what = waiting if status.pending else "what is new or changed waits"
    return f"A window has paused indexing: {what} until it goes on there"


async def bring_up_to_date(
    client: EngineClient, folder: str, *, quiet: bool, bar: bool = True
) -> api.SyncFinished | api.FolderStatus:
    """Bring the folder up to date; a status is returned where a window has paused that.

    ``quiet`` removes the progress bar at the end; without ``bar`` there is none.
    """
    from tqdm import tqdm

    try:
        with tqdm(
            unit="file",
            file=sys.stderr,
            disable=not (bar and sys.stderr.isatty()),
            leave=not quiet,
            delay=0.3,
            dynamic_ncols=True,
        ) as drawn:
            async with contextlib.aclosing(client.sync(folder)) as events:
                async for event in events:
                    if isinstance(event, api.SyncFinished) or event.watch == "paused":
                        if quiet:  # tqdm leaves what only its description has drawn
                            drawn.clear()
                        return event
                    _advance(drawn, event)
    except asyncio.CancelledError:  # ctrl+c
        narrate("Indexing goes on in the background; hoverkite stop ends it.")
        raise
    raise EngineError("the engine stopped before the folder was indexed", "Run the command again")


def _advance(bar: "tqdm[Any]", status: api.FolderStatus) -> None:
    if status.state == "loading":
        bar.set_description("loading the encoder", refresh=True)
    elif status.progress.files_total:
        bar.set_description("indexing", refresh=False)
        bar.total = status.progress.files_total
        bar.n = status.progress.files_done
        bar.set_postfix_str(f"{status.progress.chunks_per_s:.0f} chunks/s", refresh=True)
