"""Handing what no editor shows, a PDF or a web address, to the desktop's own program for it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping

from engine.errors import UsageError
from engine.safe_text import clean_line

Show = Callable[[str, Mapping[str, str], Callable[[str], object]], None]
"""What :func:`show` does; tests give another."""


def show(
    target: str, environment: Mapping[str, str], tell_failure: Callable[[str], object]
) -> None:
    """Show ``target``, an absolute path or a web address, beside the terminal; wait for nothing.

    ``tell_failure`` is called from another thread with the reason, if there is one.

    Raises:
        UsageError: there is no desktop to show it on.
    """
    opener = opener_for(environment)
    if opener is None:
        raise UsageError(
            "There is no desktop here that could show it",
            f"Open it yourself: {clean_line(target)}",
        )
    start(
        [opener, target],
        lambda status: tell_failure(
            f"{opener} ended with status {status}: no program for it may be installed"
        ),
    )


def start(command: list[str], tell_failure: Callable[[int], object]) -> None:
    """Start what needs no terminal; wait for nothing.

    ``tell_failure`` is called from another thread with a status other than 0.

    Raises:
        OSError: it can't be started.
    """
    # Nothing it says may reach the terminal, and it lives on when the screen is left.
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )

    def wait() -> None:
        if status := process.wait():
            tell_failure(status)

    threading.Thread(target=wait, daemon=True).start()


def opener_for(environment: Mapping[str, str], platform: str = sys.platform) -> str | None:
    """The command that opens anything on this desktop; None without one, as over ssh."""
    if platform == "darwin":
        return "open"
    has_desktop = environment.get("WAYLAND_DISPLAY") or environment.get("DISPLAY")
    return "xdg-open" if has_desktop and shutil.which("xdg-open") else None
