"""The one encoder of the engine, loaded once in the background and shared by all folders."""

import asyncio
import logging
from typing import TYPE_CHECKING

from engine import paths
from engine.config import Settings
from engine.wire.api import EmbeddingState

if TYPE_CHECKING:
    from engine.encoding.embedding import Encoder

log = logging.getLogger(__name__)

CLOSE_EVERY = 0.1
"""Seconds between looks for a child process that a load may have started while we close."""


class SharedEncoder:
    """Loads the encoder at the first ``get``; everyone waits for the same load."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._loading: asyncio.Task[Encoder] | None = None

    def expected(self) -> tuple[str, int] | None:
        """Return the encoder's model id and dimension before it is loaded, where they are known."""
        from engine.encoding import encoder_files

        known = encoder_files.loaded_before(self._settings)
        return known[:2] if known else None

    async def get(self) -> "Encoder":
        """Return the encoder, loading it first if need be.

        Raises:
            ModelError: it can't be loaded; the next call tries again.
        """
        if self._loading is None or (self._loading.done() and self._loading.exception()):
            self._loading = asyncio.create_task(asyncio.to_thread(self._load))
        return await asyncio.shield(self._loading)

    def _load(self) -> "Encoder":
        from engine.encoding import embedding

        return embedding.load(self._settings, cache=paths.cache_dir())

    def state(self) -> EmbeddingState:
        """Return what is known of the encoder without waiting for it."""
        if self._loading and self._loading.done() and not self._loading.exception():
            encoder = self._loading.result()
            return EmbeddingState(
                model=self._settings.embedding_model,
                dimension=encoder.dimension,
                max_tokens=encoder.max_tokens,
                device=encoder.device,
            )
        return EmbeddingState(
            model=self._settings.embedding_model, dimension=0, max_tokens=0, device="loading"
        )

    async def close(self) -> None:
        """Let go of the encoder; a load that is under way ends at its next step."""
        from engine.encoding import encoder_build

        if self._loading:
            while not self._loading.done():
                encoder_build.end_children()
                await asyncio.wait({self._loading}, timeout=CLOSE_EVERY)
            if not self._loading.cancelled() and not self._loading.exception():
                self._loading.result().close()
