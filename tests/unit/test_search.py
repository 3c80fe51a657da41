"""Which sentences a search quotes."""

from collections.abc import Sequence

import numpy as np

from engine.answering.extracts import quote
from engine.encoding.embedding import Encoder, EncoderInParts, Vectors
from tests.hits import hit

TEXT = "Kites hover over open fields. Kites hover over green fields."


class ScriptedEncoder(EncoderInParts):
    """Finds the word "green" near to everything."""

    def __init__(self) -> None:
        self.dimension, self.max_tokens = 2, 256
        self.asked: list[str] = []

    def _encode_now(self, texts: list[str], *, is_query: bool) -> Vectors:
        if not is_query:
            self.asked += texts
        return np.array([[1, 0] if is_query or "green" in text else [0, 1] for text in texts], "f4")

    def _encode(self, texts: list[str]) -> Vectors:
        raise AssertionError("extracts must not queue behind bulk work")

    def close(self) -> None: ...


def quoted(encoder: Encoder, text: str) -> Sequence[str]:
    found = quote("Where do kites hover?", [hit(heading="", text=text)], encoder=encoder)
    return [extract.text for extract in found]


def test_the_encoder_decides_between_sentences_with_the_same_words() -> None:
    encoder = ScriptedEncoder()
    assert quoted(encoder, TEXT)[0] == "Kites hover over green fields."
    assert len(encoder.asked) == 2


def test_the_encoder_is_not_asked_where_the_words_tell() -> None:
    encoder = ScriptedEncoder()
    text = "Green is a colour of some leaves. Kites hover over open fields."
    assert quoted(encoder, text)[0] == "Kites hover over open fields."
    assert not encoder.asked
