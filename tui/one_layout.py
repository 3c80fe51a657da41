"""Widgets whose content grows without laying the screen out twice."""

from __future__ import annotations

from textual.geometry import Size
from textual.reactive import Reactive


class OneLayout:
    """Comes before a class of widgets.

    In Textual 8.2.8 a layout that finds a widget's content higher than before asks for another
    layout. Nothing moves in it: a scrollbar that comes or goes asks for its own.
    """

    virtual_size = Reactive(Size(0, 0))
