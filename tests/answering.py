"""Answers about a folder that is open in the test's own process, from a scripted server."""

import contextlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar, cast

from engine.config import Settings
from engine.server.answer import answer
from engine.server.folder import Folder
from engine.serving.endpoint import Endpoint
from engine.serving.vllm_server import AnswerModel
from engine.wire.api_answer import AskEvent, AskRequest
from tests.scripted_vllm import MODEL, ScriptedVllm
from tests.tui.scripted import llm

_Event = TypeVar("_Event")


def model_at(endpoint: Endpoint) -> AnswerModel:
    """Return an answer model that is ready."""

    async def ready() -> Endpoint:
        return endpoint

    answering = contextlib.nullcontext
    return cast("AnswerModel", SimpleNamespace(ready=ready, state=llm(), answering=answering))


def endpoint_of(vllm: ScriptedVllm, socket: Path | None = None, context: int = -1) -> Endpoint:
    """Return where ``vllm`` answers; ``context`` is what is believed of its own."""
    room = vllm.context if context < 0 else context
    return Endpoint(MODEL, room, socket=socket) if socket else Endpoint(MODEL, room, vllm.url)


async def asked(
    folder: Folder, endpoint: Endpoint, settings: Settings, question: str, **more: Any
) -> list[AskEvent]:
    """Return all events of an answer."""
    request = AskRequest(question=question, **more)
    return [event async for event in answer(request, folder, model_at(endpoint), settings)]


def the(kind: type[_Event], events: list[AskEvent]) -> _Event:
    """Return the one event of a kind."""
    (event,) = [event for event in events if isinstance(event, kind)]
    return event
