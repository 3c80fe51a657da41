"""Texts to vectors where a single text may get none, and must not cost all others theirs."""

from collections.abc import Generator, Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]

ORDINARY = "A kite hovers over the field."
"""A text to which every sound model gives a vector."""
MOST_AT_ONCE = 512
"""More texts, of one huge file, are not handed to the encoder together: it has to hold them all."""
NO_VECTOR = "the embedding model gives a piece of its text no usable vector"


class Embeds(Protocol):
    """The part of the encoder that a sync needs."""

    model_id: str

    def stream(
        self, texts: Sequence[str], *, at_once: bool = False
    ) -> Iterator[tuple[list[int], Vector]]:
        """Yield places of ``texts`` and their unit vectors, NaN where there is none.

        ``at_once`` goes ahead of all that wait, and is for a few short texts.
        """
        ...

    def fits(self, text: str) -> bool:
        """Whether the model takes the whole of ``text``, and cuts nothing away."""
        ...

    def encode_now(self, texts: Sequence[str]) -> Vector:
        """Return one unit vector a text, of a few short ones; ModelError where there is none."""
        ...


def sound_parts(
    encoder: Embeds, texts: Sequence[str], *, at_once: bool
) -> Generator[list[tuple[int, Vector]], None, None]:
    """Yield places of ``texts`` with their vectors; those that get none are left out.

    Raises:
        ModelError: the encoder gives none to an ordinary text either, or failed.
    """
    for begin in range(0, len(texts), MOST_AT_ONCE):
        some = texts[begin : begin + MOST_AT_ONCE]
        for rows, vectors in encoder.stream(some, at_once=at_once):
            if np.isnan(vectors).any():
                encoder.encode_now([ORDINARY])
            made = zip(rows, vectors, strict=True)
            yield [(begin + row, vector) for row, vector in made if not np.isnan(vector).any()]
