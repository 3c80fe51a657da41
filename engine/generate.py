"""An answer as a token stream from an OpenAI-compatible server, and how long a prompt is."""

import json
import math
import time
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx

from engine.config import Settings
from engine.endpoint import SILENCE_S, Endpoint, check, cut_off
from engine.errors import ModelError
from engine.models import is_demonstration

DEMONSTRATION_TOKENS = 192
"""Longest answer of the embedded model; what it says later repeats what it said before."""

MOST_TOKENS = 10**9
"""No server counts more; a larger number is a mistake of its own."""

LONGEST_LINE = 1 << 20
"""Bytes that one event of a stream may have."""

COMPLETE = {"stop", "length", "content_filter", "tool_calls"}
"""Reasons with which a model, rather than a dying server, ends an answer."""

ChatMessage = dict[str, str]
"""``{"role": ..., "content": ...}``"""


@dataclass(frozen=True)
class Delta:
    """A piece of the answer."""

    text: str


@dataclass(frozen=True)
class Finish:
    """The end of a complete answer."""

    finish_reason: str
    ttft_ms: float
    completion_tokens: int
    tokens_per_s: float


async def stream(
    endpoint: Endpoint,
    messages: list[ChatMessage],
    settings: Settings,
    *,
    prompt_tokens: int | None = None,
    silence_s: float = SILENCE_S,
) -> AsyncGenerator[Delta | Finish, None]:
    """Yield the answer's pieces, then one ``Finish``; closing frees the server's request.

    ``prompt_tokens`` is the prompt's known length; without it the length is estimated.

    Raises:
        ModelError: the server cannot be reached, refuses, falls silent, or dies in the middle.
    """
    progress = _Progress(time.perf_counter())
    request = _request(endpoint, messages, settings, prompt_tokens)
    async with (
        endpoint.client(silence_s) as client,
        client.stream("POST", f"{endpoint.url}/chat/completions", json=request) as reply,
    ):
        await check(endpoint, reply, expected="text/event-stream")
        async for event in _events(endpoint, reply):
            text = progress.take(event)
            if text:
                yield Delta(text)
    if progress.finish_reason not in COMPLETE:
        raise cut_off(endpoint.place)
    yield progress.finish()


async def count_tokens(endpoint: Endpoint, messages: list[ChatMessage]) -> int | None:
    """Return how many tokens the prompt has, None where the server does not count.

    Only our own vLLM is asked: another server's time to the first token is not spent on it.

    Raises:
        ModelError: the server cannot be reached.
    """
    if not endpoint.socket:
        return None
    url = endpoint.url.removesuffix("/v1") + "/tokenize"
    async with endpoint.client() as client:
        reply = await client.post(url, json={"model": endpoint.model, "messages": messages})
    try:
        count = reply.json()["count"] if reply.status_code == 200 else None
    except (ValueError, KeyError, TypeError):
        return None
    return count if isinstance(count, int) and 0 <= count < MOST_TOKENS else None


def estimate_tokens(messages: list[ChatMessage]) -> int:
    """Return a prompt's likely length in tokens; rather too many than too few."""
    return sum(8 + math.ceil(len(m["content"].encode("utf-8", "replace")) / 2.5) for m in messages)


def longest_answer(settings: Settings) -> int:
    """Return how many tokens an answer may have."""
    longest = settings.llm_max_tokens
    return min(longest, DEMONSTRATION_TOKENS) if is_demonstration(settings) else longest


def _request(
    endpoint: Endpoint, messages: list[ChatMessage], settings: Settings, tokens: int | None
) -> dict[str, Any]:
    room = longest_answer(settings)
    if endpoint.context:
        used = estimate_tokens(messages) if tokens is None else tokens
        room = max(1, min(room, endpoint.context - used))
    return {
        "model": endpoint.model,
        "messages": messages,
        "stream": True,
        "stream_options": {"include_usage": True},
        "seed": settings.llm_seed,
        "temperature": settings.llm_temperature,
        "top_p": settings.llm_top_p,
        "max_tokens": room,
    }


class _Progress:
    """What a stream has brought so far."""

    def __init__(self, began: float) -> None:
        self._began = self._first = self._last = began
        self._pieces = 0
        self._counted: int | None = None
        self.finish_reason = ""

    def take(self, event: dict[str, Any]) -> str:
        """Take in one event and return its text."""
        match event:
            case {"error": error}:
                message = error.get("message") if isinstance(error, dict) else error
                raise ModelError(f"The model failed: {message}", "Ask again")
            case {"usage": {"completion_tokens": int(count)}} if 0 <= count < MOST_TOKENS:
                self._counted = count
        match event:
            case {"choices": [{**choice}, *_]}:
                self.finish_reason = str(choice.get("finish_reason") or self.finish_reason)
                return self._text(choice.get("delta"))
        return ""

    def _text(self, delta: object) -> str:
        match delta:
            case {"content": str(text)} if text:
                self._last = time.perf_counter()
                if not self._pieces:
                    self._first = self._last
                self._pieces += 1
                # A lone surrogate, escaped in JSON, is no text that could be sent on.
                return text.encode("utf-8", "replace").decode()
        return ""

    def finish(self) -> Finish:
        """Sum up the complete stream."""
        tokens = self._pieces if self._counted is None else self._counted
        seconds = self._last - self._first
        return Finish(
            finish_reason=self.finish_reason,
            ttft_ms=(self._first - self._began) * 1000,
            completion_tokens=tokens,
            tokens_per_s=(tokens - 1) / seconds if tokens > 1 and seconds > 0 else 0.0,
        )


async def _events(endpoint: Endpoint, reply: httpx.Response) -> AsyncIterator[dict[str, Any]]:
    async for line in _lines(endpoint, reply):
        name, _, value = line.partition(b":")
        if name != b"data":
            continue  # keep-alives are comments, which begin with a colon
        if value.strip() == b"[DONE]":
            return
        try:
            event = json.loads(value)
        except (ValueError, RecursionError) as error:
            raise ModelError(f"{endpoint.place} sent something that is no event") from error
        if isinstance(event, dict):
            yield event


async def _lines(endpoint: Endpoint, reply: httpx.Response) -> AsyncIterator[bytes]:
    # Not httpx's aiter_lines: it also splits at U+2028 and the like, which JSON may hold.
    rest = b""
    async for part in reply.aiter_bytes():
        *lines, rest = (rest + part).split(b"\n")
        for line in lines:
            yield line
        if len(rest) > LONGEST_LINE:
            raise ModelError(f"{endpoint.place} sent a line without end")
    yield rest
