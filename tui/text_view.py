"""Text that scrolls and is only painted: showing another text lays nothing out on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.style import Style

from tui.one_layout import OnePaint
from tui.painted import painted

if TYPE_CHECKING:
    from textual.events import Resize
    from textual.selection import Selection


class TextView(OnePaint, ScrollView, can_focus=True):
    """Shows rows of text, those in view alone made ready for the terminal.

    A layout of the whole screen costs more than its rows: a key that is typed while the text
    changes would wait for it. The vertical scrollbar always has its column, so none is needed.
    """

    DEFAULT_CSS = "TextView { overflow: hidden scroll; }"

    def __init__(self) -> None:
        super().__init__()
        self.content = Content()
        """What is shown, its rows as wide as the view at most."""
        self._rows: list[Content] = []
        self._painted: dict[int, Strip] = {}

    @property
    def width(self) -> int:
        """The cells of a row, without the scrollbar's column."""
        return self.scrollable_content_region.width

    def show(self, content: Content) -> None:
        """Show ``content``; what is too wide is wrapped. The scroll position stays if it can."""
        self.content = content
        self._wrap()

    def _wrap(self) -> None:
        width = self.width
        self.show_rows(
            [
                row
                for line in self.content.expand_tabs().split("\n", allow_blank=True)
                for row in (line.wrap(width) if 0 < width < line.cell_length else [line])
            ]
        )

    def show_rows(self, rows: list[Content]) -> None:
        """Show ``rows``, each of them at most as wide as the view.

        What is selected stays so only where its rows are the same then.
        """
        selected = self._selected_rows()
        self._rows = rows
        if self._selected_rows() != selected:
            others = self.screen.selections.items()
            self.screen.selections = {widget: where for widget, where in others if widget != self}
        self._painted.clear()
        self.virtual_size = Size(self.width, len(rows))
        self.vertical_scrollbar.window_virtual_size = len(rows)
        self.vertical_scrollbar.window_size = self.size.height
        self.scroll_y = self.validate_scroll_y(self.scroll_y)
        self.refresh()

    def on_resize(self, event: Resize) -> None:
        """Wrap for the new width."""
        self.fit()

    def fit(self) -> None:
        """Lay the text out for the width there is now."""
        self._wrap()

    def render_line(self, y: int) -> Strip:
        """Return the row ``y`` of those in view, ready for the terminal."""
        row = self.scroll_offset.y + y
        if row >= len(self._rows) or self.scrollable_content_region.width < 1:
            return Strip.blank(self.size.width, self.visual_style.rich_style)
        if row not in self._painted:
            self._painted[row] = self._paint(row)
        return self._painted[row]

    def _paint(self, row: int) -> Strip:
        line, selection = self._rows[row], self.text_selection
        if selection is not None and (span := selection.get_span(row)) is not None:
            start, end = span
            style = Style.from_styles(self.screen.get_component_styles("screen--selection"))
            line = line.stylize(style, start, len(line) if end == -1 else end)
        width = self.scrollable_content_region.width
        return painted(self, line, width, self.visual_style).apply_offsets(0, row)

    def notify_style_update(self) -> None:
        """Paint anew what a theme or the focus changed."""
        self._painted.clear()
        super().notify_style_update()

    def selection_updated(self, selection: Selection | None) -> None:
        """Paint anew what is selected with the mouse, or was."""
        self._painted.clear()
        self.refresh()

    def get_selection(self, selection: Selection) -> tuple[str, str]:
        """Return the selected text, and what ends it."""
        return selection.extract("\n".join(row.plain for row in self._rows)), "\n"

    def _selected_rows(self) -> list[str]:
        if (selection := self.text_selection) is None:
            return []
        first = selection.start.y if selection.start else 0
        end = selection.end.y + 1 if selection.end else None
        return [row.plain for row in self._rows[first:end]]
