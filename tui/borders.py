"""The borders between the panes: moved by keys and by the mouse, and kept."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from textual.geometry import Offset
from textual.widget import Widget

from tui import layout
from tui.completions import Completions
from tui.desk import WIDE, Desk

if TYPE_CHECKING:
    from textual.events import MouseDown, MouseMove, MouseRelease, MouseUp, Resize

    from tui.layout import Layout, Way

Border = Literal["answer", "preview"]
"""A border is called by the pane behind it: the answer beside or below the evidence, the preview
below the results."""

STEP = 0.05
"""Share of the desk by which a key moves a border."""

LEAST_COLUMNS, LEAST_ROWS = 28, 5
"""What is left to each side of a border, where there is so much."""

LEAST_BESIDE = 60
"""Columns from which panes stand side by side if a person wants that."""

ROWS_AROUND = 5
"""Rows above and below the desk: the query, and two lines."""


class Borders(Desk):
    """Lets a person share the desk out."""

    def __init__(self) -> None:
        super().__init__()
        self.layout_kept = layout.Layout()
        """How the panes share the desk. Set before the start, it is so from the first frame."""
        self._dragged: Border | None = None
        self._grip = 0
        """Cells from the mouse to the end of the pane before the border that it drags."""

    @property
    def is_stacked(self) -> bool:
        """Whether evidence and answer stand one above the other."""
        way = self.layout_kept.way
        if way == "automatic":
            return self.size.width < WIDE
        return way == "stacked" or self.size.width < LEAST_BESIDE

    def on_resize(self, event: Resize) -> None:
        """Share out the new size."""
        self._share_out()

    # --- what a person wants -----------------------------------------------------------------

    def action_move_border(self, border: Border, step: int) -> None:
        """Move a border: 1 towards the pane behind it, which gets less, -1 away from it."""
        if not self._is_shown(border):
            self.notify("That border is not on the screen now", markup=False)
            return
        self._put(border, self._share(border) + step * STEP)
        self._keep()

    def action_sizes_back(self) -> None:
        """Have every border where hoverkite has it."""
        self._arrange_as(self.layout_kept.without_sizes())

    def choose_way(self, way: Way) -> None:
        """Have evidence and answer side by side, stacked, or as the width wants it."""
        self._arrange_as(replace(self.layout_kept, way=way))

    def _arrange_as(self, wanted: Layout) -> None:
        self.layout_kept = wanted
        self.rearrange()
        self._share_out()
        self._keep()

    def _keep(self) -> None:
        try:
            layout.keep(self.layout_kept)
        except OSError as error:
            reason = f"The sizes can't be kept for the next start: {error.strerror}"
            self.notify(reason, severity="warning", markup=False)

    # --- the mouse ---------------------------------------------------------------------------

    @property
    def allow_select(self) -> bool:
        """No text is selected from a border: the mouse drags it."""
        on_border = self._dragged or self._border_at(self.app.mouse_position)
        return super().allow_select and on_border is None

    def on_mouse_down(self, event: MouseDown) -> None:
        """Take hold of the border below the mouse."""
        place = event.screen_offset
        if event.button != 1 or (border := self._border_at(place)) is None:
            return
        self._dragged = border
        self._grip = self._end_before(border) - self._along(border, place)
        self.capture_mouse()

    def on_mouse_move(self, event: MouseMove) -> None:
        """Let the border follow the mouse."""
        if (border := self._dragged) is not None:
            end = self._along(border, event.screen_offset) + self._grip
            begin, length = self._extent(border)
            if length > 0:
                self._put(border, (end - begin) / length)

    def on_mouse_up(self, event: MouseUp) -> None:
        """Let go of the border, and keep it where it is."""
        if self._dragged is not None:
            self._dragged = None
            self.release_mouse()
            self._keep()

    def on_mouse_release(self, event: MouseRelease) -> None:
        """Let go when something else takes the mouse."""
        self._dragged = None

    # --- where borders are -------------------------------------------------------------------

    @property
    def evidence_side(self) -> Widget:
        """What holds results and preview."""
        return self.query_one("#evidence")

    def _sides(self, border: Border) -> tuple[Widget, Widget]:
        """The panes before and behind a border."""
        if border == "preview":
            return self.results, self.preview
        return self.evidence_side, self.answer

    def _is_across(self, border: Border) -> bool:
        """Whether what a border parts stands side by side."""
        return border == "answer" and not self.is_stacked

    def _is_shown(self, border: Border) -> bool:
        shown = self.preview if border == "preview" else self.answer
        return not self.zoomed and shown.display and self.results.display

    def _along(self, border: Border, place: Offset) -> int:
        return place.x if self._is_across(border) else place.y

    def _end_before(self, border: Border) -> int:
        region = self._sides(border)[0].region
        return region.right if self._is_across(border) else region.bottom

    def _extent(self, border: Border) -> tuple[int, int]:
        """Where what a border parts begins, and how many cells it has."""
        first, second = (side.region for side in self._sides(border))
        if self._is_across(border):
            return first.x, first.width + second.width
        return first.y, first.height + second.height

    def _share(self, border: Border) -> float:
        """The share of the pane before a border: as wanted, which may not be painted yet."""
        kept = self.layout_kept
        size = kept.height if self.is_stacked else kept.width
        if (wanted := kept.results if border == "preview" else size) is not None:
            return wanted
        begin, length = self._extent(border)
        return (self._end_before(border) - begin) / length if length else 0.5

    def _border_at(self, place: Offset) -> Border | None:
        """The border at a cell of the screen: the last line of one pane, or the first of the other.

        Where two meet, the preview's gives way. What lies over a border hides it.
        """
        completions = self.query_one(Completions)
        if completions.display and completions.region.contains_point(place):
            return None
        borders: tuple[Border, ...] = ("answer", "preview")
        for border in borders:
            first, second = (side.region for side in self._sides(border))
            end = self._end_before(border)
            is_inside = first.union(second).contains_point(place)
            if (
                self._is_shown(border)
                and is_inside
                and self._along(border, place) in (end - 1, end)
            ):
                return border
        return None

    # --- sharing out -------------------------------------------------------------------------

    def _put(self, border: Border, share: float) -> None:
        """Give the pane before a border its share, within bounds."""
        if border == "preview":
            rows = self._extent(border)[1]
            share = round(layout.bounded(share, rows, LEAST_ROWS), 3)
            self.layout_kept = replace(self.layout_kept, results=share)
        elif self.is_stacked:
            share = round(layout.bounded(share, self._rows, LEAST_ROWS), 3)
            self.layout_kept = replace(self.layout_kept, height=share)
        else:
            share = round(layout.bounded(share, self.size.width, LEAST_COLUMNS), 3)
            self.layout_kept = replace(self.layout_kept, width=share)
        self._share_out()

    @property
    def _rows(self) -> int:
        return self.size.height - ROWS_AROUND

    def _share_out(self) -> None:
        """Have the sizes of the panes follow their shares; without one the style's are theirs."""
        wanted, stacked = self.layout_kept, self.is_stacked
        width = None if stacked else wanted.width
        height = wanted.height if stacked else None
        if width is not None:
            width = layout.bounded(width, self.size.width, LEAST_COLUMNS)
        if height is not None:
            height = layout.bounded(height, self._rows, LEAST_ROWS)
        for dimension, share in (("width", width), ("height", height)):
            setattr(self.evidence_side.styles, dimension, _fraction(share))
            setattr(self.answer.styles, dimension, _fraction(share and 1 - share))
        self.results.styles.height = _fraction(wanted.results)
        self.preview.styles.height = _fraction(wanted.results and 1 - wanted.results)
        self.set_class(wanted.results is not None, "-shared-out")


def _fraction(share: float | None) -> str | None:
    # Whole numbers: parts of 1 are rounded on the way, and leave a line between the panes.
    return None if share is None else f"{round(share * 1000)}fr"
