"""Runs ``worker.py`` for one file."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Literal

from engine.errors import LoadError

SECONDS = 60.0
"""After which the child is stopped."""

_WORKER = Path(__file__).with_name("worker.py")


def read_in_child(work: Literal["pdf", "html"], raw: bytes, *, seconds: float) -> list[str]:
    """Return the parts of the text in ``raw``, read in a process of its own.

    Raises:
        LoadError: the reason it can't be read; too slow and too large are among them.
    """
    try:
        done = subprocess.run(
            # -P: the worker's folder holds modules named like the standard library's
            [sys.executable, "-P", str(_WORKER), work],
            input=raw,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise LoadError(f"reading it took longer than {seconds:g} s") from error
    try:
        reply = json.loads(done.stdout)
    except ValueError as error:
        raise LoadError("reading it was stopped: it takes too much memory or time") from error
    if "error" in reply:
        raise LoadError(str(reply["error"]))
    return [str(part) for part in reply["parts"]]
