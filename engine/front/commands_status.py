"""``hoverkite status`` and ``hoverkite stop``: what is indexed and what runs. Neither starts it."""

import argparse
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from engine import config, paths
from engine.errors import ConfigError, EngineError, FolderError
from engine.figures import count, counted, milliseconds, size
from engine.front.client import attach, stop_engine
from engine.front.connection import EngineClient, NotAnsweringError
from engine.front.printing import FOUND, narrate, plain_line, print_json, with_detail
from engine.front.survey_text import left_out
from engine.server import kept
from engine.server.folders import resolve
from engine.wire import api
from engine.wire.api_kept import KeptIndex

_T = TypeVar("_T")


async def run(options: argparse.Namespace, flags: dict[str, Any]) -> int:
    """Run one of the two commands and return the exit status.

    Raises:
        HoverkiteError: why it could not be done.
    """
    if options.command == "stop":
        stopped = await stop_engine()
        narrate("The engine has stopped." if stopped else "No engine is running.")
        return FOUND
    return await (_folder(options, flags) if options.docs else _everything(options))


# --- one folder --------------------------------------------------------------------------------


async def _folder(options: argparse.Namespace, flags: dict[str, Any]) -> int:
    from engine.front.stored_status import stored_status

    root = resolve(options.docs)
    if options.files:
        return await _files(options, root)
    status = await _of_engine(root, lambda client, folder: client.status(folder))
    if status is None:
        status = stored_status(root, settings_or_defaults(flags))
    index_bytes = kept.disk_use(paths.index_dir(root))
    if options.json:
        told = status.model_dump(mode="json", exclude={"type"})
        print_json(told | {"index_bytes": index_bytes})
        return FOUND
    for line in status_lines(status, index_bytes):
        print(plain_line(line))
    for skipped in status.skipped:
        narrate(f"skipped {skipped.path}: {skipped.reason}")
    return FOUND


async def _files(options: argparse.Namespace, root: Path) -> int:
    from engine.front import commands_files

    choice = options.state
    found = await _of_engine(
        root, lambda client, folder: commands_files.from_engine(client, folder, choice)
    )
    if found is None:
        found = await commands_files.from_manifest(root, choice)
    return commands_files.tell(options, root, found)


def settings_or_defaults(flags: dict[str, Any]) -> config.Settings:
    """Return the settings, or the defaults after telling what is wrong with them."""
    try:
        return config.load(flags)
    except ConfigError as error:
        narrate(f"{error}. {error.next_step}")
        return config.Settings()


def status_lines(status: api.FolderStatus, index_bytes: int = 0) -> Iterator[str]:
    """Yield what ``hoverkite status DOCS`` prints; the lines are not clean yet."""
    skipped = [f"{count(status.skipped_total)} skipped"] if status.skipped_total else []
    unread = left_out(status.ignored, status.unread)
    missing = ", ".join([unread, *skipped] if unread else skipped)
    llm, embedding = status.llm, status.embedding
    on_disk = f", {size(index_bytes)} on disk" if index_bytes else ""
    pids = status.pids.model_dump().items()
    yield f"folder     {status.docs}"
    yield f"state      {with_detail(status.state, status.detail)}"
    yield f"index      {counted(status.files, 'file')}, {counted(status.chunks, 'chunk')}{on_disk}"
    yield f"left out   {missing or 'nothing'}"
    yield f"embedding  {embedding.model} ({embedding.device})"
    yield f"answers    {f'{llm.model}: ' if llm.model else ''}{with_detail(llm.state, llm.detail)}"
    yield from (f"           {line}" for line in llm.log)
    if told := figures(llm):
        yield f"           {told}"
    yield "processes  " + ", ".join(f"{name} {pid or '–'}" for name, pid in pids)


def figures(llm: api.LlmState) -> str:
    """Return what the server of the answer model counts, empty where it says nothing."""
    found = llm.figures or api.LlmFigures()
    hits = found.prefix_cache_hit_rate
    parts = [
        "" if found.running is None else f"{found.running} running",
        "" if found.waiting is None else f"{found.waiting} waiting",
        "" if found.ttft_ms is None else f"first token after {milliseconds(found.ttft_ms)}",
        "" if found.tokens_per_s is None else f"{found.tokens_per_s:.0f} tokens/s",
        "" if hits is None else f"{hits:.0%} of prompts from the prefix cache",
    ]
    return ", ".join(filter(None, parts))


async def _of_engine(root: Path, ask: Callable[[EngineClient, str], Awaitable[_T]]) -> _T | None:
    """Return what a running engine tells; None when none of our version has the folder."""
    try:
        client = await attach()
    except NotAnsweringError as error:
        narrate(f"{error}. {error.next_step}")
        return None
    except EngineError:
        return None
    try:
        hello = await client.hello()
        if hello.protocol != api.PROTOCOL_VERSION:
            narrate(f"An engine {hello.version} runs, which the next command replaces.")
            return None
        return await ask(client, paths.short_hash(str(root)))
    except FolderError:
        return None
    finally:
        await client.close()


# --- everything --------------------------------------------------------------------------------


async def _everything(options: argparse.Namespace) -> int:
    try:
        client = await attach()
    except NotAnsweringError:
        raise
    except EngineError:
        hello, opened, llm = None, [], None
    else:
        try:
            hello = await client.hello()
            opened = await _open_folders(client, hello)
            llm = await client.llm() if hello.protocol == api.PROTOCOL_VERSION else None
        finally:
            await client.close()
    indexes = list(kept.indexes())
    now = {status.docs: status for status in opened}
    told = [_as_it_is_now(index, now.get(index.docs)) for index in indexes]
    caches = kept.caches()
    if options.json:
        engine = hello.model_dump() if hello else None
        print_json(
            {
                "engine": engine,
                "llm": llm.model_dump(mode="json", exclude={"type"}) if llm else None,
                "indexes": [index.model_dump(mode="json") for index in told],
                "caches": caches,
            }
        )
        return FOUND
    for line in overview(hello, told, caches):
        print(plain_line(line))
    return FOUND


async def _open_folders(client: EngineClient, hello: api.Hello) -> list[api.FolderStatus]:
    if hello.protocol != api.PROTOCOL_VERSION:
        return []
    try:
        return await client.open_folders()
    except EngineError as error:  # an engine of a slightly older version does not know
        narrate(f"Which folders are open is not known: {error}")
        return []


def _as_it_is_now(index: KeptIndex, status: api.FolderStatus | None) -> KeptIndex:
    if status is None:
        return index
    names = ("state", "detail", "files", "chunks")
    return index.model_copy(update={name: getattr(status, name) for name in names})


def overview(
    hello: api.Hello | None, indexes: list[KeptIndex], caches: dict[str, int]
) -> Iterator[str]:
    """Yield what ``hoverkite status`` prints; the lines are not clean yet."""
    if hello is None:
        yield "no engine runs"
    else:
        process = f" as process {hello.pid}" if hello.pid else ""
        yield f"engine {hello.version} runs{process}"
    for index in indexes:
        yield index.docs or f"a folder that is not known any more, kept in {index.place}"
        yield f"  state      {with_detail(index.state, index.detail)}"
        yield "  index      " + what_is_kept(index)
        yield f"  last used  {date(index.last_used)}"
    if not indexes:
        yield "no folder is indexed"
    total = sum(index.bytes for index in indexes)
    models = {name: taken for name, taken in caches.items() if taken and name != kept.COLLECTIONS}
    made = ", ".join(f"{name} {size(taken)}" for name, taken in models.items())
    written = caches.get(kept.COLLECTIONS, 0)
    collections = f"; test collections {size(written)}" if written else ""
    yield f"on disk: indexes {size(total)}; models: {made or 'none yet'}{collections}"


def what_is_kept(index: KeptIndex) -> str:
    """``53 files, 6 848 chunks, 34 MB on disk``."""
    files, chunks = counted(index.files, "file"), counted(index.chunks, "chunk")
    return f"{files}, {chunks}, {size(index.bytes)} on disk"


def date(moment: str) -> str:
    """Return ``2026-05-01T09:30:00+02:00`` as a person reads it: ``2026-05-01 09:30``."""
    return f"{datetime.fromisoformat(moment):%Y-%m-%d %H:%M}"
