"""From settings to a healthy vLLM: the model made ready, vLLM started, its health awaited."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from engine import paths
from engine.config import Settings
from engine.errors import ModelError
from engine.serving import models, vllm_launch, vllm_remains
from engine.serving.endpoint import Endpoint, UnreachableError, served_model
from engine.serving.vllm_launch import Launch
from engine.serving.vllm_lease import Lease
from engine.serving.vllm_log import reason_in
from engine.serving.vllm_supervisor import Task

START_LIMIT_S = 900
FETCH_LIMIT_S = 7200
"""Longest wait for vLLM to become healthy: with a local model, and with one from a hub."""

PREPARE_EXPECTED_S = 40
START_EXPECTED_S = 60
"""What a person is told before a start was measured on this machine."""


@dataclass
class Stage:
    """A part of starting; as text it says how far it has come."""

    title: str
    expected_s: float = 0
    """Of a start on this machine; 0 when nobody can know, as with a download."""
    began: float = field(default_factory=time.monotonic)
    pid: int | None = None
    """vLLM's API server, once it runs."""

    def __str__(self) -> str:
        passed, expected = round(time.monotonic() - self.began), round(self.expected_s)
        if not expected:
            return f"{self.title}, {passed} s"
        if passed > expected:
            return f"{self.title}, {passed} s, longer than the usual {expected} s"
        return f"{self.title}, {passed} s of about {expected} s"


@dataclass(frozen=True)
class RunningVllm:
    """A vLLM that answers, and the lease that keeps it alive."""

    endpoint: Endpoint
    lease: Lease
    log: Path
    folder: Path
    """The run folder of its processes."""
    dtype: str
    """The type of the model's numbers, and …"""
    device: str
    """… what they are reckoned on, as in ``Launch``."""


Show = Callable[[Stage], None]
Prepare = Callable[[Settings, Show], Awaitable[Launch]]
"""Makes the model ready and returns how to serve it."""


async def prepare(settings: Settings, show: Show) -> Launch:
    """Return how to serve the model of ``settings``; the embedded one is converted if need be.

    Raises:
        ModelError: vLLM or the model is missing, or memory is short.
    """
    if vllm_launch.installed_package() is None:
        raise vllm_launch.not_installed()
    if models.is_demonstration(settings) and not models.is_converted():
        show(Stage("preparing the model", PREPARE_EXPECTED_S))
    model = await models.resolve(settings)
    return await asyncio.to_thread(vllm_launch.plan, model, settings)


async def start_vllm(settings: Settings, show: Show, prepare: Prepare = prepare) -> RunningVllm:
    """Start vLLM, or attach to the one that runs, and wait until it answers.

    Raises:
        ModelError: it cannot start, with the reason from its log.
    """
    launch = await prepare(settings, show)
    if launch.is_local:
        stage = Stage("loading", _remembered_s(launch))
    else:
        stage = Stage("fetching and loading")
    show(stage)
    lease = await _take_lease(launch.task)
    stage.pid = lease.pid
    show(stage)
    try:
        endpoint = await _healthy(launch, lease)
        await asyncio.to_thread(vllm_remains.note_shared_memory, launch.task.folder)
    except BaseException:
        await asyncio.shield(lease.stop())
        raise
    if launch.is_local:
        _remember(launch, time.monotonic() - stage.began)
    endpoint = replace(endpoint, context=endpoint.context or settings.llm_context)
    files = launch.log, launch.task.folder
    return RunningVllm(endpoint, lease, *files, launch.dtype, launch.device)


async def _take_lease(task: Task) -> Lease:
    taking = asyncio.create_task(Lease.take(task))
    try:
        return await asyncio.shield(taking)
    except asyncio.CancelledError:
        # Nothing must run on that nobody holds.
        await (await taking).stop()
        raise


async def _healthy(launch: Launch, lease: Lease) -> Endpoint:
    endpoint = Endpoint(launch.model, 0, socket=launch.task.socket, takes_seed=launch.takes_seed)
    limit_s = START_LIMIT_S if launch.is_local else FETCH_LIMIT_S
    lost = asyncio.create_task(lease.lost())
    deadline = time.monotonic() + limit_s
    try:
        while time.monotonic() < deadline:
            if lost.done():
                raise await asyncio.to_thread(reason_in, launch.log, lost.result())
            with suppress(UnreachableError):
                return await served_model(endpoint)
            await asyncio.wait([lost], timeout=0.2)
    finally:
        lost.cancel()
    raise ModelError(f"vLLM was not ready after {limit_s / 60:.0f} minutes", f"See {launch.log}")


def _remembered_s(launch: Launch) -> float:
    try:
        return float(_memory(launch).read_text("ascii"))
    except (OSError, ValueError):
        return START_EXPECTED_S


def _remember(launch: Launch, seconds: float) -> None:
    with suppress(OSError):
        paths.make_private(_memory(launch).parent)
        _memory(launch).write_text(f"{seconds:.0f}", "ascii")


def _memory(launch: Launch) -> Path:
    return paths.cache_dir() / "vllm" / f"{launch.name}.seconds"
