"""The stand-in for vLLM under the real supervisor, and what is left of it."""

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path

import psutil

from engine import paths
from engine.serving import vllm_remains
from engine.serving.vllm_launch import Launch
from engine.serving.vllm_supervisor import Task

FAKE = Path(__file__).with_name("fake_vllm.py")


def launch(mode: str, name: str = "vllm-0123456789ab") -> Launch:
    """Return how the stand-in is started in ``mode``."""
    task = Task(
        stem=str(paths.runtime_dir() / name),
        argv=[sys.executable, str(FAKE), mode],
        environment=dict(os.environ),
        log=str(paths.log_dir() / f"{name}.log"),
        niceness=3,
    )
    return Launch(task, "fake-model", dtype="bfloat16", device="cpu")


def alive(task: Task) -> list[psutil.Process]:
    """Return the living processes of ``task``."""
    return vllm_remains.working_in(task.folder)


def remains(task: Task) -> list[Path]:
    """Return what is left on disk of a task that ended, besides its lock."""
    leftover = (task.socket, task.lease, task.folder)
    return [path for path in leftover if path.exists()]


async def until(condition: Callable[[], object], seconds: float = 20) -> None:
    """Wait until ``condition`` holds, at most ``seconds``."""
    async with asyncio.timeout(seconds):
        while not await asyncio.to_thread(condition):  # noqa: ASYNC110  it lies in other processes
            await asyncio.sleep(0.05)
