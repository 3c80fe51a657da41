"""When what is written to a folder's index: in steps, and edits between two steps of bulk work."""

import asyncio
import contextlib
import logging
import os
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from engine.errors import HoverkiteError
from engine.files.watch import Hints

_T = TypeVar("_T")
_Left = TypeVar("_Left", bound=Generator[Any, Any, Any])
Steps = Generator[Callable[[], Any] | None, Any, _T]
"""Work that pauses after each step, and returns its result at the end.

What it yields is done without holding others up, and what that returns is sent back into it."""

log = logging.getLogger(__name__)

POLITE = 10
"""By how much bulk work is nicer than the rest of the engine."""


@dataclass(frozen=True, slots=True)
class _End(Generic[_T]):
    result: _T


class Writer:
    """Takes the steps of all that changes one folder's index; two never overlap.

    Whoever waits for a step gets the next turn, so nobody waits longer than one step. What a step
    yields, such as embedding, runs beside the steps of others.
    """

    def __init__(self, name: str, *, give_way: Callable[[], bool]) -> None:
        """``give_way`` tells whether a person waits for the processor; bulk work slows down."""
        self._give_way = give_way
        self._quick = ThreadPoolExecutor(1, f"write-{name}")
        self._bulk = ThreadPoolExecutor(1, f"bulk-{name}", initializer=_be_polite)
        self._turn = asyncio.Lock()
        self._going = asyncio.Event()
        self._going.set()
        self._paused_at = self._paused_for = 0.0
        self._step = threading.Lock()
        """A caller that is cancelled lets go of its turn while its step still runs."""

    @property
    def paused(self) -> bool:
        """Whether work in steps waits."""
        return not self._going.is_set()

    def pause(self, *, paused: bool) -> None:
        """Let work in steps wait after the step in hand, or go on; single steps always do."""
        if paused and not self.paused:
            self._going.clear()
            self._paused_at = time.monotonic()
        elif self.paused and not paused:
            self._going.set()
            self._paused_for += time.monotonic() - self._paused_at

    def clock(self) -> float:
        """Return the seconds that were not paused, since some time."""
        now = self._paused_at if self.paused else time.monotonic()
        return now - self._paused_for

    async def do(self, work: Callable[[], _T]) -> _T:
        """Do a piece of work that is one step."""
        return await self._take(self._quick, work)

    async def finish(self, steps: Steps[_T], *, bulk: bool = False) -> _T:
        """Take all steps and return their result."""
        thread = self._bulk if bulk else self._quick
        result = None
        with left_early(steps):
            while True:
                await self._going.wait()
                begun = time.monotonic()
                end = await self._take(thread, partial(_next, steps, result))
                if isinstance(end, _End):
                    return end.result
                result = await self._beside(end, bulk=bulk) if end else None
                if bulk and self._give_way():
                    await asyncio.sleep(time.monotonic() - begun)

    async def _beside(self, work: Callable[[], Any], *, bulk: bool) -> Any:
        """Do what a step has yielded, in a thread that nobody with a turn waits for."""
        if not bulk:
            return await asyncio.to_thread(work)
        return await asyncio.get_running_loop().run_in_executor(self._bulk, work)

    async def _take(self, thread: ThreadPoolExecutor, work: Callable[[], _T]) -> _T:
        async with self._turn:  # it is fair, where a lock of threads is not
            return await asyncio.get_running_loop().run_in_executor(thread, self._alone, work)

    def _alone(self, work: Callable[[], _T]) -> _T:
        with self._step:
            return work()

    def close(self) -> None:
        """Wait for the step in hand."""
        self._quick.shutdown()
        self._bulk.shutdown()


@contextlib.contextmanager
def left_early(parts: _Left) -> Iterator[_Left]:
    """Give a generator, and let go of what they hold however the context ends.

    One that is just at work, in the thread of a task that was cancelled, ends by itself.
    """
    try:
        yield parts
    finally:
        with contextlib.suppress(ValueError):
            parts.close()


def _next(steps: Steps[_T], result: Any) -> _End[_T] | Callable[[], Any] | None:
    """Take one step; return its end if it was the last, else what it yields."""
    try:
        return steps.send(result)
    except StopIteration as end:  # it can't leave a thread as an exception
        return _End(end.value)


def _be_polite() -> None:
    """Let the thread, and those it starts, go after all others."""
    if sys.platform == "linux":  # elsewhere it would be the whole process
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, os.getpriority(os.PRIO_PROCESS, 0) + POLITE)


class Lane(Generic[_T]):
    """Acts on hints, one run at a time; those that come meanwhile are acted on together after."""

    def __init__(
        self,
        run: Callable[[Hints], Coroutine[Any, Any, _T]],
        start: Callable[[Coroutine[Any, Any, None]], Awaitable[None]],
    ) -> None:
        """``start`` makes a task."""
        self._run, self._start = run, start
        self._in_hand: Hints | None = None
        self._wanted: Hints | None = None
        self._next: asyncio.Future[_T] | None = None
        self.current: asyncio.Future[_T] | None = None
        """What the run in hand will return; None between runs."""

    @property
    def waiting(self) -> set[bytes]:
        """The paths that were hinted at and not acted on, to the end."""
        hints = [hints for hints in (self._in_hand, self._wanted) if hints]
        return set().union(*(one.paths for one in hints))

    @property
    def busy(self) -> bool:
        """Whether there is a run in hand, or one to come."""
        return self._next is not None or self.current is not None

    def ask(self, hints: Hints) -> asyncio.Future[_T]:
        """Have ``hints`` acted on by a run that begins after now, and return its result."""
        if self._next is not None and self._wanted is not None:
            self._wanted += hints
            return self._next
        idle = not self.busy
        self._wanted = hints
        asked = self._next = asyncio.get_running_loop().create_future()
        if idle:
            self._start(self._work())
        return asked

    async def _work(self) -> None:
        while self._wanted is not None and self._next is not None:
            hints = self._in_hand = self._wanted
            self._wanted = None
            result, self._next = self._next, None
            self.current = result
            try:
                done = await self._run(hints)
            except Exception as error:  # whoever waits hears of it; the lane goes on
                if not isinstance(error, HoverkiteError):
                    log.exception("a sync ended in an unforeseen way")
                result.set_exception(error)
                result.exception()  # seen: nobody may be waiting
            else:
                result.set_result(done)
            self.current = self._in_hand = None

    def close(self) -> None:
        """Leave nobody waiting; the caller has cancelled the task."""
        for result in (self.current, self._next):
            if result:
                result.cancel()
