"""The engine as its clients see it: started when needed, spoken to over its socket."""

import asyncio
import contextlib
import fcntl
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any, TypeVar

import httpx
from pydantic import TypeAdapter

from engine import api, config, paths
from engine.config import Settings
from engine.errors import EngineError, HoverkiteError
from engine.fingerprint import fingerprint
from engine.problems import error_of

log = logging.getLogger(__name__)

_M = TypeVar("_M", bound=api.Message)
_T = TypeVar("_T")

START_SECONDS = 30
"""Longest wait for a new engine to listen, and for an old one to leave."""
CONNECT_SECONDS = 5
GREETING_SECONDS = 10
"""Longest wait for the handshake, which an engine answers at once."""
REPLY_SECONDS = 300
"""Longest wait for a reply: a search waits for the encoder to load the first time."""
RELAUNCH_SECONDS = 0.2
"""Pause before another engine is launched, when the last one found the lock still held."""
_POLL = 0.02


class EngineClient:
    """A connection to the engine. Its methods raise what the engine raised."""

    def __init__(self, hits: int | None = None) -> None:
        """``hits`` is how many a search or an answer asks for unless it is told otherwise."""
        transport = httpx.AsyncHTTPTransport(uds=str(paths.engine_socket()))
        limits = httpx.Timeout(REPLY_SECONDS, connect=CONNECT_SECONDS)
        self._http = httpx.AsyncClient(
            transport=transport, base_url="http://engine", timeout=limits, trust_env=False
        )
        self._hits = hits
        self.note = ""
        """What a person should know about this engine, such as that its settings differ."""

    async def hello(self) -> api.Hello:
        """Return which engine answers, of whatever version.

        Raises:
            EngineError: none does.
        """
        return _greeting(await self._send("GET", api.HELLO, seconds=GREETING_SECONDS))

    async def open_folder(
        self, path: str, *, agreed: bool = False, start_llm: bool = False
    ) -> api.FolderOpened:
        """Open (and begin to watch) a folder; see ``FolderOpened.survey``."""
        request = api.OpenFolder(path=path, agreed=agreed, start_llm=start_llm)
        return api.FolderOpened.model_validate_json(await self._send("POST", api.FOLDERS, request))

    async def search(self, folder: str, query: str, hits: int | None = None) -> api.SearchReply:
        """Return the chunks nearest to ``query``, best first."""
        body = await self._send(
            "POST",
            api.SEARCH.format(folder=folder),
            api.SearchRequest(query=query, hits=hits or self._hits),
        )
        return api.SearchReply.model_validate_json(body)

    async def status(self, folder: str) -> api.FolderStatus:
        """Return the state of a folder and of the models."""
        body = await self._send("GET", api.STATUS.format(folder=folder))
        return api.FolderStatus.model_validate_json(body)

    def ask(
        self, folder: str, question: str, hits: int | None = None
    ) -> AsyncGenerator[api.AskEvent, None]:
        """Yield an answer's events; closing the generator stops the model's work on it."""
        return self._stream(
            "POST",
            api.ASK.format(folder=folder),
            api.ask_events(),
            api.AskRequest(question=question, hits=hits or self._hits),
        )

    def sync(self, folder: str) -> AsyncGenerator[api.SyncEvent, None]:
        """Bring a folder up to date, yielding states and at the end the summary."""
        return self._stream("POST", api.SYNC.format(folder=folder), api.sync_events())

    def events(self, folder: str) -> AsyncGenerator[api.FolderStatus, None]:
        """Yield the folder's status now and after every change, without end."""
        return self._stream("GET", api.EVENTS.format(folder=folder), api.status_events())

    async def stop(self) -> None:
        """Ask the engine to stop; it is gone when its lock is free."""
        await self._send("POST", api.STOP)

    async def close(self) -> None:
        """Close the connection; the engine goes on."""
        await self._http.aclose()

    async def _send(
        self,
        method: str,
        path: str,
        body: api.Message | None = None,
        *,
        seconds: float = REPLY_SECONDS,
    ) -> bytes:
        with _as_engine_error():
            timeout = httpx.Timeout(seconds, connect=CONNECT_SECONDS)
            reply = await self._http.request(method, path, timeout=timeout, **_content(body))
        if reply.is_error:
            raise _error_in(reply.content)
        return reply.content

    async def _stream(
        self, method: str, path: str, kind: TypeAdapter[_T], body: api.Message | None = None
    ) -> AsyncGenerator[_T, None]:
        with _as_engine_error():
            async with self._http.stream(method, path, **_content(body)) as reply:
                if reply.is_error:
                    raise _error_in(await reply.aread())
                async for line in _lines(reply):
                    if line.startswith('{"type":"problem"'):
                        raise error_of(api.Problem.model_validate_json(line))
                    yield kind.validate_json(line)


async def _lines(reply: httpx.Response) -> AsyncIterator[str]:
    """Split at newlines only: JSON may hold other line separators raw."""
    rest = b""
    async for part in reply.aiter_bytes():
        *whole, rest = (rest + part).split(b"\n")
        for line in whole:
            yield line.decode()
    if rest:
        raise EngineError("the engine stopped in the middle of a reply", "Try again")


def _content(body: api.Message | None) -> dict[str, Any]:
    if body is None:
        return {}
    # json.dumps, since a path may hold lone surrogates that pydantic refuses to write.
    return {
        "content": json.dumps(body.model_dump(mode="python")),
        "headers": {"content-type": "application/json"},
    }


def _greeting(body: bytes) -> api.Hello:
    """Read a greeting; one that this version can't read gets protocol 0, which nobody speaks."""
    try:
        return api.Hello.model_validate_json(body)
    except ValueError:
        return api.Hello(protocol=0, version="of another version", pid=0, settings="", clients=0)


def _error_in(body: bytes) -> HoverkiteError:
    try:
        return error_of(api.Problem.model_validate_json(body))
    except ValueError:
        return EngineError("the engine sent a reply that can't be read", "Run: hoverkite stop")


@contextlib.contextmanager
def _as_engine_error() -> Any:
    try:
        yield
    except httpx.ConnectError as error:
        raise EngineError("no engine is running", "Try again: it is started on demand") from error
    except httpx.TimeoutException as error:
        raise EngineError("the engine did not answer in time") from error
    except httpx.TransportError as error:
        raise EngineError("the connection to the engine broke", "Try again") from error


# --- starting --------------------------------------------------------------------------------


async def attach(hits: int | None = None) -> EngineClient:
    """Return a client of the running engine, whatever its version and settings.

    Raises:
        EngineError: none is running.
    """
    client = EngineClient(hits)
    try:
        await client.hello()
    except BaseException:
        await client.close()
        raise
    return client


async def connect(settings: Settings, flags: Mapping[str, Any] | None = None) -> EngineClient:
    """Return a client of the running engine, starting one when none runs.

    An engine of another version, or one with other settings that nobody else uses, is replaced.

    Raises:
        EngineError: it can't be started; the reason is the last line of its log.
    """
    client = EngineClient(settings.hits)
    try:
        await _reach(client, settings, dict(flags or {}))
    except BaseException:
        await client.close()
        raise
    return client


async def _reach(client: EngineClient, settings: Settings, flags: dict[str, Any]) -> None:
    """Start or replace engines until one that fits answers."""
    wanted = fingerprint(settings)
    deadline = time.monotonic() + START_SECONDS
    latest = deadline + START_SECONDS
    while time.monotonic() < deadline:
        try:
            hello = await client.hello()
        except EngineError:
            await _launch(client, flags, deadline)
            continue
        same_protocol = hello.protocol == api.PROTOCOL_VERSION
        if same_protocol and hello.settings == wanted:
            return
        if same_protocol and hello.clients:
            client.note = (
                "The engine already runs with other settings for another window; "
                "yours apply once it stops: hoverkite stop"
            )
            return
        await stop_engine(client, hello.pid)
        deadline = min(time.monotonic() + START_SECONDS, latest)
    raise EngineError(f"the engine did not answer within {START_SECONDS} s: {_last_log_line()}")


async def _launch(client: EngineClient, flags: dict[str, Any], deadline: float) -> None:
    """Start an engine and wait until it, or one started beside it, answers.

    Also returns when the new engine left because an old one, still closing, holds the lock.
    """
    process = subprocess.Popen(  # noqa: ASYNC220  it must outlive this event loop
        [sys.executable, "-m", "engine"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd="/",
        env=_environment(),
    )
    assert process.stdin is not None
    key = os.environ.get(config.KEY_NAME, "")
    with contextlib.suppress(BrokenPipeError), process.stdin as pipe:
        # Arguments and environments can be read by others, for as long as the process lives.
        pipe.write(json.dumps(flags | ({"llm_api_key": key} if key else {})).encode())
    while time.monotonic() < deadline:
        ended = process.poll()
        with contextlib.suppress(EngineError):
            await client.hello()
            return
        if ended == 0:
            await asyncio.sleep(RELAUNCH_SECONDS)
            return
        if ended is not None:
            raise EngineError(f"the engine could not be started: {_last_log_line()}")
        await asyncio.sleep(_POLL)


def _environment() -> dict[str, str]:
    """Return ours, with the packages and the config file found from anywhere."""
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
    path = os.environ.get("PYTHONPATH")
    more = {"PYTHONPATH": f"{root}{os.pathsep}{path}" if path else root}
    if os.environ.get(config.CONFIG_NAME):
        more[config.CONFIG_NAME] = str(config.config_file().absolute())
    return {name: value for name, value in os.environ.items() if name != config.KEY_NAME} | more


def _last_log_line() -> str:
    try:
        lines = (paths.log_dir() / "engine.log").read_text("utf-8", "replace").splitlines()
    except OSError:
        return "it left no log"
    return lines[-1] if lines else "it left no log"


async def stop_engine(client: EngineClient, pid: int) -> None:
    """Stop the running engine and wait until it is gone: until it has left its lock.

    Raises:
        EngineError: it does not stop.
    """
    with contextlib.suppress(EngineError):
        await client.stop()
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if _lock_is_free() or await _another_answers(client, pid):
            return
        await asyncio.sleep(_POLL)
    raise EngineError(
        f"the engine (process {pid}) does not stop", f"End it yourself: kill {pid}" if pid else None
    )


def _lock_is_free() -> bool:
    # A shared lock, so that two clients that wait never take each other for the engine.
    with paths.engine_lock().open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


async def _another_answers(client: EngineClient, pid: int) -> bool:
    """Whether another client has already started the next engine."""
    try:
        return (await client.hello()).pid != pid
    except EngineError:
        return False
