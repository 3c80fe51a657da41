"""A pane that a model's text is streamed into: it follows the end, and knows its citations."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll

from engine.safe_text import clean
from tui import citations
from tui.messages import CitationChosen, CitationOpened, HitStepped
from tui.one_layout import OneLayout
from tui.preview import SCROLL_KEYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.wire.api_answer import Citation
    from tui.citations import Mark
    from tui.long_text import LongText

NOTHING_CITED = "The model's text has no citation to go to"

CITATION_KEYS: list[BindingType] = [
    Binding(
        "n", "next_citation(1)", "Next citation", id="answer.next", tooltip="The next citation"
    ),
    Binding(
        "N",
        "next_citation(-1)",
        "Citation before",
        id="answer.before",
        tooltip="The citation before",
        show=False,
    ),
    Binding(
        "enter", "open_citation", "Passage", id="answer.open", tooltip="Go to the cited passage"
    ),
    Binding(
        "greater_than_sign",
        "step_hit(1)",
        "Next hit",
        id="answer.hit_after",
        tooltip="Show the next hit beside the answer",
        show=False,
    ),
    Binding(
        "less_than_sign",
        "step_hit(-1)",
        "Hit before",
        id="answer.hit_before",
        tooltip="Show the hit before it beside the answer",
        show=False,
    ),
]
"""Keys that go through the passages that the sentences of an answer stand on."""


class StreamedPane(OneLayout, VerticalScroll, can_focus=True):
    """Shows the pieces of a text, those together that come while others are being laid out."""

    BINDINGS: ClassVar[list[BindingType]] = [*CITATION_KEYS, *SCROLL_KEYS]

    def __init__(self, name: str) -> None:
        super().__init__(id=name)
        self.above: VerticalScroll | None = None
        """What stands above the text and is read before it: the same keys scroll it."""
        self._came: list[str] = []
        """The text as it came …"""
        self._length = 0
        """… and how long it is so far."""
        self._cited: list[Citation] = []
        self._written: list[str] = []
        self._pending: list[str] = []
        self._text: LongText | None = None
        self._writing = asyncio.Lock()
        self._is_open = False
        """Whether more of the text may come."""
        self._scrolled_back = False
        self._chosen: int | None = None
        self._marked = 0
        """The rank of the hit whose sentences stand out; 0 for none."""

    @property
    def words(self) -> str:
        """The model's text so far, safe to show."""
        return citations.plain("".join([*self._written, *self._pending]))

    @property
    def has_text(self) -> bool:
        """Whether the model has said anything yet."""
        return bool(self._written or self._pending)

    async def empty(self) -> None:
        """Take the text away, to begin with another at the top."""
        await self.close_stream()
        if self._text is not None:
            await self._text.remove()
        self._text, self._chosen = None, None
        self._came, self._length, self._cited, self._written = [], 0, [], []
        self.anchor(False)
        # A scroll that waits for a refresh would let go of the text that comes first.
        self.scroll_home(animate=False, immediate=True)
        self._scrolled_back = False

    async def add_text(self, text: str, cited: Sequence[Citation] = ()) -> None:
        """Add a piece of the model's text, and what the marks in it stand for.

        It is known at once, and shown by this pane itself: nobody waits for long texts.
        """
        shown = citations.signed(text, cited, begin=self._length, first=len(self._cited))
        self._came.append(text)
        self._length += len(text)
        self._cited += cited
        if not shown:
            return
        self._is_open = True
        self._pending.append(shown)
        self.call_later(self._write_pending)

    def release_anchor(self) -> None:
        """Let the reader scroll; the end of the text no longer pulls."""
        super().release_anchor()
        self._scrolled_back = True

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Follow the text again once the reader is back at its end."""
        super().watch_scroll_y(old_value, new_value)
        if new_value >= self.max_scroll_y:
            self._scrolled_back = False

    def action_scroll_end(self) -> None:
        """Go to the end and follow the text from there."""
        self._scrolled_back = False
        super().action_scroll_end()

    def action_scroll_home(self) -> None:
        """Go to the top, of what stands above the text too."""
        if self.above is not None:
            self.above.scroll_home()
        super().action_scroll_home()

    def action_scroll_down(self) -> None:
        """Scroll a line down: at the top of the text, first what stands above it."""
        if (above := self._above_moving(down=True)) is not None:
            above.scroll_down()
        else:
            super().action_scroll_down()

    def action_scroll_up(self) -> None:
        """Scroll a line up, at the top of the text what stands above it."""
        if (above := self._above_moving(down=False)) is not None:
            above.scroll_up()
        else:
            super().action_scroll_up()

    def action_page_down(self) -> None:
        """Scroll a page down: at the top of the text, first what stands above it."""
        if (above := self._above_moving(down=True)) is not None:
            above.scroll_page_down()
        else:
            super().action_page_down()

    def action_page_up(self) -> None:
        """Scroll a page up, at the top of the text what stands above it."""
        if (above := self._above_moving(down=False)) is not None:
            above.scroll_page_up()
        else:
            super().action_page_up()

    def _above_moving(self, *, down: bool) -> VerticalScroll | None:
        """What stands above the text, if it is what moves now; else None."""
        above = self.above
        if above is None or not above.display or self.scroll_target_y > 0:
            return None
        rest = above.max_scroll_y - above.scroll_target_y if down else above.scroll_target_y
        return above if rest > 0 else None

    @property
    def follows_text(self) -> bool:
        """Whether a reader follows the text: only one who scrolled back does not."""
        return self.has_text and not self._scrolled_back

    def _follow_text(self) -> None:
        """Keep the end in view, but only once there is more than fits.

        Textual 8.2.8 gives an anchored pane that is not full a negative scroll position.
        """
        if not self.is_anchored and self.max_scroll_y > 0 and self._is_open:
            self.anchor()

    def settle(self, follows: bool) -> None:
        """Let go of the end of the text; a reader who followed it sees the last lines."""
        self.anchor(False)
        if follows:
            self.call_after_refresh(self.scroll_end, animate=False)

    async def _mounted_text(self) -> LongText:
        from tui.long_text import LongText

        if self._text is None:
            self._text = LongText()
            await self.mount(self._text, before="#waiting")
        return self._text

    async def show_text(self, text: str, cited: Sequence[Citation]) -> None:
        """Show the whole of a text in place of what was written, unless that is the same."""
        if not text.strip() or (text == "".join(self._came) and list(cited) == self._cited):
            return
        shown = citations.signed(text, cited)
        # Known before its marks are there: a key may come before the update is over.
        self._came, self._length, self._cited, self._written = [text], len(text), [*cited], [shown]
        async with self._writing:
            await (await self._mounted_text()).show(shown)
            self._mark_again()

    async def _write_pending(self) -> None:
        async with self._writing:
            await self._write()

    async def _write(self) -> None:
        if not self._is_open or not self._pending:
            return
        text = "".join(self._pending)
        self._pending.clear()
        self._written.append(text)
        await (await self._mounted_text()).write(text)
        self._mark_again()
        self.call_after_refresh(self._follow_text)

    async def close_stream(self) -> None:
        """Write what is left; nothing more comes."""
        async with self._writing:
            await self._write()
            self._is_open = False
            self._pending.clear()

    # --- citations ---------------------------------------------------------------------------

    def mark_hit(self, rank: int) -> None:
        """Have the sentences that the hit of that rank supports stand out; 0 for none."""
        self._marked = rank
        if self._text is not None:
            self._text.mark_hit(rank, [cited.end - cited.start for cited in self._cited])

    def _mark_again(self) -> None:
        if self._marked:
            self.mark_hit(self._marked)

    def action_next_citation(self, step: int) -> None:
        """Go to the next citation of the text, or the one before; its hit is shown."""
        marks = [] if self._text is None else self._text.marks()
        if self._text is None or not marks:
            self.notify(NOTHING_CITED, markup=False)
            return
        first = 0 if step > 0 else -1
        self._chosen = (first if self._chosen is None else self._chosen + step) % len(marks)
        self._text.choose(self._chosen)
        mark = marks[self._chosen]
        self.post_message(CitationChosen(mark.hit, self._sentence(mark)))

    def action_open_citation(self) -> None:
        """Go to the passage of the chosen citation, or of the first."""
        marks = [] if self._text is None else self._text.marks()
        if marks:
            mark = marks[min(self._chosen or 0, len(marks) - 1)]
            self.post_message(CitationOpened(mark.hit, self._sentence(mark)))
        else:
            self.notify(NOTHING_CITED, markup=False)

    @property
    def chosen(self) -> tuple[int, str] | None:
        """The rank of the hit of the citation that was gone to, and its sentence; None for none."""
        marks = [] if self._text is None else self._text.marks()
        if self._chosen is None or self._chosen >= len(marks):
            return None
        mark = marks[self._chosen]
        return mark.hit, self._sentence(mark)

    def action_step_hit(self, step: int) -> None:
        """Show another hit beside the answer, which keeps the cursor."""
        self.post_message(HitStepped(step))

    def _sentence(self, mark: Mark) -> str:
        """The sentence that stands before a mark."""
        citation = self._cited[mark.citation]
        return clean("".join(self._came)[citation.start : citation.end])
