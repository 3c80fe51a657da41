"""The whole file of a hit, to read on in: it opens at the hit, and is loaded as it is scrolled."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from engine import figures
from engine.errors import HoverkiteError
from engine.safe_text import clean_line
from engine.wire.api_around import AroundRequest
from engine.wire.api_parts import PART_LINES, PartRequest
from tui import hit_row
from tui.dialog import Dialog
from tui.editor import place_of
from tui.filter_line import FilterLine
from tui.link import REST_AFTER_FAULT
from tui.messages import FilterLeft, HitOpened
from tui.page_keys import WHOLE_KEYS
from tui.page_messages import Goal, PartMissed, TextLeft, TextScrolled
from tui.preview import is_numbered
from tui.whole_text import WholeText

if TYPE_CHECKING:
    from engine.wire.api import FolderStatus
    from engine.wire.api_around import AroundLine
    from engine.wire.api_parts import PartReply
    from engine.wire.api_search import Hit
    from tui.link import EngineLink
    from tui.whole_text import Landmark

KEYS = {
    "text.top text.end": "top and end",
    "text.hit": "the hit",
    "whole.find": "finds",
    "whole.edit": "edits",
    "screen.help": "keys",
    "whole.close": "closes",
}
"""What the keys do, by the ids of their bindings."""
NOT_KNOWN = "The text of this file is not known any more."
NOT_FOUND = "These words stand nowhere in this file."
NO_HIT = "The hit is no longer in this file."
KEPT = "This file is gone. What is here is its text of before."
CHANGED, GONE, LOADING = "changed", "gone", "loading …"
MOMENT = 0.4
"""Seconds after which a person is told that the text is still awaited."""
PAUSE = 0.2
"""Seconds after the index changed until the text is looked at: more edits may follow."""
SHORTEST_PATH = 12
"""Cells of the path in the title …"""
ROOM_FOR_PLACE = 44
"""… and what the part of the file that is in view leaves for a longer one."""


class WholePage(Dialog[None]):
    """Shows the file of ``hit`` as it was read, with the words of ``query`` standing out."""

    AUTO_FOCUS = "WholeText"
    BINDINGS: ClassVar[list[BindingType]] = WHOLE_KEYS

    def __init__(self, hit: Hit, query: str, link: EngineLink, revision: int) -> None:
        """``revision`` is the one of the index before the text is asked for."""
        super().__init__()
        self.told = KEYS
        self._hit, self._query, self._link = hit, query, link
        self._revision, self._is_stale = revision, False
        self._first = self._fate = ""
        """The version of the text that was shown first, and what became of the file since."""
        self._loads = False
        """Whether the text was asked for so long ago that this is said."""
        self._goal: Goal | None = "hit"
        """Where the text is to begin anew."""
        self._missed: int | None = None
        self._step: int | None = None
        """Where to look for words: 0 from the first line in view on, 1 below the one that was found
        last, -1 above it."""
        self._found: int | None = None
        """The line that was found last, from 1."""
        self._news = asyncio.Event()
        self._news.set()

    def compose(self) -> ComposeResult:
        """Lay out the text."""
        with Vertical(classes="dialog page"):
            yield Static(id="note", markup=False)
            yield (text := WholeText(self._hit, self._query))
            yield FilterLine(text, "words to find")

    def on_mount(self) -> None:
        """Begin to ask for the text, once it is known how much of it there is room for."""
        self._show_place()
        self.call_after_refresh(self._keep_asking)

    def take_status(self, status: FolderStatus) -> None:
        """Look at the text again where the index has changed: it may be another one now."""
        if status.revision != self._revision:
            if not self._is_stale:
                self.set_timer(PAUSE, self._news.set)
            self._revision, self._is_stale = status.revision, True

    @work(exclusive=True, group="parts", exit_on_error=False)
    async def _keep_asking(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            slow, rest = self.set_timer(MOMENT, partial(self._say_it_loads, True)), 0.0
            try:
                await self._ask()
            except HoverkiteError as error:
                self._tell(f"{error.title}: {error}. {error.next_step}")
                rest = REST_AFTER_FAULT
            finally:
                slow.stop()
                self._say_it_loads(False)
            open_wishes = (self._goal, self._step, self._missed)
            if self._is_stale or any(wish is not None for wish in open_wishes):
                self._news.set()
            await asyncio.sleep(rest)

    async def _ask(self) -> None:
        """Ask for what is wanted most. What an error leaves undone is still wanted then."""
        goal, missed, step = self._goal, self._missed, self._step
        if step is not None:
            words = self.query_one(FilterLine).value
            await self._find(words, step)
            is_same = (step, words) == (self._step, self.query_one(FilterLine).value)
            self._step = None if is_same else self._step
        elif goal is not None:
            await self._begin(goal)
            self._goal = None if self._goal == goal else self._goal
        elif self._is_stale:
            self._is_stale = False
            try:
                await self._follow()
            except HoverkiteError:
                self._is_stale = True
                raise
        elif missed is not None:
            await self._add(missed)
            self._missed = None if self._missed == missed else self._missed

    async def _begin(self, goal: Goal) -> None:
        text = self.query_one(WholeText)
        last = text.reply.parts - 1 if text.reply else 0
        reply = await self._part({"hit": None, "top": 0, "end": last}[goal])
        self._note_version(reply)
        if reply.lines:
            text.begin(reply, at=goal if reply.has_hit or goal != "hit" else "top")

    async def _find(self, words: str, step: int) -> None:
        """Show the next line that holds ``words``, or the one before."""
        text = self.query_one(WholeText)
        top = text.at_top()
        text.look_for(words)
        if top is None or not words:
            return
        first = self._found if step and self._found else top[0]
        line = max(first + max(step, 0), 1)
        place = AroundRequest.of(self._hit, 0)
        reply = await self._asked(PartRequest(place=place, find=words, line=line, back=step < 0))
        self._note_version(reply)
        self._found = reply.found
        if reply.found is not None:
            text.begin_at_found(reply, reply.found)
        elif reply.lines:
            self._tell(NOT_FOUND)

    @on(Input.Changed)
    def _look_for_typed(self, event: Input.Changed) -> None:
        event.stop()
        self._seek(0)

    @on(FilterLeft)
    def _leave_find(self) -> None:
        line = self.query_one(FilterLine)
        line.display = bool(line.value)
        if not line.value:
            self._tell("")

    def action_filter(self) -> None:
        """Have words typed that are looked for."""
        line = self.query_one(FilterLine)
        line.display = True
        self.set_focus(line)

    def action_find(self, step: int) -> None:
        """Go to the next line that holds the words, or to the one before."""
        if self.query_one(FilterLine).value:
            self._seek(step)
        else:
            self.action_filter()

    def _seek(self, step: int) -> None:
        self._step = step
        self._news.set()

    async def _add(self, number: int) -> None:
        text = self.query_one(WholeText)
        reply = await self._part(number)
        if text.reply and reply.version == text.reply.version:
            self._note_version(reply)
            text.add(reply)
        else:  # what is held is another text
            self._is_stale = True

    async def _follow(self) -> None:
        """Show the text as it is now, if it is another one; the line at the top stays there."""
        text = self.query_one(WholeText)
        landmark = text.landmark()
        if landmark is None or text.reply is None:
            await self._begin("hit")
            return
        reply = await self._part_with(landmark)
        if reply.lines and reply.version != text.reply.version:
            await self._begin_at(landmark, reply)
        else:
            self._note_version(await self._part(reply.part))

    async def _begin_at(self, landmark: Landmark, found: PartReply) -> None:
        """Show the text, in a part of which the ``landmark`` was ``found``, or was not."""
        text = self.query_one(WholeText)
        lines = enumerate(found.lines, found.first)
        known = next((number for number, line in lines if line.is_hit), None)
        number = min(known or landmark.number, found.total)
        first = max(number - 1 - landmark.above, 0) // PART_LINES
        last = min(number - 1 + text.size.height, found.total - 1) // PART_LINES
        replies = [await self._part(part) for part in range(first, last + 1)]
        if any(reply.version != found.version for reply in replies):
            self._is_stale = True  # it was changed again
            return
        self._note_version(replies[0])
        text.begin_at(replies, number, landmark.above)

    def _note_version(self, reply: PartReply) -> None:
        """Say what a reply tells of the text: that it changed, is gone, or has the hit no more."""
        held = self.query_one(WholeText).reply
        if not reply.lines:
            self._fate = GONE if held else ""
            self._tell(KEPT if held else NOT_KNOWN)
        else:
            self._first = self._first or reply.version
            self._fate = "" if reply.version == self._first else CHANGED
            self._tell("" if reply.has_hit else NO_HIT)
        self._show_place()

    async def _part(self, number: int | None) -> PartReply:
        return await self._asked(PartRequest(place=AroundRequest.of(self._hit, 0), part=number))

    async def _part_with(self, landmark: Landmark) -> PartReply:
        line = landmark.line
        place = AroundRequest(
            path=self._hit.path,
            quoted_path=self._hit.quoted_path,
            start_line=line.line,
            end_line=line.line,
            part=line.part,
            text=line.text,
        )
        return await self._asked(PartRequest(place=place))

    async def _asked(self, request: PartRequest) -> PartReply:
        engine, folder = await self._link.ready()
        return await engine.part(folder, request)

    @on(PartMissed)
    def _ask_for_more(self, message: PartMissed) -> None:
        self._missed = message.part
        self._news.set()

    @on(TextLeft)
    def _go_elsewhere(self, message: TextLeft) -> None:
        self._goal = message.goal
        self._news.set()

    def _tell(self, words: str) -> None:
        note = self.query_one("#note", Static)
        note.display = bool(words)
        note.update(Content.styled(clean_line(words), "$text-warning"))

    def _say_it_loads(self, loads: bool) -> None:
        """Say so in the title: a note would take a row away from the text, and give it back."""
        if loads != self._loads:
            self._loads = loads
            self._show_place()

    @on(TextScrolled)
    def _show_place(self) -> None:
        """Say in the title which part of the file is in view, and what became of the file."""
        text = self.query_one(WholeText)
        top = text.at_top()
        place = f" · {self._place(*top, text.reply.total)}" if top and text.reply else ""
        words = (self._fate, LOADING if self._loads else "")
        fate = "".join(f" · {word}" for word in words if word)
        room = self.size.width - ROOM_FOR_PLACE - len(fate)
        path = hit_row.elide_path(clean_line(self._hit.path), max(room, SHORTEST_PATH))
        title = Content.assemble(
            "file", (f" · {path}{place}", "not bold $quiet"), (fate, "not bold $text-warning")
        )
        self.query_one(Vertical).border_title = title

    def _place(self, number: int, line: AroundLine, total: int) -> str:
        if line.part is not None:
            return clean_line(str(line.part))
        if is_numbered(self._hit):
            return f"line {figures.count(number)} of {figures.count(total)}"
        return f"{number * 100 // total}{figures.GAP}%"

    def action_edit(self) -> None:
        """Open the file in the editor at the line with which the view begins."""
        top = self.query_one(WholeText).at_top()
        if top is None or not is_numbered(self._hit):
            self.post_message(HitOpened(self._hit, self._link.root))
        else:
            place = place_of(self._hit.path, self._hit.quoted_path, top[1].line)
            self.post_message(HitOpened(place, self._link.root))

    def action_close(self) -> None:
        """Close the page."""
        self.dismiss(None)
