"""The hint line: the few keys that matter where the cursor is. Each can be clicked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.style import Style
from textual.widgets import Static

if TYPE_CHECKING:
    from textual.binding import Binding
    from textual.events import Resize

HINTS = {
    "query": ("query.ask", "screen.back", "query.new_line", "screen.next", "screen.help"),
    "results": (
        *("screen.edit", "screen.copy", "screen.next", "screen.query", "screen.back"),
        *("screen.report", "screen.help"),
    ),
    "preview": ("screen.edit", "screen.copy", "screen.next", "screen.query", "screen.help"),
    "answer": (
        *("screen.jump", "screen.copy", "screen.back", "screen.next", "screen.query"),
        "screen.help",
    ),
}
"""Ids of the bindings shown for each pane, the most useful first."""

ALWAYS = ("app.palette", "app.quit")


class HintLine(Static):
    """Shows the keys of the pane that has the cursor."""

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._pane = "query"
        self._words: dict[str, str] = {}

    def show(self, pane: str, words: dict[str, str]) -> None:
        """Show the keys of ``pane``; ``words`` replaces descriptions by binding id."""
        self._pane, self._words = pane, words
        self._lay_out()

    def on_resize(self, event: Resize) -> None:
        """Show as many hints as now fit."""
        self._lay_out()

    def _lay_out(self) -> None:
        active: dict[str, Binding] = {}
        for found in self.screen.active_bindings.values():
            if found.binding.id is not None:
                active.setdefault(found.binding.id, found.binding)
        line = Content()
        for name in (*HINTS[self._pane], *ALWAYS):
            binding = active.get(name)
            if binding is None:
                continue
            words = self._words.get(name, binding.description.lower())
            hint = Content.assemble(
                (self.app.get_key_display(binding), "bold $cite"), (f" {words}", "$quiet")
            )
            if line.cell_length + hint.cell_length + 3 > self.content_size.width:
                break
            click = Style.from_meta({"@click": f"app.simulate_key('{binding.key}')"})
            line = (line.append_text("   ") if line else line) + hint.stylize(click)
        self.update(line)
