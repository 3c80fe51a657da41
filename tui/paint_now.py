"""Shows what is typed before anything else that waits to be painted."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.widget import Widget


def paint_now(widget: Widget) -> None:
    """Paint what changed of ``widget``; all else that changed comes with the next frame.

    In Textual 8.2.8 that frame comes up to 8 ms later, and paints everything in one go.
    """
    app, screen = widget.app, widget.screen
    if app.screen is screen and not app._batch_count:
        screen._compositor.update_widgets({widget})
        app._display(screen, screen._compositor.render_update())
