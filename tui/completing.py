"""Looking up the values that a filter in the query can have, while it is typed."""

from __future__ import annotations

import asyncio
import logging

from textual import on, work

from engine.errors import HoverkiteError
from tui import messages
from tui.completions import MOST_VALUES
from tui.copying import Copying

log = logging.getLogger(__name__)

KEY_PAUSE = 0.05
"""Seconds without a key after which values are asked for."""


class Completing(Copying):
    """Asks the engine for values, and offers them if they are still those that are meant."""

    @on(messages.FilterTyped)
    async def _follow_filter(self, message: messages.FilterTyped) -> None:
        if message.filter is None:
            self.workers.cancel_group(self, "values")
        else:
            self._look_up_values(message)

    @work(exclusive=True, group="values", exit_on_error=False)
    async def _look_up_values(self, message: messages.FilterTyped) -> None:
        from engine.wire.api_complete import CompleteRequest

        typed = message.filter
        assert typed is not None
        await asyncio.sleep(KEY_PAUSE)
        asked = {"filter": typed.filter, "start": typed.start, "limit": MOST_VALUES}
        try:
            engine, folder = await self._link.ready()
            values = await engine.complete(folder, CompleteRequest.model_validate(asked))
        except HoverkiteError as error:  # whoever types need not be told
            log.warning("looking up values failed: %s", error)
            values = []
        self.post_message(messages.ValuesFound(typed, values))

    @on(messages.ValuesFound)
    def _offer_values(self, message: messages.ValuesFound) -> None:
        self.query_pane.input.offer(message.filter, message.values)

    @on(messages.ValueChosen)
    def _take_value(self) -> None:
        self.query_pane.input.action_take()
