"""The commands that search, ask and index, and how they print what comes."""

import argparse
import contextlib
import importlib
import sys
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from engine import config
from engine.figures import count, counted
from engine.front import on_terminal
from engine.front.client import connect
from engine.front.commands_around import look_around, print_around
from engine.front.connection import EngineClient
from engine.front.conversation_names import continued
from engine.front.explained import cut, explained
from engine.front.opening import bring_up_to_date, open_docs, paused, what_is_missing
from engine.front.printed_answer import AnswerPrinter, place
from engine.front.printing import (
    FOUND,
    NOT_FOUND,
    narrate,
    plain_line,
    print_json,
)
from engine.safe_text import clean, clean_line
from engine.wire import api, api_answer, api_search
from engine.wire.api_around import AroundReply
from engine.wire.query import parse

EXACT_LINES = 1000
"""Lines that an exact search prints where no number is given."""

ELSEWHERE = {
    "stop": "commands_status",
    "status": "commands_status",
    "forget": "commands_upkeep",
    "doctor": "commands_upkeep",
    "eval": "commands_eval",
    "models": "commands_models",
    "conversations": "commands_conversations",
}
"""Where the commands are that are not here; each module is imported when it is needed."""


async def run(options: argparse.Namespace, flags: dict[str, Any]) -> int:
    """Run one command against the engine and return the exit status.

    Raises:
        HoverkiteError: why it could not be done.
    """
    if module := ELSEWHERE.get(options.command):
        return int(await importlib.import_module(f"engine.front.{module}").run(options, flags))
    settings = config.load(flags)
    client = await connect(settings, flags)
    try:
        if client.note:
            narrate(client.note)
        folder = await open_docs(client, options)
        if options.command == "index":
            return _print_summary(await bring_up_to_date(client, folder, quiet=False), options)
        if missing := await what_is_missing(client, folder):
            narrate(missing)
        if options.command == "search":
            return await _search(client, folder, options)
        return await _ask(client, folder, options)
    finally:
        await client.close()


# --- printing --------------------------------------------------------------------------------


def _print_summary(
    summary: api.SyncFinished | api.FolderStatus, options: argparse.Namespace
) -> int:
    if isinstance(summary, api.FolderStatus):
        narrate(paused(summary))
        if options.json:
            told = {"files": summary.files, "chunks": summary.chunks, "pending": summary.pending}
            print_json({"paused": True} | told)
        return NOT_FOUND
    if options.json:
        print_json(summary.model_dump(mode="json", exclude={"type"}))
        return FOUND
    print(
        plain_line(
            f"{counted(summary.files, 'file')}, {counted(summary.chunks, 'chunk')}; "
            f"{count(summary.added)} added, {count(summary.changed)} changed, "
            f"{count(summary.removed)} removed, "
            f"{counted(summary.embedded, 'chunk')} embedded in {summary.seconds:.1f} s"
        )
    )
    for skipped in summary.skipped:
        narrate(f"skipped {skipped.path}: {skipped.reason}")
    return FOUND


async def _search(client: EngineClient, folder: str, options: argparse.Namespace) -> int:
    is_exact = parse(options.query).exact is not None
    asked = api_search.SearchRequest(
        query=options.query,
        hits=options.hits or (EXACT_LINES if is_exact else None),
        mode=options.mode,
        filters=filters_of(options),
        per_file=options.per_file,
        explain=options.explain,
    )
    reply = await client.search(folder, asked)
    for notice in reply.notices:
        narrate(notice)
    if options.files and not options.json:
        return _print_files(reply, options)
    wanted = reply.hits if options.context else []
    arounds = await look_around(client, folder, wanted, options.context)
    return _print_hits(reply, arounds, options)


def filters_of(options: argparse.Namespace) -> api_search.Filters:
    """Return the filters that were given as options."""
    return api_search.Filters(
        paths=options.path,
        not_paths=options.not_path,
        types=[ending.lstrip(".") for ending in options.type],
        tags=options.tag,
        after=options.after,
        before=options.before,
    )


def _print_files(reply: api_search.SearchReply, options: argparse.Namespace) -> int:
    """Print the files of an exact search, or those of the hits, best first."""
    names = reply.files or dict.fromkeys(hit.path for hit in reply.hits)
    for name in names:
        print(clean_line(str(PurePath(options.docs, name))))
    return FOUND if names else NOT_FOUND


def _print_hits(
    reply: api_search.SearchReply, arounds: list[AroundReply], options: argparse.Namespace
) -> int:
    if options.json:
        told = _search_json(reply)
        for hit, around in zip(told["hits"], arounds, strict=bool(options.context)):
            hit["around"] = around.model_dump(mode="json")
        print_json(told)
        return FOUND if reply.hits else NOT_FOUND
    if options.context:
        print_around(reply.hits, arounds, options)
    else:
        for hit in reply.hits:
            for line in _shown(hit, options):
                print(line)
            if options.explain:
                print(f"{on_terminal.INDENT}{explained(hit)}")
    for left in reply.cut:
        print(cut(left))
    if not reply.hits:
        narrate("Nothing was found.")
    elif reply.matches and reply.matches > len(reply.hits):
        lines, files = counted(reply.matches, "line"), counted(len(reply.files), "file")
        narrate(f"{lines} in {files} match; -n shows more of them, --files the files")
    return FOUND if reply.hits else NOT_FOUND


def _shown(hit: api_search.Hit, options: argparse.Namespace) -> Iterator[str]:
    """Yield a hit as lines: short for a person, one whole line for a program or a file."""
    where = place(options.docs, hit)
    if sys.stdout.isatty():
        yield from on_terminal.lines_of(hit, where, options.query)
    else:
        yield f"{where}: {' '.join(clean(hit.text).split())}"


def _search_json(reply: api_search.SearchReply | api_answer.HitsFound) -> dict[str, Any]:
    told = {"query", "took_ms", "hits"}
    if isinstance(reply, api_search.SearchReply):
        told |= {"mode", "notices"} | ({"matches", "files"} if reply.mode == "exact" else set())
        told |= {"cut"} if reply.cut else set()
    return reply.model_dump(mode="json", include=told)


async def _ask(client: EngineClient, folder: str, options: argparse.Namespace) -> int:
    answer: dict[str, Any] = {"query": options.query, "took_ms": 0.0, "hits": []}
    answer |= dict.fromkeys(("ttft_ms", "completion_tokens", "tokens_per_s"))
    answer |= {"extracts": [], "answer": "", "finish_reason": None, "model": None}
    answer |= {"citations": [], "not_found": False, "rewritten_question": "", "prompt_tokens": 0}
    printer = None if options.json else AnswerPrinter(options.docs)
    status = NOT_FOUND
    asked = api_answer.AskRequest(
        question=options.query,
        hits=options.hits,
        mode=options.mode,
        filters=filters_of(options),
        conversation=await continued(client, folder, options.conversation),
        anyway=options.anyway,
        bulk=not sys.stdout.isatty(),  # a program reads it, and persons go first
    )
    asking = client.ask(folder, asked)
    async with contextlib.aclosing(asking) as events:
        async for event in events:
            if isinstance(event, api_answer.HitsFound):
                answer |= _search_json(event)
            elif isinstance(event, api_answer.ExtractsFound):
                answer |= event.model_dump(include={"extracts", "not_found", "searched"})
            elif isinstance(event, api_answer.AnswerFinished):
                answer |= event.model_dump(exclude={"type"})
                ended_early = event.finish_reason == api_answer.NOT_FOUND
                status = NOT_FOUND if ended_early else FOUND
            elif isinstance(event, api_answer.AnswerFailed):
                answer |= event.model_dump(exclude={"type"})
            if printer:
                printer.show(event)
    if options.json:
        print_json(answer)
    return status
