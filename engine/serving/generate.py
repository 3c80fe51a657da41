"""An answer as a token stream from an OpenAI-compatible server, and how long a prompt is."""

import json
import math
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from engine.config import Settings
from engine.errors import ModelError
from engine.serving.endpoint import LONGEST_WORD, SILENCE_S, Endpoint, check, cut_off, silent
from engine.serving.models import is_demonstration

DEMONSTRATION_TOKENS = 192
"""Longest answer of the embedded model; what it says later repeats what it said before."""

MOST_TOKENS = 10**9
"""No server counts more; a larger number is a mistake of its own."""

LONGEST_TOKEN = 256
"""Characters of one token, at most; the longest are runs of spaces. So an answer has an end."""

EVENTS_BESIDE = 10_000
"""Events that may come beside those of the tokens: what a model thinks, or nothing at all."""

NEXT_QUESTION = "\nQuestion:"
"""Ends an answer of the embedded model, which may go on with questions of its own, on and on."""

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
    request = _request(endpoint, messages, settings, prompt_tokens)
    progress = _Progress(time.perf_counter(), request["max_tokens"])
    async with (
        endpoint.client(silence_s) as client,
        client.stream("POST", f"{endpoint.url}/chat/completions", json=request) as reply,
    ):
        await check(endpoint, reply, expected="text/event-stream")
        async for event in _events(endpoint, reply, silence_s):
            text = progress.take(event)
            if text:
                yield Delta(text)
    if progress.finish_reason not in COMPLETE:
        raise cut_off(endpoint.place)
    yield progress.finish()


class Counter:
    """Counts tokens where the server does that for us."""

    def __init__(self, endpoint: Endpoint, http: httpx.AsyncClient | None) -> None:
        """Without ``http`` nothing is counted."""
        self._endpoint, self._http = endpoint, http

    async def messages(self, messages: list[ChatMessage]) -> int | None:
        """Return how many tokens a prompt has, None where the server does not count.

        Raises:
            ModelError: the server cannot be reached.
        """
        return await self._count({"messages": messages})

    async def text(self, text: str) -> int | None:
        """Return how many tokens a text alone has; else as ``messages``."""
        return await self._count({"prompt": text, "add_special_tokens": False})

    async def _count(self, counted: dict[str, Any]) -> int | None:
        if self._http is None:
            return None
        url = self._endpoint.url.removesuffix("/v1") + "/tokenize"
        reply = await self._http.post(url, json={"model": self._endpoint.model, **counted})
        try:
            count = reply.json()["count"] if reply.status_code == 200 else None
        except (ValueError, KeyError, TypeError):
            return None
        return count if isinstance(count, int) and 0 <= count < MOST_TOKENS else None


@asynccontextmanager
async def counting(endpoint: Endpoint) -> AsyncIterator[Counter]:
    """Give what counts the tokens of one prompt.

    Only our own vLLM is asked: another server's time to the first token is not spent on it.
    """
    if endpoint.socket is None:
        yield Counter(endpoint, None)
        return
    async with endpoint.client() as http:
        yield Counter(endpoint, http)


def estimate_tokens(messages: list[ChatMessage]) -> int:
    """Return a prompt's likely length in tokens; rather too many than too few."""
    return sum(8 + estimate_text(message["content"]) for message in messages)


def estimate_text(text: str) -> int:
    """Return the likely length of a text alone."""
    return math.ceil(len(text.encode("utf-8", "replace")) / 2.5)


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
        **({"seed": settings.llm_seed} if endpoint.takes_seed else {}),
        "temperature": settings.llm_temperature,
        "top_p": settings.llm_top_p,
        "max_tokens": room,
        **({"stop": [NEXT_QUESTION]} if is_demonstration(settings) else {}),
    }


class _Progress:
    """What a stream has brought so far."""

    def __init__(self, began: float, most_tokens: int) -> None:
        self._began = self._first = self._last = began
        self._characters_left = most_tokens * LONGEST_TOKEN
        self._events_left = EVENTS_BESIDE + 2 * most_tokens
        self._pieces = 0
        self._counted: int | None = None
        self.finish_reason = ""

    def take(self, event: dict[str, Any]) -> str:
        """Take in one event and return its text."""
        self._events_left -= 1
        if self._events_left < 0:
            raise _endless()
        match event:
            case {"error": error}:
                message = error.get("message") if isinstance(error, dict) else error
                raise ModelError(f"The model failed: {_reason(str(message))}", "Ask again")
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
                self._characters_left -= len(text)
                if self._characters_left < 0:
                    raise _endless()
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


def _reason(message: str) -> str:
    """Return a server's words about an error; vLLM's point to a trace that nobody here sees."""
    return message.partition(" See stack trace")[0][:LONGEST_WORD].rstrip(". ")


def _endless() -> ModelError:
    return ModelError(
        "The answer was cut off: the server sends more than it was asked for",
        "Ask again, or choose another server",
    )


async def _events(
    endpoint: Endpoint, reply: httpx.Response, silence_s: float
) -> AsyncIterator[dict[str, Any]]:
    came = time.monotonic()
    async for line in _lines(endpoint, reply):
        name, _, value = line.partition(b":")
        if name != b"data":  # keep-alives are comments, which begin with a colon
            if time.monotonic() - came > silence_s:
                raise silent(endpoint.place, silence_s)
            continue
        came = time.monotonic()
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
