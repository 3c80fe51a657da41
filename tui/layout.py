"""How the panes share the desk, as a person arranged it: kept from one start to the next."""

from __future__ import annotations

import json
import math
import os
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

from engine import paths

if TYPE_CHECKING:
    from pathlib import Path

Way = Literal["automatic", "side by side", "stacked"]
"""How evidence and answer stand: automatic follows the width of the terminal."""

WAYS: tuple[Way, ...] = get_args(Way)

LEAST, MOST = 0.2, 0.8
"""Shares that no border goes beyond."""

LARGEST = 1000
"""Bytes of the file that are read back."""


@dataclass(frozen=True)
class Layout:
    """What a person arranged. Shares are parts of 1; None is as hoverkite has it."""

    way: Way = "automatic"
    width: float | None = None
    """Of the evidence, beside the answer."""
    height: float | None = None
    """Of the evidence, above the answer."""
    results: float | None = None
    """Height of the results, above the preview."""

    def without_sizes(self) -> Layout:
        """The same with every border where hoverkite has it."""
        return replace(self, width=None, height=None, results=None)


def bounded(share: float, cells: int, least_cells: int) -> float:
    """``share`` of ``cells`` so that neither side has less than ``least_cells``, if that can be."""
    least = min(max(LEAST, least_cells / cells if cells > 0 else 0), 0.5)
    return min(max(share, least), 1 - least)


def load() -> Layout:
    """Return the kept layout; what is missing or damaged is as hoverkite has it."""
    try:
        with _file().open("rb") as file:
            values = json.loads(file.read(LARGEST))
    except (OSError, ValueError, RecursionError):
        return Layout()
    if not isinstance(values, dict):
        return Layout()
    way = values.get("way")
    return Layout(
        way=way if way in WAYS else "automatic",
        width=_share(values.get("width")),
        height=_share(values.get("height")),
        results=_share(values.get("results")),
    )


def keep(layout: Layout) -> None:
    """Remember ``layout`` for the next start; the file is replaced in one step.

    Raises:
        OSError: it can't be written.
    """
    file = _file()
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = file.with_suffix(f".{os.getpid()}")
    new.touch(mode=0o600)
    new.write_text(json.dumps(asdict(layout)) + "\n", "utf-8")
    new.replace(file)


def _share(value: Any) -> float | None:
    """A share as it was kept, or None for anything that is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return min(max(float(value), LEAST), MOST)


def _file() -> Path:
    return paths.state_dir() / "layout.json"
