"""Lists that take the keys of pages however little room there is."""

from __future__ import annotations

from contextlib import suppress

from textual.widgets import OptionList


class Paged(OptionList):
    """A list that is passed by pages if there are rows in view."""

    def action_page_up(self) -> None:
        """Go a page up, if there are rows in view: Textual 8.2.8 can't where there is no room."""
        with suppress(LookupError):
            super().action_page_up()  # type: ignore[no-untyped-call]

    def action_page_down(self) -> None:
        """Go a page down, likewise."""
        with suppress(LookupError):
            super().action_page_down()  # type: ignore[no-untyped-call]
