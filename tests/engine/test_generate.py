"""Token streams over HTTP as vLLM speaks it, whole, broken, slow and hostile."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from engine.config import Settings
from engine.endpoint import Endpoint, UnreachableError, served_model
from engine.errors import ModelError
from engine.generate import ChatMessage, Delta, Finish, count_tokens, stream
from tests.scripted_vllm import END, MODEL, Script, ScriptedVllm, choice, event, scripted_vllm
from tests.supervised import until

QUESTION: list[ChatMessage] = [{"role": "user", "content": "What is Milvus?"}]
SETTINGS = Settings(llm_max_tokens=64)


@pytest.fixture
async def vllm(tmp_path: Path) -> AsyncIterator[ScriptedVllm]:
    async with scripted_vllm(tmp_path / "v.sock") as server:
        yield server


@pytest.fixture
def endpoint(vllm: ScriptedVllm, tmp_path: Path) -> Endpoint:
    return Endpoint(MODEL, vllm.context, socket=tmp_path / "v.sock")


async def answer(endpoint: Endpoint, **options: float) -> tuple[str, Finish]:
    text, finish = "", None
    silence_s = options.get("silence_s", 5)
    async for piece in stream(endpoint, QUESTION, SETTINGS, silence_s=silence_s):
        if isinstance(piece, Delta):
            text += piece.text
        else:
            assert finish is None
            finish = piece
    assert finish is not None
    return text, finish


async def test_pieces_then_the_finish(vllm: ScriptedVllm, endpoint: Endpoint) -> None:
    text, finish = await answer(endpoint)
    assert text == "Milvus is a kite."
    assert finish.finish_reason == "stop"
    assert finish.completion_tokens == 2
    assert 0 < finish.ttft_ms < 5000
    assert finish.tokens_per_s > 0


async def test_the_request_carries_the_settings(vllm: ScriptedVllm, endpoint: Endpoint) -> None:
    await answer(endpoint)
    sent = vllm.requests[0]
    assert sent["messages"] == QUESTION
    assert {name: sent[name] for name in ("seed", "temperature", "top_p", "max_tokens")} == {
        "seed": 415,
        "temperature": 0.2,
        "top_p": 0.95,
        "max_tokens": 64,
    }
    assert sent["stream_options"] == {"include_usage": True}


async def test_the_answer_is_shortened_to_what_the_context_leaves(
    vllm: ScriptedVllm, endpoint: Endpoint
) -> None:
    async for _ in stream(endpoint, QUESTION, SETTINGS, prompt_tokens=4090):
        pass
    assert vllm.requests[0]["max_tokens"] == 6


async def test_a_death_in_the_middle_is_no_answer(vllm: ScriptedVllm, endpoint: Endpoint) -> None:
    vllm.script = Script(finish_reason=None)
    with pytest.raises(ModelError, match="cut off"):
        await answer(endpoint)


@pytest.mark.parametrize("reason", ["abort", "error"])
async def test_a_server_that_gives_up_is_no_answer(
    reason: str, vllm: ScriptedVllm, endpoint: Endpoint
) -> None:
    vllm.script = Script(finish_reason=reason)
    with pytest.raises(ModelError, match="cut off"):
        await answer(endpoint)


async def test_a_broken_connection_is_no_answer(endpoint: Endpoint) -> None:
    """Chunked encoding that ends without its last chunk."""

    async def break_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = event(choices=[choice({"content": "Mil"})])
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
            b"transfer-encoding: chunked\r\n\r\n" + f"{len(body):x}\r\n".encode() + body + b"\r\n"
        )
        writer.close()

    assert endpoint.socket
    path = endpoint.socket.with_name("broken.sock")
    async with await asyncio.start_unix_server(break_off, str(path)):
        with pytest.raises(ModelError, match="cut off"):
            await answer(Endpoint(MODEL, 4096, socket=path))


async def test_characters_split_over_chunks(vllm: ScriptedVllm, endpoint: Endpoint) -> None:
    body = event(choices=[choice({"content": "\u2028Grüße 日本 😀\x85"}, "stop")])
    vllm.script = Script(raw=[body[at : at + 1] for at in range(len(body))] + [END])
    text, finish = await answer(endpoint)
    assert text == "\u2028Grüße 日本 😀\x85"
    assert finish.completion_tokens == 1


async def test_keepalives_and_strange_lines_are_passed_over(
    vllm: ScriptedVllm, endpoint: Endpoint
) -> None:
    vllm.script = Script(
        raw=[
            b": ping\n\n",
            b"event: message\r\nid: 7\r\n",
            b"data:" + event(choices=[choice({"content": "yes"})])[6:].replace(b"\n", b"\r\n"),
            b"data: []\n\ndata: 7\n\n",
            event(choices=[{"index": 0, "delta": {"content": None}, "finish_reason": "stop"}]),
            event(choices=[], usage=None),
        ]
    )
    assert (await answer(endpoint))[0] == "yes"


async def test_a_lone_surrogate_does_not_get_through(
    vllm: ScriptedVllm, endpoint: Endpoint
) -> None:
    body = json.dumps({"choices": [choice({"content": "a\ud83d"}, "length")]})
    vllm.script = Script(raw=[f"data: {body}\n\n".encode(), END])
    text, finish = await answer(endpoint)
    assert text.encode("utf-8") == b"a?"
    assert finish.finish_reason == "length"


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"data: {broken\n\n", "no event"),
        (b'data: {"error": {"message": "engine is dead", "code": 500}}\n\n', "engine is dead"),
        (b'data: {"error": "no more"}\n\n', "no more"),
        (b"data: " + b"x" * (2 << 20), "without end"),
        (b"", "cut off"),
        (b"\xff\xfe\n\n", "cut off"),
    ],
)
async def test_streams_that_are_none(
    raw: bytes, said: str, vllm: ScriptedVllm, endpoint: Endpoint
) -> None:
    vllm.script = Script(raw=[raw])
    with pytest.raises(ModelError, match=said):
        await answer(endpoint)


@pytest.mark.parametrize(
    ("status", "body", "said", "step"),
    [
        (
            400,
            b'{"error": {"message": "This model\'s maximum context length is 4096 tokens."}}',
            "do not fit the model's context of 4096 tokens",
            "llm_context",
        ),
        (401, b'{"error": "Unauthorized"}', "refused the key", "HOVERKITE_LLM_API_KEY"),
        (404, b'{"error": {"message": "The model `x` does not exist."}}', "`x`", "llm_model"),
        (500, b"<html>oops</html>", "HTTP 500.*oops", "Ask again"),
        (503, b"", "HTTP 503", "Ask again"),
    ],
)
async def test_refusals_say_what_to_do(
    status: int, body: bytes, said: str, step: str, vllm: ScriptedVllm, endpoint: Endpoint
) -> None:
    vllm.script = Script(status=status, body=body)
    with pytest.raises(ModelError, match=said) as caught:
        await answer(endpoint)
    assert step in caught.value.next_step


async def test_a_server_of_another_kind(vllm: ScriptedVllm, endpoint: Endpoint) -> None:
    vllm.script = Script(content_type="text/html")
    with pytest.raises(ModelError, match=r"protocol \(it sent text/html\)"):
        await answer(endpoint)


async def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(UnreachableError, match="vLLM can't be reached"):
        await answer(Endpoint(MODEL, 4096, socket=tmp_path / "none.sock"))
    with pytest.raises(UnreachableError, match=r"http://127\.0\.0\.1:9/v1 can't be reached"):
        await answer(Endpoint(MODEL, 4096, "http://127.0.0.1:9/v1"))


@pytest.mark.parametrize("url", ["no address", "ftp://host/v1", "http://[::1/v1", "http://\ud800/"])
async def test_no_web_address(url: str) -> None:
    with pytest.raises(ModelError, match=r"is no web address|can't be reached") as caught:
        await served_model(Endpoint("", 0, url))
    assert "llm_url" in caught.value.next_step


async def test_silence_has_a_bound(vllm: ScriptedVllm, endpoint: Endpoint) -> None:
    vllm.script = Script(hang_after=1)
    with pytest.raises(ModelError, match=r"sent nothing for 0\.2 seconds"):
        await answer(endpoint, silence_s=0.2)
    await until(lambda: vllm.running == 0)


async def test_cancelling_in_prefill_frees_the_request(
    vllm: ScriptedVllm, endpoint: Endpoint
) -> None:
    vllm.script = Script(prefill=asyncio.Event())
    asking = asyncio.create_task(answer(endpoint))
    await until(lambda: vllm.running == 1)
    asking.cancel()
    await until(lambda: vllm.running == 0)
    vllm.script = Script()
    assert (await answer(endpoint))[0] == "Milvus is a kite."


async def test_closing_in_decode_frees_the_request(vllm: ScriptedVllm, endpoint: Endpoint) -> None:
    vllm.script = Script(hang_after=1)
    pieces = stream(endpoint, QUESTION, SETTINGS)
    assert await anext(pieces) == Delta("Milvus ")
    assert vllm.running == 1
    await pieces.aclose()
    await until(lambda: vllm.running == 0)


async def test_tokens_are_counted_by_the_server(vllm: ScriptedVllm, endpoint: Endpoint) -> None:
    vllm.tokens_per_character = 2
    assert await count_tokens(endpoint, QUESTION) == 2 * len("What is Milvus?")
    vllm.counts_tokens = False
    assert await count_tokens(endpoint, QUESTION) is None
    assert vllm.counted == 2


async def test_only_our_own_vllm_is_asked_for_a_count() -> None:
    async with scripted_vllm() as vllm:
        assert await count_tokens(Endpoint(MODEL, 4096, vllm.url), QUESTION) is None
        assert vllm.counted == 0


async def test_no_certificates_are_read_for_a_unix_socket(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    monkeypatch.setattr(ssl, "create_default_context", lambda cafile: read.append(cafile))
    assert (await answer(endpoint))[0] == "Milvus is a kite."
    assert await count_tokens(endpoint, QUESTION) is not None
    assert read == []


async def test_the_certificates_of_other_servers_are_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    checked: list[ssl.SSLContext] = []
    made = ssl.create_default_context

    def make(cafile: str) -> ssl.SSLContext:
        checked.append(made(cafile=cafile))
        return checked[-1]

    monkeypatch.setattr(ssl, "create_default_context", make)
    async with Endpoint(MODEL, 4096, "https://host/v1").client():
        pass
    assert [context.verify_mode for context in checked] == [ssl.CERT_REQUIRED]


async def test_context_and_name_come_from_the_server_and_the_key_is_sent() -> None:
    async with scripted_vllm(context=8192) as vllm:
        vllm.api_key = "secret-key"
        keyed = Endpoint("", 0, vllm.url, api_key=SecretStr("secret-key"))
        found = await served_model(keyed)
        assert (found.model, found.context) == (MODEL, 8192)
        assert (await answer(found))[0] == "Milvus is a kite."
        with pytest.raises(ModelError, match="refused the key"):
            await served_model(Endpoint("", 0, vllm.url))
