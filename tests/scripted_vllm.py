"""A server that speaks vLLM's HTTP protocol from a script, in the test's own process.

Use as ``async with scripted_vllm(socket=path) as vllm:`` (or without ``socket``, on a loopback
port: ``vllm.url``), then set ``vllm.script`` before each request.
"""

import asyncio
import json
import socket as sockets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse

MODEL = "scripted-model"
END = b"data: [DONE]\n\n"


@dataclass
class Script:
    """What the next answers look like."""

    pieces: list[str] = field(default_factory=lambda: ["Milvus ", "is a kite."])
    finish_reason: str | None = "stop"
    """None: the server dies in the middle, and still ends with ``[DONE]``, as vLLM does."""
    raw: list[bytes] | None = None
    """Sent byte for byte instead of ``pieces``."""
    status: int = 200
    body: bytes = b'{"error": {"message": "scripted failure", "code": 500}}'
    """Body where ``status`` is no success."""
    content_type: str = "text/event-stream"
    prefill: asyncio.Event | None = None
    """Waited for before the first piece."""
    hang_after: int | None = None
    """Falls silent after so many pieces."""


class ScriptedVllm:
    """The scripted server: its script, and what it has seen."""

    def __init__(self, context: int = 4096) -> None:
        self.script = Script()
        self.context = context
        self.tokens_per_character = 0.25
        self.counts_tokens = True
        self.counts_passages = asyncio.Event()
        """Waited for before the tokens of a text alone are told."""
        self.counts_passages.set()
        self.counted = 0
        """How often it was asked for a count."""
        self.measured = 0
        """How often it was asked for its figures."""
        self.metrics_delay_s = self.models_delay_s = 0.0
        self.refuses = False
        """Whether it refuses what is longer than its context, as vLLM does."""
        self.refused = 0
        self.api_key = ""
        self.requests: list[dict[str, Any]] = []
        self.running = 0
        self.url = ""
        self.app = FastAPI()
        self.app.get("/health")(self.health)
        self.app.get("/v1/models")(self.models)
        self.app.get("/metrics")(self.metrics)
        self.app.post("/tokenize")(self.tokenize)
        self.app.post("/v1/chat/completions")(self.complete)

    async def health(self) -> Response:
        return Response()

    async def models(self, request: Request) -> Response:
        await asyncio.sleep(self.models_delay_s)
        if self.api_key and request.headers.get("authorization") != f"Bearer {self.api_key}":
            return JSONResponse({"error": "Unauthorized"}, 401)
        entry = {"id": MODEL, "object": "model", "max_model_len": self.context}
        return JSONResponse({"object": "list", "data": [entry]})

    async def metrics(self) -> Response:
        self.measured += 1
        await asyncio.sleep(self.metrics_delay_s)
        return PlainTextResponse(f'vllm:num_requests_running{{engine="0"}} {self.running:.1f}\n')

    async def tokenize(self, request: Request) -> Response:
        self.counted += 1
        if not self.counts_tokens:
            return JSONResponse({"detail": "Not Found"}, 404)
        asked = await request.json()
        if "prompt" in asked:
            await self.counts_passages.wait()
        count = self.count(asked.get("messages") or [{"content": asked["prompt"]}])
        return JSONResponse({"count": count, "max_model_len": self.context, "tokens": []})

    def count(self, messages: list[dict[str, str]]) -> int:
        """Return how many tokens ``messages`` have here."""
        return int(sum(len(m["content"]) for m in messages) * self.tokens_per_character)

    async def complete(self, request: Request) -> Response:
        asked = await request.json()
        if self.refuses and self.count(asked["messages"]) + asked["max_tokens"] > self.context:
            self.refused += 1
            said = f"This model's maximum context length is {self.context} tokens. Reduce it."
            return JSONResponse({"error": {"message": said, "code": 400}}, 400)
        self.requests.append(asked)
        script = self.script
        if script.status != 200:
            return Response(script.body, script.status, media_type="application/json")
        self.running += 1
        return StreamingResponse(self._stream(script), media_type=script.content_type)

    async def _stream(self, script: Script) -> AsyncIterator[bytes]:
        try:
            if script.prefill:
                await script.prefill.wait()
            if script.raw is not None:
                for part in script.raw:
                    yield part
                    await asyncio.sleep(0)
                return
            async for event in self._events(script):
                yield event
        finally:
            self.running -= 1

    async def _events(self, script: Script) -> AsyncIterator[bytes]:
        yield event(choices=[choice({"role": "assistant", "content": ""})])
        for number, piece in enumerate(script.pieces):
            if number == script.hang_after:
                await asyncio.Event().wait()
            yield event(choices=[choice({"content": piece})])
        if script.finish_reason:
            yield event(choices=[choice({"content": ""}, script.finish_reason)])
            yield event(choices=[], usage={"completion_tokens": len(script.pieces)})
        yield END


def choice(delta: dict[str, str], finish_reason: str | None = None) -> dict[str, Any]:
    """Return a choice as it stands in an event."""
    return {"index": 0, "delta": delta, "finish_reason": finish_reason}


def event(**fields: Any) -> bytes:
    """Return one event of a stream; text stays UTF-8, as vLLM writes it."""
    body = {"object": "chat.completion.chunk", "model": MODEL, **fields}
    return b"data: " + json.dumps(body, ensure_ascii=False).encode() + b"\n\n"


@asynccontextmanager
async def scripted_vllm(
    socket: Path | None = None, *, context: int = 4096
) -> AsyncIterator[ScriptedVllm]:
    """Serve a :class:`ScriptedVllm` on a unix socket, or on a free loopback port."""
    vllm = ScriptedVllm(context)
    if socket:
        listener = sockets.socket(sockets.AF_UNIX)
        listener.bind(str(socket))
    else:
        listener = sockets.socket()
        listener.bind(("127.0.0.1", 0))
        vllm.url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    listener.listen()
    # The script breaks connections on purpose, which uvicorn would log as errors.
    config = uvicorn.Config(vllm.app, lifespan="off", ws="none", log_config=None, access_log=False)
    config.timeout_graceful_shutdown = 1
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield vllm
    finally:
        server.should_exit = True
        await serving
        listener.close()
