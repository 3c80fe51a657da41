"""``hoverkite eval``: how well each mode of the search finds what is known to be right."""

import argparse
import asyncio
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine import config, paths
from engine.errors import HoverkiteError, UsageError
from engine.evaluating import beir, beir_files, evaluation, questions
from engine.evaluating.evaluation import Judged, Trial
from engine.evaluating.questions import Questions
from engine.figures import counted
from engine.files.scan import Look
from engine.front.client import connect
from engine.front.connection import EngineClient
from engine.front.opening import bring_up_to_date, open_docs, paused
from engine.front.printing import FOUND, narrate, plain_line, print_json
from engine.server.folders import resolve
from engine.wire import api
from engine.wire.api_search import RERANKER_LOADING, Mode

RERANKER_EVERY = 0.5
"""Seconds between two looks whether the reranker is loaded."""


@dataclass
class Subject:
    """What is evaluated: queries, and the folder they are asked of."""

    root: Path
    trial: Trial
    names: dict[str, str] = field(default_factory=dict)
    """Of a collection, the ids of its documents by the paths of their files."""


async def run(options: argparse.Namespace, flags: dict[str, Any]) -> int:
    """Run the command and return the exit status.

    Raises:
        HoverkiteError: why it could not be done.
    """
    settings = config.load(flags)
    subject = _subject(options, settings)
    cases = subject.trial.cases[: options.limit]
    client = await connect(settings, flags)
    try:
        if client.note:
            narrate(client.note)
        folder, summary = await _indexed(client, subject, options)
        found = await ask_all(client, folder, subject.trial, options.modes, len(cases))
    finally:
        await client.close()
    told = evaluation.report(found, [case.name for case in cases])
    documents = len(subject.names) or summary.files
    head = {"queries": len(cases), "documents": documents, "chunks": summary.chunks}
    missing = {"missing": documents - summary.files}
    if subject.names:
        narrate(
            f"The index is kept; to remove it: hoverkite forget {shlex.quote(str(subject.root))}"
        )
    if options.json:
        print_json(head | told | missing)
    else:
        _print_table(head, told)
    return FOUND


def _subject(options: argparse.Namespace, settings: config.Settings) -> Subject:
    """Read what is to be asked, and see that it can be answered.

    Raises:
        UsageError: what is wrong with it.
    """
    docs = resolve(options.docs)
    if options.questions:
        file = Path(options.questions).expanduser()
        asked = questions.read(file)
        look = Look(docs, settings, index_root=paths.data_dir())
        questions.check_paths(asked, file, look, options.docs)
        return Subject(docs, asked)
    if not beir.is_collection(docs):
        raise UsageError(
            f"{options.docs} is no collection in BEIR's format: name a file of questions, too",
            'Write one a line: {"question": "…", "path": "…", "answer_text": "…"}',
        )
    written = beir_files.write_out(docs, beir_files.collections_dir())
    collection, notices = beir.read(docs, written.names)
    if written.empty:
        notices.append(f"{counted(written.empty, 'document')} without a word: never found")
    for notice in notices:
        narrate(notice)
    narrate(f"{counted(len(written.names), 'document')}, a file each, in {written.root}")
    return Subject(written.root, collection, written.names)


async def _indexed(
    client: EngineClient, subject: Subject, options: argparse.Namespace
) -> tuple[str, api.SyncFinished]:
    """Bring the folder up to date, and say what of it can't be found."""
    if subject.names:
        folder = (await client.open_folder(str(subject.root), agreed=True)).folder
    else:
        folder = await open_docs(client, options)
    summary = await bring_up_to_date(client, folder, quiet=True)
    if isinstance(summary, api.FolderStatus):
        raise HoverkiteError(paused(summary), "Let it go on there, then evaluate again")
    missing = len(subject.names) - summary.files
    if subject.names and missing:
        narrate(f"{counted(missing, 'document')} could not be indexed: never found")
    wanted = _wanted(subject)
    for skipped in summary.skipped:
        if skipped.path in wanted:
            narrate(f"skipped {wanted[skipped.path]}: {skipped.reason}")
    return folder, summary


def _wanted(subject: Subject) -> dict[str, str]:
    """Return the files that hits are looked for in, each with what a person calls it."""
    if isinstance(subject.trial, Questions):
        return {question.path: question.path for question in subject.trial.questions}
    return subject.names


async def ask_all(
    client: EngineClient, folder: str, trial: Trial, modes: Sequence[Mode], limit: int | None = None
) -> dict[Mode, list[Judged]]:
    """Ask every query in every mode, and return what was found for each, in their order."""
    from tqdm import tqdm

    asked = len(trial.cases[:limit])
    found: dict[Mode, list[Judged]] = {mode: [] for mode in modes}
    notices: dict[str, None] = {}
    bar = tqdm(
        desc="searching",
        unit="query",
        total=asked * len(modes),
        file=sys.stderr,
        disable=not sys.stderr.isatty(),
        leave=False,
        delay=0.3,
        dynamic_ncols=True,
    )
    await _until_reranked(client, folder, trial, modes)
    with bar:
        for at in range(asked):
            for mode in modes:  # side by side: the query is embedded once
                reply = await client.search(folder, trial.ask(at, mode))
                found[mode].append(trial.judge(at, reply.hits))
                notices |= dict.fromkeys(reply.notices)
                bar.update()
    for notice in notices:
        narrate(notice)
    return found


async def _until_reranked(
    client: EngineClient, folder: str, trial: Trial, modes: Sequence[Mode]
) -> None:
    """Have the reranker loaded, where one is set: what is measured shall not change on the way."""
    while trial.cases and "hybrid" in modes:
        reply = await client.search(folder, trial.ask(0, "hybrid"))
        if RERANKER_LOADING not in reply.notices:
            return
        await asyncio.sleep(RERANKER_EVERY)


def _print_table(head: dict[str, int], told: dict[str, Any]) -> None:
    nouns = {
        "queries": ("query", "queries"),
        "documents": ("document", ""),
        "chunks": ("chunk", ""),
    }
    counts = [counted(number, *nouns[name]) for name, number in head.items()]
    for line in (", ".join(counts), "", *evaluation.table(told)):
        print(plain_line(line))
