"""How what works in the background leaves the processor to what a person looks at."""

import contextlib
import os
from pathlib import Path

SESSION = 5
"""Niceness of a session: it gets a third of the time of one that a person types in."""
AUTOGROUP = Path("/proc/self/autogroup")


def make_session_polite() -> None:
    """Let this process's session, if it leads one, go after those of terminals.

    Where Linux groups sessions it shares the processor between them first, and a niceness counts
    within its session alone (sched(7), "The autogroup feature").
    """
    if os.getsid(0) == os.getpid():
        with contextlib.suppress(OSError):
            AUTOGROUP.write_text(str(SESSION))
