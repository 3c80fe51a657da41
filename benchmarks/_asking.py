"""One question asked through hoverkite, by a bare client, or by the command; and its times."""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from engine.front.connection import EngineClient
from engine.wire.api_answer import (
    AnswerFailed,
    AnswerFinished,
    AskRequest,
    ExtractsFound,
    HitsFound,
    PromptMade,
    Token,
)
from engine.wire.api_search import Hit

ROOT = Path(__file__).resolve().parent.parent
END_OF_MODELS_NAME = " —\n".encode()


@dataclass
class Answered:
    """When what of an answer came, in seconds after it was asked for."""

    hits: float = 0
    extracts: float = 0
    prompt: float = 0
    first: float = 0
    """The first piece of the answer."""
    last: float = 0
    tokens: int = 0
    """How many tokens vLLM counted in the answer."""
    messages: list[dict[str, str]] = field(default_factory=list)
    found: list[Hit] = field(default_factory=list)
    text: str = ""

    @property
    def rate(self) -> float:
        """Tokens a second, from the first to the last."""
        return (self.tokens - 1) / (self.last - self.first)


async def through_hoverkite(engine: EngineClient, folder: str, request: AskRequest) -> Answered:
    """Ask the engine."""
    begun, answered = time.perf_counter(), Answered()

    def now() -> float:
        return time.perf_counter() - begun

    async with contextlib.aclosing(engine.ask(folder, request)) as events:
        async for event in events:
            match event:
                case HitsFound():
                    answered.hits, answered.found = now(), event.hits
                case ExtractsFound():
                    answered.extracts = now()
                case PromptMade():
                    answered.prompt = now()
                    answered.messages = [message.model_dump() for message in event.messages]
                case Token():
                    answered.first = answered.first or now()
                    answered.text += event.text
                case AnswerFinished():
                    answered.last, answered.tokens = now(), event.completion_tokens
                case AnswerFailed():
                    raise SystemExit(f"the answer failed: {event.problem.detail}")
    return answered


@dataclass(frozen=True)
class Server:
    """A server of answers, asked without hoverkite."""

    url: str
    model: str
    socket: Path | None = None

    def client(self) -> httpx.AsyncClient:
        """Return a client of it."""
        through = httpx.AsyncHTTPTransport(uds=str(self.socket)) if self.socket else None
        return httpx.AsyncClient(transport=through, timeout=300)


async def bare(server: Server, messages: list[dict[str, str]], longest: int) -> Answered:
    """Ask as a few lines of Python would that know the messages already."""
    asked: dict[str, Any] = {"model": server.model, "messages": messages, "stream": True}
    asked |= {"max_tokens": longest, "stream_options": {"include_usage": True}}
    asked |= {"temperature": 0.2, "top_p": 0.95}  # a seed would end vLLM on a CPU
    answered = Answered(messages=messages)
    async with server.client() as client:
        begun = time.perf_counter()
        async with client.stream("POST", f"{server.url}/chat/completions", json=asked) as reply:
            async for line in reply.aiter_lines():
                if not line.startswith("data: {"):
                    continue
                event = json.loads(line[6:])
                now = time.perf_counter() - begun
                for choice in event["choices"]:
                    if text := choice["delta"].get("content"):
                        answered.first = answered.first or now
                        answered.text += text
                    answered.last = now
                if usage := event.get("usage"):
                    answered.tokens = usage["completion_tokens"]
    return answered


def by_command(docs: Path, question: str, flags: Sequence[str]) -> Answered:
    """Ask by ``hoverkite ask`` in a process of its own; times count from its start."""
    begun, answered = time.perf_counter(), Answered()
    command = [sys.executable, "-m", "tui.command", "ask", *flags, str(docs), question]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
    ) as program:
        assert program.stdout and program.stderr
        printed = b""
        while part := program.stdout.read(1):
            printed += part
            now = time.perf_counter() - begun
            answered.extracts = answered.extracts or now
            if END_OF_MODELS_NAME in printed[:-1] and not answered.first:
                answered.first = now
        if program.wait():
            said = program.stderr.read().decode("utf-8", "replace")
            raise SystemExit(f"hoverkite ask failed: {said}")
    return answered
