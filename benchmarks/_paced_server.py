"""A server that speaks vLLM's protocol and sends its tokens at a fixed pace, in its own process.

``python -m benchmarks._paced_server TOKENS_PER_S TOKENS`` prints the port it listens on.
"""

import asyncio
import json
import socket
import sys
import time
from collections.abc import AsyncIterator

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

MODEL = "paced"
SENTENCE = "The kite is a bird that hovers above the field and hunts alone ."
"""Said again and again: 14 words, each a token, so that citations are put into the stream."""
PARAGRAPH = 5
"""Sentences, as models write them."""


def create_app(rate: float, tokens: int) -> Starlette:
    """Return the application: ``tokens`` tokens for each question, ``rate`` of them a second."""

    async def listed(_: Request) -> Response:
        return JSONResponse({"data": [{"id": MODEL, "max_model_len": 16384}]})

    async def complete(_: Request) -> Response:
        return StreamingResponse(_paced(rate, tokens), media_type="text/event-stream")

    return Starlette(
        routes=[
            Route("/v1/models", listed),
            Route("/v1/chat/completions", complete, methods=["POST"]),
        ]
    )


async def _paced(rate: float, tokens: int) -> AsyncIterator[bytes]:
    words = SENTENCE.split()
    begun = time.perf_counter()
    for number in range(tokens):
        await asyncio.sleep(begun + number / rate - time.perf_counter())
        ends_paragraph = (number + 1) % (PARAGRAPH * len(words)) == 0
        yield _event(number, words[number % len(words)] + ("\n\n" if ends_paragraph else " "), None)
    yield _event(tokens, "", "stop")
    yield b'data: {"choices": [], "usage": {"completion_tokens": %d}}\n\n' % tokens
    yield b"data: [DONE]\n\n"


def _event(number: int, text: str, reason: str | None) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": reason}
    body = {"id": str(number), "object": "chat.completion.chunk", "choices": [choice]}
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def main() -> None:
    """Serve until the process is ended."""
    rate, tokens = float(sys.argv[1]), int(sys.argv[2])
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    print(listener.getsockname()[1], flush=True)
    config = uvicorn.Config(create_app(rate, tokens), log_config=None, lifespan="off")
    asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))


if __name__ == "__main__":
    main()
