"""What is put in order when nothing else is to do."""

import time
from typing import TYPE_CHECKING

from engine.storage.index import Index
from engine.storage.manifest import Manifest

if TYPE_CHECKING:
    from engine.encoding.embedding import Encoder

FORGET_EVERY = 86_400.0
"""Seconds between looks for vectors that no chunk needs."""


class Tidying:
    """Keeps one folder's index, and the encoder, from holding what is no longer used."""

    def __init__(self, manifest: Manifest, index: Index, encoder: "Encoder") -> None:
        self._manifest, self._index, self._encoder = manifest, index, encoder
        self._forgot = -FORGET_EVERY

    def run(self) -> None:
        """Purge dead rows, and once a day forget unused vectors. Searches wait meanwhile."""
        self._encoder.rest()
        self._index.purge()
        if time.monotonic() - self._forgot > FORGET_EVERY:
            self._manifest.vectors.forget_unused(self._encoder.model_id, now=time.time())
            self._forgot = time.monotonic()
