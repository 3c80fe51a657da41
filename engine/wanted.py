"""Work in a thread for somebody who may leave: then it ends at its next step."""

import asyncio
import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import TypeVar

_T = TypeVar("_T")

_left: ContextVar[threading.Event | None] = ContextVar("left", default=None)


class NoLongerWantedError(Exception):
    """Whoever asked for the work has left; nobody sees this."""


async def in_thread(work: Callable[[], _T]) -> _T:
    """Return what ``work`` does in a thread; cancelled, it ends at its next :func:`check`."""
    left = threading.Event()
    token = _left.set(left)
    try:
        return await asyncio.to_thread(work)
    except asyncio.CancelledError:
        left.set()
        raise
    finally:
        _left.reset(token)


def check() -> None:
    """End the work in hand if nobody waits for it; called between its steps, in its thread.

    Raises:
        NoLongerWantedError: nobody does.
    """
    left = _left.get()
    if left is not None and left.is_set():
        raise NoLongerWantedError
