"""The clipboard inside tmux, where a plain OSC 52 sequence may stop at tmux itself."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

TMUX_SECONDS = 2.0


def hand_to_tmux(text: str, environment: Mapping[str, str]) -> bool:
    """Give ``text`` to tmux, which passes it on to the terminal around it; False without tmux.

    ``load-buffer -w`` (tmux 3.2) works with tmux's default settings, where a sequence written by a
    program inside is ignored (``set-clipboard external``). It needs a terminal that tmux knows to
    take the sequence: ``xterm*``, or one named in ``terminal-features``.
    """
    if not environment.get("TMUX"):
        return False
    try:
        done = subprocess.run(
            ["tmux", "load-buffer", "-w", "-"],
            input=text.encode("utf-8", "replace"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=TMUX_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
