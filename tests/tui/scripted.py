"""An engine that says what a test tells it to, in the real messages."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

from engine.config import Settings
from engine.errors import EngineError, HoverkiteError
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
from engine.wire.api_search import SearchReply, SearchRequest
from tests.hits import hit
from tests.tui.parted import part_of

MODEL = "SmolLM2-135M-Instruct"


def llm(state: api.LlmStateName = "ready", **changes: Any) -> api.LlmState:
    values: dict[str, Any] = {"state": state, "model": MODEL, "demonstration": True}
    return api.LlmState(**(values | changes))


def status(**changes: Any) -> api.FolderStatus:
    """A folder at rest; ``changes`` replace fields."""
    values: dict[str, Any] = {
        "docs": "/home/ada/notes",
        "state": "watching",
        "files": 274,
        "chunks": 6848,
        "embedding": api.EmbeddingState(
            model="all-MiniLM-L6-v2", dimension=384, max_tokens=256, device="cpu"
        ),
        "llm": llm(),
        "pids": api.Processes(engine=4711, milvus=4712, vllm=4713),
    }
    return api.FolderStatus(**(values | changes))


def finished(answer: str, **changes: Any) -> api_answer.AnswerFinished:
    values: dict[str, Any] = {
        "answer": answer,
        "finish_reason": "stop",
        "model": MODEL,
        "ttft_ms": 312.0,
        "completion_tokens": 48,
        "tokens_per_s": 34.2,
        "sources": ["docs/page1.md:10", "docs/page2.md:20"],
        "citations": cited_in(answer),
    }
    return api_answer.AnswerFinished(**(values | changes))


def found(query: str, hits: Sequence[api_search.Hit], **changes: Any) -> SearchReply:
    values: dict[str, Any] = {"query": query, "took_ms": 9.0, "hits": list(hits)}
    return SearchReply(**(values | changes))


def failed(answer: str = "", **problem: str) -> api_answer.AnswerFailed:
    values = {
        "kind": "ModelError",
        "title": "The model can't be used",
        "detail": "vLLM ended with status 1",
        "next_step": "Search goes on without answers; see docs/models.md",
    }
    return api_answer.AnswerFailed(answer=answer, problem=api.Problem(**(values | problem)))


def cited_in(answer: str) -> list[api_answer.Citation]:
    """What the sentences of an answer stand on, by the marks behind them."""
    found, begin = [], 0
    for mark in re.finditer(r" \[(\d{1,3}|\?)\]", answer):
        rank = None if mark[1] == "?" else int(mark[1])
        end = mark.start()
        found.append(api_answer.Citation(n=rank, supported=rank is not None, start=begin, end=end))
        begin = mark.end() + 1
    return found


def tokens(text: str, cited: Sequence[api_answer.Citation] | None = None) -> list[api_answer.Token]:
    """``text`` cut after every space, but not before a mark."""
    all_cited = cited_in(text) if cited is None else cited
    made, begin = [], 0
    for piece in re.split(r"(?<= )(?!\[(?:\d{1,3}|\?)\])", text):
        end = begin + len(piece)
        inside = [each for each in all_cited if begin <= each.end < end]
        made.append(api_answer.Token(text=piece, citations=inside))
        begin = end
    return made


def whole_answer(
    hits: Sequence[api_search.Hit], text: str, extracts: Sequence[api_answer.Extract] = ()
) -> list[api_answer.AskEvent]:
    """All events of an answer that goes well."""
    return [
        api_answer.HitsFound(query="q", took_ms=14.2, hits=list(hits)),
        api_answer.ExtractsFound(extracts=list(extracts)),
        llm(),
        api_answer.PromptMade(model=MODEL, hits=[2, 1]),
        *tokens(text),
        finished(text),
    ]


Step = api_message.Message | HoverkiteError | asyncio.Event | float
"""What a script does next: send a message, fail, wait for a test, or pause (the demo only)."""


async def play(steps: Iterable[Step]) -> AsyncIterator[Any]:
    """Go through a script, ending with its last step."""
    for step in steps:
        if isinstance(step, asyncio.Event):
            await step.wait()
        elif isinstance(step, HoverkiteError):
            raise step
        elif isinstance(step, float):
            await asyncio.sleep(step)
        else:
            yield step


def summary(kept: api_conversations.Conversation) -> api_conversations.ConversationSummary:
    """How a list shows a conversation."""
    return api_conversations.ConversationSummary(
        id=kept.id, title=kept.title, turns=len(kept.turns), began=kept.began, last=kept.last
    )


class ScriptedEngine:
    """Implements ``tui.engine_port.Engine``; its public attributes are the controls."""

    def __init__(self) -> None:
        self.answer: Sequence[Step] = whole_answer([hit(1), hit(2)], "An answer.")
        self.refreshed: list[api_search.Hit] | None = None
        self.survey: api.FolderSurvey | None = None
        self.statuses: asyncio.Queue[api.FolderStatus | HoverkiteError] = asyncio.Queue()
        self.note = ""
        self.answers: list[Sequence[Step]] = []
        """Scripts of the next answers; without one, ``answer``."""
        self.asked: list[api_answer.AskRequest] = []
        self.kept: dict[str, api_conversations.Conversation] = {}
        self.earlier: list[str] = []
        """Questions of earlier sessions, latest first."""
        self.became: dict[int, dict[str, Any]] = {}
        """What became of hits, by their ranks."""
        self.model = llm()
        self.better_model: api_models.OfferedModel | None = None
        self.offers_asked = 0
        self.models_used: list[api_models.UseModel] = []
        self.evidence_asked: list[list[api_search.Hit]] = []
        self.searches: list[str] = []
        self.requests: list[api_search.SearchRequest] = []
        self.finds: dict[str, Sequence[Step]] = {}
        """Scripts of searches by their query: the last step is the reply."""
        self.left: list[str] = []
        """Queries whose searches were cancelled."""
        self.opened: list[tuple[str, bool, bool]] = []
        self.pauses: list[bool] = []
        self.links_found: list[api_links.Link] = []
        self.links_asked: list[api_links.LinksRequest] = []
        self.around_asked: list[api_around.AroundRequest] = []
        self.surroundings: dict[str, Sequence[Step]] = {}
        """Scripts of what is around hits, by their paths: the last step is the reply."""
        self.whole_texts: dict[str, list[str]] = {}
        """The lines of whole files, by their paths."""
        self.parts_asked: list[int | None] = []
        self.parts_gate = asyncio.Event()
        """Not set, it holds up every part of a file."""
        self.parts_gate.set()
        self.files_kept: list[api_files.ListedFile] = []
        """All files of the folder, in the order of their paths."""
        self.files_asked: list[api_files.FilesRequest] = []
        self.files_gate = asyncio.Event()
        """Not set, it holds up every page of files."""
        self.files_gate.set()
        self.files_fault: HoverkiteError | None = None
        self.read_again_asked: list[api_files.ReadAgainRequest] = []
        self.values_asked: list[tuple[str, str]] = []
        """Filters and what was typed of their values."""
        self.values: dict[str, Sequence[Step]] = {}
        """Scripts of what goes with it: the last step is the reply."""
        self.stopped = 0
        self.closed = 0

    @property
    def questions(self) -> list[str]:
        return [request.question for request in self.asked]

    @property
    def modes(self) -> list[str | None]:
        """Of the questions."""
        return [request.mode for request in self.asked]

    async def open_folder(
        self, path: str, *, agreed: bool = False, start_llm: bool = False, can_ask: bool = False
    ) -> api.FolderOpened:
        assert can_ask, "the screen can always ask"
        self.opened.append((path, agreed, start_llm))
        survey = self.survey
        if agreed:
            self.survey = None  # as in the engine: the reply to a yes still tells what it takes
        return api.FolderOpened(folder="f1", path=path, survey=survey)

    async def search(self, folder: str, request: SearchRequest) -> SearchReply:
        self.searches.append(request.query)
        self.requests.append(request)
        if request.query in self.finds:
            try:
                steps = [step async for step in play(self.finds[request.query])]
                return SearchReply.model_validate(steps[-1])
            except asyncio.CancelledError:
                self.left.append(request.query)
                raise
        if self.refreshed is None:
            raise EngineError("no search was scripted")
        return found(request.query, self.refreshed)

    async def ask(
        self, folder: str, question: api_answer.AskRequest, /
    ) -> AsyncIterator[api_answer.AskEvent]:
        self.asked.append(question)
        ended = False
        try:
            async for event in play(self.answers.pop(0) if self.answers else self.answer):
                yield event
            ended = True
        finally:
            self.stopped += not ended

    async def conversations(self, folder: str) -> api_conversations.Conversations:
        kept = sorted(self.kept.values(), key=lambda each: each.last, reverse=True)
        return api_conversations.Conversations(conversations=[summary(each) for each in kept])

    async def earlier_questions(self, folder: str) -> api_conversations.Questions:
        return api_conversations.Questions(questions=self.earlier)

    async def conversation(self, folder: str, name: str) -> api_conversations.Conversation:
        return self.kept[name]

    async def delete_conversation(
        self, folder: str, name: str
    ) -> api_conversations.ConversationSummary:
        return summary(self.kept.pop(name))

    async def evidence(
        self, folder: str, hits: Sequence[api_search.Hit]
    ) -> list[api_conversations.Evidence]:
        self.evidence_asked.append(list(hits))
        same = {"state": "same"}
        return [
            api_conversations.Evidence(rank=each.rank, **self.became.get(each.rank, same))
            for each in hits
        ]

    async def llm(self) -> api.LlmState:
        return self.model

    async def model_offer(self) -> api_models.ModelOffer:
        self.offers_asked += 1
        return api_models.ModelOffer(model=self.better_model)

    async def use_model(self, request: api_models.UseModel) -> api_models.ModelChosen:
        self.models_used.append(request)
        return api_models.ModelChosen(llm=llm("starting", demonstration=False))

    async def events(self, folder: str) -> AsyncIterator[api.FolderStatus]:
        while True:
            event = await self.statuses.get()
            if isinstance(event, HoverkiteError):
                raise event
            yield event

    async def links(self, folder: str, request: api_links.LinksRequest) -> list[api_links.Link]:
        self.links_asked.append(request)
        return self.links_found

    async def around(
        self, folder: str, request: api_around.AroundRequest
    ) -> api_around.AroundReply:
        self.around_asked.append(request)
        script = self.surroundings.get(request.path, [api_around.AroundReply()])
        try:
            steps = [step async for step in play(script)]
        except asyncio.CancelledError:
            self.left.append(request.path)
            raise
        return api_around.AroundReply.model_validate(steps[-1])

    async def part(self, folder: str, request: api_parts.PartRequest) -> api_parts.PartReply:
        self.parts_asked.append(request.part)
        await self.parts_gate.wait()
        if not (lines := self.whole_texts.get(request.place.path, [])):
            return api_parts.PartReply()
        return part_of(lines, request)

    async def files(self, folder: str, request: api_files.FilesRequest) -> api_files.FilesReply:
        self.files_asked.append(request)
        await self.files_gate.wait()
        if self.files_fault is not None:
            raise self.files_fault
        words = request.match.casefold().split()
        texts = {file: f"{file.path}\n{file.reason}".casefold() for file in self.files_kept}
        found = [file for file, text in texts.items() if all(word in text for word in words)]
        wanted = [file for file in found if file.state in api_files.CHOSEN[request.state]]
        before = sum(file.cursor <= request.after for file in wanted) + request.skip
        return api_files.FilesReply(
            files=wanted[before : before + request.limit],
            before=before,
            total=len(wanted),
            counts=Counter(file.state for file in found),
        )

    async def read_again(
        self, folder: str, request: api_files.ReadAgainRequest
    ) -> api_files.ReadAgainReply:
        self.read_again_asked.append(request)
        known = [file.path for file in self.files_kept]
        unknown = [file for file in request.files if file.path not in known]
        files = len(request.files) - len(unknown) if request.files else 1
        return api_files.ReadAgainReply(files=files, unknown=unknown)

    async def complete(
        self, folder: str, request: api_complete.CompleteRequest
    ) -> list[api_complete.FilterValue]:
        self.values_asked.append((request.filter, request.start))
        script = self.values.get(request.start, [api_complete.CompleteReply(values=[])])
        steps = [step async for step in play(script)]
        return api_complete.CompleteReply.model_validate(steps[-1]).values

    async def pause(self, folder: str, *, paused: bool) -> api.FolderStatus:
        self.pauses.append(paused)
        if paused:
            return status(state="paused", watch="paused", files=12, pending=30)
        return status(watch="events")

    async def close(self) -> None:
        self.closed += 1


class ScriptedSource:
    """Implements ``tui.engine_port.EngineSource``; ``faults`` are raised one a connection."""

    def __init__(self, engine: ScriptedEngine, **settings: Any) -> None:
        self.engine = engine
        self.values = settings
        self.faults: list[HoverkiteError] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.connections = 0
        self.known: list[api_kept.KeptIndex] = []
        self.engines: list[ScriptedEngine] = []
        """Engines of the next connections, one each; without one, ``engine``."""

    async def settings(self) -> Settings:
        return Settings(**self.values)

    async def connect(self, settings: Settings) -> ScriptedEngine:
        await self.gate.wait()
        self.connections += 1
        if self.faults:
            raise self.faults.pop(0)
        return self.engines.pop(0) if self.engines else self.engine

    async def known_folders(self) -> list[api_kept.KeptIndex]:
        return self.known
