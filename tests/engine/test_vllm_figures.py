"""What vLLM counts, as ``/metrics`` tells it."""

import threading
from pathlib import Path

import pytest

from engine.config import Settings
from engine.figures import GAP
from engine.front.commands_status import figures as words
from engine.front.commands_status import status_lines
from engine.front.stored_status import stored_status
from engine.serving import vllm_figures
from engine.serving.endpoint import Endpoint
from engine.serving.vllm_figures import figures, figures_in
from engine.serving.vllm_server import AnswerModel
from engine.wire.api import LlmState
from tests.scripted_vllm import MODEL, scripted_vllm

METRICS = """\
# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="m"} 1.0
vllm:num_requests_running{engine="1",model_name="m"} 2.0
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{engine="0",model_name="m"} 4.0
# TYPE vllm:prefix_cache_queries_total counter
vllm:prefix_cache_queries_total{engine="0",model_name="m"} 400.0
# TYPE vllm:prefix_cache_hits_total counter
vllm:prefix_cache_hits_total{engine="0",model_name="m"} 100.0
# TYPE vllm:time_to_first_token_seconds histogram
vllm:time_to_first_token_seconds_bucket{engine="0",le="0.5",model_name="m"} 3.0
vllm:time_to_first_token_seconds_bucket{engine="0",le="+Inf",model_name="m"} 4.0
vllm:time_to_first_token_seconds_count{engine="0",model_name="m"} 4.0
vllm:time_to_first_token_seconds_sum{engine="0",model_name="m"} 2.0
# TYPE vllm:inter_token_latency_seconds histogram
vllm:inter_token_latency_seconds_bucket{engine="0",le="+Inf",model_name="m"} 10.0
vllm:inter_token_latency_seconds_count{engine="0",model_name="m"} 10.0
vllm:inter_token_latency_seconds_sum{engine="0",model_name="m"} 0.5
"""


def test_what_is_counted() -> None:
    counted = figures_in(METRICS)
    assert counted is not None
    assert counted.model_dump() == {
        "running": 3,
        "waiting": 4,
        "prefix_cache_hit_rate": 0.25,
        "ttft_ms": 500.0,
        "tokens_per_s": 20.0,
    }
    older = METRICS.replace("inter_token_latency", "time_per_output_token")
    assert figures_in(older) == counted


def test_nothing_asked_yet_is_nothing_known() -> None:
    counted = figures_in("vllm:num_requests_running 0\nvllm:prefix_cache_queries_total 0\n")
    assert counted is not None
    assert set(counted.model_dump(exclude_none=True)) == {"running"}


@pytest.mark.parametrize(
    "text",
    ["", "<html>", "python_gc 1\n", "\x00", "a{", 'vllm:x{y="', "vllm:num_requests_running x\n"],
)
def test_what_is_no_list_of_figures(text: str) -> None:
    assert figures_in(text) is None


@pytest.mark.parametrize("value", ["NaN", "-1", "+Inf", "1e300"])
def test_numbers_that_can_not_be(value: str) -> None:
    counted = figures_in(
        f"vllm:num_requests_running {value}\nvllm:prefix_cache_hits_total {value}\n"
        "vllm:prefix_cache_queries_total 1\n"
    )
    assert counted is not None
    assert counted.running is None
    counted.model_dump_json()


async def test_figures_are_read_beside_the_event_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers: list[threading.Thread] = []
    monkeypatch.setattr(
        vllm_figures, "figures_in", lambda _text: readers.append(threading.current_thread())
    )
    async with scripted_vllm(tmp_path / "v.sock"):
        await figures(Endpoint(MODEL, 0, socket=tmp_path / "v.sock"))
    assert readers
    assert threading.main_thread() not in readers


async def test_figures_come_over_the_socket_and_only_when_asked(tmp_path: Path) -> None:
    async with scripted_vllm(tmp_path / "v.sock") as vllm:
        counted = await figures(Endpoint(MODEL, 0, socket=tmp_path / "v.sock"))
        assert counted is not None
        assert counted.running == 0
        assert vllm.measured == 1
    async with scripted_vllm() as vllm:
        model = AnswerModel(Settings(llm_url=vllm.url), lambda: None)
        assert (await model.measured()).figures is None, "nothing runs yet"
        await model.ready()
        assert (vllm.measured, model.state.figures) == (0, None)
        found = (await model.measured()).figures
        assert (vllm.measured, found and found.running) == (1, 0)
        vllm.metrics_delay_s = 3
        assert (await model.measured()).figures is None, "a status is not kept waiting"
        await model.close()
    assert await figures(Endpoint(MODEL, 0, "http://127.0.0.1:9/v1")) is None


def test_figures_and_the_log_are_printed_by_status() -> None:
    llm = LlmState(state="ready", model="m", figures=figures_in(METRICS))
    assert words(llm).replace(GAP, " ") == (
        "3 running, 4 waiting, first token after 500 ms, 20 tokens/s, "
        "25% of prompts from the prefix cache"
    )
    assert words(LlmState(state="ready", model="m")) == ""
    failed = LlmState(state="unavailable", model="m", detail="it ended", log=["one", "two"])
    status = stored_status(Path("/nowhere"), Settings()).model_copy(update={"llm": failed})
    lines = [line.split(maxsplit=1) for line in status_lines(status)]
    at = lines.index(["answers", "m: unavailable (it ended)"])
    assert lines[at + 1 : at + 3] == [["one"], ["two"]]
