import threading
import time
from collections.abc import Sequence

import numpy as np
import pytest

from engine import search
from engine.api import Hit
from engine.embedding import Encoder, Vectors
from engine.search import quote

TEXT = "Kites hover over open fields. Kites hover over green fields."


class ScriptedEncoder(Encoder):
    """Finds the word "green" near to everything, once it may answer."""

    def __init__(self, *, may_answer: bool) -> None:
        self.may_answer = threading.Event()
        self.dimension, self.max_tokens = 2, 256
        self.asked: list[str] = []
        if may_answer:
            self.may_answer.set()

    def _encode_now(self, texts: list[str], *, is_query: bool) -> Vectors:
        if not is_query:
            self.asked += texts
            assert self.may_answer.wait(30)
        return np.array([[1, 0] if is_query or "green" in text else [0, 1] for text in texts], "f4")

    def _encode(self, texts: list[str]) -> Vectors:
        raise AssertionError("extracts must not queue behind bulk work")

    def close(self) -> None: ...


def quoted(encoder: Encoder) -> Sequence[str]:
    hit = Hit(
        rank=1,
        path="a.md",
        start_line=1,
        end_line=1,
        heading="",
        text=TEXT,
        distance=0.5,
        page=None,
    )
    found = quote("Where do kites hover?", [hit], encoder=encoder)
    return [extract.text for extract in found]


def test_the_encoder_decides_between_sentences_with_the_same_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(search, "PATIENCE", 30)  # however busy this machine is
    encoder = ScriptedEncoder(may_answer=True)
    assert quoted(encoder)[0] == "Kites hover over green fields."


def test_extracts_do_not_wait_for_a_busy_encoder() -> None:
    encoder = ScriptedEncoder(may_answer=False)
    begun = time.monotonic()
    assert quoted(encoder)[0] == "Kites hover over open fields."
    assert time.monotonic() - begun < 5
    assert len(encoder.asked) == 2
    encoder.may_answer.set()
