"""``hoverkite forget`` and ``hoverkite doctor``: removing and examining what is kept."""

import argparse
import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine import config
from engine.build import build
from engine.errors import EngineError, HoverkiteError, NoIndexError, NotAgreedError
from engine.figures import counted
from engine.front.client import RELAUNCH_SECONDS, START_SECONDS, attach, connect, stop_engine
from engine.front.commands_status import date, settings_or_defaults, what_is_kept
from engine.front.connection import EngineClient, NotAnsweringError
from engine.front.printing import (
    FOUND,
    NOT_FOUND,
    can_be_asked,
    narrate,
    plain_line,
    print_json,
    says_yes,
    what_is_no_terminal,
)
from engine.server import doctor, engine_lock, kept
from engine.server.folders import resolve
from engine.wire.api_kept import Examined, Finding, Forgotten, KeptIndex


async def run(options: argparse.Namespace, flags: dict[str, Any]) -> int:
    """Run one of the two commands and return the exit status.

    Raises:
        HoverkiteError: why it could not be done.
    """
    return await (_forget if options.command == "forget" else _doctor)(options, flags)


# --- forget ------------------------------------------------------------------------------------


async def _forget(options: argparse.Namespace, flags: dict[str, Any]) -> int:
    index = kept.look(kept.place_of(options.docs), options.docs)
    if not options.yes:
        _ask(index, options.docs)
    try:
        forgotten = await _remove(Path(index.place), flags)
    except NoIndexError:  # somebody else has forgotten it meanwhile
        raise NoIndexError(f"nothing is kept of {options.docs}") from None
    if options.json:
        # The sizes as a person was told them: closing an index changes them.
        told = forgotten.model_copy(update={"index": index})
        print_json(told.model_dump(mode="json"))
    else:
        print(plain_line(f"forgot {index.docs or options.docs}: {what_is_kept(index)}"))
    for left in forgotten.left:
        narrate(f"this could not be removed: {left}")
    return NOT_FOUND if forgotten.left else FOUND


def _ask(index: KeptIndex, docs: str) -> None:
    """List what would be removed, and go on only with a person's yes.

    Raises:
        NotAgreedError: there is none.
    """
    name = index.docs or docs
    narrate(f"This is kept of {name}:")
    narrate(f"  index: {what_is_kept(index)}")
    if index.detail:
        narrate(f"  state: {index.state} ({index.detail})")
    narrate(f"  last used: {date(index.last_used)}")
    narrate(f"  it lies in {index.place}")
    narrate("Your documents stay as they are.")
    if not can_be_asked():
        raise NotAgreedError(
            f"the index of {name} was not removed: {what_is_no_terminal()} is not a terminal, "
            "so that nobody could be asked",
            "Run the command again with --yes to remove it",
        )
    if not says_yes("Remove it?"):
        raise NotAgreedError(
            f"the index of {name} was not removed", "To remove it, answer y, or say --yes"
        )


async def _remove(place: Path, flags: dict[str, Any]) -> Forgotten:
    """Remove an index, through the engine where one runs."""
    deadline = time.monotonic() + START_SECONDS
    settings = settings_or_defaults(flags)
    while time.monotonic() < deadline:
        client = await _running_engine()
        if client is None and settings.milvus_uri:  # only an engine can speak with a server
            client = await connect(settings, flags)
        if client:
            try:
                return await client.forget(place.name)
            finally:
                await client.close()
        with engine_lock.held() as alone:  # no engine begins meanwhile
            if alone:
                taken = kept.take_away(place)
                break
        await asyncio.sleep(RELAUNCH_SECONDS)  # one that is just starting, or leaving
    else:
        raise EngineError("the engine is neither there nor gone")
    return kept.remove(taken)


async def _running_engine() -> EngineClient | None:
    """Return a client of the engine that runs, if it is of this version; else it is stopped.

    Raises:
        EngineError: it hangs, or is of another version and in use.
    """
    try:
        client = await attach()
    except NotAnsweringError:
        raise
    except EngineError:
        return None
    try:
        hello = await client.hello()
        if hello.version == build():
            return client
    except BaseException:
        await client.close()
        raise
    await client.close()
    if hello.clients:
        raise EngineError(
            f"an engine of another version ({hello.version}) is in use by another window",
            "Close that window, or run: hoverkite stop",
        )
    await stop_engine()
    return None


# --- doctor ------------------------------------------------------------------------------------


async def _doctor(options: argparse.Namespace, flags: dict[str, Any]) -> int:
    root = str(resolve(options.docs)) if options.docs else ""
    findings = list(doctor.examine_machine(flags, repair=options.repair))
    if not root:
        findings += [*await _greeted(), *doctor.examine_indexes()]
    left = [finding for finding in findings if finding.level == "fault"]
    if root:
        examined = await _examine(root, flags, repair=options.repair)
        findings += examined.findings
        left += examined.left
    _tell(findings, left, options)
    return NOT_FOUND if left else FOUND


async def _greeted() -> list[Finding]:
    """Return what is wrong with the engine that runs, if one does: that it hangs."""
    try:
        client = await attach()
    except NotAnsweringError as error:
        told = {"about": doctor.MACHINE, "what": str(error), "step": "Run: hoverkite stop"}
        return [Finding(level="fault", **told)]
    except EngineError:
        return []
    await client.close()
    return []


async def _examine(root: str, flags: dict[str, Any], *, repair: bool) -> Examined:
    """Have the engine examine one folder; where it can't, that is the finding.

    Raises:
        NoIndexError: the folder is not indexed.
    """
    try:
        client = await connect(config.load(flags), flags)
        try:
            return await client.examine(root, repair=repair)
        finally:
            await client.close()
    except NoIndexError:
        raise
    except HoverkiteError as error:
        fault = Finding(about=root, level="fault", what=str(error), step=error.next_step)
        return Examined(findings=[fault], left=[fault])


def _tell(findings: list[Finding], left: list[Finding], options: argparse.Namespace) -> None:
    if options.json:
        both = {"findings": findings, "left": left}
        lists = {name: [f.model_dump(mode="json") for f in some] for name, some in both.items()}
        print_json({"sound": not left, **lists})
        return
    mended = [f for f in findings if f.level in ("fault", "mended") and f not in left]
    about = ""
    for finding in findings:
        if finding.about != about:
            about = finding.about
            print(plain_line("this machine" if about == doctor.MACHINE else about))
        for line in _lines(finding, is_mended=finding in mended):
            print(plain_line(line))
    if not mended and not left:
        narrate("All is sound.")
    if mended:
        narrate(f"{counted(len(mended), 'fault')} put right.")
    if left:
        narrate(f"{counted(len(left), 'fault')} left.")
        for finding in left:
            if finding not in findings:
                narrate(f"  {finding.what}")


def _lines(finding: Finding, *, is_mended: bool) -> Iterator[str]:
    yield f"  {'mended' if is_mended else finding.level:6}  {finding.what}"
    for example in finding.examples:
        yield f"            {example}"
    if finding.step and not is_mended:
        yield f"          {finding.step}"
