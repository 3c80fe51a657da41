"""Tokens are put together: shown one by one, they would cost a core and read no better."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.wire.api_answer import AskEvent, Token

PULSE = 1 / 8
"""Seconds between two pieces of an answer that are shown."""


class Gathering:
    """Hands on the events of an answer in their order; the first token at once."""

    def __init__(self, hand_on: Callable[[AskEvent], object]) -> None:
        self._hand_on = hand_on
        self._tokens: list[Token] = []
        self._pulse: asyncio.TimerHandle | None = None
        """Comes when the next tokens may be handed on; None for at once."""

    @property
    def waits(self) -> bool:
        """Whether a token that comes now is kept until others came."""
        return self._pulse is not None

    def take(self, event: AskEvent) -> None:
        """Hand ``event`` on, or keep it until more came."""
        if event.type != "token":
            self.close()
            self._hand_on(event)
            return
        self._tokens.append(event)
        if not self.waits:
            self._beat()

    def close(self) -> None:
        """Hand on what was kept."""
        if self._pulse is not None:
            self._pulse.cancel()
        self._pulse = None
        self._empty()

    def _beat(self) -> None:
        self._pulse = None
        if self._tokens:
            self._empty()
            self._pulse = asyncio.get_running_loop().call_later(PULSE, self._beat)

    def _empty(self) -> None:
        if not self._tokens:
            return
        tokens, self._tokens = self._tokens, []
        text = "".join(token.text for token in tokens)
        cited = [citation for token in tokens for citation in token.citations]
        self._hand_on(tokens[0].model_copy(update={"text": text, "citations": cited}))
