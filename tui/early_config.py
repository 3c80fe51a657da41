"""What the config file says that the first frame needs, without loading the settings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine import paths, toml_file


def setting(name: str, flags: Mapping[str, Any]) -> str:
    """Return a setting that is text, in the settings' own order; empty where it is not made."""
    named = flags.get(name) or os.environ.get(f"HOVERKITE_{name.upper()}") or read().get(name)
    return named if isinstance(named, str) else ""


def read() -> dict[str, Any]:
    """Return what the config file holds; a fault in it is left for the settings to explain."""
    config = os.environ.get("HOVERKITE_CONFIG")
    file = config and os.path.expanduser(config)  # noqa: PTH111  never raises
    try:
        return toml_file.read(Path(file or paths.config_dir() / "config.toml"))
    except (OSError, ValueError):
        return {}
