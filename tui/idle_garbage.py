"""Collects garbage while nobody types: a full collection takes as long as a frame or two."""

from __future__ import annotations

import gc

from engine.quick_start import resume_garbage_collection

LOOK_SECONDS = 5.0
"""Seconds between two looks whether a full collection is due."""
IDLE_SECONDS = 2.0
"""Seconds without a key after which one is not in the way."""
DUE, OVERDUE = 10, 200
"""Smaller collections since the last full one: from the first on, it waits for an idle moment."""


def leave_full_collections_to_idle_moments() -> None:
    """Begin to collect garbage, in full only where :func:`collect_if_idle` says so."""
    resume_garbage_collection()
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, 10**9)


def collect_if_idle(seconds: float) -> None:
    """Collect all garbage if that is due, and nobody has typed for so many ``seconds``."""
    *_, since = gc.get_count()
    if since >= OVERDUE or (since >= DUE and seconds >= IDLE_SECONDS):
        gc.collect()
