"""Chunks that are empty, too long, or whose vector is no number: refused or split, and counted."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.config import Settings
from engine.errors import ModelError
from engine.storage.vectors import NO_VECTOR
from tests.engine.tiny_encoder import TinyEncoder
from tests.hits import wanted
from tests.opened import (
    embedded,
    indexed,
    on_disk,
    opening,
    status,
    until,
    until_equal,
    write_notes,
)

pytestmark = pytest.mark.real


@pytest.mark.parametrize("nothing", ["", " \n\t\n ", "\ufeff"])
async def test_a_file_without_words_is_counted_and_makes_no_hit(
    root: Path, encoder: TinyEncoder, nothing: str
) -> None:
    (root / "nothing.md").write_text(nothing, "utf-8")
    async with opening(root, encoder) as opened:
        assert (status(opened).files, status(opened).chunks) == (4, 3)
        assert "nothing.md" not in await indexed(opened)
    assert sorted(embedded(encoder)) == ["note 0", "note 1", "note 2"]


@pytest.mark.parametrize("unit", ["x", "word ", "a line\n", "你", "\n#", "`"])
async def test_whatever_it_is_made_of_no_chunk_is_longer_than_the_setting(
    root: Path, encoder: TinyEncoder, unit: str
) -> None:
    (root / "long.md").write_text(unit * (20_000 // len(unit)))
    async with opening(root, encoder) as opened:
        assert status(opened).chunks > 3 + 20_000 / (2 * Settings().chunk_size)
        longest = Settings().chunk_size + len("\n") + Settings().chunk_context
        assert max(map(len, embedded(encoder))) <= longest
        assert "long.md" in {hit.path for hit in (await opened.search(wanted("x", 10_000))).hits}


class CursedEncoder(TinyEncoder):
    """Gives texts with a certain word a vector that is no number."""

    cursed = "cursed"

    def _vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = super()._vectors(texts)
        for text, vector in zip(texts, vectors, strict=True):
            if self.cursed in text:
                vector[:] = np.nan
        return vectors


async def test_a_vector_that_is_no_number_costs_its_own_file_only(root: Path) -> None:
    encoder = CursedEncoder()
    (root / "cursed.md").write_text("a cursed text")
    write_notes(root, 40)  # more than are embedded ahead of others, so both ways are gone
    async with opening(root, encoder) as opened:
        assert [(skip.path, skip.reason) for skip in status(opened).skipped] == [
            ("cursed.md", NO_VECTOR)
        ]
        assert status(opened).state == "watching"
        assert (await indexed(opened)).keys() == on_disk(root).keys() - {"cursed.md"}
        (root / "note1.md").write_text("note 1, cursed too")
        await until(lambda: len(status(opened).skipped) == 2)
        assert (await indexed(opened)).keys() == on_disk(root).keys() - {"cursed.md", "note1.md"}
        (root / "cursed.md").write_text("a text that was healed")
        (root / "note1.md").write_text("note 1, healed too")
        await until_equal(opened, root)
        await until(lambda: not status(opened).skipped)


async def test_a_model_that_gives_nothing_a_number_fails_and_skips_no_file(root: Path) -> None:
    encoder = CursedEncoder()
    encoder.cursed = ""
    async with opening(root, encoder, sync=False) as opened:
        with pytest.raises(ModelError, match="not a number"):
            await opened.synced()
        assert (status(opened).state, status(opened).skipped) == ("failed", [])
        encoder.cursed = "cursed"
        await opened.synced()
        await until_equal(opened, root)
