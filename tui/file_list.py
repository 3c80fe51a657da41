"""The list of a folder's files: only the part around the view is held, whatever its length."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.content import Content
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual

from tui import file_row
from tui.page_keys import FILES_KEYS
from tui.page_messages import FileHighlighted, FilesMissed
from tui.typed_ahead import done_at_once, passed_on

if TYPE_CHECKING:
    from textual.events import Click, Key, Resize

    from engine.wire.api_files import FilesReply, ListedFile

MOST_HELD = 2000
"""Files that are held beside the cursor's; those farthest from the view are asked for again."""
NOT_KNOWN_YET = "…"


class FileList(ScrollView, can_focus=True):
    """Shows a long list of which it is given the parts that come into view."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"file-list--cursor"}
    BINDINGS: ClassVar[list[BindingType]] = FILES_KEYS

    def __init__(self) -> None:
        super().__init__()
        self.total = 0
        self.cursor = 0
        self._held: dict[int, ListedFile] = {}

    @property
    def file(self) -> ListedFile | None:
        """The file under the cursor; None while it is not known."""
        return self._held.get(self.cursor)

    @property
    def top(self) -> int:
        """The number of the first row in view, from 0."""
        return self.scroll_offset.y

    def held(self, row: int) -> ListedFile | None:
        """The file of a row; None where it is not held."""
        return self._held.get(row)

    def add(self, reply: FilesReply) -> None:
        """Take a part that was missing; one of a list that has changed stands for all of it."""
        if reply.total != self.total:
            self.renew(reply)
            return
        self._hold(reply)
        self._show()

    def renew(self, reply: FilesReply, *, from_top: bool = False) -> None:
        """Take a part of another list; the cursor stays on its file, if that is in it."""
        before, row_in_view = self.file, self.cursor - self.top
        self._held.clear()
        self.total = reply.total
        self._hold(reply)
        found = None if before is None else self._row_of(before)
        self.cursor = 0 if from_top else self.cursor if found is None else found
        self.cursor = max(min(self.cursor, self.total - 1), 0)
        self.virtual_size = Size(self.scrollable_content_region.width, self.total)
        self.scroll_to(y=0 if from_top else self.cursor - row_in_view, animate=False, force=True)
        self._show()

    def _hold(self, reply: FilesReply) -> None:
        self._held.update(enumerate(reply.files, reply.before))
        if len(self._held) > MOST_HELD:
            near = sorted(self._held, key=lambda row: abs(row - self.top))[:MOST_HELD]
            kept = {*near, self.cursor} & self._held.keys()
            self._held = {row: file for row, file in self._held.items() if row in kept}

    def _row_of(self, file: ListedFile) -> int | None:
        name = (file.path, file.quoted_path)
        rows = (row for row, each in self._held.items() if (each.path, each.quoted_path) == name)
        return next(rows, None)

    def _show(self) -> None:
        self.refresh()
        self._see_what_is_missing()
        self.post_message(FileHighlighted(self.file))

    def _see_what_is_missing(self) -> None:
        last = min(self.top + max(self.size.height, 1), self.total)
        rows = {*range(self.top, last), *([self.cursor] if self.total else [])}
        if missing := rows - self._held.keys():
            self.post_message(FilesMissed(min(missing)))

    # --- drawing -----------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        """Draw one row of what is in view."""
        number, width = self.top + y, self.scrollable_content_region.width
        if number >= self.total:
            return Strip.blank(width, self.visual_style.rich_style)
        is_cursor = number == self.cursor
        style = self.get_visual_style("file-list--cursor") if is_cursor else self.visual_style
        file = self._held.get(number)
        shown = file_row.row(file, width) if file else Content.styled(NOT_KNOWN_YET, "$quiet")
        return Visual.to_strips(self, shown, width, 1, style, pad=True)[0]

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Ask for what came into view."""
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self._see_what_is_missing()

    def on_resize(self, event: Resize) -> None:
        """Draw for the new width, with the cursor in view."""
        self.virtual_size = Size(self.scrollable_content_region.width, self.total)
        self._bring_into_view()
        self._see_what_is_missing()

    # --- moving ------------------------------------------------------------------------------

    async def on_key(self, event: Key) -> None:
        """Have what is typed right after the key of the filter go into it, not into commands."""
        if not passed_on(self, event):
            await done_at_once(self, event, "filter")

    def action_move(self, steps: int) -> None:
        """Go so many rows down."""
        self._go_to(self.cursor + steps)

    def action_page(self, pages: int) -> None:
        """Go so many screens down."""
        self._go_to(self.cursor + pages * max(self.size.height - 1, 1))

    def action_end(self, which: int) -> None:
        """Go to the last row, or for -1 to the first."""
        self._go_to(self.total - 1 if which > 0 else 0)

    def on_click(self, event: Click) -> None:
        """Go to the row that was clicked."""
        if self.top + event.y < self.total:
            self._go_to(self.top + event.y)

    def _go_to(self, row: int) -> None:
        self.cursor = max(min(row, self.total - 1), 0)
        self._bring_into_view()
        self._show()

    def _bring_into_view(self) -> None:
        height = max(self.size.height, 1)
        if self.cursor < self.top:
            self.scroll_to(y=self.cursor, animate=False, force=True)
        elif self.cursor >= self.top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False, force=True)
