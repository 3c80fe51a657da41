"""Warm workers: started when one is needed, ended when none was for a while."""

import atexit
import os
import queue
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future

from engine.documents.parts import Parts
from engine.documents.workers.one import Worker

SECONDS = 60.0
"""After which reading one file is stopped."""
IDLE_SECONDS = 30.0
"""After which a worker that nobody needed is ended."""
MOST_WORKERS = min(4, os.cpu_count() or 1)
"""That read at once; more threads wait for their turn, which is not counted as their time."""


class Pool:
    """Workers for any number of threads."""

    def __init__(
        self,
        command: Sequence[str] = (),
        *,
        most: int = MOST_WORKERS,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        """Start nothing yet; workers are started by ``command``, where it is not the usual one."""
        self._command, self._idle_seconds = command, idle_seconds
        self._places = threading.BoundedSemaphore(most)
        self._idle: list[Worker] = []
        self._lock = threading.Lock()
        self._asked: queue.SimpleQueue[Future[Worker] | None] = queue.SimpleQueue()
        self._keeper: threading.Thread | None = None

    @property
    def idle(self) -> list[int]:
        """The processes that wait for a file."""
        with self._lock:
            return [worker.pid for worker in self._idle]

    def read(self, work: str, raw: bytes, *, name: str, seconds: float) -> Parts:
        """Return the parts of a file, read in one of the workers.

        Raises:
            LoadError: the reason it can't be read; too slow and too large are among them.
            OSError: no process can be started now.
        """
        with self._places:
            worker = self._take()
            try:
                return worker.read(work, raw, name, seconds)
            finally:
                self._give_back(worker)

    def close(self) -> None:
        """End the workers that wait; those that read end with this process."""
        with self._lock:
            waiting, self._idle = self._idle, []
        for worker in waiting:
            worker.end()

    def _take(self) -> Worker:
        with self._lock:
            while self._idle:
                worker = self._idle.pop()  # the warmest
                if worker.is_alive:
                    return worker
                worker.end()
            if self._keeper is None:
                self._keeper = threading.Thread(target=self._keep, name="workers", daemon=True)
                self._keeper.start()
                atexit.register(self.close)
        asked: Future[Worker] = Future()
        self._asked.put(asked)
        return asked.result()

    def _give_back(self, worker: Worker) -> None:
        if not worker.stays:
            worker.end()
            return
        with self._lock:
            self._idle.append(worker)
        self._asked.put(None)

    def _keep(self) -> None:
        """Start workers and end idle ones, in a thread that lasts: a worker dies with its starter.

        That is how Linux sees to it that none outlives the engine.
        """
        while True:
            try:
                asked = self._asked.get(timeout=self._idle_seconds if self._idle else None)
            except queue.Empty:
                asked = None
            if asked is not None:
                try:
                    asked.set_result(Worker(self._command))
                except OSError as error:
                    asked.set_exception(error)
            self._end_idle()

    def _end_idle(self) -> None:
        since = time.monotonic() - self._idle_seconds
        with self._lock:
            ended = [worker for worker in self._idle if worker.used_at <= since]
            self._idle = [worker for worker in self._idle if worker.used_at > since]
        for worker in ended:
            worker.end()


_POOL = Pool()


def read_in_worker(work: str, raw: bytes, *, name: str = "", seconds: float = SECONDS) -> Parts:
    """Return the parts of a file whose bytes are ``raw``; ``work`` is a key of ``WORK``.

    Raises:
        LoadError, OSError: as ``Pool.read``.
    """
    return _POOL.read(work, raw, name=name, seconds=seconds)


def close() -> None:
    """End the workers that wait."""
    _POOL.close()
