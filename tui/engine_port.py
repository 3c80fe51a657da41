"""What the screen needs of the engine: the only door between the two."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from engine.config import Settings
    from engine.wire.api import FolderOpened, FolderStatus, LlmState
    from engine.wire.api_answer import AskEvent, AskRequest
    from engine.wire.api_around import AroundReply, AroundRequest
    from engine.wire.api_complete import CompleteRequest, FilterValue
    from engine.wire.api_conversations import (
        Conversation,
        Conversations,
        ConversationSummary,
        Evidence,
        Questions,
    )
    from engine.wire.api_files import FilesReply, FilesRequest, ReadAgainReply, ReadAgainRequest
    from engine.wire.api_kept import KeptIndex
    from engine.wire.api_links import Link, LinksRequest
    from engine.wire.api_models import ModelChosen, ModelOffer, UseModel
    from engine.wire.api_parts import PartReply, PartRequest
    from engine.wire.api_search import Hit, SearchReply, SearchRequest

T = TypeVar("T")


class Engine(Protocol):
    """The engine process, as its client shows it. Every method may raise a HoverkiteError."""

    note: str
    """What a person should know about this engine; empty for nothing."""

    async def open_folder(
        self, path: str, *, agreed: bool = False, start_llm: bool = False, can_ask: bool = False
    ) -> FolderOpened:
        """Open and watch a folder; the reply carries a survey when a person must agree first."""

    async def search(self, folder: str, request: SearchRequest) -> SearchReply:
        """Return the hits for a query, best first; cancelled, it ends in the engine too."""

    def ask(self, folder: str, question: AskRequest, /) -> AsyncIterator[AskEvent]:
        """Stream an answer; closing the iterator stops it in vLLM."""

    async def conversations(self, folder: str) -> Conversations:
        """Return the kept conversations of a folder, latest first."""

    async def conversation(self, folder: str, name: str) -> Conversation:
        """Return a kept conversation, whole."""

    async def delete_conversation(self, folder: str, name: str) -> ConversationSummary:
        """Delete a kept conversation, and return what it was."""

    async def earlier_questions(self, folder: str) -> Questions:
        """Return the latest questions that are kept."""

    async def evidence(self, folder: str, hits: Sequence[Hit]) -> list[Evidence]:
        """Return what became of each of the hits that an answer stands on."""

    async def llm(self) -> LlmState:
        """Return what the answer model does, with what its server counts and its log says."""

    async def model_offer(self) -> ModelOffer:
        """Return a better answer model within reach, if there is one."""

    async def use_model(self, request: UseModel) -> ModelChosen:
        """Let another model answer from now on."""

    def events(self, folder: str) -> AsyncIterator[FolderStatus]:
        """Stream the folder's status on every change."""

    async def links(self, folder: str, request: LinksRequest) -> list[Link]:
        """Return where the links in lines of a file lead to."""

    async def around(self, folder: str, request: AroundRequest) -> AroundReply:
        """Return the lines around a hit; cancelled, it ends in the engine too."""

    async def part(self, folder: str, request: PartRequest) -> PartReply:
        """Return a part of a file's text; cancelled, it ends in the engine too."""

    async def files(self, folder: str, request: FilesRequest) -> FilesReply:
        """Return a page of the folder's files; cancelled, it ends in the engine too."""

    async def read_again(self, folder: str, request: ReadAgainRequest) -> ReadAgainReply:
        """Have files read again though they have not changed; the reply does not wait for that."""

    async def complete(self, folder: str, request: CompleteRequest) -> list[FilterValue]:
        """Return values that a filter can have; cancelled, it ends in the engine too."""

    async def pause(self, folder: str, *, paused: bool) -> FolderStatus:
        """Let indexing wait, or go on; search goes on meanwhile."""

    async def close(self) -> None:
        """Leave the engine; it goes on for its other clients."""


class EngineSource(Protocol):
    """Where settings and a connected engine come from; tests give a scripted one."""

    async def settings(self) -> Settings:
        """Load the settings in force."""

    async def connect(self, settings: Settings) -> Engine:
        """Connect to the engine, starting it when none runs."""

    async def known_folders(self) -> list[KeptIndex]:
        """Return what is kept of folders on this machine, the one used last first."""


@dataclass(frozen=True)
class LocalEngine:
    """The engine of this user on this machine, imported only when it is first needed."""

    flags: dict[str, Any]

    async def settings(self) -> Settings:
        """Load the settings; the imports happen in a thread so that typing stays smooth."""
        await asyncio.to_thread(_import_slow_modules)
        from engine import config

        return await asyncio.to_thread(config.load, self.flags)

    async def connect(self, settings: Settings) -> Engine:
        """Connect, starting the engine process when none runs (seconds)."""
        from engine.front import client

        engine: Engine = await client.connect(settings, self.flags)
        return engine

    async def known_folders(self) -> list[KeptIndex]:
        """Look at the indexes, in a thread; of those whose folder can't be told, none is known."""
        from engine.server import kept

        found = await asyncio.to_thread(lambda: list(kept.indexes()))
        return [index for index in found if index.docs and index.state != "missing"]


def _import_slow_modules() -> None:
    """Load what is too slow for the first frame; imported in a thread, it holds up no key."""
    import engine.front.client  # noqa: F401  it brings pydantic and httpcore
    import tui.model_text  # noqa: F401  the Markdown widget


@asynccontextmanager
async def closing(stream: AsyncIterator[T]) -> AsyncIterator[AsyncIterator[T]]:
    """Close ``stream`` at the end of the block, whatever ended it."""
    try:
        yield stream
    finally:
        close = getattr(stream, "aclose", None)
        if close is not None:
            closed = close()
            if inspect.isawaitable(closed):
                await closed
