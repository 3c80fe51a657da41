"""What a hostile or broken server may send when it is asked for its models."""

import asyncio
import contextlib
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from engine.errors import ModelError
from engine.serving import endpoint
from engine.serving.endpoint import Endpoint, offered, served_model

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
        b'{"data": [{"id": "' + b"m" * 100_000 + b'"}]}',
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


@asynccontextmanager
async def at_once(
    raw: bytes, *, hang: bool = False, context: ssl.SSLContext | None = None
) -> AsyncIterator[Endpoint]:
    """Serve ``raw`` to whatever is said first; after it comes the end, or nothing."""
    over = asyncio.Event()
    open_now: set[asyncio.StreamWriter] = set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_now.add(writer)
        with contextlib.suppress(ConnectionError):
            await reader.read(10)
            writer.write(raw)
            await writer.drain()
            if hang:
                await over.wait()
        writer.close()

    listening = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    port = listening.sockets[0].getsockname()[1]
    try:
        yield Endpoint("", 0, f"{'https' if context else 'http'}://127.0.0.1:{port}/v1")
    finally:
        over.set()
        listening.close()
        for writer in open_now:
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                writer.close()
                await writer.wait_closed()


async def reply_of(raw: bytes, *, hang: bool = False) -> str:
    """Return what is said of a server that sends ``raw``."""
    async with at_once(raw, hang=hang) as place:
        try:
            await offered(place, 0.3)
        except ModelError as error:
            return f"{error} | {error.next_step}".replace(place.url, "URL")
    return ""


JSON = b"Content-Type: application/json\r\n"


@pytest.mark.parametrize(
    ("raw", "hang", "said"),
    [
        (b"HTTP/1.1 302 Found\r\nLocation: https://evil.example/\r\n\r\n", False,
         "URL sends on to https://evil.example/ (HTTP 302) | Correct llm_url"),
        (b"HTTP/1.1 307 Moved\r\nContent-Length: 0\r\n\r\n", False, "URL sends on to nowhere"),
        (b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", False,
         "URL refused the key (HTTP 401) | Set HOVERKITE_LLM_API_KEY"),
        (b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", False,
         "URL has no such model or address (HTTP 404) | Correct llm_model or llm_url"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>Sign in</html>", False,
         "URL does not speak the expected protocol (it sent text/html) | Correct llm_url"),
        (b"HTTP/1.1 200 OK\r\n" + JSON + b"\r\n<html>Sign in</html>", False,
         "URL does not list its models | Correct llm_url"),
        (b"HTTP/1.1 200 OK\r\n" + JSON + b"Content-Length: 99999999999\r\n\r\n{", True,
         "URL does not list its models"),
        (b"HTTP/1.1 200 OK\r\n" + JSON + b"Content-Length: 99999999999\r\n\r\n{", False,
         "URL does not list its models"),
        (b"HTTP/1.1 500 No\r\nContent-Length: 99999999999\r\n\r\noops", True,
         "URL failed (HTTP 500) | Ask again"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", False, "URL does not list its models"),
        (b"", True, "URL sent nothing for 0.3 seconds"),
    ],
)  # fmt: skip
async def test_servers_that_are_something_else(raw: bytes, hang: bool, said: str) -> None:
    async with asyncio.timeout(8):
        assert (await reply_of(raw, hang=hang)).startswith(said)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate that nobody vouches for, and its key."""
    openssl = shutil.which("openssl")
    if not openssl:
        pytest.skip("there is no openssl here")
    folder = tmp_path_factory.mktemp("tls")
    made, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(made)],
        check=True, capture_output=True,
    )  # fmt: skip
    return made, key


async def test_a_certificate_is_checked_and_ones_own_authority_can_be_named(
    certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    made, key = certificate
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(made, key)
    async with at_once(HEAD + b'{"data": [{"id": "m"}]}', context=context) as place:
        with pytest.raises(ModelError, match=r"can't be trusted: self.signed cert") as caught:
            await offered(place)
        assert "SSL_CERT_FILE" in caught.value.next_step
        monkeypatch.setenv("SSL_CERT_FILE", str(made))
        assert await offered(place) == {"m": 0}


async def test_a_server_without_tls_is_told_from_one_that_is_not_there() -> None:
    async with at_once(b"HTTP/1.1 400 Bad Request\r\n\r\n") as place:
        secure = Endpoint("", 0, place.url.replace("http:", "https:"))
        with pytest.raises(ModelError, match="does not speak TLS as expected") as caught:
            await offered(secure, 2)
    assert "http://" in caught.value.next_step


async def test_a_server_on_this_machine_is_asked_without_a_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    async with server(b'{"data": [{"id": "m"}]}') as place:
        assert await offered(place) == {"m": 0}
