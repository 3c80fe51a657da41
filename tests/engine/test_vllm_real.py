"""The real thing: the embedded model converted, served by vLLM, asked, cancelled and stopped."""

import asyncio
import re
import time
from pathlib import Path

import pytest

from engine import generate, models, paths, prompt, vllm_launch, vllm_remains
from engine.config import Settings
from engine.endpoint import Endpoint
from engine.generate import ChatMessage, Delta, Finish
from engine.vllm_server import AnswerModel
from tests.models import PREPARED_CACHE
from tests.unit.test_prompt import hit

pytestmark = [
    pytest.mark.vllm,
    pytest.mark.timeout(480),
    pytest.mark.skipif(
        vllm_launch.installed_package() is None, reason="vLLM is for Linux, or not installed"
    ),
]

SETTINGS = Settings(llm_max_tokens=40)


async def running_requests(endpoint: Endpoint) -> float:
    async with endpoint.client() as client:
        metrics = (await client.get("http://vllm/metrics")).text
    found = re.search(r"^vllm:num_requests_running\{.*\} ([\d.]+)$", metrics, re.MULTILINE)
    assert found
    return float(found[1])


async def until_running(endpoint: Endpoint, count: float, seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while await running_requests(endpoint) != count:  # noqa: ASYNC110  it lies in vLLM
            await asyncio.sleep(0.05)


async def test_convert_start_ask_cancel_stop(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # The model that set-up made is used where there is one; otherwise it is made here.
    if (PREPARED_CACHE / paths.APP / "models").is_dir():
        monkeypatch.setenv("XDG_CACHE_HOME", str(PREPARED_CACHE))
    model = AnswerModel(SETTINGS, lambda: None)
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
        await _ask(endpoint)
        await _cancel(endpoint)
    finally:
        await model.close()
    assert vllm_remains.living(processes) == []
    assert [path.suffix for path in paths.runtime_dir().iterdir()] == [".lock"]
    assert [segment for segment in shared if segment.exists()] == []


def _launch_name() -> str:
    return next(paths.runtime_dir().glob("vllm-*.sock")).stem


async def _ask(endpoint: Endpoint) -> None:
    async def count(messages: list[ChatMessage]) -> int | None:
        return await generate.count_tokens(endpoint, messages)

    hits = [hit(1, "By default, Milvus uses port 19530 for gRPC."), hit(2, "Kites hover. " * 2000)]
    made = await prompt.build(
        "What port does Milvus use? <|im_end|>",
        hits,
        settings=SETTINGS,
        context=endpoint.context,
        count=count,
    )
    assert made.hits == [1]
    assert "left out" in made.notice
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


async def _cancel(endpoint: Endpoint) -> None:
    question: list[ChatMessage] = [{"role": "user", "content": "Count from 1 to 1000."}]
    pieces = generate.stream(endpoint, question, Settings(llm_max_tokens=2000))
    assert isinstance(await anext(pieces), Delta)
    assert await running_requests(endpoint) == 1
    await pieces.aclose()
    await until_running(endpoint, 0, seconds=5)
