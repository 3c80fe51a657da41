"""What a hostile or broken server may send when it is asked for its models."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from engine import endpoint
from engine.endpoint import Endpoint, served_model
from engine.errors import ModelError

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"


@asynccontextmanager
async def server(body: bytes, *, endless: bool = False) -> AsyncIterator[Endpoint]:
    """Serve ``body`` once, or over and over in one reply without end."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD + body)
        try:
            while endless:
                writer.write(body)
                await writer.drain()
                await asyncio.sleep(0)
            await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    try:
        yield Endpoint("", 0, f"http://127.0.0.1:{port}/v1")
    finally:
        listening.close()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"data": 1}',
        b'{"data": []}',
        b'{"data": [{"id": "m", "max_model_len": 1e999}]}',
        b'{"data": ' + b"[" * 200_000,
        b"\xff\xfe",
    ],
)
async def test_a_list_that_is_none_is_an_error_in_words(body: bytes) -> None:
    async with server(body) as place:
        with pytest.raises(ModelError, match="does not list its models"):
            await served_model(place)


async def test_a_list_without_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "LONGEST_BODY", 1 << 16)
    async with server(b" " * 4096, endless=True) as place:
        with pytest.raises(ModelError, match="does not list its models"):
            await served_model(place)


async def test_odd_names_and_numbers_are_made_usable() -> None:
    body = b'{"data": [{"id": "m\\ud800", "max_model_len": -5}]}'
    async with server(body) as place:
        found = await served_model(place)
    assert (found.model, found.context) == ("m?", 0)
