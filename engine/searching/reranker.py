"""Hits in the order of a cross-encoder: loaded by the first search, shared by all folders.

It reads query and chunk together, which is more exact than comparing vectors, and slow: so only
the best that the search found are given to it. Off unless ``rerank_model`` is set.
"""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import chain, islice
from typing import TYPE_CHECKING

from engine import wanted
from engine.config import Settings
from engine.errors import HoverkiteError
from engine.wire.api_search import RERANKER_LOADING
from engine.wire.problems import as_known

if TYPE_CHECKING:
    from engine.encoding.cross_encoder import CrossEncoder
    from engine.storage.index import Found

TRY_AGAIN = 60.0
"""Seconds after which a model that could not be loaded is tried again by a search."""
LOOK_EVERY = 0.05
"""Seconds between two looks whether a search that waits for its turn is still wanted."""

log = logging.getLogger(__name__)


class Reranker:
    """The one cross-encoder of the engine. May be asked from several threads at once."""

    def __init__(self, settings: Settings, now: Callable[[], float] = time.monotonic) -> None:
        self._settings, self._now = settings, now
        self._state = threading.Lock()
        self._turn = threading.Lock()
        self._loading: threading.Thread | None = None
        self._model: CrossEncoder | None = None
        self._problem: HoverkiteError | None = None
        self._failed_at = 0.0
        self._closed = False

    def best_first(
        self, query: str, found: "Iterable[Found]"
    ) -> "tuple[Iterable[Found], list[str]]":
        """Return ``found`` with its first chunks in the model's order, and what is to be told.

        Chunks that hold more of the query's names stay before the others. Without a model that is
        ready, ``found`` is returned as it is.

        Raises:
            NoLongerWantedError: whoever asked has left.
        """
        if not self._settings.rerank_model:
            return found, []
        rest = iter(found)
        first = [*islice(rest, self._settings.rerank_hits)]
        if not first:
            return [], []
        model, notice = self._ready()
        if model is None:
            return chain(first, rest), [notice]
        texts = [one.stored.chunk.embedded for one in first]
        try:
            with self._in_turn():
                scores = model.scores(query, texts)
        except HoverkiteError as error:
            return chain(first, rest), [_told(error)]
        order = sorted(range(len(first)), key=lambda at: (-len(first[at].named), -scores[at]))
        ranked = (replace(first[at], rerank_score=scores[at]) for at in order)
        return chain(ranked, rest), []

    def _ready(self) -> "tuple[CrossEncoder | None, str]":
        """Return the model if it is loaded, else why not; the first call has it loaded."""
        with self._state:
            if self._model is None and not self._loading and not self._closed:
                if self._problem and self._now() - self._failed_at < TRY_AGAIN:
                    return None, _told(self._problem)
                self._loading = threading.Thread(target=self._load, name="reranker", daemon=True)
                self._loading.start()
            return self._model, RERANKER_LOADING

    def _load(self) -> None:
        try:
            from engine.encoding import cross_encoder

            model = cross_encoder.load(self._settings)
        except Exception as error:  # every search tells it in known words
            with self._state:
                self._problem, self._failed_at, self._loading = as_known(error), self._now(), None
            log.warning("the reranker can't be used: %s", self._problem)
            return
        with self._state:
            self._model, self._problem, self._loading = model, None, None

    @contextlib.contextmanager
    def _in_turn(self) -> Iterator[None]:
        """Wait for the searches before this one, as long as somebody wants it."""
        while not self._turn.acquire(timeout=LOOK_EVERY):
            wanted.check()
        try:
            yield
        finally:
            self._turn.release()

    async def close(self) -> None:
        """Let go of the model; a load that is under way ends first."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        with self._state:
            self._closed, loading = True, self._loading
        while loading and loading.is_alive():
            from engine.encoding import encoder_build

            encoder_build.end_children()
            loading.join(LOOK_EVERY)
        with self._state:
            self._model = None


def _told(error: HoverkiteError) -> str:
    return f"hits are not reranked: {error}. {error.next_step}"
