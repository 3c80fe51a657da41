"""A server that answers: where it is, what it serves, and its errors in a person's words."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from engine.errors import ModelError
from engine.safe_text import clean_line

CONNECT_S = 5.0
SILENCE_S = 180.0
"""Longest wait between two pieces of a stream; a cold, long prompt takes most of it."""

LONGEST_BODY = 1 << 20
"""Bytes of an error's body that are read."""

LARGEST_PART = 1 << 16
LONGEST_WORD = 300
"""Characters of a server's own words that are shown."""
LEAST_SECRET = 6
"""Characters from which a key is no placeholder, such as ``x``, that any word may hold."""
LONGEST_NAME = 500
"""Characters of a model's name; longer ones are left out."""
LISTING_S = 10.0
"""Longest wait for the whole list of models."""

LOOPBACK = {"127.0.0.1", "localhost", "::1"}

NO_KEY = SecretStr("")


class CutOffError(ModelError):
    """The server broke off in the middle."""


class UnreachableError(ModelError):
    """Nobody listens at the endpoint; it may be back later."""


class ContextError(ModelError):
    """The server says that prompt and answer are longer than it takes."""


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
    takes_seed: bool = True
    """Whether a request may bring its own seed."""

    @property
    def place(self) -> str:
        """What a person knows it by."""
        return "vLLM" if self.socket else self.url

    @asynccontextmanager
    async def client(self, silence_s: float = SILENCE_S) -> AsyncIterator[httpx.AsyncClient]:
        """Open a client; whatever it meets is raised as ModelError."""
        key = self.api_key.get_secret_value()
        if not (key.isascii() and key.isprintable()):
            raise ModelError(
                "The key holds characters that can't be sent",
                "Correct HOVERKITE_LLM_API_KEY in the environment",
            )
        try:
            async with httpx.AsyncClient(
                transport=_transport(self.socket, self.url),
                timeout=httpx.Timeout(silence_s, connect=CONNECT_S),
                headers={"Authorization": f"Bearer {key}"} if key else {},
            ) as client:
                yield client
        except ModelError as error:
            if len(key) >= LEAST_SECRET and key in str(error):  # which may be shown and kept
                raise type(error)(str(error).replace(key, "…"), error.next_step) from None
            raise
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError) as error:
            raise ModelError(f"{self.url} is no web address", "Correct llm_url") from error
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise _not_connected(self, error) from error
        except httpx.TimeoutException as error:
            raise silent(self.place, silence_s) from error
        except httpx.TransportError as error:
            raise cut_off(self.place) from error


def _transport(socket: Path | None, url: str) -> httpx.AsyncHTTPTransport | None:
    """Return the way to a server that httpx would not take by itself.

    A server on this machine is not reached through a proxy that the environment names. Without
    TLS, reading all certificates would only stop the loop for a while.
    """
    if socket:
        return httpx.AsyncHTTPTransport(uds=str(socket), verify=False)
    parts = httpx.URL(url)
    if parts.scheme == "http" and parts.host in LOOPBACK:
        return httpx.AsyncHTTPTransport(verify=False)
    return None


def _not_connected(endpoint: Endpoint, error: httpx.TransportError) -> ModelError:
    fault = _tls_fault(error)
    if isinstance(fault, ssl.SSLCertVerificationError):
        return ModelError(
            f"{endpoint.place} can't be trusted: {fault.verify_message}",
            "Correct llm_url, or name your own authority's certificate in SSL_CERT_FILE",
        )
    if fault:
        return ModelError(
            f"{endpoint.place} does not speak TLS as expected: {fault.reason}",
            "Correct llm_url: a server without TLS has an address beginning with http://",
        )
    return UnreachableError(
        f"{endpoint.place} can't be reached",
        "Ask again: it is started anew" if endpoint.socket else "Start it, or correct llm_url",
    )


def _tls_fault(error: BaseException) -> ssl.SSLError | None:
    """Return what went wrong with TLS, from among the causes of ``error``."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return cause
        cause = cause.__cause__ or cause.__context__
    return None


def cut_off(place: str) -> CutOffError:
    """Return the error of an answer that its server did not complete."""
    return CutOffError(f"The answer was cut off: {place} stopped in the middle", "Ask again")


def silent(place: str, seconds: float) -> ModelError:
    """Return the error of a server that says nothing any longer."""
    return ModelError(f"{place} sent nothing for {seconds:g} seconds", "Ask again")


async def served_model(endpoint: Endpoint) -> Endpoint:
    """Return ``endpoint`` with its context, and its first model where none was named.

    Raises:
        ModelError: the server cannot be reached, refuses, or has no model. Whether it has the one
            that was named shows when that is asked.
    """
    contexts = await offered(endpoint)
    name = endpoint.model or next(iter(contexts))
    return replace(endpoint, model=name, context=contexts.get(name, 0))


async def offered(endpoint: Endpoint, seconds: float = LISTING_S) -> dict[str, int]:
    """Return the models of a server, at least one, each with its context (0: not told).

    Raises:
        ModelError: the server cannot be reached, refuses, or lists none.
    """
    try:
        async with (
            endpoint.client(silence_s=seconds) as client,
            client.stream("GET", f"{endpoint.url}/models") as reply,
        ):
            await check(endpoint, reply, expected="application/json")
            told = await read_body(reply, seconds)
    except CutOffError as error:
        raise _no_list(endpoint) from error
    try:
        entries = json.loads(told)["data"]
        models = {_printable(entry["id"]): _context(entry) for entry in entries}
    except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise _no_list(endpoint) from error
    models = {name: context for name, context in models.items() if len(name) <= LONGEST_NAME}
    if not models:
        raise _no_list(endpoint)
    return models


def _context(entry: dict[str, Any]) -> int:
    return max(0, int(entry.get("max_model_len") or 0))


def _no_list(endpoint: Endpoint) -> ModelError:
    return ModelError(
        f"{endpoint.place} does not list its models",
        "Correct llm_url: the base address of an OpenAI-compatible server, ending in /v1",
    )


def _printable(name: object) -> str:
    return str(name).encode("utf-8", "replace").decode()


async def check(endpoint: Endpoint, reply: httpx.Response, *, expected: str) -> None:
    """Raise ModelError unless ``reply`` is a success of the ``expected`` content type."""
    kind = reply.headers.get("content-type", "").partition(";")[0].strip()
    if reply.status_code == 200 and kind == expected:
        return
    message = _message(await read_body(reply))
    if reply.status_code == 200:
        raise ModelError(
            f"{endpoint.place} does not speak the expected protocol (it sent {kind or 'nothing'})",
            "Correct llm_url: the base address of an OpenAI-compatible server, ending in /v1",
        )
    if reply.is_redirect:
        raise _sent_elsewhere(endpoint, reply)
    raise _refusal(endpoint, reply.status_code, message)


def _sent_elsewhere(endpoint: Endpoint, reply: httpx.Response) -> ModelError:
    """Return the error of a redirect: following it would take the key and the chunks with it."""
    target = clean_line(reply.headers.get("location", ""))[:LONGEST_WORD]
    return ModelError(
        f"{endpoint.place} sends on to {target or 'nowhere'} (HTTP {reply.status_code})",
        "Correct llm_url, if that is the server you mean",
    )


async def read_body(reply: httpx.Response, seconds: float = CONNECT_S) -> bytes:
    """Return what came within ``seconds``, up to a limit: a server may send without end."""
    came = b""
    with contextlib.suppress(TimeoutError, httpx.TransportError):
        async with asyncio.timeout(seconds):
            async for part in reply.aiter_bytes(LARGEST_PART):
                came += part
                if len(came) > LONGEST_BODY:
                    break
    return came


def _message(body: bytes) -> str:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace").strip()[:LONGEST_WORD]
    match found:
        case {"error": {"message": str(message)}} | {"error": str(message)}:
            return message[:LONGEST_WORD]
        case {"message": str(message)} | {"detail": str(message)}:
            return message[:LONGEST_WORD]
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
        return ContextError(
            f"Question and passages do not fit the model's context{size}",
            "Ask a shorter question, or raise llm_context",
        )
    return ModelError(f"{endpoint.place} failed (HTTP {status}){said}", "Ask again")
