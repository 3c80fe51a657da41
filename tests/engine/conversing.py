"""A folder that is talked to in the test's own process, by a model that follows a script."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from engine.config import Settings
from engine.server.answer import answer
from engine.server.folder import Folder
from engine.server.shared_encoder import SharedEncoder
from engine.serving.endpoint import Endpoint
from engine.serving.vllm_server import AnswerModel
from engine.wire.api import LlmState
from engine.wire.api_answer import AskEvent, AskRequest
from tests.engine.tiny_encoder import TinyEncoder
from tests.opened import opening
from tests.scripted_vllm import MODEL, ScriptedVllm, scripted_vllm


@dataclass
class Talking:
    """An open folder, its model, and what was asked of it."""

    folder: Folder
    vllm: ScriptedVllm
    settings: Settings
    socket: Path
    state: LlmState = field(default_factory=lambda: LlmState(state="ready", model=MODEL))

    def events(self, question: str, **values: Any) -> Any:
        """Return the events of an answer, as a generator that can be closed."""
        request = AskRequest.model_validate({"question": question, "mode": "bm25"} | values)
        return answer(request, self.folder, self.model(), self.settings)

    async def ask(self, question: str, **values: Any) -> list[AskEvent]:
        """Return all events of an answer."""
        return [event async for event in self.events(question, **values)]

    def model(self) -> AnswerModel:
        """Return the model that follows the script."""

        async def ready() -> Endpoint:
            return Endpoint(MODEL, self.vllm.context, socket=self.socket)

        answering = contextlib.nullcontext
        made = SimpleNamespace(ready=ready, state=self.state, answering=answering)
        return cast("AnswerModel", made)


@contextlib.asynccontextmanager
async def talking(
    root: Path, socket: Path, encoder: SharedEncoder | None = None, **settings: Any
) -> AsyncIterator[Talking]:
    """Open ``root`` with a scripted model that listens at ``socket``."""
    used = Settings.model_validate({"llm_model": MODEL, "search_mode": "bm25"} | settings)
    reader = encoder or TinyEncoder()
    async with scripted_vllm(socket) as vllm, opening(root, reader, settings=used) as folder:
        yield Talking(folder, vllm, used, socket)


def only(events: list[AskEvent], kind: type[Any]) -> Any:
    """Return the one event of a kind."""
    (found,) = [event for event in events if isinstance(event, kind)]
    return found
