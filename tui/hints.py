"""The hint line: the few keys that matter where the cursor is. Each can be clicked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.style import Style
from textual.widgets import Static

from tui.key_names import is_text

if TYPE_CHECKING:
    from textual.binding import Binding
    from textual.events import Resize

HINTS = {
    "query": (
        *("query.ask", "screen.back", "screen.offer", "screen.next", "screen.next_folder"),
        "screen.new",
        *("screen.mode", "query.new_line"),
    ),
    "results": (
        *("screen.edit", "results.pin", "results.drop", "screen.tray", "screen.around"),
        *("results.unfilter", "screen.why", "results.filter", "results.order"),
        *("screen.follow", "screen.copy", "screen.next", "screen.query"),
        *("screen.back", "screen.report"),
    ),
    "filter": ("filter.keep", "filter.clear", "screen.next"),
    "preview": (
        "screen.edit",
        "screen.around",
        "screen.why",
        "screen.copy",
        "screen.back",
        "screen.next",
        "screen.query",
    ),
    "answer": (
        *("screen.jump", "answer.next", "answer.open", "screen.offer", "screen.prompt"),
        *("screen.turn_before", "screen.copy", "screen.back", "screen.next", "screen.query"),
        *("answer.hit_after", "screen.conversations"),
    ),
}
"""Ids of the bindings shown for each pane, and for the filter of the results, best first."""

WAY_OUT = "screen.help"
"""Shown in any width: it leads to all the others."""

ALWAYS = ("app.palette", "app.quit")
GAP = 3


class HintLine(Static):
    """Shows the keys of the pane that has the cursor."""

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._pane = "query"
        self._words: dict[str, str] = {}
        self._line = Content()
        self._first = ""

    def show(self, pane: str, words: dict[str, str], first: str = "") -> None:
        """Show the keys of ``pane``; ``words`` replaces descriptions by binding id.

        A key without words is not shown. The key of the id ``first`` comes before the others.
        """
        self._pane, self._words, self._first = pane, words, first
        self._lay_out()

    def on_resize(self, event: Resize) -> None:
        """Show as many hints as now fit."""
        self._lay_out()

    def _lay_out(self) -> None:
        active: dict[str, Binding] = {}
        for found in self.screen.active_bindings.values():
            is_typed = self._pane == "query" and is_text(found.binding.key)
            if found.binding.id is not None and not is_typed:
                active.setdefault(found.binding.id, found.binding)
        names = [
            name
            for name in (self._first, *HINTS[self._pane], WAY_OUT, *ALWAYS)
            if name in active and self._words.get(name) != ""
        ]
        hints = {name: self._hint(name, active[name]) for name in names}
        left = self.content_size.width
        if WAY_OUT in hints:
            left -= hints[WAY_OUT].cell_length
        shown = []
        for name in names:
            if name != WAY_OUT:
                left -= hints[name].cell_length + GAP
                if left < 0:
                    break
            shown.append(hints[name])
        if WAY_OUT in hints and hints[WAY_OUT] not in shown:
            shown.append(hints[WAY_OUT])
        line = Content(" " * GAP).join(shown)
        if line != self._line:
            self._line = line
            self.update(line, layout=False)  # it stays one row

    def _hint(self, name: str, binding: Binding) -> Content:
        words = self._words.get(name, binding.description.lower())
        key = self.app.get_key_display(binding)
        hint = Content.assemble((key, "bold $cite"), (f" {words}", "$quiet"))
        return hint.stylize(Style.from_meta({"@click": f"app.simulate_key('{binding.key}')"}))
