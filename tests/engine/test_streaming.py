"""Vectors as they come from the compiled encoder: streams that end early, fail, or run beside."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.config import Settings
from engine.encoding import embedding
from engine.encoding.embedding import PART_TEXTS, Part, Vectors
from engine.encoding.encoder_compiled import CompiledEncoder
from engine.errors import ManifestError, ModelError
from engine.storage import vectors
from engine.storage.manifest import Manifest
from engine.storage.vectors import sound_parts
from tests.engine.test_rereading import unwatched
from tests.engine.test_steps import many_paragraphs
from tests.engine.tiny_encoder import TinyEncoder
from tests.opened import opening

__all__ = ["unwatched"]

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

WORDS = ["kite", "hovers", "over", "fields", "grass", "vole", "trail"]


def texts(count: int, *, begin: int = 0) -> list[str]:
    """Return texts of very different length, an empty one among them."""
    return [
        " ".join([str(number), *WORDS] * (number % 4))[number**2 % 29 :]
        for number in range(begin, begin + count)
    ]


MANY = texts(3 * PART_TEXTS + 5)


@pytest.fixture(scope="module")
def encoder(encoder_cache: Path) -> Iterator[CompiledEncoder]:
    made = embedding.load(Settings(embedding_device="cpu"), cache=encoder_cache)
    assert isinstance(made, CompiledEncoder)
    yield made
    made.close()


def gathered(parts: Iterator[Part], count: int) -> Vectors:
    """Return the vectors of a stream in the order of its texts; each has to come once."""
    found = np.full((count, 384), np.nan, np.float32)
    for rows, made in parts:
        assert np.isnan(found[rows]).all()
        found[rows] = made
    assert not np.isnan(found).any()
    return found


def test_streamed_vectors_are_those_of_the_text_alone(encoder: CompiledEncoder) -> None:
    alone = np.concatenate([encoder.encode_now([text]) for text in MANY])
    assert MANY.count("") > 0
    assert np.abs(gathered(encoder.stream(MANY), len(MANY)) - alone).max() < 1e-4
    few = np.concatenate([made for _, made in encoder.stream(MANY, at_once=True)])
    assert np.abs(few - alone).max() < 1e-4


def test_vectors_come_in_parts_while_others_are_at_work(encoder: CompiledEncoder) -> None:
    sizes = [len(rows) for rows, _ in encoder.stream(MANY)]
    assert sum(sizes) == len(MANY)
    assert len(sizes) >= 3
    assert min(sizes[:-1]) >= PART_TEXTS


def test_a_stream_that_is_left_early_lets_go_of_the_bulk_graph(encoder: CompiledEncoder) -> None:
    stream = encoder.stream(MANY)
    next(stream)
    encoder.rest()
    assert (encoder._users, encoder._queue is None) == (1, False), "it is at work"
    stream.close()  # type: ignore[attr-defined]
    assert encoder._users == 0
    encoder.rest()
    assert encoder._queue is None
    assert gathered(encoder.stream(MANY), len(MANY)).shape == (len(MANY), 384)
    assert encoder._users == 0


def test_two_streams_at_once_give_each_its_own_vectors(encoder: CompiledEncoder) -> None:
    sets = [texts(50, begin=7), texts(70, begin=1000)]
    expected = [encoder.encode(some) for some in sets]
    found: dict[int, Vectors] = {}

    def run(number: int) -> None:
        found[number] = gathered(encoder.stream(sets[number]), len(sets[number]))

    threads = [threading.Thread(target=run, args=[number]) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    for number in range(2):
        assert np.abs(found[number] - expected[number]).max() < 1e-4
    assert encoder._users == 0


def refused(features: list[NDArray[np.int64]]) -> None:
    """Make a batch that can't be started."""
    features[1] = features[1][0]


def failing(features: list[NDArray[np.int64]]) -> None:
    """Make a batch that fails at work: its attention is for another length."""
    features[1] = np.pad(features[1], ((0, 0), (0, 1)))


@pytest.mark.parametrize("harm", [refused, failing])
@pytest.mark.parametrize("batch", [1, 9])
def test_a_batch_that_fails_costs_no_stream_after_its_own(
    encoder: CompiledEncoder, monkeypatch: pytest.MonkeyPatch, harm: Any, batch: int
) -> None:
    some = MANY[-36:]
    expected = encoder.encode(some)
    make, made = encoder._features, 0

    def spoil(encodings: Any) -> list[NDArray[np.int64]]:
        nonlocal made
        features = make(encodings)
        made += 1
        if made == batch:
            harm(features)
        return features

    with monkeypatch.context() as broken:
        broken.setattr(encoder, "_features", spoil)
        with pytest.raises(ModelError, match="OpenVINO failed"):
            encoder.encode(some)
    assert encoder._users == 0
    for _ in range(3):
        assert np.abs(encoder.encode(some) - expected).max() < 1e-4
    encoder.rest()
    assert encoder._queue is None


DROP = """
import sys
from pathlib import Path
from engine.encoding import embedding
from engine.config import Settings
encoder = embedding.load(Settings(embedding_device="cpu"), cache=Path(sys.argv[1]))
texts = [f"kite {number} " * 60 for number in range(60)]
for turn in range(2):
    stream = encoder.stream(texts)
    next(stream)
    if "stream" in sys.argv[2]:
        stream.close()
    if "rest" in sys.argv[2]:
        encoder.rest()
if "close" in sys.argv[2]:
    encoder.close()
print("ended", flush=True)
"""


def ended_well(script: str, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", script, *arguments],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert (done.returncode, done.stdout) == (0, "ended\n"), done.stderr[-2000:]


@pytest.mark.parametrize("how", ["stream rest close", "rest close"])
def test_batches_at_work_when_all_is_dropped_neither_hang_nor_crash(
    encoder_cache: Path, how: str
) -> None:
    ended_well(DROP, str(encoder_cache), how)


EXIT = """
import sys
from pathlib import Path
from engine.encoding import embedding
from engine.config import Settings
encoder = embedding.load(Settings(embedding_device="cpu"), cache=Path(sys.argv[1]))
encoder.encode([f"kite {number}" for number in range(60)])
print("ended", flush=True)
"""


def test_a_process_that_embeds_may_end_at_once(encoder_cache: Path) -> None:
    for _ in range(3):
        ended_well(EXIT, str(encoder_cache))


# --- whoever takes from a stream --------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 10, 11, 25])
def test_more_texts_than_are_handed_over_together_come_back_once_each(
    monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(vectors, "MOST_AT_ONCE", 10)
    encoder = TinyEncoder()
    handed: list[int] = []
    stream = encoder.stream

    def note(some: Any, *, at_once: bool = False) -> Iterator[Part]:
        handed.append(len(some))
        return stream(some, at_once=at_once)

    monkeypatch.setattr(encoder, "stream", note)
    given = texts(count)
    found = [row for part in sound_parts(encoder, given, at_once=False) for row in part]
    assert sorted(row for row, _ in found) == list(range(count))
    for row, vector in found:
        assert np.abs(vector - encoder.encode_now([given[row]])[0]).max() < 1e-6
    assert max(handed[: -count or None], default=0) <= 10


class Counting(TinyEncoder):
    """Counts the streams that hold something."""

    def __init__(self) -> None:
        super().__init__()
        self.users = 0

    def _stream(self, texts: list[str]) -> Iterator[Part]:
        self.users += 1
        try:
            yield from super()._stream(texts)
        finally:
            self.users -= 1


@pytest.mark.usefixtures("unwatched")
async def test_a_sync_that_fails_in_the_middle_of_a_stream_lets_go_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "docs"
    root.mkdir()
    encoder = Counting()
    users = []
    save = Manifest.save

    def fail(manifest: Manifest, updates: Any, *args: Any, **more: Any) -> None:
        if more.get("vectors"):
            users.append(encoder.users)
            raise ManifestError("the disk is full")
        save(manifest, updates, *args, **more)

    async with opening(root, encoder) as opened:
        monkeypatch.setattr(Manifest, "save", fail)
        (root / "long.md").write_text(many_paragraphs(0))
        with pytest.raises(ManifestError, match="full") as kept:
            await opened.synced()
        assert users[0] > 0
        assert encoder.users == 0
        assert str(kept.value) == "the disk is full", "and the error, with its frames, is kept"
