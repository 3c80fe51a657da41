"""How a front end finds the engine, starts one, replaces one, and stops it."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from typing import Any

from engine import config, own_process, paths
from engine.build import build
from engine.config import Settings
from engine.errors import EngineError
from engine.fingerprint import fingerprint
from engine.front.connection import EngineClient, NotAnsweringError
from engine.server import engine_lock
from engine.wire import api

START_SECONDS = 30
"""Longest wait for a new engine to listen, and for an old one to leave."""
END_SECONDS = 5
"""Longest wait for an engine that was sent a signal."""
RELAUNCH_SECONDS = 0.2
"""Pause before another engine is launched, when the last one found the lock still held."""
_POLL = 0.02


async def attach() -> EngineClient:
    """Return a client of the running engine, whatever its version and settings.

    Raises:
        NotAnsweringError: one runs, but hangs.
        EngineError: none is running.
    """
    client = EngineClient()
    try:
        await client.hello()
    except BaseException:
        await client.close()
        raise
    return client


async def connect(
    settings: Settings,
    flags: Mapping[str, Any] | None = None,
    *,
    patience_s: float = START_SECONDS,
) -> EngineClient:
    """Return a client of the running engine, starting one when none runs.

    An engine of another version, or with other settings, is replaced unless somebody uses it.

    Raises:
        EngineError: none can be started (the reason is the last line of its log), or the one that
            others use can't be understood.
    """
    client = EngineClient(settings.hits)
    try:
        await _reach(client, settings, dict(flags or {}), patience_s)
    except BaseException:
        await client.close()
        raise
    return client


async def _reach(
    client: EngineClient, settings: Settings, flags: dict[str, Any], patience_s: float
) -> None:
    """Start or replace engines until one that fits, or one that others use, answers."""
    mine: int | None = None
    deadline = time.monotonic() + patience_s
    latest = deadline + patience_s
    while time.monotonic() < deadline:
        client.aim()
        try:
            hello = await client.hello()
        except NotAnsweringError:
            raise
        except EngineError:
            mine = await _launch(client, flags, deadline)
            continue
        if _fits(hello, settings):
            return
        if hello.clients or hello.pid == mine:
            client.note = _difference(hello, mine)
            return
        await stop_engine()
        deadline = min(time.monotonic() + patience_s, latest)
    why = _why_ended(mine or 0, None)
    raise EngineError(f"the engine did not answer within {patience_s} s: {why}")


def _fits(hello: api.Hello, settings: Settings) -> bool:
    return (
        hello.protocol == api.PROTOCOL_VERSION
        and hello.version == build()
        and hello.settings == fingerprint(settings)
    )


def _difference(hello: api.Hello, mine: int | None) -> str:
    """Return what a person should know of an engine that is kept although it does not fit.

    Raises:
        EngineError: it speaks another language.
    """
    understood = hello.protocol == api.PROTOCOL_VERSION
    other_code = hello.version != build()
    if other_code and hello.pid == mine:  # this process runs code that is gone from the disk
        if not understood:
            raise EngineError("hoverkite was updated meanwhile", "Leave it and start it again")
        return "hoverkite was updated meanwhile: leave it and start it again"
    if not understood:
        raise EngineError(
            f"an engine of another version ({hello.version}) is in use by another window",
            "Close that window, or run: hoverkite stop",
        )
    return (
        f"The engine already runs {'another version' if other_code else 'with other settings'} "
        "for another window; yours applies once it stops: hoverkite stop"
    )


async def _launch(client: EngineClient, flags: dict[str, Any], deadline: float) -> int:
    """Start an engine, wait until it, or one started beside it, answers, and return its pid.

    Also returns when the new engine left because an old one, still closing, holds the lock.
    """
    process = subprocess.Popen(  # noqa: ASYNC220  it must outlive this event loop
        own_process.command("engine"),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd="/",
        env=own_process.environment() | _config_from_anywhere(),
    )
    assert process.stdin is not None
    key = os.environ.get(config.KEY_NAME, "")
    with contextlib.suppress(BrokenPipeError), process.stdin as pipe:
        # Arguments and environments can be read by others, for as long as the process lives.
        pipe.write(json.dumps(flags | ({"llm_api_key": key} if key else {})).encode())
    while time.monotonic() < deadline:
        ended = process.poll()
        client.aim()
        with contextlib.suppress(EngineError):
            await client.hello()
            break
        if ended == 0:
            await asyncio.sleep(RELAUNCH_SECONDS)
            break
        if ended is not None:
            raise EngineError(f"the engine could not be started: {_why_ended(process.pid, ended)}")
        await asyncio.sleep(_POLL)
    return process.pid


def _config_from_anywhere() -> dict[str, str]:
    if not os.environ.get(config.CONFIG_NAME):
        return {}
    return {config.CONFIG_NAME: str(config.config_file().absolute())}


def _why_ended(pid: int, status: int | None) -> str:
    """Return the last error that engine ``pid`` logged, or how it ended."""
    log = paths.log_dir() / "engine.log"
    with contextlib.suppress(OSError):
        lines = log.read_text("utf-8", "replace").splitlines()
        errors = [line for line in lines if f" {pid} ERROR " in line]
        if errors:
            return errors[-1].partition(f" {pid} ERROR ")[2]
    if status is None:
        return f"{log} may tell why"
    how = f"status {status}" if status >= 0 else signal.Signals(-status).name
    return f"it ended with {how}; {log} may tell why"


# --- stopping --------------------------------------------------------------------------------


async def stop_engine(*, patience_s: float = START_SECONDS, end_s: float = END_SECONDS) -> bool:
    """Stop the running engine, of whatever version, and wait until it has left its lock.

    One that hangs, or does not leave, is ended. Returns False when none was running.

    Raises:
        EngineError: it can't be ended.
    """
    pid = engine_lock.holder()
    if pid is None:
        return await _stop_without_lock(patience_s)
    if await _asked_to_leave(pid, patience_s):
        return True
    for sign in (signal.SIGTERM, signal.SIGKILL):
        engine_lock.signal_holder(pid, sign)
        if await _has_left(pid, end_s):
            return True
    raise EngineError(
        f"the engine (process {pid or 'unknown'}) does not stop",
        f"End it yourself: kill -9 {pid}" if pid else None,
    )


async def _stop_without_lock(patience_s: float) -> bool:
    """Stop an engine whose lock was removed, if one answers; False when none does.

    Raises:
        EngineError: it hangs, or does not leave.
    """
    client = EngineClient()
    deadline = time.monotonic() + patience_s
    pid = 0
    try:
        pid = (await client.hello()).pid
        await client.stop()
    except NotAnsweringError:
        deadline = 0.0
    except EngineError:
        if not pid:
            return False
    finally:
        await client.close()
    while time.monotonic() < deadline:
        if not engine_lock.is_alive(pid):
            return True
        await asyncio.sleep(_POLL)
    raise EngineError(
        f"an engine whose lock was removed (process {pid or 'unknown'}) does not stop",
        f"End it yourself: kill -9 {pid}" if pid else "End it yourself: it is python -m engine",
    )


async def _asked_to_leave(pid: int, patience_s: float) -> bool:
    """Ask the engine to stop, again if it was not listening yet; False when it stays."""
    client = EngineClient()
    deadline = time.monotonic() + patience_s
    try:
        while time.monotonic() < deadline:
            try:
                await client.stop()
            except NotAnsweringError:
                return False
            except EngineError:
                pass  # it is closing, or has only begun
            if await _has_left(pid, 1):
                return True
    finally:
        await client.close()
    return False


async def _has_left(pid: int, seconds: float) -> bool:
    """Tell whether process ``pid`` leaves the lock within ``seconds``."""
    deadline = time.monotonic() + seconds
    while engine_lock.holder() in (pid, 0):
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(_POLL)
    return True
