"""How hoverkite starts processes of its own: the same packages, whatever folder they work in."""

import os
import sys
from pathlib import Path

from engine import config


def command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs ``module``; files in the current folder never get in its way."""
    return [sys.executable, "-P", "-m", module, *arguments]


def environment() -> dict[str, str]:
    """Return ours, with hoverkite's packages to be found and without the key for ``llm_url``."""
    root = str(Path(__file__).resolve().parent.parent)
    search = [root, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    inherited = {name: value for name, value in os.environ.items() if name != config.KEY_NAME}
    return inherited | {"PYTHONPATH": os.pathsep.join(dict.fromkeys(search))}
