"""What the results show: the hits of the question, or of what was typed since; kept fresh."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from textual import on, work

from engine.errors import EngineError, HoverkiteError
from engine.safe_text import clean_line
from tui import messages, notes, typed_query
from tui.borders import Borders
from tui.outcome import is_partly_read
from tui.search import Found, Search, mode_after

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.content import Content

    from engine.wire import api
    from engine.wire.api_search import Hit, Mode, SearchReply, SearchRequest
    from tui.link import EngineLink

log = logging.getLogger(__name__)

REFRESH_PAUSE = 0.5
"""Seconds between two quiet searches while the index keeps changing …"""
LONGEST_PAUSE = 30.0
"""… and at most while they fail."""
TYPING_PAUSE = 0.13
"""Seconds without a key after which what was typed is searched …"""
BUSY_PAUSE = 0.3
"""… and while the folder is being indexed."""
LEAST_TYPED = 2
"""Characters from which what is typed is searched."""
MOST_LINES = 200
"""Lines that an exact search shows."""
NO_LONGER_FOUND = "This hit is no longer found: its text is gone, was changed, or is less near now"
LINES_AROUND = 100
"""Lines on each side of a hit that are shown of its surroundings."""


class LiveResults(Borders):
    """Searches what is typed, and again what is shown; knows of the answer only its question."""

    def __init__(self, link: EngineLink) -> None:
        super().__init__()
        self._link = link
        self._as_you_type = True
        self._reranks = False
        self._most_hits: int | None = None
        """How many hits a search returns, unless it is exact; None before that is known."""
        self._mode: Mode | None = None
        """What was chosen on the screen; None: as the settings say."""
        self._setting_mode: Mode = "hybrid"
        self._asked: Search | None = None
        """The search of the question that the answer belongs to."""
        self._evidence: Sequence[Hit] = ()
        """The hits that the answer stands on."""
        self._found: Found | None = None
        """The latest hits of that question."""
        self._sought: Search | None = None
        """The search that shall be shown in place of the question's; None for none."""
        self._shown: Search | None = None
        """The search whose hits are on the screen; None where there is a note."""
        self._first: dict[bool, Sequence[Hit]] = {}
        """The hits that the question was first shown with, and those of what was typed: its own
        are under True."""
        self._read_before = False
        """Whether the folder was being read for the first time when hits were refreshed last."""
        self._edition = 0
        """How many changes of the index are known."""
        self._shown_edition = 0
        """The one of which the hits on the screen are."""
        self._outdated = asyncio.Event()
        """Set when the hits on the screen may be of an earlier one."""
        self._status: api.FolderStatus | None = None
        self._survey: api.FolderSurvey | None = None

    def on_mount(self) -> None:
        """Begin to follow the index."""
        self._keep_hits_fresh()

    @property
    def question(self) -> str:
        """The question that was asked last; empty before the first."""
        return "" if self._asked is None else self._asked.query

    @on(messages.SettingsLoaded)
    def _take_settings(self, message: messages.SettingsLoaded) -> None:
        self._as_you_type = message.settings.search_as_you_type
        self._setting_mode = message.settings.search_mode
        self._most_hits = message.settings.hits
        self._reranks = bool(message.settings.rerank_model)

    @property
    def prefers_evidence(self) -> bool:
        """While hits of what is typed are shown, which the answer does not speak of."""
        return self._shown is not None and not self._shown.asked and bool(self.results.hits)

    # --- searching ---------------------------------------------------------------------------

    @on(messages.QueryTyped)
    def _search_typed(self, message: messages.QueryTyped) -> None:
        query, words = message.text.strip(), message.words.strip()
        if self._sought is not None and query == self._sought.query:
            return
        if len(words) < LEAST_TYPED or query == self.question:
            self._return_to_answer()
        elif self._as_you_type:
            busy = self._status is not None and self._status.state == "indexing"
            search = Search(query, self._mode, words="" if words == query else words)
            self._seek(search, BUSY_PAUSE if busy else TYPING_PAUSE)

    def _seek(self, search: Search, pause: float = 0.0) -> None:
        """Show the hits of ``search`` once they are there; until then those shown now stay."""
        self._sought = search
        self._find(search, pause)

    @work(exclusive=True, group="typed", exit_on_error=False)
    async def _find(self, search: Search, pause: float) -> None:
        """Search; begun again or cancelled, it closes its request, and the engine ends its work."""
        await asyncio.sleep(pause)
        try:
            if self._reranks:  # which may take seconds: what is found shows before it is reranked
                first = await self._hits_of(search, rerank=False)
                self.post_message(messages.HitsArrived(search, first))
                if first.reply.mode != "hybrid":  # of which alone hits are reranked
                    return
            found = await self._hits_of(search)
        except HoverkiteError as error:
            self.post_message(messages.SearchFailed(search, error))
        except Exception as error:  # the boundary of a task: what is typed must not be in vain
            log.exception("a search broke")
            failure = EngineError(f"{type(error).__name__}: {error}")
            self.post_message(messages.SearchFailed(search, failure))
        else:
            self.post_message(messages.HitsArrived(search, found))

    async def _hits_of(self, search: Search, *, rerank: bool = True) -> Found:
        engine, folder = await self._link.ready()
        edition = self._edition
        return Found(await engine.search(folder, self._request(search, rerank=rerank)), edition)

    def _request(self, search: Search, *, rerank: bool) -> SearchRequest:
        from engine.wire.api_search import SearchRequest

        return SearchRequest(
            query=search.words or search.query,
            mode=search.mode,
            hits=MOST_LINES if typed_query.asks_for_lines(search.query) else None,
            explain=self.preview.explains,
            rerank=rerank,
        )

    @on(messages.HitsArrived)
    def _show_found(self, message: messages.HitsArrived) -> None:
        search = message.search
        if search is not self._sought:
            return  # something else was typed, or asked, since
        again = self._shown is not None and self._shown.query == search.query
        if search.asked:  # in another mode than before, it is kept fresh and returned to in that
            self._asked, self._found = search, message.found
        self._show(search, message.found, again=again, anew=not search.again)

    def _show(self, search: Search, found: Found, *, again: bool, anew: bool = True) -> None:
        """Show the hits of ``search``; found ``again``, they leave the cursor on its hit.

        Hits of a query that is not asked or typed ``anew`` tell what became of them.
        """
        self._shown, self._shown_edition, reply = search, found.edition, found.reply
        if self._is_outdated:
            self._outdated.set()
        if anew or search.asked not in self._first:
            self._first[search.asked] = reply.hits
        self.preview.take_reply(reply)
        about = "" if search.query == self.query_pane.input.text.strip() else search.query
        cited = self._evidence if search.asked else ()
        self.results.show_reply(
            reply,
            self._chunks,
            about=about,
            cited=cited,
            again=again,
            since=self._first[search.asked],
            most=None if reply.mode == "exact" else self._most_hits,
            anew=anew,
        )
        if not self.results.list.all_rows:
            self.preview.show_nothing()
        self.results.tell_far(search.asked and self._nothing_is_near)
        self._name_question()
        self.rearrange()
        self._note_unasked()

    def _note_unasked(self) -> None:
        """Say in place of an answer what asks for one, before any question."""
        if not self.question:
            lines = typed_query.asks_for_lines(self._shown_query)
            self.answer.show_note(notes.lines_note() if lines else notes.answer_note())

    @property
    def _awaits_hits(self) -> bool:
        """Whether the question's hits are still to come."""
        return self.answering and self._found is None

    @property
    def _nothing_is_near(self) -> bool:
        """Whether no passage is near enough to hold an answer to the question."""
        return False

    def _name_question(self) -> None:
        """Have the answer say what it answers while the hits beside it are those of another."""
        shown = self._shown
        elsewhere = shown is not None and not shown.asked and shown.query != self.question
        self.answer.name_question(self.question if elsewhere else "")

    @on(messages.SearchFailed)
    def _tell_failure(self, message: messages.SearchFailed) -> None:
        if message.search is self._sought and self._link.is_open:
            self.results.tell_fault(message.error)

    # --- the question's hits, and those of what is typed ------------------------------------------

    def _forget_typed(self) -> None:
        """Have what was typed no longer searched."""
        self._sought = None
        self.workers.cancel_group(self, "typed")

    def _return_to_answer(self) -> None:
        """Show the hits of the answered question again."""
        self._forget_typed()
        if self._shown is not None and self._shown.asked:
            self.results.tell_fault(None)
            return
        if self._asked is not None and self._found is not None:
            self._show(self._asked, self._found, again=False, anew=False)
        elif self._shown is not None:
            self._show_rest()
        self._name_question()

    def _show_rest(self) -> None:
        """Show a note in place of hits."""
        self._show_note(notes.results_note(self._status, self._survey))
        self.preview.show_nothing()
        self._note_unasked()

    def _show_note(self, note: Content) -> None:
        self._shown = None
        self.rearrange()
        self.results.show_note(note)

    @property
    def _shown_query(self) -> str:
        return "" if self._shown is None else self._shown.query

    @property
    def _chunks(self) -> int | None:
        return None if self._status is None else self._status.chunks

    # --- what changes meanwhile --------------------------------------------------------------

    def _count_change(self) -> None:
        """Know that the index has changed: hits of before may be outdated."""
        self._edition += 1
        self._outdated.set()

    @property
    def _is_outdated(self) -> bool:
        """Whether the hits on the screen are to be searched again."""
        is_kept_fresh = self._shown is not None and not self._shown.fixed
        return is_kept_fresh and self._shown_edition != self._edition

    @work(group="refresh", exit_on_error=False)
    async def _keep_hits_fresh(self) -> None:
        pause = REFRESH_PAUSE
        while True:
            await self._outdated.wait()
            self._outdated.clear()
            search = self._shown
            if search is None or not self._is_outdated:
                continue
            try:
                self.post_message(messages.HitsRefreshed(search, await self._hits_of(search)))
                pause = REFRESH_PAUSE
            except Exception as error:  # later changes must still be followed
                log.warning("a quiet search failed: %r", error)
                self._outdated.set()
                pause = min(2 * pause, LONGEST_PAUSE)
            await asyncio.sleep(pause)

    @on(messages.HitsRefreshed)
    def _refresh_hits(self, message: messages.HitsRefreshed) -> None:
        search, found = message.search, message.found
        if search is not self._shown:
            return
        if search.asked:
            self._found = found = Found(self._with_pinned(found.reply), found.edition)
            if found.reply.hits and not self._evidence:
                self.answer.mark_outdated()
        reads = self._status is not None and is_partly_read(self._status)
        # While more and more files can be found, hits that others pass are no news.
        self._show(search, found, again=True, anew=reads or self._read_before)
        self._read_before = reads

    @on(messages.HitStepped)
    def _step(self, message: messages.HitStepped) -> None:
        self.results.step(message.step)

    @on(messages.HitOpened)
    def _refuse_gone(self, message: messages.HitOpened) -> None:
        """Open no file at the lines of a hit that does not stand there any more."""
        message.root = self._link.root  # another folder may be shown when the app hears of it
        if self.results.is_gone(message.hit):
            message.stop()
            message.prevent_default()
            self.notify(NO_LONGER_FOUND, severity="warning", markup=False)

    def _with_pinned(self, reply: SearchReply) -> SearchReply:
        """The question's hits as they are found now, with those a person put beside them."""
        return reply

    # --- modes, and why a hit is there -------------------------------------------------------

    @on(messages.ModeChosen)
    def _change_mode(self, message: messages.ModeChosen) -> None:
        """Search in another mode from now on, and at once what is shown."""
        self._mode = message.mode or mode_after(self._mode or self._setting_mode)
        self.query_pane.show_mode(self._mode)
        self._seek_again(self._mode)

    def _seek_again(self, mode: Mode | None, *, anew: bool = True) -> None:
        """Search again what is shown, or shall be; nothing that only stands there until it is."""
        search = self._sought or (None if self._awaits_hits else self._shown)
        if search is not None and not search.fixed:
            self._seek(replace(search, mode=mode, again=not anew and search is self._shown))

    @on(messages.WhyAsked)
    def _explain(self) -> None:
        self.preview.toggle_explanation()
        if self.preview.explains and self._shown is not None:
            self._seek_again(self._shown.mode, anew=False)  # with what was cut

    # --- what stands around a hit ------------------------------------------------------------

    @on(messages.AroundAsked)
    def _toggle_surroundings(self) -> None:
        self.workers.cancel_group(self, "around")
        self.preview.toggle_surroundings()

    @on(messages.SurroundingsWanted)
    def _find_surroundings(self, message: messages.SurroundingsWanted) -> None:
        self._look_around(message.hit)

    @work(exclusive=True, group="around", exit_on_error=False)
    async def _look_around(self, hit: Hit) -> None:
        """Find what is around ``hit``; begun for another one, it closes its request."""
        from engine.wire.api_around import AroundReply, AroundRequest

        found, fault = AroundReply(), ""
        try:
            engine, folder = await self._link.ready()
            found = await engine.around(folder, AroundRequest.of(hit, LINES_AROUND))
        except HoverkiteError as error:
            log.warning("looking around a hit failed: %s", error)
            fault = clean_line(error.title)
        self.post_message(messages.SurroundingsFound(hit, found, fault))

    @on(messages.SurroundingsFound)
    def _show_surroundings(self, message: messages.SurroundingsFound) -> None:
        self.preview.take_surroundings(message.hit, message.found, message.fault)
