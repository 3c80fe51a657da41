"""A server that answers: where it is, what it serves, and its errors in a person's words."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
from pydantic import SecretStr

from engine.errors import ModelError

CONNECT_S = 5.0
SILENCE_S = 180.0
"""Longest wait between two pieces of a stream; a cold, long prompt takes most of it."""

LONGEST_BODY = 1 << 20
"""Bytes of an error's body that are read."""

LARGEST_PART = 1 << 16
LISTING_S = 10.0
"""Longest wait for the whole list of models."""

NO_KEY = SecretStr("")


class UnreachableError(ModelError):
    """Nobody listens at the endpoint; it may be back later."""


@dataclass(frozen=True)
class Endpoint:
    """A server that is ready to answer, and the model it is asked for."""

    model: str
    context: int
    """Tokens that prompt and answer may have together; 0 where the server does not say."""
    url: str = "http://vllm/v1"
    socket: Path | None = None
    """The unix socket to connect to instead of the host in ``url``."""
    api_key: SecretStr = NO_KEY

    @property
    def place(self) -> str:
        """What a person knows it by."""
        return "vLLM" if self.socket else self.url

    @asynccontextmanager
    async def client(self, silence_s: float = SILENCE_S) -> AsyncIterator[httpx.AsyncClient]:
        """Open a client; whatever it meets is raised as ModelError."""
        key = self.api_key.get_secret_value()
        try:
            async with httpx.AsyncClient(
                transport=_through(self.socket) if self.socket else None,
                timeout=httpx.Timeout(silence_s, connect=CONNECT_S),
                headers={"Authorization": f"Bearer {key}"} if key else {},
            ) as client:
                yield client
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError) as error:
            raise ModelError(f"{self.url} is no web address", "Correct llm_url") from error
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise UnreachableError(
                f"{self.place} can't be reached",
                "Ask again: it is started anew" if self.socket else "Start it, or correct llm_url",
            ) from error
        except httpx.TimeoutException as error:
            raise ModelError(
                f"{self.place} sent nothing for {silence_s:g} seconds", "Ask again"
            ) from error
        except httpx.TransportError as error:
            raise cut_off(self.place) from error


def _through(socket: Path) -> httpx.AsyncHTTPTransport:
    # There is no TLS on a unix socket, and reading all certificates would stop the loop a while.
    return httpx.AsyncHTTPTransport(uds=str(socket), verify=False)


def cut_off(place: str) -> ModelError:
    """Return the error of an answer that its server did not complete."""
    return ModelError(f"The answer was cut off: {place} stopped in the middle", "Ask again")


async def served_model(endpoint: Endpoint) -> Endpoint:
    """Return ``endpoint`` with its context, and its first model where none was named.

    Raises:
        ModelError: the server cannot be reached, refuses, or has no model.
    """
    async with (
        endpoint.client(silence_s=LISTING_S) as client,
        client.stream("GET", f"{endpoint.url}/models") as reply,
    ):
        await check(endpoint, reply, expected="application/json")
        body = await _body(reply, LISTING_S)
    try:
        models = {_printable(entry["id"]): entry for entry in json.loads(body)["data"]}
        name = endpoint.model or next(iter(models))
        context = max(0, int(models.get(name, {}).get("max_model_len") or 0))
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError,
            StopIteration) as error:  # fmt: skip
        raise ModelError(f"{endpoint.place} does not list its models", "Correct llm_url") from error
    return replace(endpoint, model=name, context=context)


def _printable(name: object) -> str:
    return str(name).encode("utf-8", "replace").decode()


async def check(endpoint: Endpoint, reply: httpx.Response, *, expected: str) -> None:
    """Raise ModelError unless ``reply`` is a success of the ``expected`` content type."""
    kind = reply.headers.get("content-type", "").partition(";")[0].strip()
    if reply.status_code == 200 and kind == expected:
        return
    message = _message(await _body(reply))
    if reply.status_code == 200:
        raise ModelError(
            f"{endpoint.place} does not speak the expected protocol (it sent {kind or 'nothing'})",
            "Correct llm_url: the base address of an OpenAI-compatible server, ending in /v1",
        )
    raise _refusal(endpoint, reply.status_code, message)


async def _body(reply: httpx.Response, seconds: float = CONNECT_S) -> bytes:
    """Return what came within ``seconds``, up to a limit: a server may send without end."""
    body = b""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            async for part in reply.aiter_bytes(LARGEST_PART):
                body += part
                if len(body) > LONGEST_BODY:
                    break
    return body


def _message(body: bytes) -> str:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace").strip()[:300]
    match found:
        case {"error": {"message": str(message)}} | {"error": str(message)}:
            return message[:300]
        case {"message": str(message)} | {"detail": str(message)}:
            return message[:300]
    return ""


def _refusal(endpoint: Endpoint, status: int, message: str) -> ModelError:
    said = f": {message}" if message else ""
    if status in (401, 403):
        return ModelError(
            f"{endpoint.place} refused the key (HTTP {status})",
            "Set HOVERKITE_LLM_API_KEY in the environment",
        )
    if status == 404:
        return ModelError(
            f"{endpoint.place} has no such model or address (HTTP 404){said}",
            "Correct llm_model or llm_url",
        )
    if status in (400, 413, 422) and "context" in message.lower():
        size = f" of {endpoint.context} tokens" if endpoint.context else ""
        return ModelError(
            f"Question and passages do not fit the model's context{size}",
            "Ask a shorter question, or raise llm_context",
        )
    return ModelError(f"{endpoint.place} failed (HTTP {status}){said}", "Ask again")
