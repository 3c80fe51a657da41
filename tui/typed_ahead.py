"""Keys that are typed faster than they are followed go to whoever has the cursor by then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.events import Key

if TYPE_CHECKING:
    from textual.widget import Widget


def passed_on(widget: Widget, event: Key, *, is_left: bool = False) -> bool:
    """Pass on a key that reached ``widget`` after the cursor had left it; return whether it had.

    A key before it moved the cursor, opened a page or showed another folder: whoever has the
    cursor now is meant. That the cursor left may be known before it ``is_left`` in fact.
    """
    if not is_left and widget.screen.is_current and widget.screen.focused in (widget, None):
        return False
    _end(event)
    if widget.app.is_running:
        widget.app.post_message(Key(event.key, event.character))
    return True


async def done_at_once(widget: Widget, event: Key, *actions: str) -> bool:
    """Do what the key stands for before ``widget`` takes the key after it; return whether it was.

    That is done only if it is one of ``actions``, or without any an action of the widget's own.

    Left to Textual 8.2.8, a bound key first travels up to the app, and what is typed right after
    it is taken for another command.
    """
    active = widget.screen.active_bindings.get(event.key)
    if active is None:
        return False
    if active.binding.action in actions or (not actions and active.node is widget):
        _end(event)
        await widget.app.run_action(active.binding.action, active.node)
        return True
    return False


def _end(event: Key) -> None:
    event.stop()
    event.prevent_default()
