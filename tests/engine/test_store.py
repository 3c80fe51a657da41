"""What Milvus Lite holds, and what is done when it holds a row twice."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.storage.store import Row, Store

pytestmark = pytest.mark.real


def rows(*ids: int) -> list[Row]:
    return [Row(at, 1, np.eye(4, dtype=np.float32)[at % 4], f"word{at}") for at in ids]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "index.db", "chunks_a", 4)
    yield opened
    opened.close()


def test_rows_added_and_removed_are_listed(store: Store) -> None:
    store.insert(rows(1, 2, 3))
    store.delete([2])
    assert store.rows() == {1, 3}
    assert {found.row for found in store.search(rows(1)[0].vector, 10)} == {1, 3}


def test_a_collection_that_holds_a_row_twice_is_emptied_to_be_filled_anew(store: Store) -> None:
    store.insert(rows(*range(20)))
    store.insert(rows(*range(15)))
    assert store.rows() == set()
    store.insert(rows(*range(20)))
    assert store.rows() == set(range(20))
    assert len(store.search(rows(0)[0].vector, 20)) == 20
