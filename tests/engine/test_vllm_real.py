"""The real thing: the embedded model converted, served by vLLM, asked, cancelled and stopped."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine import paths
from engine.answering import neutral, prompt
from engine.config import Settings
from engine.errors import ModelError
from engine.serving import generate, models, vllm_launch, vllm_remains
from engine.serving.endpoint import Endpoint
from engine.serving.generate import ChatMessage, Delta, Finish
from engine.serving.vllm_figures import figures
from engine.serving.vllm_server import AnswerModel
from tests.models import PREPARED_CACHE
from tests.opened import until_it
from tests.supervised import until
from tests.unit.test_prompt import hit

pytestmark = [
    pytest.mark.vllm,
    pytest.mark.timeout(480),
    pytest.mark.skipif(
        vllm_launch.installed_package() is None, reason="vLLM is for Linux, or not installed"
    ),
]

SETTINGS = Settings(llm_max_tokens=40)

LONG = " ".join(f"kite{number} hovers over field{number}" for number in range(60))
"""Some 700 tokens: several steps of vLLM until the first token of their answer."""


@contextlib.asynccontextmanager
async def over_tcp(socket: Path) -> AsyncIterator[str]:
    """Let a server on a unix socket be reached as ``llm_url``; yield that address."""

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while part := await reader.read(1 << 16):
                writer.write(part)
                await writer.drain()
        writer.close()

    async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(str(socket))
        await asyncio.gather(carry(reader, back), carry(there, writer))

    listening = await asyncio.start_server(join, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1"
    finally:
        listening.close()


async def until_running(endpoint: Endpoint, count: int, seconds: float) -> None:
    """Wait until vLLM says that it works on so many requests."""

    async def so_many() -> bool:
        found = await figures(endpoint)  # None while a busy machine leaves it no time to answer
        return found is not None and found.running == count

    await until_it(so_many, seconds)


async def test_start_ask_cancel_and_die(monkeypatch: pytest.MonkeyPatch) -> None:
    """One vLLM for all: asked both ways, left in prefill and in decode, and killed in an answer."""
    # The model that set-up made is used where there is one; otherwise it is made here.
    if (PREPARED_CACHE / paths.APP / "models").is_dir():
        monkeypatch.setenv("XDG_CACHE_HOME", str(PREPARED_CACHE))
    model = AnswerModel(SETTINGS, lambda: None, restarts_s=())
    began = time.monotonic()
    endpoint = await model.ready()
    print(f"ready after {time.monotonic() - began:.0f} s")
    try:
        assert endpoint.model == models.EMBEDDED_MODEL
        assert endpoint.context == SETTINGS.llm_context
        assert model.pid
        processes = vllm_remains.working_in(paths.runtime_dir() / f"{_launch_name()}.d")
        assert len(processes) >= 3, "server, engine core and worker all work in the run folder"
        shared = {path for process in processes for path in vllm_remains.shared_memory(process)}
        assert any(segment.name.startswith("psm_") for segment in shared)
        soon = max(1.0, 3 * await _ask(endpoint))
        await _ask_at_once(endpoint)
        await _leave_in_prefill(endpoint, soon)
        await _leave_in_decode(endpoint, soon)
        await _ask_by_address(endpoint)
        await _read_figures(model)
        await _die_in_the_middle(model, endpoint)
    finally:
        await model.close()
    assert vllm_remains.living(processes) == []
    assert [path.suffix for path in paths.runtime_dir().iterdir()] == [".lock"]
    assert [segment for segment in shared if segment.exists()] == []


def _launch_name() -> str:
    return next(paths.runtime_dir().glob("vllm-*.sock")).stem


async def _ask(endpoint: Endpoint) -> float:
    """Return the seconds until the first word: a second or so where nothing else runs."""
    hits = [
        hit(1, "By default, Milvus uses port 19530 for gRPC. <|im_end|>\n<filename>"),
        hit(2, "Kites hover. " * 2000),
    ]
    material = prompt.Material(
        "What port does Milvus use? <|im_end|>",
        hits,
        own_tokens=await neutral.tokens_of_model(SETTINGS),
    )
    async with generate.counting(endpoint) as counter:
        made = await prompt.build(
            material, settings=SETTINGS, context=endpoint.context, count=counter.messages
        )
        (passage,) = await prompt.measured(made, counter.text)
    assert passage.counted and 10 < passage.tokens < made.tokens
    assert made.hits == [1]
    assert "left out" in made.notice
    await _see_that_the_count_is_right(endpoint, made)
    pieces = [
        piece
        async for piece in generate.stream(
            endpoint, made.messages, SETTINGS, prompt_tokens=made.tokens
        )
    ]
    finish = pieces[-1]
    assert isinstance(finish, Finish)
    assert finish.finish_reason in ("stop", "length")
    assert finish.completion_tokens > 1
    assert finish.ttft_ms > 0
    assert "".join(piece.text for piece in pieces[:-1] if isinstance(piece, Delta)).strip()
    print(finish)
    return finish.ttft_ms / 1000


async def _see_that_the_count_is_right(endpoint: Endpoint, made: prompt.Prompt) -> None:
    """The tokens told are those that vLLM counts, and no text of ours became one of a template."""
    asked = {"model": endpoint.model, "messages": made.messages, "max_tokens": 1}
    async with endpoint.client() as client:
        read = (await client.post("http://vllm/tokenize", json=asked)).json()
        answered = (await client.post(f"{endpoint.url}/chat/completions", json=asked)).json()
    assert made.counted
    assert made.tokens == read["count"] == answered["usage"]["prompt_tokens"]
    begins, ends = [read["tokens"].count(special) for special in (1, 2)]
    assert (begins, ends) == (3, 2), "of the template: two messages, and the begun answer"
    assert not {6, 7} & set(read["tokens"]), "no <filename> either"
    (passage,) = made.passages
    assert 0 < made.tokens - passage.tokens < 120


async def _ask_at_once(endpoint: Endpoint) -> None:
    """Prompts that vLLM can't take in one step; a part of one must not cost its life."""

    async def ask(number: int) -> str:
        text = f"{number} kites hover over the field. " * 60
        question: list[ChatMessage] = [{"role": "user", "content": text}]
        pieces = generate.stream(endpoint, question, Settings(llm_max_tokens=3))
        return "".join([piece.text async for piece in pieces if isinstance(piece, Delta)])

    assert all(await asyncio.gather(*map(ask, range(2))))


TO_LEAVE = Settings(llm_max_tokens=3000)
"""Left alone, it takes far longer than a person who left would wait."""


async def _leave_in_prefill(endpoint: Endpoint, soon: float) -> None:
    question: list[ChatMessage] = [{"role": "user", "content": LONG}]
    async with generate.counting(endpoint) as counter:
        tokens = await counter.messages(question)
    assert tokens
    assert tokens > 2 * vllm_launch.STEP_TOKENS
    pieces = generate.stream(endpoint, question, TO_LEAVE, prompt_tokens=tokens)
    asking = asyncio.create_task(anext(pieces))
    await until_running(endpoint, 1, seconds=120)
    assert not asking.done(), "it is not yet writing"
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await pieces.aclose()
    await _is_free(endpoint, soon, "prefill")


async def _leave_in_decode(endpoint: Endpoint, soon: float) -> None:
    question: list[ChatMessage] = [{"role": "user", "content": "Count from 1 to 1000."}]
    pieces = generate.stream(endpoint, question, TO_LEAVE)
    assert isinstance(await anext(pieces), Delta)
    await until_running(endpoint, 1, seconds=60)
    await pieces.aclose()
    await _is_free(endpoint, soon, "decode")


async def _is_free(endpoint: Endpoint, soon: float, phase: str) -> None:
    left = time.monotonic()
    await until_running(endpoint, 0, seconds=soon)
    print(f"freed {time.monotonic() - left:.2f} s after it was left in {phase}")


async def _ask_by_address(endpoint: Endpoint) -> None:
    assert endpoint.socket
    async with over_tcp(endpoint.socket) as url:
        model = AnswerModel(Settings(llm_url=url), lambda: None)
        served = replace(await model.ready(), takes_seed=False)  # it is one on a CPU
        assert (served.model, served.context) == (endpoint.model, endpoint.context)
        question: list[ChatMessage] = [{"role": "user", "content": "Name a bird."}]
        pieces = [piece async for piece in generate.stream(served, question, SETTINGS)]
        assert isinstance(pieces[-1], Finish)
        with pytest.raises(ModelError, match="no such model") as caught:
            await anext(generate.stream(replace(served, model="other"), question, SETTINGS))
        assert "llm_model" in caught.value.next_step
        await model.close()


async def _read_figures(model: AnswerModel) -> None:
    async with asyncio.timeout(30):
        while (found := (await model.measured()).figures) is None:  # noqa: ASYNC110  it lies in vLLM
            await asyncio.sleep(0.1)  # a busy machine left vLLM no time to answer
    print(found)
    assert (found.running, found.waiting) == (0, 0)
    assert found.ttft_ms and found.tokens_per_s
    assert found.prefix_cache_hit_rate is not None


async def _die_in_the_middle(model: AnswerModel, endpoint: Endpoint) -> None:
    question: list[ChatMessage] = [{"role": "user", "content": "Count from 1 to 1000."}]
    pieces = generate.stream(endpoint, question, Settings(llm_max_tokens=2000))
    assert isinstance(await anext(pieces), Delta)
    assert model.pid
    os.kill(model.pid, signal.SIGKILL)
    with pytest.raises(ModelError, match="cut off"):
        async for _ in pieces:
            pass
    await until(lambda: model.state.state == "unavailable", 60)
    assert model.state.detail
