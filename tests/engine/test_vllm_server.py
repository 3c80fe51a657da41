"""The answer model as the engine sees it: states, failures with reasons, idle, restarts."""

import asyncio
import os
import re
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from engine.config import Settings
from engine.errors import ModelError
from engine.serving import vllm_remains, vllm_server, vllm_start
from engine.serving.endpoint import UnreachableError
from engine.serving.vllm_launch import Launch
from engine.serving.vllm_server import AnswerModel, remote_endpoint
from engine.serving.vllm_start import Prepare, Show, Stage
from engine.wire.api import LlmState
from tests.scripted_vllm import MODEL, scripted_vllm
from tests.supervised import alive, launch, remains, until


@pytest.fixture(autouse=True)
def nothing_survives(home: Path) -> Iterator[None]:
    """End what a failed test left running."""
    yield
    vllm_remains.end(launch("serve").task.folder, grace=0)


class Watched(AnswerModel):
    """An answer model that remembers the states it announced."""

    def __init__(
        self,
        settings: Settings,
        prepare: Prepare = vllm_start.prepare,
        *,
        backoff_s: Sequence[float] = vllm_server.BACKOFF_S,
        restarts_s: Sequence[float] = vllm_server.RESTARTS_S,
        before: AnswerModel | None = None,
    ) -> None:
        self.seen: list[LlmState] = []
        super().__init__(
            settings,
            lambda: self.seen.append(self.state),
            prepare=prepare,
            backoff_s=backoff_s,
            restarts_s=restarts_s,
            before=before,
        )

    def now(self) -> str:
        """The state's name."""
        return self.state.state

    @property
    def names(self) -> list[str]:
        """The states in order, repeats left out."""
        names: list[str] = [state.state for state in self.seen]
        return [name for at, name in enumerate(names) if at == 0 or names[at - 1] != name]


def fake(mode: str) -> Prepare:
    async def prepare(settings: Settings, show: Show) -> Launch:
        show(Stage("preparing the model", 40))
        return launch(mode)

    return prepare


async def test_from_off_to_ready_to_off() -> None:
    model = Watched(Settings(), fake("serve"))
    assert model.now() == "off"
    assert model.state.model == "SmolLM2-135M-Instruct"
    assert model.state.demonstration
    endpoint = await model.ready()
    assert (endpoint.model, endpoint.context) == ("fake-model", 2048)
    assert model.pid in [process.pid for process in alive(launch("serve").task)]
    assert await model.ready() is endpoint
    told = await model.told()
    assert (told.dtype, told.device) == ("bfloat16", "cpu")
    with model.answering():
        assert model.now() == "answering"
    await model.close()
    assert [model.pid] == [None]
    assert model.names == ["starting", "ready", "answering", "ready", "off"]
    task = launch("serve").task
    assert alive(task) == []
    assert remains(task) == []


async def test_starting_tells_its_stage_and_seconds() -> None:
    model = Watched(Settings(), fake("serve"))
    await model.start()
    assert model.state.state == "starting", "whoever asked for the start does not wait for its end"
    await model.ready()
    details = [state.detail for state in model.seen if state.state == "starting"]
    assert details[0].startswith("preparing the model, 0 s of about 40")
    assert any(detail.startswith("loading, 0 s of about 60") for detail in details)
    await model.close()
    assert vllm_start._remembered_s(launch("serve")) < 60


async def test_a_model_that_has_to_be_fetched_first_says_so_and_promises_no_time() -> None:
    async def prepare(settings: Settings, show: Show) -> Launch:
        return replace(launch("serve"), is_local=False)

    model = Watched(Settings(), prepare)
    await model.ready()
    details = [state.detail for state in model.seen if state.state == "starting" and state.detail]
    assert details
    assert {re.sub(r"\d+", "N", detail) for detail in details} == {"fetching and loading, N s"}
    await model.close()
    assert vllm_start._remembered_s(launch("serve")) == vllm_start.START_EXPECTED_S


@pytest.mark.parametrize(
    ("passed_s", "said"),
    [
        (0, "loading, 0 s of about 60 s"),
        (60.3, "loading, 60 s of about 60 s"),
        (126, "loading, 126 s, longer than the usual 60 s"),
    ],
)
def test_a_stage_says_when_it_takes_longer_than_usual(passed_s: float, said: str) -> None:
    assert str(Stage("loading", 60, time.monotonic() - passed_s)) == said


async def test_a_failed_start_has_its_reason_and_waits_before_the_next() -> None:
    model = Watched(Settings(), fake("die"))
    with pytest.raises(ModelError, match="vLLM ended: ValueError: no such"):
        await model.ready()
    assert model.now() == "unavailable"
    assert "ValueError: no such" in model.state.detail
    assert "\x1b" not in model.state.detail
    assert str(launch("die").log) in model.state.next_step
    with pytest.raises(ModelError, match=r"tried again in [345] s"):
        await model.ready()
    await model.start()
    assert model.now() == "unavailable"
    await model.close()


async def test_the_next_question_tries_again_after_the_wait() -> None:
    modes = iter(["die", "serve"])

    async def prepare(settings: Settings, show: Show) -> Launch:
        return launch(next(modes))

    model = Watched(Settings(), prepare, backoff_s=[0])
    with pytest.raises(ModelError):
        await model.ready()
    await model.ready()
    assert model.now() == "ready"
    await model.close()


async def test_vllm_s_process_is_known_while_it_starts() -> None:
    model = Watched(Settings(), fake("never"))
    await model.start()
    await until(lambda: model.pid)
    assert model.now() == "starting"
    assert model.pid in [process.pid for process in alive(launch("never").task)]
    await model.close()
    assert model.pid is None


async def test_a_start_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vllm_start, "START_LIMIT_S", 1)
    model = Watched(Settings(), fake("never"))
    with pytest.raises(ModelError, match="not ready after"):
        await model.ready()
    assert alive(launch("never").task) == []
    await model.close()


async def test_closing_while_it_starts_leaves_nothing() -> None:
    model = Watched(Settings(), fake("never"))
    await model.start()
    task = launch("never").task
    await until(lambda: len(alive(task)) == 2)
    await model.close()
    assert alive(task) == []
    await until(lambda: not remains(task))


async def test_a_question_that_is_given_up_does_not_stop_the_start() -> None:
    model = Watched(Settings(), fake("serve"))
    asking = asyncio.create_task(model.ready())
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await until(lambda: model.now() == "ready")
    await model.close()


async def killed(model: Watched) -> int:
    """Kill vLLM's server; return which it was."""
    pid = model.pid
    assert pid
    os.kill(pid, signal.SIGKILL)
    await until(lambda: model.pid != pid)
    return pid


async def test_vllm_that_dies_is_started_again_a_few_times_and_then_answers_are_off() -> None:
    model = Watched(Settings(), fake("serve"), restarts_s=[0.2])
    await model.ready()
    first = await killed(model)
    assert "memory ran out; it is started again, 0 s" in model.state.detail
    assert (await model.ready()).socket, "a question waits for the restart"
    assert model.pid != first
    Path(launch("serve").log).write_text("ERROR 11-22 07:41:34 [core.py:900] worker \x1b[31mgone\n")
    await killed(model)
    await until(lambda: model.now() == "unavailable")
    assert model.state.detail.startswith("Answers are off, search goes on: vLLM was started again")
    assert "memory ran out" in model.state.detail
    assert model.state.log == ["worker \ufffd[31mgone"]
    assert (await model.ready()).socket, "a question tries once more"
    assert (model.now(), model.state.log) == ("ready", [])
    await model.close()


async def test_a_restart_that_fails_is_tried_again_and_counted() -> None:
    modes = iter(["serve", "die", "die", "serve"])

    async def prepare(settings: Settings, show: Show) -> Launch:
        return launch(next(modes))

    model = Watched(Settings(), prepare, restarts_s=[0, 0], backoff_s=[0])
    await model.ready()
    await killed(model)
    await until(lambda: "Answers are off" in model.state.detail)
    assert "ValueError: no such" in model.state.detail
    assert model.state.log[-2:] == ["ValueError: no such \ufffd[31mmodel\ufffd[0m", RUINED]
    await model.ready()
    await model.close()


RUINED = "RuntimeError: Engine core initialization failed. See root cause above."


async def test_a_vllm_that_served_long_has_its_restarts_counted_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(vllm_server, "STEADY_S", 0)
    model = Watched(Settings(), fake("serve"), restarts_s=[0])
    await model.ready()
    for _ in range(2):
        await killed(model)
        await until(lambda: model.now() == "ready")
    await model.close()


async def test_closing_while_it_waits_to_start_again_leaves_nothing() -> None:
    model = Watched(Settings(), fake("serve"), restarts_s=[60])
    await model.ready()
    await killed(model)
    assert model.now() == "starting"
    async with asyncio.timeout(10):
        await model.close()
    assert alive(launch("serve").task) == []


async def test_another_model_takes_the_place_of_one_once_its_answers_are_written() -> None:
    first = Watched(Settings(), fake("serve"))
    await first.ready()
    pid = first.pid
    second = Watched(Settings(llm_seed=1), fake("serve"), before=first)
    with first.answering():
        await second.start()
        await until(lambda: second.state.detail.startswith("ending the model before"))
        await asyncio.sleep(0.2)
        assert [p.pid for p in alive(launch("serve").task) if p.pid == pid] == [pid]
    await second.ready()
    assert first.pid is None
    assert second.pid != pid
    await second.close()
    assert alive(launch("serve").task) == []


async def test_idle_unloads_and_a_question_loads_again() -> None:
    model = Watched(Settings(llm_idle_minutes=0.3 / 60), fake("serve"))
    await model.ready()
    with model.answering():
        await asyncio.sleep(0.5)
        assert model.now() == "answering"
    await until(lambda: model.now() == "off" and not alive(launch("serve").task))
    await model.ready()
    assert model.now() == "ready"
    await model.close()


async def test_never_means_off_with_the_way_to_turn_it_on() -> None:
    model = Watched(Settings(llm_start="never"), fake("serve"))
    await model.start()
    assert model.now() == "off"
    assert model.state.on_purpose
    with pytest.raises(ModelError, match="turned off") as caught:
        await model.ready()
    assert "llm_start" in caught.value.next_step
    assert alive(launch("serve").task) == []
    await model.close()


async def test_a_running_server_is_used_and_lost_and_found() -> None:
    async with scripted_vllm(context=8192) as vllm:
        model = Watched(Settings(llm_url=vllm.url.removesuffix("/v1")))
        endpoint = await model.ready()
        assert (endpoint.url, endpoint.model, endpoint.context) == (vllm.url, MODEL, 8192)
        assert model.pid is None
        assert not model.state.demonstration
        assert model.state.model == MODEL
        with pytest.raises(UnreachableError), model.answering():
            raise UnreachableError("gone")
        assert model.now() == "unavailable"
        assert await model.ready() == endpoint
        await model.close()


async def test_a_server_that_is_not_there_is_named() -> None:
    model = Watched(Settings(llm_url="http://127.0.0.1:9/v1"))
    with pytest.raises(ModelError, match=r"http://127\.0\.0\.1:9/v1 can't be reached"):
        await model.ready()
    assert "llm_url" in model.state.next_step
    await model.close()


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("http://host:8000", "http://host:8000/v1"),
        ("http://host:8000/", "http://host:8000/v1"),
        ("https://host/openai/v1/", "https://host/openai/v1"),
    ],
)
def test_addresses_of_servers(given: str, used: str) -> None:
    assert remote_endpoint(Settings(llm_url=given)).url == used
