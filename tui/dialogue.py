"""The conversation that a window goes on with: its turns, and which of them is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tui.exchange import Exchange


class Dialogue:
    """The turns since the conversation was begun or opened, earliest first."""

    def __init__(self, turns: Iterable[Exchange] = (), conversation: str = "") -> None:
        self.turns = list(turns)
        self.id = conversation
        """Where the engine keeps it; empty before its first answer, and where none are kept."""
        self._dropped: list[Exchange] = []
        """The turns whose place the last one took."""

    def begin(self, exchange: Exchange) -> None:
        """Add a turn, in the place of the one it is asked instead of and of those after it."""
        index = self._index(exchange.manner.instead_of)
        self._dropped = [] if index is None else self.turns[index:]
        del self.turns[len(self.turns) - len(self._dropped) :]
        self.turns.append(exchange)

    def give_up(self, exchange: Exchange) -> bool:
        """Put the turns back whose place a turn took that came to no end; return whether it did.

        As the engine does with those it keeps: a whole answer stays until there is another.
        """
        if not self._dropped or exchange.is_whole or self.turns[-1:] != [exchange]:
            return False
        replaced = self._dropped[0]
        if exchange.answer and not (replaced.is_whole and replaced.answer):
            return False
        self.turns[-1:], self._dropped = self._dropped, []
        return True

    def _index(self, exchange: Exchange | None) -> int | None:
        """Where a turn stands, or the one it was asked instead of and did not replace."""
        while exchange is not None and exchange not in self.turns:
            exchange = exchange.manner.instead_of
        return None if exchange is None else self.turns.index(exchange)

    def keep(self, exchange: Exchange) -> None:
        """Know where a turn that has ended is kept."""
        if exchange.conversation:
            self.id = exchange.conversation

    def number_to_replace(self, exchange: Exchange) -> int | None:
        """The number by which the engine knows the turn that ``exchange`` is asked instead of."""
        replaced = exchange.manner.instead_of
        is_kept = replaced is not None and replaced.turn and replaced.conversation == self.id
        return replaced.turn if replaced is not None and is_kept else None

    def after(self, exchange: Exchange | None) -> int:
        """How many turns there are after ``exchange``."""
        index = self._index(exchange)
        return 0 if index is None else len(self.turns) - index - 1

    def beside(self, exchange: Exchange | None, step: int) -> Exchange | None:
        """The turn ``step`` after ``exchange``; None where there is none."""
        index = self._index(exchange)
        if index is None or not 0 <= index + step < len(self.turns):
            return None
        return self.turns[index + step]

    def place(self, exchange: Exchange | None) -> str:
        """Which turn ``exchange`` is: ``2/3``; empty for the only one."""
        index = self._index(exchange)
        return "" if index is None or len(self.turns) < 2 else f"{index + 1}/{len(self.turns)}"
