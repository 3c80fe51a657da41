"""An encoder without a model, for tests of everything around it."""

import asyncio
import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.config import Settings
from engine.encoding.embedding import Encoder, EncoderInParts
from engine.server.shared_encoder import SharedEncoder


class TinyEncoder(EncoderInParts):
    """Gives each text a vector of its own, the same every time."""

    dimension = 8
    max_tokens = 0
    device = "none"

    def __init__(self, model_id: str = "tiny") -> None:
        self.model_id = model_id
        self.in_turn: list[str] = []
        """Texts embedded in their turn …"""
        self.at_once: list[str] = []
        """… and those embedded ahead of them."""

    def close(self) -> None:
        """Nothing is held."""

    def _encode(self, texts: list[str]) -> NDArray[np.float32]:
        self.in_turn += texts
        return self._vectors(texts)

    def _encode_now(self, texts: list[str], *, is_query: bool) -> NDArray[np.float32]:
        self.at_once += [] if is_query else texts
        return self._vectors(texts)

    def _vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        seeds = [hashlib.blake2b(text.encode(errors="replace"), digest_size=8) for text in texts]
        numbers = [np.random.default_rng(int(seed.hexdigest(), 16)) for seed in seeds]
        return np.array([number.standard_normal(self.dimension) for number in numbers], np.float32)


class TinyShared(SharedEncoder):
    """Is the shared encoder of an engine whose model is tiny."""

    def __init__(self, encoder: TinyEncoder | None = None) -> None:
        super().__init__(Settings())
        self.encoder = encoder or TinyEncoder()
        self._loading = asyncio.get_running_loop().create_task(self._loaded())

    async def _loaded(self) -> Encoder:
        return self.encoder
