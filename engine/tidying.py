"""What is put in order when nothing else is to do."""

import time

from engine.index import Index
from engine.manifest import Manifest

FORGET_EVERY = 86_400.0
"""Seconds between looks for vectors that no chunk needs."""


class Tidying:
    """Keeps one folder's index from growing with what is no longer used."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._forgot = -FORGET_EVERY

    def run(self, index: Index, model: str) -> None:
        """Purge dead rows, and once a day forget unused vectors. Searches wait meanwhile."""
        index.purge()
        if time.monotonic() - self._forgot > FORGET_EVERY:
            self._manifest.forget_unused(model, now=time.time())
            self._forgot = time.monotonic()
