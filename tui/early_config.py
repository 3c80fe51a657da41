"""What the config file says that the first frame needs, without loading the settings."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from engine import paths, toml_file


def read() -> dict[str, Any]:
    """Return what the config file holds; a fault in it is left for the settings to explain."""
    config = os.environ.get("HOVERKITE_CONFIG")
    file = config and os.path.expanduser(config)  # noqa: PTH111  never raises
    try:
        return toml_file.read(Path(file or paths.config_dir() / "config.toml"))
    except (OSError, ValueError):
        return {}
