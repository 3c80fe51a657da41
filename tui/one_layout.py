"""Widgets for which the screen is laid out and painted once where Textual would do it twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.geometry import Size
from textual.reactive import Reactive

if TYPE_CHECKING:
    from textual.scroll_view import ScrollView as _ScrollView
else:
    _ScrollView = object  # of a widget's bases Textual knows the first alone


class OneLayout:
    """Comes before a class of widgets.

    In Textual 8.2.8 a layout that finds a widget's content higher than before asks for another
    layout, and has the whole widget painted once more. Nothing moves in it: a scrollbar that comes
    or goes asks for its own.
    """

    virtual_size = Reactive(Size(0, 0), repaint=False)


class OnePaint(OneLayout, _ScrollView):
    """Comes before a class of widgets that draw their own rows.

    In Textual 8.2.8 each layout of the screen has their scrollbars painted in a frame of its own.
    """

    _had_size: tuple[Size, Size] | None = None

    def _size_updated(
        self, size: Size, virtual_size: Size, container_size: Size, layout: bool = True
    ) -> bool:
        if self._had_size == (size, container_size):
            return False
        self._had_size = (size, container_size)
        return super()._size_updated(size, virtual_size, container_size, layout)
