"""The engine's side of the answer model: started when wanted, watched, unloaded when idle."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from engine.config import Settings
from engine.errors import HoverkiteError, ModelError
from engine.serving import models, vllm_remains, vllm_start
from engine.serving.endpoint import Endpoint, UnreachableError, served_model
from engine.serving.vllm_figures import figures
from engine.serving.vllm_log import EndedError, last_lines, reason_in
from engine.serving.vllm_start import Prepare, RunningVllm, Stage, start_vllm
from engine.wire.api import LlmState, LlmStateName

RESTARTS_S = (1, 5, 20)
"""Seconds until a vLLM that died while it served is started again by itself, each time."""

STEADY_S = 600
"""A vLLM that served so long did not die of its start: its restarts are counted anew."""

BACKOFF_S = (5, 30, 120)
"""Seconds until a failed start is tried again: after the first, second and later failures."""


class AnswerModel:
    """The one answer model of the engine, whoever serves it.

    ``on_change`` is called, in the event loop, whenever ``state`` has changed.
    """

    def __init__(
        self,
        settings: Settings,
        on_change: Callable[[], None],
        *,
        prepare: Prepare = vllm_start.prepare,
        backoff_s: Sequence[float] = BACKOFF_S,
        restarts_s: Sequence[float] = RESTARTS_S,
        before: "AnswerModel | None" = None,
    ) -> None:
        """``before`` is the model in whose place this one comes; it is ended first."""
        self._settings = settings
        self._restarts_s = restarts_s
        self._before = before
        self._unused = asyncio.Event()
        self._unused.set()
        self._on_change = on_change
        self._prepare = prepare
        self._backoff_s = backoff_s
        self._name = models.model_name(settings)
        self._endpoint: Endpoint | None = None
        self._vllm: RunningVllm | None = None
        self._stage: Stage | None = None
        self._problem: HoverkiteError | None = None
        self._last_words: Sequence[str] = ()
        self._starting: asyncio.Task[Endpoint] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._unloading: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._answering = 0
        self._failures = 0
        self._restarts = 0
        self._retry_at = 0.0
        self._ready_at = 0.0

    # --- what it is doing ----------------------------------------------------------------------

    @property
    def is_answering(self) -> bool:
        """Whether somebody waits for an answer, or for its rest."""
        return self._answering > 0

    @property
    def state(self) -> LlmState:
        """What the model is doing, in a person's words."""
        state, detail, next_step = self._described()
        return LlmState(
            state=state,
            model=self._name,
            demonstration=models.is_demonstration(self._settings),
            detail=detail,
            next_step=next_step,
            on_purpose=self.turned_off,
            log=list(self._last_words) if state == "unavailable" else [],
        )

    @property
    def turned_off(self) -> bool:
        """Whether the settings say that no model is to answer."""
        return self._settings.llm_start == "never"

    async def measured(self) -> LlmState:
        """Return the state with what the model's server counts, asked for now."""
        endpoint = self._endpoint
        counted = await figures(endpoint) if endpoint else None
        return self.state.model_copy(update={"figures": counted})

    async def told(self) -> LlmState:
        """Return what :meth:`measured` does, with how it is served and what its log says."""
        endpoint, vllm = self._endpoint, self._vllm
        served: dict[str, object] = {"context": endpoint.context if endpoint else 0}
        if vllm:
            served |= {"dtype": vllm.dtype, "device": vllm.device}
            served |= {"said": await asyncio.to_thread(last_lines, vllm.log)}
        return (await self.measured()).model_copy(update=served)

    def _described(self) -> tuple[LlmStateName, str, str]:
        if self.turned_off:
            return "off", "turned off by llm_start", 'Set llm_start = "question" to get answers'
        if self._endpoint:
            return ("answering" if self._answering else "ready"), "", ""
        if self._starting:
            return "starting", str(self._stage or ""), ""
        if self._problem:
            return "unavailable", str(self._problem), self._problem.next_step
        return "off", "", "The first question starts it"

    @property
    def pid(self) -> int | None:
        """Process id of vLLM's API server, None where none of ours runs."""
        if self._vllm:
            return self._vllm.lease.pid
        return self._stage.pid if self._stage else None

    # --- starting ------------------------------------------------------------------------------

    async def start(self) -> None:
        """Begin to start the model and return at once; nothing happens if that is no use."""
        if not self.turned_off and not self._endpoint and not self._wait_left():
            self._begin()

    async def ready(self) -> Endpoint:
        """Return the server to ask, started if need be.

        Raises:
            ModelError: it is turned off, cannot start, or failed a moment ago.
        """
        if self.turned_off:
            raise ModelError("The answer model is turned off", self.state.next_step)
        if self._endpoint:
            return self._endpoint
        if self._problem and not self._starting and (wait := self._wait_left()):
            raise ModelError(
                f"{self._problem} (it can be tried again in {wait:.0f} s)", self._problem.next_step
            )
        return await asyncio.shield(self._begin())

    def _wait_left(self) -> float:
        return max(0.0, self._retry_at - time.monotonic())

    def _begin(self, wait_s: float = 0) -> asyncio.Task[Endpoint]:
        if self._starting is None:
            self._starting = asyncio.create_task(self._start(wait_s))
            # Whoever waits for it gets the error; nobody has to.
            self._starting.add_done_callback(lambda task: task.cancelled() or task.exception())
        return self._starting

    async def _start(self, wait_s: float) -> Endpoint:
        ticking = asyncio.create_task(self._tick())
        try:
            if wait_s:
                self._show(Stage(f"{self._problem}; it is started again", wait_s))
                await asyncio.sleep(wait_s)
            await self._end_the_one_before()
            if self._settings.llm_url:
                self._endpoint = await served_model(remote_endpoint(self._settings))
            else:
                self._vllm = await start_vllm(self._settings, self._show, self._prepare)
                self._endpoint = self._vllm.endpoint
                self._watching = asyncio.create_task(self._watch(self._vllm))
        except (HoverkiteError, OSError) as error:
            self._problem = self._failed(error)
            raise self._problem from error
        finally:
            ticking.cancel()
            self._starting = self._stage = None
            self._rest()
            self._on_change()
        self._name, self._problem, self._failures = self._endpoint.model, None, 0
        self._last_words, self._ready_at = (), time.monotonic()
        return self._endpoint

    async def _end_the_one_before(self) -> None:
        if self._before:
            self._show(Stage("ending the model before"))
            await self._before.retire()
            self._before = None

    def _show(self, stage: Stage) -> None:
        self._stage = stage
        self._on_change()

    async def _tick(self) -> None:
        """Report how far starting has come, every second."""
        while True:
            self._on_change()
            await asyncio.sleep(1)

    def _failed(self, error: HoverkiteError | OSError) -> HoverkiteError:
        if not self._settings.llm_url:
            delay = self._backoff_s[min(self._failures, len(self._backoff_s) - 1)]
            self._retry_at = time.monotonic() + delay
            self._failures += 1
        if isinstance(error, EndedError):
            self._last_words = error.last_lines
        if isinstance(error, OSError):
            return ModelError(f"The answer model could not be started: {error}")
        return error

    # --- while it runs -------------------------------------------------------------------------

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Mark an answer in progress: the state says so, and the model is not unloaded."""
        self._answering += 1
        self._unused.clear()
        self._rest()
        self._on_change()
        try:
            yield
        except UnreachableError as error:
            if self._settings.llm_url:
                self._endpoint, self._problem = None, error
            raise
        finally:
            self._answering -= 1
            if not self._answering:
                self._unused.set()
            self._rest()
            self._on_change()

    def _rest(self) -> None:
        """Count the idle minutes anew; they do not pass while an answer is in progress."""
        if self._idle:
            self._idle.cancel()
            self._idle = None
        if self._vllm and not self._answering:
            delay = self._settings.llm_idle_minutes * 60
            self._idle = asyncio.get_running_loop().call_later(delay, self._unload)

    def _unload(self) -> None:
        self._unloading = asyncio.create_task(self._stop())

    async def _watch(self, vllm: RunningVllm) -> None:
        """Notice that vLLM died, and start it again a few times."""
        status = await vllm.lease.lost()
        if status is None:  # the supervisor itself was killed
            await asyncio.to_thread(vllm_remains.end, vllm.folder)
        problem = await asyncio.to_thread(reason_in, vllm.log, status)
        self._vllm, self._endpoint, self._problem = None, None, problem
        self._last_words = problem.last_lines
        if time.monotonic() - self._ready_at > STEADY_S:
            self._restarts = 0
        self._rest()
        self._on_change()
        await self._restart()

    async def _restart(self) -> None:
        """Start vLLM again, later each time; give up after a few."""
        for wait_s in self._restarts_s[self._restarts :]:
            self._restarts += 1
            with suppress(HoverkiteError):
                await asyncio.shield(self._begin(wait_s))
                return
        problem, times = self._problem, len(self._restarts_s)
        if problem and times:
            self._problem = ModelError(
                f"Answers are off, search goes on: vLLM was started again {times} times. {problem}",
                problem.next_step,
            )
        self._on_change()

    async def retire(self) -> None:
        """Stop everything once the answers under way are written."""
        if self._before:
            await self._before.retire()
        await self._unused.wait()
        await self.close()

    async def close(self) -> None:
        """Stop everything; vLLM is gone when this returns."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close())
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        if self._before:
            await self._before.close()
        if self._watching and not self._vllm:  # it is starting vLLM again
            self._watching.cancel()
        if self._starting:
            self._starting.cancel()
            with suppress(asyncio.CancelledError, HoverkiteError):
                await self._starting
        if self._unloading:
            await self._unloading
        await self._stop()

    async def _stop(self) -> None:
        if self._watching:
            self._watching.cancel()
        vllm, self._vllm, self._endpoint = self._vllm, None, None
        self._rest()
        self._on_change()
        if vllm:
            await vllm.lease.stop()


def remote_endpoint(settings: Settings) -> Endpoint:
    """Return the server that ``llm_url`` names; a bare host means its ``/v1``."""
    url = settings.llm_url.rstrip("/")
    if url.count("/") <= 2:
        url += "/v1"
    return Endpoint(settings.llm_model, 0, url, api_key=settings.llm_api_key)
