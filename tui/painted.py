"""A row of text made ready for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.strip import Strip

if TYPE_CHECKING:
    from textual.content import Content
    from textual.style import Style
    from textual.widget import Widget


def painted(widget: Widget, row: Content, width: int, style: Style) -> Strip:
    """Return ``row`` on a ground of ``style``, in exactly ``width`` cells; what is more is cut off.

    In Textual 8.2.8 ``Visual.to_strips`` takes four times as long: it wraps, aligns and looks for
    links, and tells each part of the row where it stands, which costs a new style for each.
    """
    parts = row.render(style, end="", parse_style=widget._get_style)
    segments = [Segment(text, (style + own).rich_style) for text, own in parts]
    return Strip(segments, row.cell_length).adjust_cell_length(width, style.rich_style)
