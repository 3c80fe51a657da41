"""What vLLM counts of its own work: read from ``/metrics`` when somebody asks, never polled."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from engine.errors import ModelError
from engine.serving.endpoint import Endpoint, read_body
from engine.wire.api import LlmFigures

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

ASK_S = 1.0
"""Longest wait for the figures: a status is not kept waiting for them."""

_RUNNING, _WAITING = "vllm:num_requests_running", "vllm:num_requests_waiting"
_KNOWN, _PROMPT = "vllm:prefix_cache_hits_total", "vllm:prefix_cache_queries_total"
_TTFT = "vllm:time_to_first_token_seconds"
_BETWEEN = ("vllm:inter_token_latency_seconds", "vllm:time_per_output_token_seconds")
"""Seconds between two tokens, as vLLM calls it now and called it before 0.11."""


async def figures(endpoint: Endpoint) -> LlmFigures | None:
    """Return what the server counts; None where it does not say so in time."""
    url = endpoint.url.removesuffix("/v1") + "/metrics"
    with suppress(ModelError, TimeoutError):
        async with (
            asyncio.timeout(ASK_S),
            endpoint.client(silence_s=ASK_S) as client,
            client.stream("GET", url) as reply,
        ):
            if reply.status_code == 200:
                told = await read_body(reply, ASK_S)
                # A thousand lines and more, read by Python: not in the event loop.
                return await asyncio.to_thread(figures_in, told.decode("utf-8", "replace"))
    return None


def figures_in(text: str) -> LlmFigures | None:
    """Return what ``text``, in Prometheus's format, counts; None where it is no such thing."""
    try:
        from prometheus_client.parser import text_string_to_metric_families

        counted = _sums(text_string_to_metric_families(text))
    except (ValueError, LookupError):
        return None
    if not any(name.startswith("vllm:") for name in counted):
        return None
    between = next((name for name in _BETWEEN if f"{name}_count" in counted), _BETWEEN[0])
    gap, first = _mean(counted, between), _mean(counted, _TTFT)
    return LlmFigures(
        running=_whole(counted.get(_RUNNING)),
        waiting=_whole(counted.get(_WAITING)),
        prefix_cache_hit_rate=_ratio(counted.get(_KNOWN), counted.get(_PROMPT)),
        ttft_ms=None if first is None else first * 1000,
        tokens_per_s=1 / gap if gap else None,
    )


def _sums(families: "Iterable[Metric]") -> dict[str, float]:
    """Return each sample's value by its name, summed over vLLM's engines."""
    sums: dict[str, float] = {}
    for family in families:
        for sample in family.samples:
            sums[sample.name] = sums.get(sample.name, 0.0) + sample.value
    return sums


def _mean(counted: dict[str, float], name: str) -> float | None:
    return _ratio(counted.get(f"{name}_sum"), counted.get(f"{name}_count"))


def _ratio(part: float | None, whole: float | None) -> float | None:
    if part is None or not whole or not 0 <= part < float("inf"):
        return None
    return part / whole


def _whole(number: float | None) -> int | None:
    return int(number) if number is not None and 0 <= number < 1e9 else None
