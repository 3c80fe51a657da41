"""What the commands do with the engine, and how they print it."""

import argparse
import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from engine import api, config
from engine.client import attach, connect, stop_engine
from engine.connection import EngineClient, NotAnsweringError
from engine.errors import ConfigError, EngineError, NotAgreedError, StoreError
from engine.figures import GAP, count, counted
from engine.folders import resolve
from engine.problems import error_of
from engine.safe_text import clean, clean_line, escape_json
from engine.survey_text import left_out, survey_facts

if TYPE_CHECKING:
    from tqdm import tqdm

FOUND, NOT_FOUND = 0, 1


async def run(options: argparse.Namespace, flags: dict[str, Any]) -> int:
    """Run one command against the engine and return the exit status.

    Raises:
        HoverkiteError: why it could not be done.
    """
    if options.command == "stop":
        return await _stop()
    if options.command == "status":
        return await _status(options, flags)
    settings = config.load(flags)
    client = await connect(settings, flags)
    try:
        if client.note:
            _narrate(client.note)
        folder = await _open(client, options)
        summary = await _sync(client, folder, quiet=options.command != "index")
        if options.command == "index":
            return _print_summary(summary, options)
        if options.command == "search":
            return _print_hits(await client.search(folder, options.query, options.hits), options)
        return await _ask(client, folder, options)
    finally:
        await client.close()


# --- opening ---------------------------------------------------------------------------------


async def _open(client: EngineClient, options: argparse.Namespace) -> str:
    path = str(resolve(options.docs))
    opened = await client.open_folder(path, agreed=options.yes)
    survey = opened.survey
    if survey:
        _narrate(f"{path} is new here")
        for label, fact in survey_facts(survey).items():
            _narrate(f"  {label}: {fact}")
    if survey and survey.reason and not options.yes:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise NotAgreedError(f"{path} is not indexed yet: {survey.reason}")
        _narrate(f"It is asked because {survey.reason}.")
        print("Index it? [y/N] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise NotAgreedError(f"{path} was not indexed")
        opened = await client.open_folder(path, agreed=True)
    return opened.folder


async def _sync(client: EngineClient, folder: str, *, quiet: bool) -> api.SyncFinished:
    """Bring the folder up to date; ``quiet`` removes the progress bar at the end."""
    from tqdm import tqdm

    with tqdm(
        unit="file",
        file=sys.stderr,
        disable=not sys.stderr.isatty(),
        leave=not quiet,
        delay=0.3,
        dynamic_ncols=True,
    ) as bar:
        async with contextlib.aclosing(client.sync(folder)) as events:
            async for event in events:
                if isinstance(event, api.FolderStatus):
                    _advance(bar, event)
                elif isinstance(event, api.SyncFinished):
                    return event
    raise StoreError("the engine stopped before the folder was indexed", "Run the command again")


def _advance(bar: "tqdm[Any]", status: api.FolderStatus) -> None:
    if status.state == "loading":
        bar.set_description("loading the encoder", refresh=True)
    elif status.progress.files_total:
        bar.set_description("indexing", refresh=False)
        bar.total = status.progress.files_total
        bar.n = status.progress.files_done
        bar.set_postfix_str(f"{status.progress.chunks_per_s:.0f} chunks/s", refresh=True)


# --- printing --------------------------------------------------------------------------------


def _print_summary(summary: api.SyncFinished, options: argparse.Namespace) -> int:
    if options.json:
        _print_json(summary.model_dump(mode="json", exclude={"type"}))
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
        _narrate(f"skipped {skipped.path}: {skipped.reason}")
    return FOUND


def _print_hits(reply: api.SearchReply, options: argparse.Namespace) -> int:
    if options.json:
        _print_json(_search_json(reply))
    else:
        for hit in reply.hits:
            print(f"{place(options.docs, hit)}: {' '.join(clean(hit.text).split())}")
        if not reply.hits:
            _narrate("Nothing was found.")
    return FOUND if reply.hits else NOT_FOUND


def place(docs: str, hit: api.Hit, quoted: str = "") -> str:
    """Return where a hit stands, or what is quoted from it, as ``path:line``.

    Like grep's, the path begins as the folder was typed, so that it leads there from here.
    """
    before = hit.text.partition(quoted)[0] if quoted else ""
    line = min(hit.start_line + before.count("\n"), hit.end_line)
    return f"{clean_line(str(PurePath(docs, hit.path)))}:{line}"


def _search_json(reply: api.SearchReply | api.HitsFound) -> dict[str, Any]:
    return reply.model_dump(mode="json", include={"query", "took_ms", "hits"})


async def _ask(client: EngineClient, folder: str, options: argparse.Namespace) -> int:
    answer: dict[str, Any] = {"query": options.query, "took_ms": 0.0, "hits": []}
    answer |= dict.fromkeys(("ttft_ms", "completion_tokens", "tokens_per_s"))
    answer |= {"extracts": [], "answer": "", "finish_reason": None, "model": None}
    printer = None if options.json else _AnswerPrinter(options.docs)
    status = NOT_FOUND
    async with contextlib.aclosing(client.ask(folder, options.query, options.hits)) as events:
        async for event in events:
            if isinstance(event, api.HitsFound):
                answer |= _search_json(event)
            elif isinstance(event, api.ExtractsFound):
                answer["extracts"] = [extract.model_dump() for extract in event.extracts]
            elif isinstance(event, api.AnswerFinished):
                answer |= event.model_dump(exclude={"type"})
                status = FOUND
            elif isinstance(event, api.AnswerFailed):
                answer |= {"answer": event.answer, "problem": event.problem.model_dump()}
            if printer:
                printer.show(event)
    if options.json:
        _print_json(answer)
    return status


class _AnswerPrinter:
    """Prints an answer as it comes: extracts, tokens, sources."""

    def __init__(self, docs: str) -> None:
        self._docs = docs
        self._found: list[api.Hit] = []
        self._state = ""

    def show(self, event: api.AskEvent) -> None:
        """Print one event of the answer."""
        match event:
            case api.HitsFound():
                self._found = event.hits
            case api.ExtractsFound():
                self._extracts(event)
            case api.LlmState():
                self._llm(event)
            case api.PromptMade():
                self._prompt(event)
            case api.Token():
                print(clean(event.text), end="")
            case api.AnswerFinished():
                self._finished(event)
            case api.AnswerFailed():
                self._failed(event)
        sys.stdout.flush()

    def _extracts(self, event: api.ExtractsFound) -> None:
        for extract in event.extracts:
            quoted = " ".join(clean(extract.text).split())
            hit = self._found[extract.hit - 1]
            print(f"“{quoted}” [{extract.hit}] {place(self._docs, hit, extract.text)}")

    def _llm(self, event: api.LlmState) -> None:
        if event.state != self._state:
            self._state = event.state
            _narrate(f"{event.model or 'answers'}: {_with_detail(event.state, event.detail)}")

    def _prompt(self, event: api.PromptMade) -> None:
        print(f"\n— {clean_line(event.model)} —")
        if event.notice:
            _narrate(event.notice)

    def _finished(self, event: api.AnswerFinished) -> None:
        print("\n")
        for source in event.sources:
            print(f"source: {clean_line(str(PurePath(self._docs, source)))}")

    def _failed(self, event: api.AnswerFailed) -> None:
        if event.answer:
            print("\n[the answer was cut off here]")
        error = error_of(event.problem)
        _narrate(f"{error.title}: {error}. {error.next_step}")


# --- state -----------------------------------------------------------------------------------


async def _stop() -> int:
    stopped = await stop_engine()
    _narrate("The engine has stopped." if stopped else "No engine is running.")
    return FOUND


async def _status(options: argparse.Namespace, flags: dict[str, Any]) -> int:
    if not options.docs:
        return await _engine_status(options)
    from engine.stored_status import stored_status

    root = resolve(options.docs)
    status = await _running_status(root)
    if status is None:
        status = stored_status(root, _settings_or_defaults(flags))
    if options.json:
        _print_json(status.model_dump(mode="json", exclude={"type"}))
        return FOUND
    for line in status_lines(status):
        print(plain_line(line))
    for skipped in status.skipped:
        _narrate(f"skipped {skipped.path}: {skipped.reason}")
    return FOUND


def _settings_or_defaults(flags: dict[str, Any]) -> config.Settings:
    """Return the settings, or the defaults after telling what is wrong with them."""
    try:
        return config.load(flags)
    except ConfigError as error:
        _narrate(f"{error}. {error.next_step}")
        return config.Settings()


def status_lines(status: api.FolderStatus) -> Iterator[str]:
    """Yield what ``hoverkite status`` prints of a folder; the lines are not clean yet."""
    skipped = [f"{count(status.skipped_total)} skipped"] if status.skipped_total else []
    unread = left_out(status.ignored, status.unread)
    missing = ", ".join([unread, *skipped] if unread else skipped)
    llm, embedding = status.llm, status.embedding
    pids = status.pids.model_dump().items()
    yield f"folder     {status.docs}"
    yield f"state      {_with_detail(status.state, status.detail)}"
    yield f"index      {counted(status.files, 'file')}, {counted(status.chunks, 'chunk')}"
    yield f"left out   {missing or 'nothing'}"
    yield f"embedding  {embedding.model} ({embedding.device})"
    yield f"answers    {f'{llm.model}: ' if llm.model else ''}{_with_detail(llm.state, llm.detail)}"
    yield "processes  " + ", ".join(f"{name} {pid or '–'}" for name, pid in pids)


def _with_detail(state: str, detail: str) -> str:
    return f"{state} ({detail})" if detail else state


async def _running_status(root: Path) -> api.FolderStatus | None:
    """Return the state a running engine knows; None when none of our version has the folder."""
    from engine.errors import FolderError
    from engine.paths import short_hash

    try:
        client = await attach()
    except NotAnsweringError as error:
        _narrate(f"{error}. {error.next_step}")
        return None
    except EngineError:
        return None
    try:
        hello = await client.hello()
        if hello.protocol != api.PROTOCOL_VERSION:
            _narrate(f"An engine {hello.version} runs, which the next command replaces.")
            return None
        return await client.status(short_hash(str(root)))
    except FolderError:
        return None
    finally:
        await client.close()


async def _engine_status(options: argparse.Namespace) -> int:
    try:
        client = await attach()
    except NotAnsweringError:
        raise
    except EngineError:
        hello = None
    else:
        hello = await client.hello()
        await client.close()
    if options.json:
        _print_json({"engine": hello.model_dump() if hello else None})
    elif hello is None:
        print("no engine runs")
    else:
        process = f" as process {hello.pid}" if hello.pid else ""
        print(clean_line(f"engine {hello.version} runs{process}"))
    return FOUND


def _print_json(value: Any) -> None:
    print(escape_json(json.dumps(value, ensure_ascii=False, indent=2)))


def _narrate(text: str) -> None:
    print(plain_line(text), file=sys.stderr, flush=True)


def plain_line(text: str) -> str:
    """Return ``text`` as one safe line whose figures can be searched for: with plain spaces."""
    return clean_line(text).replace(GAP, " ")
