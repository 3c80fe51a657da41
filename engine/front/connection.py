"""Speaking with a running engine over its socket: requests, streams, and how long to wait."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import httpcore
from pydantic import TypeAdapter

from engine.errors import EngineError, HoverkiteError
from engine.server import engine_lock
from engine.wire import (
    api,
    api_answer,
    api_around,
    api_complete,
    api_conversations,
    api_files,
    api_kept,
    api_links,
    api_message,
    api_models,
    api_parts,
    api_search,
)
from engine.wire.api_search import SearchReply
from engine.wire.problems import error_of

_T = TypeVar("_T")

CONNECT_SECONDS = 5
GREETING_SECONDS = 10
"""Longest wait for the handshake, which an engine answers at once."""
SILENCE_SECONDS = 10
"""After so long without a word, the engine is greeted, to see whether it still lives."""
REPLY_SECONDS = 600
"""Longest wait for one reply of a living engine: a first search may wait for the encoder's
download."""


KEPT_SECONDS = 5
"""How long a connection without requests is kept; the engine's server closes it then as well."""
_ERRORS = 400
"""HTTP statuses from this on tell of an error."""


class NotAnsweringError(EngineError):
    """There is an engine, but it hangs."""


class EngineClient:
    """A connection to the engine. Its methods raise what the engine raised."""

    def __init__(self, hits: int | None = None) -> None:
        """``hits`` is how many a search or an answer asks for unless it is told otherwise."""
        self._socket = engine_lock.socket()
        self._http = _http_over(self._socket)
        self._hits = hits
        self.note = ""
        """What a person should know about this engine, such as that its settings differ."""

    def aim(self) -> None:
        """Speak to the engine that runs now, or is started now; its socket may be another one."""
        socket = engine_lock.socket()
        if socket != self._socket:
            self._socket, self._http = socket, _http_over(socket)

    async def hello(self) -> api.Hello:
        """Return which engine answers, of whatever version.

        Raises:
            NotAnsweringError: there is one, but it hangs.
            EngineError: there is none.
        """
        return _greeting(await self._send_briefly("GET", api.HELLO))

    async def open_folder(
        self, path: str, *, agreed: bool = False, start_llm: bool = False, can_ask: bool = False
    ) -> api.FolderOpened:
        """Open (and begin to watch) a folder; see ``OpenFolder`` and ``FolderOpened.survey``."""
        request = api.OpenFolder(path=path, agreed=agreed, start_llm=start_llm, can_ask=can_ask)
        return api.FolderOpened.model_validate_json(await self._send("POST", api.FOLDERS, request))

    async def search(self, folder: str, request: api_search.SearchRequest) -> SearchReply:
        """Return the hits for a query, best first; cancelled, it closes the connection."""
        asked = request.model_copy(update={"hits": request.hits or self._hits})
        body = await self._send("POST", api.SEARCH.format(folder=folder), asked)
        return SearchReply.model_validate_json(body)

    async def links(self, folder: str, request: api_links.LinksRequest) -> list[api_links.Link]:
        """Return where the links in lines of a file lead to; see ``LinksRequest``."""
        body = await self._send("POST", api_links.LINKS.format(folder=folder), request)
        return api_links.LinksReply.model_validate_json(body).links

    async def around(
        self, folder: str, request: api_around.AroundRequest
    ) -> api_around.AroundReply:
        """Return the lines around a hit; see ``AroundRequest``."""
        body = await self._send("POST", api_around.AROUND.format(folder=folder), request)
        return api_around.AroundReply.model_validate_json(body)

    async def part(self, folder: str, request: api_parts.PartRequest) -> api_parts.PartReply:
        """Return a part of a file's text; see ``PartRequest``."""
        body = await self._send("POST", api_parts.PARTS.format(folder=folder), request)
        return api_parts.PartReply.model_validate_json(body)

    async def files(self, folder: str, request: api_files.FilesRequest) -> api_files.FilesReply:
        """Return a page of a folder's files; see ``FilesRequest``."""
        asked = urlencode(request.model_dump(exclude_defaults=True), errors="replace")
        route = api_files.FILES.format(folder=folder)
        return api_files.FilesReply.model_validate_json(await self._send("GET", route, query=asked))

    async def read_again(
        self, folder: str, request: api_files.ReadAgainRequest
    ) -> api_files.ReadAgainReply:
        """Have files read again though they have not changed; the reply does not wait for that."""
        body = await self._send("POST", api_files.READ_AGAIN.format(folder=folder), request)
        return api_files.ReadAgainReply.model_validate_json(body)

    async def complete(
        self, folder: str, request: api_complete.CompleteRequest
    ) -> list[api_complete.FilterValue]:
        """Return the values that a filter can have; see ``CompleteReply``."""
        body = await self._send("POST", api_complete.COMPLETE.format(folder=folder), request)
        return api_complete.CompleteReply.model_validate_json(body).values

    async def status(self, folder: str) -> api.FolderStatus:
        """Return the state of a folder and of the models."""
        body = await self._send("GET", api.STATUS.format(folder=folder))
        return api.FolderStatus.model_validate_json(body)

    def ask(
        self,
        folder: str,
        question: api_answer.AskRequest,
    ) -> AsyncGenerator[api_answer.AskEvent, None]:
        """Yield an answer's events; closing the generator stops the model's work on it."""
        asked = question.model_copy(update={"hits": question.hits or self._hits})
        route = api_answer.ASK.format(folder=folder)
        return self._stream("POST", route, api_answer.ask_events(), asked)

    async def conversations(self, folder: str) -> api_conversations.Conversations:
        """Return the kept conversations of a folder, latest first."""
        body = await self._send("GET", api_conversations.CONVERSATIONS.format(folder=folder))
        return api_conversations.Conversations.model_validate_json(body)

    async def conversation(self, folder: str, name: str) -> api_conversations.Conversation:
        """Return a kept conversation, whole."""
        route = api_conversations.CONVERSATION.format(folder=folder, conversation=name)
        body = await self._send("GET", route)
        return api_conversations.Conversation.model_validate_json(body)

    async def delete_conversation(
        self, folder: str, name: str
    ) -> api_conversations.ConversationSummary:
        """Delete a kept conversation, and return what it was."""
        route = api_conversations.CONVERSATION.format(folder=folder, conversation=name)
        body = await self._send("DELETE", route)
        return api_conversations.ConversationSummary.model_validate_json(body)

    async def earlier_questions(self, folder: str) -> api_conversations.Questions:
        """Return the latest questions of a folder that are kept, the latest first."""
        body = await self._send("GET", api_conversations.QUESTIONS.format(folder=folder))
        return api_conversations.Questions.model_validate_json(body)

    async def evidence(
        self, folder: str, hits: Sequence[api_search.Hit]
    ) -> list[api_conversations.Evidence]:
        """Return what became of each of the hits that an answer stands on."""
        request = api_conversations.EvidenceRequest(hits=list(hits))
        body = await self._send("POST", api_conversations.EVIDENCE.format(folder=folder), request)
        return api_conversations.EvidenceReply.model_validate_json(body).evidence

    def sync(self, folder: str) -> AsyncGenerator[api.SyncEvent, None]:
        """Bring a folder up to date, yielding states and at the end the summary."""
        return self._stream("POST", api.SYNC.format(folder=folder), api.sync_events())

    def events(self, folder: str) -> AsyncGenerator[api.FolderStatus, None]:
        """Yield the folder's status now and after every change, without end."""
        return self._stream("GET", api.EVENTS.format(folder=folder), api.status_events())

    async def pause(self, folder: str, *, paused: bool) -> api.FolderStatus:
        """Let indexing of a folder wait, or go on; search goes on meanwhile."""
        request = api.PauseRequest(paused=paused)
        body = await self._send("POST", api.PAUSE.format(folder=folder), request)
        return api.FolderStatus.model_validate_json(body)

    async def open_folders(self) -> list[api.FolderStatus]:
        """Return the state of every folder that is open."""
        body = await self._send("GET", api.FOLDERS)
        return api_kept.OpenFolders.model_validate_json(body).folders

    async def forget(self, folder: str) -> api_kept.Forgotten:
        """Close a folder, open or not, and remove what is kept of it."""
        body = await self._send("DELETE", api_kept.FOLDER.format(folder=folder))
        return api_kept.Forgotten.model_validate_json(body)

    async def examine(self, path: str, *, repair: bool) -> api_kept.Examined:
        """Compare a folder with its manifest and with Milvus."""
        request = api_kept.ExamineRequest(path=path, repair=repair)
        body = await self._send("POST", api_kept.EXAMINE, request)
        return api_kept.Examined.model_validate_json(body)

    async def llm(self) -> api.LlmState:
        """Return what the answer model does, with what its server counts."""
        return api.LlmState.model_validate_json(await self._send("GET", api_models.LLM))

    async def model_offer(self) -> api_models.ModelOffer:
        """Return a better answer model within reach, if there is one."""
        return api_models.ModelOffer.model_validate_json(await self._send("GET", api_models.OFFER))

    async def use_model(self, request: api_models.UseModel) -> api_models.ModelChosen:
        """Let another model answer from now on."""
        body = await self._send("POST", api_models.USE, request)
        return api_models.ModelChosen.model_validate_json(body)

    async def stop(self) -> None:
        """Ask the engine to stop; it is gone when its lock is free."""
        await self._send_briefly("POST", api.STOP)

    async def close(self) -> None:
        """Close the connection; the engine goes on."""
        await self._http.aclose()

    # --- waiting -----------------------------------------------------------------------------

    async def _send_briefly(self, method: str, path: str) -> bytes:
        """Return the reply to what an engine answers at once."""
        asked = _request(method, path, seconds=GREETING_SECONDS)
        with _as_engine_error():
            return _body(await self._http.request(**asked))

    async def _send(
        self,
        method: str,
        path: str,
        body: api_message.Message | None = None,
        *,
        query: str = "",
    ) -> bytes:
        with _as_engine_error():
            request = self._http.request(**_request(method, path, body, query=query))
            return _body(await self._while_it_lives(request))

    async def _stream(
        self, method: str, path: str, kind: TypeAdapter[_T], body: api_message.Message | None = None
    ) -> AsyncGenerator[_T, None]:
        request = httpcore.Request(**_request(method, path, body))
        with _as_engine_error():
            reply = await self._while_it_lives(self._http.handle_async_request(request))
            async with contextlib.aclosing(reply):
                if reply.status >= _ERRORS:
                    raise _error_in(await reply.aread())
                async for line in self._lines(reply):
                    yield _event(line, kind)

    async def _lines(self, reply: httpcore.Response) -> AsyncIterator[str]:
        """Split at newlines only: JSON may hold other line separators raw."""
        parts = aiter(reply.aiter_stream())
        rest = b""
        while part := await self._while_it_lives(anext(parts, b"")):
            *whole, rest = (rest + part).split(b"\n")
            for line in whole:
                yield line.decode()
        if rest:
            raise EngineError("the engine stopped in the middle of a reply", "Try again")

    async def _while_it_lives(self, work: Awaitable[_T]) -> _T:
        """Wait for ``work`` as long as the engine, greeted now and then, answers."""
        waiting = asyncio.ensure_future(work)
        try:
            while not (await asyncio.wait({waiting}, timeout=SILENCE_SECONDS))[0]:
                await self.hello()
            return waiting.result()
        finally:
            if waiting.cancel():
                await asyncio.gather(waiting, return_exceptions=True)


def _http_over(socket: Path) -> httpcore.AsyncConnectionPool:
    """Return connections to the engine; httpx would add a millisecond to each request."""
    return httpcore.AsyncConnectionPool(
        uds=str(socket), max_connections=None, keepalive_expiry=KEPT_SECONDS
    )


def _request(
    method: str,
    path: str,
    body: api_message.Message | None = None,
    *,
    query: str = "",
    seconds: float = REPLY_SECONDS,
) -> dict[str, Any]:
    headers = {"host": "engine"}
    # json.dumps, since a path may hold lone surrogates that pydantic refuses to write.
    content = json.dumps(body.model_dump(mode="python")).encode() if body else None
    if content:
        headers |= {"content-type": "application/json", "content-length": str(len(content))}
    limits = {"connect": CONNECT_SECONDS, "read": seconds, "write": seconds, "pool": seconds}
    return {
        "method": method,
        "url": f"http://engine{quote(path)}{'?' if query else ''}{query}",
        "headers": headers,
        "content": content,
        "extensions": {"timeout": limits},
    }


def _greeting(body: bytes) -> api.Hello:
    """Read a greeting; one that this version can't read gets protocol 0, which nobody speaks."""
    try:
        return api.Hello.model_validate_json(body)
    except ValueError:
        return api.Hello(protocol=0, version="of another version", pid=0, settings="", clients=0)


def _body(reply: httpcore.Response) -> bytes:
    if reply.status >= _ERRORS:
        raise _error_in(reply.content)
    return reply.content


def _error_in(body: bytes) -> HoverkiteError:
    try:
        return error_of(api.Problem.model_validate_json(body))
    except ValueError:
        return _unreadable()


def _event(line: str, kind: TypeAdapter[_T]) -> _T:
    """Return one message of a stream; raise the error that it brings."""
    try:
        message = json.loads(line)
        if message["type"] != "problem":
            return kind.validate_python(message)
        problem = api.Problem.model_validate(message)
    except (ValueError, KeyError, TypeError) as error:
        raise _unreadable() from error
    raise error_of(problem)


def _unreadable() -> EngineError:
    return EngineError("the engine sent a reply that can't be read", "Run: hoverkite stop")


@contextlib.contextmanager
def _as_engine_error() -> Iterator[None]:
    try:
        yield
    except httpcore.ConnectError as error:
        raise EngineError("no engine is running", "Try again: it is started on demand") from error
    except httpcore.TimeoutException as error:
        raise NotAnsweringError("the engine does not answer") from error
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        raise EngineError("the connection to the engine broke", "Try again") from error
