"""Which of the found chunks are shown."""

import pytest

from engine.chunks.chunk import Chunk
from engine.searching.folding import LOOKED_AT, choose
from engine.storage.fusion import Ranked
from engine.storage.index import Found
from engine.storage.manifest import StoredChunk

LICENCE = "Licensed under the Apache License, Version 2.0; you may not use this file otherwise"


def found(row: int, text: str, path: str = "") -> Found:
    chunk = Chunk(0, len(text), text, row, row, None, "")
    stored = StoredChunk(row, (path or f"{row}.md").encode(), chunk)
    return Found(stored, Ranked(row, 1 - row / 100, 0.5, row, None, None))


def shown(*some: Found, limit: int = 8, per_file: int = 0) -> list[int]:
    return [one.found.stored.row for one in choose(some, limit, per_file=per_file)[0]]


@pytest.mark.parametrize(
    "copy",
    [LICENCE, LICENCE.upper(), LICENCE.replace(" ", "\n"), LICENCE + " here", LICENCE + "!"],
)
def test_what_says_nearly_the_same_is_folded_into_the_better_hit(copy: str) -> None:
    kept, left = choose([found(1, LICENCE), found(2, "kites"), found(3, copy)], 8, per_file=0)
    assert [one.found.stored.row for one in kept] == [1, 2]
    assert [[same.stored.row for same in one.folded] for one in kept] == [[3], []]
    assert left == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (LICENCE, LICENCE.replace("Apache License, Version 2.0", "terms of the MIT licence")),
        ("kite", "hawk"),
        ("黑鸢是一种猛禽", "黑鸢分布于欧亚大陆"),
        ("…", "!"),
        ("a b", "a b c"),
    ],
)
def test_what_differs_is_shown(one: str, other: str) -> None:
    assert shown(found(1, one), found(2, other)) == [1, 2]


def test_no_file_takes_more_places_than_it_may() -> None:
    some = [found(row, f"text {row}", "a.md" if row < 5 else "b.md") for row in range(1, 8)]
    assert shown(*some, per_file=2) == [1, 2, 5, 6]
    assert shown(*some, per_file=0) == [1, 2, 3, 4, 5, 6, 7]
    _, left = choose(some, 8, per_file=2)
    assert [(one.found.stored.row, one.reason) for one in left][:2] == [
        (3, "2 better hits are in the same file"),
        (4, "2 better hits are in the same file"),
    ]


def test_what_is_below_the_last_hit_is_told_and_looking_ends() -> None:
    some = [found(row, f"text {row}") for row in range(1, 100)]
    kept, left = choose(some, 3, per_file=0)
    assert [one.found.stored.row for one in kept] == [1, 2, 3]
    assert {one.reason for one in left} == {"it is below the first 3"}
    assert len(kept) + len(left) == LOOKED_AT * 3
