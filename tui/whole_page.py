"""The whole file of a hit, to read on in: it opens at the hit, and is loaded as it is scrolled."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from engine import figures
from engine.errors import HoverkiteError
from engine.safe_text import clean_line
from engine.wire.api_around import AroundRequest
from engine.wire.api_parts import PartRequest
from tui import hit_row
from tui.dialog import Dialog
from tui.editor import place_of
from tui.link import REST_AFTER_FAULT
from tui.messages import HitOpened
from tui.page_keys import WHOLE_KEYS
from tui.page_messages import Goal, PartMissed, TextLeft, TextScrolled
from tui.preview import is_numbered
from tui.whole_text import WholeText

if TYPE_CHECKING:
    from engine.wire.api_around import AroundLine
    from engine.wire.api_parts import PartReply
    from engine.wire.api_search import Hit
    from tui.link import EngineLink

KEYS = {
    "text.top text.end": "top and end",
    "text.hit": "the hit",
    "whole.edit": "edits",
    "screen.help": "keys",
    "whole.close": "closes",
}
"""What the keys do, by the ids of their bindings."""
NOT_KNOWN = "The text of this file is not known any more."
NO_HIT = "The hit is no longer in this file."
SHORTEST_PATH = 12
"""Cells of the path in the title …"""
ROOM_FOR_PLACE = 44
"""… and what the part of the file that is in view leaves for a longer one."""


class WholePage(Dialog[None]):
    """Shows the file of ``hit`` as it was read, with the words of ``query`` standing out."""

    AUTO_FOCUS = "WholeText"
    BINDINGS: ClassVar[list[BindingType]] = WHOLE_KEYS

    def __init__(self, hit: Hit, query: str, link: EngineLink) -> None:
        super().__init__()
        self.told = KEYS
        self._hit, self._query, self._link = hit, query, link
        self._goal: Goal | None = "hit"
        """Where the text is to begin anew."""
        self._missed: int | None = None
        self._news = asyncio.Event()
        self._news.set()

    def compose(self) -> ComposeResult:
        """Lay out the text."""
        with Vertical(classes="dialog page"):
            yield Static(id="note", markup=False)
            yield WholeText(self._hit, self._query)

    def on_mount(self) -> None:
        """Begin to ask for the text, once it is known how much of it there is room for."""
        self._show_place()
        self.call_after_refresh(self._keep_asking)

    @work(exclusive=True, group="parts", exit_on_error=False)
    async def _keep_asking(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            goal, self._goal = self._goal, None
            missed, self._missed = self._missed, None
            rest = 0.0
            try:
                if goal is not None:
                    await self._begin(goal)
                elif missed is not None:
                    await self._add(missed)
            except HoverkiteError as error:
                self._tell(f"{error.title}: {error}. {error.next_step}")
                self._goal = goal if self._goal is None else self._goal
                self._missed = missed if self._missed is None else self._missed
                self._news.set()
                rest = REST_AFTER_FAULT
            await asyncio.sleep(rest)

    async def _begin(self, goal: Goal) -> None:
        text = self.query_one(WholeText)
        last = text.reply.parts - 1 if text.reply else 0
        reply = await self._part({"hit": None, "top": 0, "end": last}[goal])
        if not reply.lines:
            self._tell(NOT_KNOWN)
            return
        self._tell("" if reply.has_hit else NO_HIT)
        text.begin(reply, at=goal if reply.has_hit or goal != "hit" else "top")

    async def _add(self, number: int) -> None:
        text = self.query_one(WholeText)
        reply = await self._part(number)
        if text.reply and reply.characters == text.reply.characters:
            self._tell("" if reply.has_hit else NO_HIT)
            text.add(reply)
        else:  # the file was changed: what is held is another text
            await self._begin("hit")

    async def _part(self, number: int | None) -> PartReply:
        engine, folder = await self._link.ready()
        place = AroundRequest.of(self._hit, 0)
        return await engine.part(folder, PartRequest(place=place, part=number))

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

    @on(TextScrolled)
    def _show_place(self) -> None:
        """Say in the title which part of the file is in view."""
        text = self.query_one(WholeText)
        top = text.at_top()
        place = f" · {self._place(*top, text.reply.total)}" if top and text.reply else ""
        path = clean_line(self._hit.path)
        path = hit_row.elide_path(path, max(self.size.width - ROOM_FOR_PLACE, SHORTEST_PATH))
        title = Content.assemble("file", (f" · {path}{place}", "not bold $quiet"))
        self.query_one(Vertical).border_title = title

    def _place(self, number: int, line: AroundLine, total: int) -> str:
        if line.page is not None:
            return f"page {line.page}"
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
