"""Tokens that are put together: sent and shown one by one, they cost a core and read no better."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable

from engine.wire.api_answer import AskEvent, Token


async def gathered(
    events: AsyncGenerator[AskEvent, None], pulse: float
) -> AsyncGenerator[AskEvent, None]:
    """Yield ``events`` in their order; tokens that come within ``pulse`` seconds of others, as one.

    The first comes at once. Whatever ``events`` raises is raised behind all that came.
    """
    ready: asyncio.Queue[AskEvent | None] = asyncio.Queue()
    reading = asyncio.create_task(_read(events, Gathering(ready.put_nowait, pulse)))
    reading.add_done_callback(lambda _: ready.put_nowait(None))
    try:
        while (event := await ready.get()) is not None:
            yield event
        await reading
    finally:
        reading.cancel()
        await asyncio.wait({reading})


async def _read(events: AsyncGenerator[AskEvent, None], gathering: "Gathering") -> None:
    async with contextlib.aclosing(events):
        with contextlib.closing(gathering):
            async for event in events:
                gathering.take(event)


class Gathering:
    """Hands on the events of an answer in their order; the first token at once."""

    def __init__(self, hand_on: Callable[[AskEvent], object], pulse: float) -> None:
        self._hand_on, self._pulse = hand_on, pulse
        self._tokens: list[Token] = []
        self._next: asyncio.TimerHandle | None = None
        """When the next tokens may be handed on; None for at once."""

    def take(self, event: AskEvent) -> None:
        """Hand ``event`` on, or keep it until more came."""
        if not isinstance(event, Token):
            self.close()
            self._hand_on(event)
            return
        self._tokens.append(event)
        if self._next is None:
            self._beat()

    def close(self) -> None:
        """Hand on what was kept."""
        if self._next is not None:
            self._next.cancel()
        self._next = None
        self._empty()

    def _beat(self) -> None:
        self._next = None
        if self._tokens:
            self._empty()
            self._next = asyncio.get_running_loop().call_later(self._pulse, self._beat)

    def _empty(self) -> None:
        if not self._tokens:
            return
        tokens, self._tokens = self._tokens, []
        text = "".join(token.text for token in tokens)
        cited = [citation for token in tokens for citation in token.citations]
        self._hand_on(Token(text=text, citations=cited))
