"""What a key has the engine do: where that can't be done, a person hears of it at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

from engine.errors import HoverkiteError
from tui.key_names import key_of

if TYPE_CHECKING:
    from textual.app import App
    from textual.screen import Screen

    from tui.engine_port import Engine
    from tui.link import EngineLink

T = TypeVar("T")

NOT_OPEN_YET = "The line at the bottom tells when it is open; press the key again then"


async def reply(
    screen: Screen[Any], link: EngineLink, ask: Callable[[Engine, str], Awaitable[T]]
) -> T | None:
    """Return what the engine replies to a key on ``screen``; None once a person was told why not.

    It never waits for an engine that is not there: what the key means may be another thing then.
    """
    if link.opened is None:
        tell_not_open(screen, link)
        return None
    try:
        return await ask(*link.opened)
    except HoverkiteError as error:
        tell_error(screen, error)
        return None


def tell_not_open(screen: Screen[Any], link: EngineLink) -> None:
    """Say why nothing can be asked of the folder now, and what to do."""
    if (fault := link.fault) is None:
        screen.notify(f"→ {NOT_OPEN_YET}", title="The folder is not open yet")
    else:
        screen.notify(f"{fault}\n→ {key_of('screen.again')} tries again", title=fault.title)


def tell_error(teller: Screen[Any] | App[Any], error: HoverkiteError) -> None:
    """Show what went wrong and what to do next."""
    teller.notify(f"{error}\n→ {error.next_step}", title=error.title, severity="error")
