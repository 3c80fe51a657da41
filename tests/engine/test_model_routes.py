"""Answers without a model on purpose, and through the engine's routes: turns, figures, a choice."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import httpcore
import httpx
import pytest

from engine import config
from engine.config import Settings
from engine.errors import ModelError
from engine.front.connection import EngineClient
from engine.server import model_choice
from engine.server.answer import answer
from engine.server.routes import create_app
from engine.server.service import Engine
from engine.serving.local_servers import LocalServer
from engine.serving.vllm_server import AnswerModel
from engine.serving.vllm_start import RunningVllm
from engine.wire.api import LlmState
from engine.wire.api_answer import TURNED_OFF, AnswerFailed, AnswerFinished, AskRequest
from engine.wire.api_models import UseModel
from tests.engine.tiny_encoder import TinyEncoder
from tests.opened import opening
from tests.scripted_vllm import MODEL, ScriptedVllm, scripted_vllm
from tests.supervised import until


@pytest.mark.real
async def test_a_model_that_is_turned_off_is_no_failure(tmp_path: Path) -> None:
    root = tmp_path / "docs"
    root.mkdir()
    (root / "birds.md").write_text("# Birds\n\nA kite hovers above the meadow.\n")
    settings = Settings(llm_start="never")
    model = AnswerModel(settings, lambda: None)
    async with opening(root, TinyEncoder()) as folder:
        request = AskRequest(question="kite hovers", mode="bm25")
        events = [event async for event in answer(request, folder, model, settings)]
        nothing = AskRequest(question="xyzzy", mode="bm25")
        last = [event async for event in answer(nothing, folder, model, settings)][-1]
    kinds = [event.type for event in events if event.type != "turn"]
    assert kinds == ["hits", "extracts", "llm", "finished"]
    state, finished = [event for event in events if event.type in ("llm", "finished")]
    assert isinstance(state, LlmState)
    assert (state.state, state.on_purpose) == ("off", True)
    assert isinstance(finished, AnswerFinished)
    assert (finished.finish_reason, finished.answer) == (TURNED_OFF, "")
    assert isinstance(last, AnswerFailed), "but finding nothing is told as ever"
    await model.close()


# --- through the routes -----------------------------------------------------------------------


class _Pool:
    """What a client uses of a connection pool, straight to the routes."""

    def __init__(self, engine: Engine) -> None:
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(create_app(engine)))

    async def request(self, **asked: object) -> httpcore.Response:
        reply = await self._client.request(**asked)  # type: ignore[arg-type]
        response = httpcore.Response(reply.status_code, content=reply.content)
        await response.aread()
        return response


@pytest.fixture
async def vllm() -> AsyncIterator[ScriptedVllm]:
    async with scripted_vllm() as server:
        yield server


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    made = Engine(Settings(), lambda: None)
    yield made
    await made.close()


@pytest.fixture
def client(engine: Engine) -> EngineClient:
    made = EngineClient()
    made._http = cast("httpcore.AsyncConnectionPool", _Pool(engine))
    return made


async def test_another_model_answers_at_once_and_after_the_next_start(
    engine: Engine, client: EngineClient, vllm: ScriptedVllm
) -> None:
    chosen = await client.use_model(UseModel(url=vllm.url))
    assert chosen.written == str(config.config_file())
    assert config.load().llm_url == vllm.url
    assert engine.settings == config.load(), "so that no later client replaces this engine"
    await until(lambda: engine.model.state.state == "ready")
    llm = await client.llm()
    assert (llm.model, llm.figures and llm.figures.running) == (MODEL, 0)
    assert not llm.demonstration
    assert llm.context > 0
    assert llm.said == [], "another's log can't be read"
    assert (await client.model_offer()).model is None, "only in place of the demonstration model"
    unkept = await client.use_model(UseModel(name="embedded", keep=False))
    assert (unkept.written, unkept.llm.demonstration) == ("", True)
    assert config.load().llm_url == vllm.url


async def test_a_model_of_ours_tells_what_its_log_says_and_quotes_nothing(tmp_path: Path) -> None:
    log = tmp_path / "vllm.log"
    log.write_text(
        "(APIServer pid=1) INFO 11-23 10:00:00 [api.py:1] Started \x1b[2J\n"
        "(APIServer pid=1) INFO 11-23 10:00:01 [api.py:2] Received request: prompt: 'secret'\n"
    )
    model = AnswerModel(Settings(), lambda: None)
    model._vllm = cast("RunningVllm", SimpleNamespace(log=log, dtype="float32", device="cpu"))
    assert (await model.told()).said == ["Started \ufffd[2J"]
    assert (await model.measured()).said == []


async def test_what_can_not_be_used_changes_nothing(engine: Engine, client: EngineClient) -> None:
    model = engine.model
    with pytest.raises(ModelError, match="is not on this machine"):
        await client.use_model(UseModel(name="own/none"))
    assert engine.model is model
    assert not config.config_file().exists()


async def test_answers_under_way_are_written_to_their_end(
    engine: Engine, client: EngineClient, vllm: ScriptedVllm
) -> None:
    await client.use_model(UseModel(url=vllm.url, keep=False))
    first = engine.model
    await first.ready()
    with first.answering():
        await client.use_model(UseModel(url=vllm.url, keep=False))
        assert engine.model is not first
        await until(lambda: engine.model.state.detail.startswith("ending the model before"))
        while_answering = first.state.state
    await engine.model.ready()
    assert (while_answering, first.state.state) == ("answering", "off")


async def test_a_server_on_this_machine_is_offered_and_taken(
    engine: Engine, client: EngineClient, vllm: ScriptedVllm, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def found() -> list[LocalServer]:
        return [LocalServer(vllm.url, "Ollama", (MODEL,))]

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", "/nowhere")
    monkeypatch.setattr(model_choice, "local_servers", found)
    offered = (await client.model_offer()).model
    assert offered is not None
    await client.use_model(UseModel(name=offered.name, url=offered.url))
    endpoint = await engine.model.ready()
    assert (endpoint.url, endpoint.model) == (vllm.url, MODEL)


async def test_a_start_that_hangs_does_not_hold_up_the_choice(
    engine: Engine, client: EngineClient, vllm: ScriptedVllm
) -> None:
    vllm.models_delay_s = 30
    async with asyncio.timeout(5):
        assert (await client.use_model(UseModel(url=vllm.url))).llm.state in ("off", "starting")
