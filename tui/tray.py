"""The context tray: what a person wants the model to be shown, and what not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import figures

if TYPE_CHECKING:
    from engine.wire import api_answer
    from engine.wire.api_search import Hit

PINNED, DROPPED = "◆", "✕"
"""Marks of a hit in the tray."""


class Tray:
    """Hits that were pinned and dropped, in the order in which that was done."""

    def __init__(self) -> None:
        self.pinned: list[Hit] = []
        self.dropped: list[Hit] = []

    def __bool__(self) -> bool:
        return bool(self.pinned or self.dropped)

    def toggle_pin(self, hit: Hit) -> None:
        """Pin a hit, or take that back."""
        self._toggle(hit, self.pinned, self.dropped)

    def toggle_drop(self, hit: Hit) -> None:
        """Drop a hit, or take that back."""
        self._toggle(hit, self.dropped, self.pinned)

    def _toggle(self, hit: Hit, into: list[Hit], out_of: list[Hit]) -> None:
        was_in = any(is_same(hit, each) for each in into)
        for part in (into, out_of):
            part[:] = [each for each in part if not is_same(hit, each)]
        if not was_in:
            into.append(hit)

    def remove(self, hit: Hit) -> None:
        """Take a hit out, pinned or dropped."""
        for part in (self.pinned, self.dropped):
            part[:] = [each for each in part if not is_same(hit, each)]

    def clear(self) -> None:
        """Take out everything."""
        self.pinned, self.dropped = [], []

    def mark(self, hit: Hit) -> str:
        """How a hit is marked; a space where it is not in the tray."""
        if any(is_same(hit, each) for each in self.pinned):
            return PINNED
        return DROPPED if any(is_same(hit, each) for each in self.dropped) else " "

    @property
    def summary(self) -> str:
        """What is in it, in a few words; empty for nothing."""
        parts = ((self.pinned, "pinned"), (self.dropped, "dropped"))
        return ", ".join(f"{figures.count(len(hits))} {word}" for hits, word in parts if hits)

    def for_engine(self, *, exactly: bool) -> api_answer.Tray:
        """What the engine is told; ``exactly``: that nothing but the pinned hits is shown."""
        from engine.wire.api_answer import Tray as Wire
        from engine.wire.api_search import Place

        fields = Place.model_fields
        dropped = [Place(**{name: getattr(hit, name) for name in fields}) for hit in self.dropped]
        return Wire(pinned=self.pinned, dropped=dropped, exactly=exactly and bool(self.pinned))


def is_same(hit: Hit, other: Hit) -> bool:
    """Whether both are the same text of the same file, wherever it stands there."""
    return (hit.path, hit.quoted_path, hit.text) == (other.path, other.quoted_path, other.text)
