"""The HTTP routes in front of the engine: which message leads to what, and how failures travel."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from functools import partial
from typing import Any

from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from engine.errors import EngineError, HoverkiteError, UsageError
from engine.searching import follow
from engine.searching.around import around
from engine.searching.complete import complete
from engine.searching.evidence import evidence
from engine.searching.parts import part
from engine.server import model_choice
from engine.server.answer import answer
from engine.server.folder import Folder
from engine.server.service import Engine
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
from engine.wire.problems import as_known, problem_of

log = logging.getLogger(__name__)

_CLIENT_LEFT = 499
"""Status of a reply that nobody receives; nginx's number for it."""

_Answer = Callable[..., Awaitable[BaseModel | Response]]


def create_app(engine: Engine) -> Starlette:
    """Return the HTTP application in front of ``engine``."""
    return Starlette(
        routes=[
            *_folder_routes(engine),
            *_file_routes(engine),
            *_conversation_routes(engine),
            *_model_routes(engine),
            *_other_routes(engine),
        ],
        exception_handlers={HoverkiteError: _known, Exception: _unknown},
    )


def _folder_routes(engine: Engine) -> list[Route]:
    """Return what is asked of one open folder."""

    async def search(folder: str, request: api_search.SearchRequest) -> api_search.SearchReply:
        found = engine.folder(folder)
        with engine.in_use(found):
            return await found.search(request)

    async def status(folder: str) -> api.FolderStatus:
        found = engine.folder(folder)
        return found.status(await engine.model.measured(), engine.model.pid)

    async def pause(folder: str, request: api.PauseRequest) -> api.FolderStatus:
        found = engine.folder(folder)
        found.pause(paused=request.paused)
        return engine.status(found)

    async def events(folder: str) -> Response:
        found = engine.folder(folder)
        return _stream(engine, found, engine.news(found))

    async def ask(folder: str, request: api_answer.AskRequest) -> Response:
        found = engine.folder(folder)
        events = answer(request, found, engine.model, engine.settings)
        return _stream(engine, found, engine.precedence.in_turn(events, bulk=request.bulk))

    async def links(folder: str, request: api_links.LinksRequest) -> api_links.LinksReply:
        found = engine.folder(folder)
        with engine.in_use(found):
            look = partial(follow.links, request, found.root, engine.settings)
            return await found.looked_up(look)

    async def surroundings(
        folder: str, request: api_around.AroundRequest
    ) -> api_around.AroundReply:
        found = engine.folder(folder)
        with engine.in_use(found):
            return await found.looked_up(partial(around, request))

    async def values(
        folder: str, request: api_complete.CompleteRequest
    ) -> api_complete.CompleteReply:
        found = engine.folder(folder)
        with engine.in_use(found):
            return await found.looked_up(partial(complete, request))

    async def sync(folder: str) -> Response:
        found = engine.folder(folder)
        return _stream(engine, found, engine.sync_events(found))

    return [
        _route(engine, "POST", api.SEARCH, search, api_search.SearchRequest, for_one=True),
        _route(engine, "GET", api.STATUS, status),
        _route(engine, "POST", api.PAUSE, pause, api.PauseRequest),
        _route(engine, "GET", api.EVENTS, events),
        _route(engine, "POST", api_answer.ASK, ask, api_answer.AskRequest),
        _route(engine, "POST", api.SYNC, sync),
        _route(engine, "POST", api_links.LINKS, links, api_links.LinksRequest),
        _route(
            *(engine, "POST", api_around.AROUND),
            surroundings,
            api_around.AroundRequest,
            for_one=True,
        ),
        _route(
            *(engine, "POST", api_complete.COMPLETE),
            values,
            api_complete.CompleteRequest,
            for_one=True,
        ),
    ]


def _file_routes(engine: Engine) -> list[Route]:
    """Return what is asked about the files of one open folder."""

    async def files(folder: str, request: api_files.FilesRequest) -> api_files.FilesReply:
        found = engine.folder(folder)
        with engine.in_use(found):
            return await found.looked_up(partial(found.files.page, request))

    async def read_again(
        folder: str, request: api_files.ReadAgainRequest
    ) -> api_files.ReadAgainReply:
        found = engine.folder(folder)
        with engine.in_use(found):
            return await found.files.read_again(request)

    async def part_of(folder: str, request: api_parts.PartRequest) -> api_parts.PartReply:
        found = engine.folder(folder)
        with engine.in_use(found):
            return await found.looked_up(partial(part, request))

    return [
        _route(engine, "POST", api_parts.PARTS, part_of, api_parts.PartRequest, for_one=True),
        _route(engine, "GET", api_files.FILES, files, api_files.FilesRequest, for_one=True),
        _route(engine, "POST", api_files.READ_AGAIN, read_again, api_files.ReadAgainRequest),
    ]


def _conversation_routes(engine: Engine) -> list[Route]:
    """Return what is asked about the kept conversations of one open folder."""

    async def listed(folder: str) -> api_conversations.Conversations:
        return await engine.folder(folder).conversations.all()

    async def questions(folder: str) -> api_conversations.Questions:
        return await engine.folder(folder).conversations.questions()

    async def one(folder: str, conversation: str) -> api_conversations.Conversation:
        return await engine.folder(folder).conversations.one(conversation)

    async def delete(folder: str, conversation: str) -> api_conversations.ConversationSummary:
        return await engine.folder(folder).conversations.delete(conversation)

    async def evidence_of(
        folder: str, request: api_conversations.EvidenceRequest
    ) -> api_conversations.EvidenceReply:
        found = engine.folder(folder)
        with engine.in_use(found):
            return await found.looked_up(partial(evidence, request))

    asked = api_conversations.EvidenceRequest
    return [
        _route(engine, "GET", api_conversations.CONVERSATIONS, listed),
        _route(engine, "GET", api_conversations.QUESTIONS, questions),
        _route(engine, "GET", api_conversations.CONVERSATION, one),
        _route(engine, "DELETE", api_conversations.CONVERSATION, delete),
        _route(engine, "POST", api_conversations.EVIDENCE, evidence_of, asked, for_one=True),
    ]


def _model_routes(engine: Engine) -> list[Route]:
    """Return what is asked about answer models."""

    async def llm() -> api.LlmState:
        return await engine.model.told()

    async def offer() -> api_models.ModelOffer:
        return await model_choice.offer(engine.settings)

    async def use(request: api_models.UseModel) -> api_models.ModelChosen:
        with engine.in_use():
            settings = await asyncio.to_thread(model_choice.chosen, engine.settings, request)
            engine.use(settings)
            written, note = None, ""
            if request.keep:
                written, note = await asyncio.to_thread(model_choice.write, settings)
        return api_models.ModelChosen(llm=engine.model.state, written=str(written or ""), note=note)

    return [
        _route(engine, "GET", api_models.LLM, llm),
        _route(engine, "GET", api_models.OFFER, offer),
        _route(engine, "POST", api_models.USE, use, api_models.UseModel),
    ]


def _other_routes(engine: Engine) -> list[Route]:
    """Return what is asked of the engine, and about folders whether open or not."""

    async def hello() -> api.Hello:
        return engine.hello()

    async def stop() -> api.Hello:
        engine.stop()
        return engine.hello()

    async def open_folder(request: api.OpenFolder) -> api.FolderOpened:
        with engine.in_use():
            return await engine.open(request)

    async def open_folders() -> api_kept.OpenFolders:
        return api_kept.OpenFolders(folders=[engine.status(f) for f in engine.folders.all()])

    async def forget(folder: str) -> api_kept.Forgotten:
        with engine.in_use():
            engine.changed()  # streams that were left are noticed when something is sent
            return await engine.upkeep.forget(folder)

    async def examine(request: api_kept.ExamineRequest) -> api_kept.Examined:
        with engine.in_use():
            return await engine.upkeep.examine(request)

    return [
        _route(engine, "GET", api.HELLO, hello),
        _route(engine, "POST", api.STOP, stop),
        _route(engine, "POST", api.FOLDERS, open_folder, api.OpenFolder),
        _route(engine, "GET", api.FOLDERS, open_folders),
        _route(engine, "DELETE", api_kept.FOLDER, forget),
        _route(engine, "POST", api_kept.EXAMINE, examine, api_kept.ExamineRequest),
    ]


def _route(
    engine: Engine,
    method: str,
    path: str,
    answer: _Answer,
    body: type[BaseModel] | None = None,
    *,
    for_one: bool = False,
) -> Route:
    """Have ``answer`` called with what ``path`` names and, where there is to be one, the body.

    Of what is only got, the query string stands for the body.
    What is done ``for_one`` client alone ends when that client leaves.
    """

    async def endpoint(request: Request) -> Response:
        engine.touch()
        given: list[Any] = [*request.path_params.values()]
        if body and method == "GET":
            given.append(_valid(partial(body.model_validate, dict(request.query_params))))
        elif body:
            try:
                sent = await request.body()
            except ClientDisconnect:
                return Response(status_code=_CLIENT_LEFT)
            given.append(_valid(partial(body.model_validate_json, sent)))
        answering = answer(*given)
        reply = await (_while_wanted(request, answering) if for_one else answering)
        return _json(reply) if isinstance(reply, BaseModel) else reply

    return Route(path, endpoint, methods=[method])


async def _while_wanted(
    request: Request, answering: Awaitable[BaseModel | Response]
) -> BaseModel | Response:
    """Wait for ``answering``, which is cancelled when the client closes its connection."""
    reply = asyncio.ensure_future(answering)
    leaving = asyncio.ensure_future(_has_left(request))
    try:
        await asyncio.wait({reply, leaving}, return_when=asyncio.FIRST_COMPLETED)
        return reply.result() if reply.done() else Response(status_code=_CLIENT_LEFT)
    finally:
        reply.cancel()
        leaving.cancel()


async def _has_left(request: Request) -> None:
    """Return once the client has closed the connection over which the whole request came."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _valid(read: Callable[[], BaseModel]) -> BaseModel:
    try:
        return read()
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(map(str, fault["loc"])) or "body"
        raise UsageError(f"the request's {place} is wrong: {fault['msg']}") from error


def _json(message: BaseModel, status: int = 200) -> Response:
    return Response(message.model_dump_json(), status, media_type="application/json")


# --- failures: every one is answered with a ``Problem`` ------------------------------------------


async def _known(_: Request, error: Exception) -> Response:
    assert isinstance(error, HoverkiteError)
    return _json(problem_of(error), 400 if isinstance(error, UsageError) else 503)


async def _unknown(_: Request, error: Exception) -> Response:
    log.error("a request failed", exc_info=error)
    known = EngineError(f"{type(error).__name__}: {error}", "See the engine's log")
    return _json(problem_of(known), 500)


def _stream(
    engine: Engine, folder: Folder, events: AsyncGenerator[api_message.Message, None]
) -> StreamingResponse:
    """Send messages one a line; a failure becomes a last line of type ``problem``."""

    async def lines() -> AsyncGenerator[str, None]:
        with engine.in_use(folder):
            try:
                async with contextlib.aclosing(events):
                    async for event in events:
                        yield event.model_dump_json() + "\n"
            except Exception as error:  # the stream must end with a word of why
                yield problem_of(as_known(error)).model_dump_json() + "\n"

    return StreamingResponse(lines(), media_type="application/x-ndjson")
