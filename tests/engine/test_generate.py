"""Token streams over HTTP as vLLM speaks it, whole, broken, slow and hostile."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from engine.config import Settings
from engine.errors import ModelError
from engine.serving.endpoint import Endpoint, UnreachableError, served_model
from engine.serving.generate import ChatMessage, Delta, Finish, _Progress, counting, stream
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


async def test_only_the_embedded_model_is_stopped_at_a_question_of_its_own(
    vllm: ScriptedVllm, endpoint: Endpoint
) -> None:
    await answer(endpoint)
    assert vllm.requests[-1]["stop"] == ["\nQuestion:"]
    named = Settings(llm_model="some/model", llm_max_tokens=64)
    async for _piece in stream(endpoint, QUESTION, named):
        pass
    assert "stop" not in vllm.requests[-1]


async def test_a_server_that_a_seed_would_end_is_sent_none(
    vllm: ScriptedVllm, endpoint: Endpoint
) -> None:
    await answer(replace(endpoint, takes_seed=False))
    assert "seed" not in vllm.requests[0]


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


async def test_an_answer_without_end_is_cut_off(vllm: ScriptedVllm, endpoint: Endpoint) -> None:
    """A server that goes on writing whatever length was asked for."""
    piece = event(choices=[choice({"content": "again " * 1000})])
    vllm.script = Script(raw=[piece] * 1000)
    pieces = stream(endpoint, QUESTION, Settings(llm_max_tokens=10))
    taken = 0
    with pytest.raises(ModelError, match="sends more than it was asked for"):
        async for each in pieces:
            taken += len(each.text) if isinstance(each, Delta) else 0
    assert taken <= 10 * 256
    await until(lambda: vllm.running == 0)


async def test_events_without_a_word_and_without_end_are_cut_off(
    vllm: ScriptedVllm, endpoint: Endpoint
) -> None:
    vllm.script = Script(raw=[event(choices=[choice({"reasoning": "hm"})])] * 100_000)
    with pytest.raises(ModelError, match="sends more than it was asked for"):
        await answer(endpoint)
    await until(lambda: vllm.running == 0)


async def test_signs_of_life_without_a_word_have_a_bound(
    vllm: ScriptedVllm, endpoint: Endpoint
) -> None:
    vllm.script = Script(raw=[b": ping\n\n"] * 100_000)
    with pytest.raises(ModelError, match=r"sent nothing for 0\.2 seconds"):
        await answer(endpoint, silence_s=0.2)
    await until(lambda: vllm.running == 0)


@pytest.mark.parametrize(
    "end",
    [
        [END],
        [],
        [b'data: {"error": {"message": "EngineCore died", "code": 500}}\n\n', END],
        [b"data: {"],
    ],
    ids=["[DONE] after a death", "closed", "an error event", "half an event"],
)
async def test_what_came_before_a_failure_came(
    end: list[bytes], vllm: ScriptedVllm, endpoint: Endpoint
) -> None:
    vllm.script = Script(raw=[event(choices=[choice({"content": "Milvus "})]), *end])
    pieces = stream(endpoint, QUESTION, SETTINGS)
    assert await anext(pieces) == Delta("Milvus ")
    with pytest.raises(ModelError, match=r"cut off|EngineCore died|no event"):
        await anext(pieces)


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


async def counted(endpoint: Endpoint, messages: list[ChatMessage]) -> int | None:
    async with counting(endpoint) as counter:
        return await counter.messages(messages)


async def test_tokens_are_counted_by_the_server(vllm: ScriptedVllm, endpoint: Endpoint) -> None:
    vllm.tokens_per_character = 2
    assert await counted(endpoint, QUESTION) == 2 * len("What is Milvus?")
    vllm.counts_tokens = False
    assert await counted(endpoint, QUESTION) is None
    assert vllm.counted == 2


async def test_only_our_own_vllm_is_asked_for_a_count() -> None:
    async with scripted_vllm() as vllm:
        assert await counted(Endpoint(MODEL, 4096, vllm.url), QUESTION) is None
        assert vllm.counted == 0


async def test_no_certificates_are_read_for_a_unix_socket(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    monkeypatch.setattr(ssl, "create_default_context", lambda cafile: read.append(cafile))
    assert (await answer(endpoint))[0] == "Milvus is a kite."
    assert await counted(endpoint, QUESTION) is not None
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


async def test_of_an_error_of_vllm_only_what_a_person_can_use_is_told(
    vllm: ScriptedVllm, endpoint: Endpoint
) -> None:
    said = "EngineCore encountered an issue. See stack trace (above) for the root cause."
    vllm.script = Script(raw=[event(error={"message": said})])
    with pytest.raises(ModelError, match=r"^The model failed: EngineCore encountered an issue$"):
        await answer(endpoint)


async def test_context_and_name_come_from_the_server_and_the_key_is_sent() -> None:
    async with scripted_vllm(context=8192) as vllm:
        vllm.api_key = "secret-key"
        keyed = Endpoint("", 0, vllm.url, api_key=SecretStr("secret-key"))
        found = await served_model(keyed)
        assert (found.model, found.context) == (MODEL, 8192)
        assert (await answer(found))[0] == "Milvus is a kite."
        with pytest.raises(ModelError, match="refused the key"):
            await served_model(Endpoint("", 0, vllm.url))
        echo = {"error": {"message": "no such key: secret-key"}}
        vllm.script = Script(status=500, body=json.dumps(echo).encode())
        with pytest.raises(ModelError, match=r"HTTP 500\): no such key: …$"):
            await answer(found)
        vllm.script = Script(raw=[event(**echo)])
        with pytest.raises(ModelError, match=r"no such key: …$"):
            await answer(found)


def test_of_a_servers_own_words_only_the_beginning_is_told() -> None:
    progress = _Progress(0.0, 10)
    with pytest.raises(ModelError, match="The model failed: xxx") as caught:
        progress.take({"error": {"message": "x" * 100_000}})
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("key", ["schlüssel", "sk-1\nx"])
async def test_a_key_that_cannot_be_sent_is_told_as_such_and_not_shown(key: str) -> None:
    endpoint = Endpoint(model="", context=0, url="http://127.0.0.1:9/v1", api_key=SecretStr(key))
    with pytest.raises(ModelError, match="The key holds") as caught:
        await served_model(endpoint)
    assert key not in str(caught.value)
