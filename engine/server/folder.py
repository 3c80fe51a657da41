"""One open folder: its manifest, index, sync and watch, and the state a screen shows of them."""

import asyncio
import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from engine import paths, wanted
from engine.config import Settings
from engine.errors import FolderError, HoverkiteError
from engine.files import scan
from engine.files.watch import Hints, Watch
from engine.searching.exact import find_exact
from engine.searching.listing import find_listed
from engine.searching.reranker import Reranker
from engine.searching.search import Searcher
from engine.server.listed_files import ListedFiles
from engine.server.mending import Mending
from engine.server.shared_encoder import SharedEncoder
from engine.server.shown import Shown
from engine.storage.conversations import FolderConversations
from engine.storage.index import Index, open_index
from engine.storage.manifest import Manifest
from engine.syncing.batch import Outcome
from engine.syncing.catch_up import CatchUp
from engine.syncing.sync import Sync
from engine.syncing.tidying import Tidying
from engine.syncing.writer import Lane, Steps, Writer
from engine.wire import api
from engine.wire.api_search import SearchReply, SearchRequest
from engine.wire.problems import as_known
from engine.wire.query import of_request

if TYPE_CHECKING:
    from engine.encoding.embedding import Encoder

log = logging.getLogger(__name__)

_T = TypeVar("_T")

LOOK_AGAIN = 1.0
"""Seconds until a file that changed while it was read is looked at again."""
IDLE = 30.0
"""Seconds without a search or a change before dead rows are removed from Milvus."""


class Folder:
    """A folder that is open in the engine. All methods run on the event loop."""

    def __init__(
        self,
        root: Path,
        manifest: Manifest,
        settings: Settings,
        encoder: SharedEncoder,
        on_change: Callable[[], None],
        *,
        give_way: Callable[[], bool] = lambda: False,
        reranker: Reranker | None = None,
    ) -> None:
        """``give_way`` tells whether bulk work should leave the processor to somebody else."""
        self.id, self.root = paths.short_hash(str(root)), root
        self._settings, self._manifest = settings, manifest
        self._shared_encoder, self._on_change = encoder, on_change
        self._reranker = reranker or Reranker(settings)
        self.conversations = FolderConversations(paths.index_dir(root), settings.conversation_days)
        self._index: Index | None = None
        self._sync: Sync | None = None
        self._searcher: Searcher | None = None
        self._writer = Writer(self.id[:6], give_way=give_way)
        self._mending = Mending(self._writer, self._check_open)
        self._bulk = Lane(self._run_bulk, self._start)
        self._edits = Lane(self._run_edits, self._start)
        acting = self._edits, self._follow, self._start, on_change
        self.files = ListedFiles(manifest, self._writer, *acting)
        self._stopping = threading.Event()
        self._loop = asyncio.get_running_loop()
        self._opened: asyncio.Future[tuple[Encoder, Index]] = self._loop.create_future()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._shown = Shown(str(root), manifest.counts())
        self._searchable = asyncio.Event()
        """Set once there is something to search, or certainly nothing."""
        self._last_use = time.monotonic()
        self._tidying: Tidying | None = None
        self._catch_up = CatchUp(lambda: self._result_of(self._look_at_all()), self._start)
        self._watch = Watch(root, self.files.follow)

    @property
    def failed_to_open(self) -> bool:
        """Whether this folder can only be closed, and opened anew."""
        done = self._opened.done()
        failed = done and (self._opened.cancelled() or self._opened.exception() is not None)
        return failed or self._manifest.damaged

    @property
    def closed(self) -> bool:
        """Whether it was closed; the same folder may be open anew."""
        return self._stopping.is_set()

    @property
    def milvus_pid(self) -> int | None:
        """Process id of this folder's Milvus Lite server."""
        return self._index.pid if self._index else None

    @property
    def agreed(self) -> bool:
        """Whether this folder was indexed, or agreed to, before."""
        return self._manifest.fact("agreed") is not None

    def agree(self) -> None:
        """Remember that this folder may be indexed."""
        self._manifest.set_fact("agreed", str(int(time.time())))
        self._manifest.set_fact("root", str(self.root))

    def begin(self) -> None:
        """Open the index, reconcile and watch, all in the background."""
        self._start(self._open())
        self._start(self.conversations.tend())

    async def close(self) -> None:
        """Stop after the batch in hand and close everything; whoever waits gets a FolderError."""
        self._stopping.set()
        self._opened.cancel()
        self._searchable.set()
        for task in self._tasks:
            task.cancel()
        for lane in (self._bulk, self._edits):
            lane.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.conversations.close()
        await asyncio.to_thread(self._writer.close)
        if self._index:
            await asyncio.to_thread(self._index.close)
        await asyncio.to_thread(self._manifest.close)

    async def _open(self) -> None:
        try:
            encoder, index = await self._open_all()
        except Exception as error:  # whoever waits for the folder must hear of it
            self._opened.set_exception(self._fail(error))
            self._opened.exception()  # seen: nobody may be waiting
            return
        if not index.is_empty:
            self._searchable.set()
        self._opened.set_result((encoder, index))
        self._start(self._watch.run())
        self._start(self._tidy_when_idle())

    async def _open_all(self) -> "tuple[Encoder, Index]":
        """Open the index beside the encoder, where it is known what the encoder will be."""
        expected = await asyncio.to_thread(self._shared_encoder.expected)
        if expected:
            opening = self._writer.do(partial(self._open_index, *expected))
            _, encoder = await asyncio.gather(opening, self._shared_encoder.get())
        else:
            encoder = await self._shared_encoder.get()
        if expected != (encoder.model_id, encoder.dimension):
            await self._writer.do(partial(self._open_index, encoder.model_id, encoder.dimension))
        assert self._index
        self._tidying = Tidying(self._manifest, self._index, encoder)
        parts = self._settings, self._manifest, self._index, encoder
        self._searcher = Searcher(*parts, self._reranker)
        begin = partial(Sync, data=paths.data_dir(), stopping=self._stopping)
        self._sync = await self._writer.do(partial(begin, self.root, *parts))
        self.files.sync, self._sync.clock = self._sync, self._writer.clock
        return encoder, self._index

    def _open_index(self, model_id: str, dimension: int) -> None:
        if self._index:
            self._index.close()
        server = self._settings.milvus_uri
        # Kept at once, for whoever closes the folder meanwhile.
        self._index = open_index(self.root, server, self._manifest, model_id, dimension)

    async def synced(self) -> api.SyncFinished:
        """Reconcile, unless that is paused, and return the summary.

        Raises:
            HoverkiteError: why the folder can't be brought up to date.
        """
        begun = time.monotonic()
        await self._result_of(self._opened)
        # A client that leaves must not stop the work: the next one wants it too.
        outcome = Outcome()
        if not self.paused:
            for lane in (self._bulk, self._edits):
                if lane.current:
                    outcome += await self._result_of(lane.current)
            outcome += await self._result_of(self._look_at_all())
        seconds = time.monotonic() - begun
        return outcome.summary(self._shown.counts, self._shown.skipped, seconds)

    @property
    def paused(self) -> bool:
        """Whether reading and embedding wait."""
        return self._writer.paused

    def pause(self, *, paused: bool) -> None:
        """Let them wait, or go on; a search waits for neither."""
        self._writer.pause(paused=paused)
        self._searchable.set()
        self.files.count_waiting()

    def _follow(self, hints: Hints) -> asyncio.Future[Outcome]:
        """Act on hints. Whatever is met is shown, and the watch goes on."""
        if not hints.everything:
            return self._edits.ask(hints)
        if not hints.paths:
            return self._bulk.ask(hints)
        return self._start(self._follow_all(hints.paths))

    async def _follow_all(self, paths: set[bytes]) -> Outcome:
        """Look at ``paths``, which a person may wait for since when can't be told, then at all."""
        with contextlib.suppress(HoverkiteError):  # which is shown; the look at all tries again
            await self._result_of(self._edits.ask(Hints(0, paths)))
        return await self._result_of(self._look_at_all())

    def _look_at_all(self) -> asyncio.Future[Outcome]:
        return self._bulk.ask(Hints(time.time(), everything=True))

    async def _run_edits(self, hints: Hints) -> Outcome:
        """Make the few files that a person saved searchable, between two steps of bulk work."""
        assert self._sync, "the folder is open"
        edits = await self._finish(partial(self._sync.edits, hints))
        if edits.left:
            self._bulk.ask(edits.left)
        if edits.outcome is None:
            return Outcome()
        if edits.outcome.any_change and hints.since:
            self._shown.last_edit_ms = round((time.time() - hints.since) * 1000, 1)
        await self._settle(edits.outcome)
        if self._catch_up.behind:
            self._look_at_all()
        return edits.outcome

    async def _run_bulk(self, hints: Hints) -> Outcome:
        """Bring the whole folder, or many files of it, up to date."""
        assert self._sync, "the folder is open"
        failures = self._catch_up.failures
        outcome = await self._finish(partial(self._sync.run, hints, self._report), bulk=True)
        self._shown.progress = api.Progress()
        if hints.everything:
            self._catch_up.succeeded(failures)
        await self._settle(outcome, bulk=True)
        assert self._index, "the folder is open"
        see = self._index.see_that_words_are_found
        await self._mending.trying(self._index, lambda: self._writer.do(see))
        return outcome

    async def _finish(self, begin: Callable[[], Steps[_T]], *, bulk: bool = False) -> _T:
        """Do the work that ``begin`` begins, from its beginning whenever the store breaks."""
        assert self._index, "the folder is open"
        try:
            return await self._mending.trying(
                self._index, lambda: self._writer.finish(begin(), bulk=bulk)
            )
        except Exception as error:  # whoever waits hears of it in known words
            self._catch_up.failed()
            raise self._fail(error) from None

    async def _settle(self, outcome: Outcome, *, bulk: bool = False) -> None:
        self._shown.counts = self._manifest.counts()
        await asyncio.to_thread(self._shown.skip, self._manifest, self._sync)
        self._last_use = time.monotonic()
        self._searchable.set()
        if bulk or not self._bulk.busy:
            self._shown.watched(self._watch.partial)
        self._shown.unsettled = len(outcome.unsettled)
        if outcome.any_change:
            self._shown.revision += 1
        if outcome.unsettled:
            self._start(self._look_again(outcome.unsettled))
        self._on_change()

    async def _look_again(self, unsettled: list[bytes]) -> None:
        await asyncio.sleep(LOOK_AGAIN)
        self._follow(Hints(time.time(), set(unsettled)))

    async def _tidy_when_idle(self) -> None:
        while True:
            await asyncio.sleep(IDLE / 3)
            await self.tidy_if_idle()

    async def tidy_if_idle(self) -> None:
        """Give back what nobody uses, unless somebody would wait for it."""
        busy = self._bulk.busy or self._edits.busy
        if busy or time.monotonic() - self._last_use < IDLE:
            return
        assert self._tidying and self._index, "the folder is open"
        tidying = self._tidying.run
        try:
            await self._mending.trying(self._index, lambda: self._writer.do(tidying))
        except HoverkiteError as error:  # the next sync or search mends it
            log.warning("tidying up failed: %s", error)

    async def examined(self, look: Callable[[Manifest, Index], _T]) -> _T:
        """Return what ``look`` finds in manifest and index, between two steps of the writer."""
        _, index = await self._result_of(self._opened)
        look_now = partial(look, self._manifest, index)
        return await self._mending.trying(index, lambda: self._writer.do(look_now))

    async def looked_up(self, look: Callable[[Manifest], _T]) -> _T:
        """Return what ``look`` finds in the manifest; it waits for neither writer nor index."""
        self._last_use = time.monotonic()
        self._check_open()
        return await wanted.in_thread(partial(look, self._manifest))

    async def search(self, request: SearchRequest) -> SearchReply:
        """Return what ``request`` asks for; an exact search waits for neither encoder nor index.

        Raises:
            HoverkiteError: the query, the encoder or the index can't be used.
        """
        begun = self._last_use = time.monotonic()
        self._check_open()
        asked = of_request(request)
        if find := find_exact if asked.exact else find_listed if asked.is_listing else None:
            most = request.hits or self._settings.hits
            return await wanted.in_thread(partial(find, asked, request, self._manifest, most))
        _, index = await self._result_of(self._opened)
        await self._searchable.wait()
        self._check_open()
        assert self._searcher, "the folder is open"
        searching = partial(self._searcher.search, request, asked)
        reply = await self._mending.trying(index, lambda: wanted.in_thread(searching))
        return reply.model_copy(update={"took_ms": round((time.monotonic() - begun) * 1000, 1)})

    async def read_with(self, look: "Callable[[Encoder, Index], _T]") -> _T:
        """Return what ``look`` finds with encoder and index, in a thread."""
        return await wanted.in_thread(partial(look, *await self._result_of(self._opened)))

    def status(self, llm: api.LlmState, vllm_pid: int | None) -> api.FolderStatus:
        """Return everything there is to show about this folder."""
        return self._shown.status(
            self._sync.last_scan if self._sync else scan.Scan(),
            embedding=self._shared_encoder.state(),
            llm=llm,
            pids=api.Processes(engine=os.getpid(), milvus=self.milvus_pid, vllm=vllm_pid),
            embedded_total=self._manifest.embedded_total,
            watch=self._watch_state(),
            waiting=self.files.waiting,
            trouble=self._index.trouble if self._index else "",
        )

    def _watch_state(self) -> api.WatchState:
        if self.paused or not self._opened.done():
            return "paused" if self.paused else "off"
        return "partial" if self._watch.partial else "events"

    def _show(self, state: api.FolderState, detail: str) -> None:
        self._searchable.set()
        self._shown.state, self._shown.detail, self._shown.progress = state, detail, api.Progress()
        self._on_change()

    def _report(self, progress: api.Progress) -> None:
        """Take a sync's progress, in the writer's thread."""
        self._shown.skip(self._manifest, self._sync)
        self._loop.call_soon_threadsafe(self._take_progress, progress, self._manifest.counts())

    def _take_progress(self, progress: api.Progress, counts: tuple[int, int]) -> None:
        if self._bulk.current:
            self._shown.advance(progress, counts)
            if progress.files_done:
                self._searchable.set()
            self._on_change()

    def _fail(self, error: Exception) -> HoverkiteError:
        """Show why the folder can't be followed, and return it in a person's words."""
        known = as_known(error)
        state: api.FolderState = "missing" if isinstance(known, FolderError) else "failed"
        self._show(state, f"{known}. {known.next_step}")
        return known

    async def _result_of(self, work: asyncio.Future[_T]) -> _T:
        """Wait for shared work, which goes on if the caller leaves."""
        await asyncio.wait({work})
        self._check_open()
        return work.result()

    def _check_open(self) -> None:
        if self._stopping.is_set():
            raise FolderError(f"{self.root} was closed meanwhile", "Open it again: it goes on then")

    def _start(self, work: Coroutine[None, None, _T]) -> asyncio.Task[_T]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._end)
        return task

    def _end(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and isinstance(error := task.exception(), Exception):
            self._fail(error)
