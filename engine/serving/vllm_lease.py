"""The engine's hold on vLLM: an open connection to the supervisor of one launch."""

import asyncio
import contextlib
import time
from typing import Self

from engine import own_process
from engine.errors import ModelError
from engine.serving.vllm_supervisor import BUSY, Task

TAKE_S = 20
"""Longest wait for a supervisor; one that is ending has to be waited for."""

ATTACH_S = 5
"""Longest wait for a running supervisor's first word."""

STOP_S = 20
"""Longest wait for the supervisor to have ended everything."""


class Lease:
    """Keeps one launch of vLLM alive while it is held; vLLM ends when the holder dies."""

    def __init__(
        self, pid: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.pid = pid
        """vLLM's API server."""
        self._reader = reader
        self._writer = writer
        self._gone = asyncio.create_task(self._until_gone())

    @classmethod
    async def take(cls, task: Task, *, patience_s: float = TAKE_S) -> Self:
        """Attach to the running supervisor of ``task``, or start one.

        Raises:
            ModelError: the supervisor cannot be started.
        """
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            lease = await cls._attach(task)
            if lease:
                return lease
            await _start_supervisor(task)
        raise ModelError("vLLM could not be run: its supervisor ended", f"See {task.log}")

    @classmethod
    async def _attach(cls, task: Task) -> Self | None:
        try:
            reader, writer = await asyncio.open_unix_connection(str(task.lease))
        except OSError:
            return None
        word = pid = ""
        with contextlib.suppress(OSError):  # also: it is stopped, and says nothing in time
            async with asyncio.timeout(ATTACH_S):
                word, _, pid = (await reader.readline()).decode().strip().partition(" ")
        if word == "pid":
            return cls(int(pid), reader, writer)
        writer.close()
        return None

    async def lost(self) -> int | None:
        """Wait until vLLM is gone; return its exit status, None where it is not known."""
        return await asyncio.shield(self._gone)

    async def _until_gone(self) -> int | None:
        status = None
        try:
            while line := await self._reader.readline():
                word, _, value = line.decode().strip().partition(" ")
                if word == "exited":
                    status = int(value)
        except ConnectionError:
            pass
        self._writer.close()
        return status

    async def stop(self) -> None:
        """End vLLM now, unless somebody else holds a lease, and wait until it is gone."""
        if not self._writer.is_closing():
            self._writer.write(b"stop\n")
        try:
            async with asyncio.timeout(STOP_S):
                await self.lost()
        except TimeoutError:
            self._writer.close()


async def _start_supervisor(task: Task) -> None:
    starter = await asyncio.create_subprocess_exec(
        *own_process.command("engine.serving.vllm_supervisor"),
        env=own_process.environment(),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    _, complaint = await starter.communicate(task.to_json().encode())
    if starter.returncode == BUSY:
        await asyncio.sleep(0.5)  # another one starts or ends this very moment
    elif starter.returncode != 0:
        lines = complaint.decode("utf-8", "replace").strip().splitlines() or ["no reason given"]
        raise ModelError(f"vLLM's supervisor could not be started: {lines[-1]}", f"See {task.log}")
