"""Files that look the same and are not: inode, size and mtime of another, or of another text."""

import contextlib
import os
import sqlite3
from pathlib import Path

import psutil
import pytest

from tests.engine.test_batches import Place, place
from tests.engine.test_lanes import known_texts
from tests.schemas import TO_SCHEMA_2

__all__ = ["place"]

pytestmark = pytest.mark.real

LONG_AGO = (1_700_000_000, 1_700_000_000)


def write(path: Path, text: str) -> None:
    path.write_text(text)
    os.utime(path, LONG_AGO)


def test_a_text_of_the_same_size_and_time_in_the_same_file_is_read(place: Place) -> None:
    write(place.root / "a.md", "it is turned ON")
    place.run()
    write(place.root / "a.md", "it is turned NO")
    assert place.run().changed == 1
    assert known_texts(place) == {"it is turned NO"}
    assert not place.run().any_change


def test_another_file_that_got_the_inode_of_one_that_is_gone_is_no_move(place: Place) -> None:
    write(place.root / "a.md", "the password is HERRING")
    place.run()
    (place.root / "a.md").rename(place.root / "b.md")  # keeps the inode, as the system may
    write(place.root / "b.md", "the meeting is on FRIDAY"[:23])
    outcome = place.run()
    assert (outcome.renamed, outcome.removed, outcome.added) == (0, 1, 1)
    assert (place.saved(), known_texts(place)) == (["b.md"], {"the meeting is on FRIDA"})


def test_a_move_and_a_change_of_mode_embed_nothing(place: Place) -> None:
    write(place.root / "a.md", "a kite hovers")
    place.run()
    (place.root / "a.md").rename(place.root / "b.md")
    (place.root / "b.md").chmod(0o600)
    outcome = place.run()
    assert (outcome.renamed, outcome.embedded, outcome.removed) == (1, 0, 0)
    (place.root / "b.md").chmod(0o644)
    assert not place.run().any_change
    assert not place.run().any_change


def test_a_manifest_of_the_schema_before_is_used_and_nothing_is_embedded(place: Place) -> None:
    write(place.root / "a.md", "a kite hovers")
    place.run()
    place.close()
    with contextlib.closing(sqlite3.connect(place.stored)) as connection:
        connection.executescript(TO_SCHEMA_2)
    place.open()
    outcome = place.run()
    assert outcome.embedded == 0
    assert place.run().reused == 0, "and is not read once more"
    assert known_texts(place) == {"a kite hovers"}


def test_a_folder_in_the_place_of_an_ignore_file_ignores_nothing(place: Place) -> None:
    (place.root / "inner/.gitignore").mkdir(parents=True)
    write(place.root / "inner/a.md", "a kite hovers")
    handles = psutil.Process().num_fds()
    for _ in range(3):
        place.run()
    assert place.saved() == ["inner/a.md"]
    assert psutil.Process().num_fds() <= handles + 1
