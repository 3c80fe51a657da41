"""Lines that stand in many files are known as such, at once after every change."""

import random
import sqlite3
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from engine.chunks.chunk import Chunk
from engine.files.scan import Entry
from engine.searching.demotion import demoted
from engine.searching.template_text import FEW, MANY, factor, shares, weigh
from engine.storage.fusion import Ranked
from engine.storage.index import Found
from engine.storage.line_counts import files_with, lines_of
from engine.storage.manifest import FileUpdate, Manifest, StoredChunk

HEADER = (
    'Licensed under the Apache License, Version 2.0 (the "License");\n'
    "you may not use this file except in compliance with the License.\n"
    "Copyright 2021 The Kite Authors. All rights reserved by them.\n"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "manifest.sqlite"


@pytest.fixture
def manifest(path: Path) -> Iterator[Manifest]:
    opened = Manifest(path)
    yield opened
    opened.close()


def keep(manifest: Manifest, file: int, text: str) -> None:
    chunk = Chunk(0, len(text), text, 1, 1, None, "")
    entry = Entry(f"{file}.md".encode(), 1, 1, file)
    update = FileUpdate(file, entry, text, "recipe", [chunk], lines=lines_of(text))
    manifest.save([update])


def share(manifest: Manifest, text: str = HEADER) -> float:
    return shares([text], manifest)[0]


def test_a_header_of_many_files_is_template_text_and_a_text_of_its_own_is_not(
    manifest: Manifest,
) -> None:
    for file in range(1, MANY + 1):
        keep(
            manifest, file, f"{HEADER.replace('2021', str(2000 + file))}\nBody number {'x' * file}."
        )
    own = "What the licence of kites demands of you: name the authors."
    mixed = HEADER + "A line of its own, as long as the header is. " * 4
    assert shares([HEADER, own, ""], manifest) == [1.0, 0.0, 0.0]
    assert 0.3 < share(manifest, mixed) < 0.6
    assert factor(1.0) < factor(0.7) < factor(0.5) == factor(0.0) == 1.0


def test_what_few_files_share_is_no_template_text(manifest: Manifest) -> None:
    for file in range(1, FEW + 1):
        keep(manifest, file, HEADER)
    assert share(manifest) == 0.0
    keep(manifest, FEW + 1, HEADER)
    assert 0.0 < share(manifest) < 1.0


def test_a_line_counts_once_a_file_however_often_it_stands_there(manifest: Manifest) -> None:
    keep(manifest, 1, HEADER * 50)
    assert share(manifest) == 0.0


@pytest.mark.parametrize("change", ["edit", "remove", "unreadable"])
def test_it_is_right_after_each_change(manifest: Manifest, path: Path, change: str) -> None:
    for file in range(1, MANY + 1):
        keep(manifest, file, HEADER)
        keep(manifest, file, HEADER)  # read again: nothing counts twice
    assert share(manifest) == 1.0
    for file in range(1, MANY):
        if change == "edit":
            keep(manifest, file, f"Something else altogether, {'x' * file}.")
        elif change == "remove":
            manifest.save([], removed=[file])
        else:
            entry = Entry(f"{file}.md".encode(), 1, 1, file)
            manifest.save([FileUpdate(file, entry, "", "recipe", reason="damaged")])
    assert share(manifest) == 0.0
    keep(manifest, MANY, "Nothing of it is left in any file.")
    manifest.close()
    with sqlite3.connect(path) as connection:
        left = connection.execute("SELECT line FROM line_files").fetchall()
        held = connection.execute("SELECT count(*) FROM lines").fetchone()
    connection.close()
    of_each = {"edit": MANY, "remove": 1, "unreadable": 1}[change]
    assert len(left) == of_each
    assert held[0] in (of_each, MANY)


def test_counts_are_those_of_a_fresh_count(manifest: Manifest) -> None:
    dice = random.Random(3)
    pool = [f"{'sentence ' * 3}number {'i' * n} of the pool" for n in range(30)]
    texts: dict[int, str] = {}
    for _ in range(300):
        file = dice.randint(1, 25)
        if file in texts and dice.random() < 0.3:
            manifest.save([], removed=[file])
            del texts[file]
        else:
            texts[file] = "\n".join(dice.choices(pool, k=8))
            keep(manifest, file, texts[file])
    for line in pool:
        (key,) = lines_of(line)
        expected = sum(line in text.split("\n") for text in texts.values())
        counted = manifest.read(partial(files_with, lines=[key]))
        assert counted.get(key, 1) == max(1, expected)


@pytest.mark.parametrize(
    "text",
    ["", "\n" * 100_000, "|---|---|\n" * 10_000, "x" * 1_000_000, "<" * 300_000, "](" * 200_000,
     "a. " * 300_000, "\0" * 1000, " . " * 300_000],
    ids=lambda text: repr(text[:8]),
)  # fmt: skip
def test_any_text_is_counted_in_bounded_time(manifest: Manifest, text: str) -> None:
    begun = time.thread_time()
    keep(manifest, 1, text)
    assert 0.0 <= share(manifest, text) <= 1.0
    assert time.thread_time() - begun < 5


def found(file: int, text: str, score: float) -> Found:
    chunk = Chunk(0, len(text), text, 1, 1, None, "")
    return Found(StoredChunk(file, b"a.md", chunk), Ranked(file, score, None, None, None, None))


def test_hits_stay_in_the_order_of_their_scores(manifest: Manifest) -> None:
    for file in range(1, MANY + 1):
        keep(manifest, file, HEADER)
    own = "A line that stands nowhere else, about the licence."
    given = [found(n, HEADER if n % 3 == 0 else own, 1 - n / 300) for n in range(200)]
    ranked = [*demoted(given, partial(weigh, manifest=manifest))]
    scores = [one.ranked.score for one in ranked]
    assert scores == sorted(scores, reverse=True)
    assert sorted(one.stored.row for one in ranked) == [*range(200)]
    assert ranked[0].stored.row == 1
    places = {one.stored.row: place for place, one in enumerate(ranked)}
    assert places[0] > places[100]


def test_short_lines_are_no_text_at_all(manifest: Manifest) -> None:
    for file in range(1, 30):
        keep(manifest, file, "## See also\n\n```\n}\n| --- |\n")
    assert share(manifest, "## See also\n\n```\n}\n| --- |\n") == 0.0


def test_a_hundred_candidates_are_weighed_in_milliseconds(manifest: Manifest) -> None:
    dice = random.Random(5)
    words = [f"word{'abcdefgh'[n % 8]}{'xyzuvw'[n % 6]}{n}" for n in range(999)]

    def text() -> str:
        return "\n".join(" ".join(dice.choices(words, k=10)) for _ in range(6))

    lines = [dice.getrandbits(62) for _ in range(300_000)]
    updates = [
        FileUpdate(
            n, Entry(f"{n}".encode(), 1, 1, n), "", "r", lines=lines[300 * n : 300 * n + 300]
        )
        for n in range(1, 1000)
    ]
    manifest.save(updates)
    texts = [text() for _ in range(100)]
    took = []
    for _ in range(5):
        begun = time.thread_time()
        shares(texts, manifest)
        took.append(time.thread_time() - begun)
    assert min(took) < 0.02  # 3 ms on an idle machine
