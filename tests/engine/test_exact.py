"""Exact search over texts: the same files as grep and a plain reference, and the right places."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.documents.document import Document
from engine.errors import UsageError
from engine.files.scan import Entry
from engine.searching import exact
from engine.searching.exact import Matches, find
from engine.storage.filters import keeps
from engine.storage.manifest import Manifest
from engine.storage.texts import ReadText
from engine.wire.api_search import Filters
from engine.wire.query import Exact
from tests.shared_data import MANUAL

OWN = {
    "guide/kite.md": "# Kite\n\nA kite hovers, kite-like.\n\nERR_TAIL-12: see index.md v2.4.1\n",
    "guide/crlf.md": "first line\r\nends here\r\nlast",
    "notes/other.md": "Größe ÄRGER кот, котик 猫が好き é\n\n\n",
    "notes/empty.md": "",
    "notes/blank.md": "\n",
    "one line.txt": "x" * 1000 + "NEEDLE" + "y" * 1000,
    "tail": "no newline at the end hovers",
    "code.py": "def create_index(self) -> None:\n    self.index_type = 'HNSW'  # TODO(x)\n",
}
PATTERNS = [
    "kite", "HNSW", "hovers$", "^$", "^#+ .*", "index_type|metric_type", "create_index",
    r"[A-Z]{3,}_[A-Z]+", r"[0-9]+\.[0-9]+\.[0-9]+", r"\(.*\)", "^[^a-z]*$", "é", "кот", "猫",
    "ärger", "x+y*", "nothing like this", "^ +", "e", "collection.*(load|release)",
]  # fmt: skip
"""Extended regular expressions that mean the same to grep, to Python and to us."""


@pytest.fixture
def manifest(tmp_path: Path) -> Iterator[Manifest]:
    opened = Manifest(tmp_path / "manifest.sqlite")
    yield opened
    opened.close()


def keep(manifest: Manifest, texts: dict[str, str]) -> None:
    rows = [
        (number, path.encode(), ReadText(text, ""))
        for number, (path, text) in enumerate(texts.items())
    ]
    manifest.texts.save(rows)


def found(manifest: Manifest, pattern: str, *, is_regex: bool = True, most: int = 50) -> Matches:
    return find(Exact(pattern, is_regex), manifest.texts, most=most)


def reference(texts: dict[str, str], pattern: str) -> dict[str, list[int]]:
    """Return path → lines that match, found line by line by Python's own engine."""
    flags = re.NOFLAG if any(letter.isupper() for letter in pattern) else re.IGNORECASE
    expression = re.compile(pattern, flags)
    matching = {}
    for path in sorted(texts, key=str.encode):
        lines = texts[path].split("\n")
        lines = lines[:-1] if lines[-1] == "" else lines
        numbers = [at for at, line in enumerate(lines, 1) if expression.search(line.rstrip("\r"))]
        if numbers:
            matching[path] = numbers
    return matching


def test_own_texts_are_searched_as_by_a_plain_reference(manifest: Manifest) -> None:
    keep(manifest, OWN)
    for pattern in PATTERNS:
        matches, expected = found(manifest, pattern), reference(OWN, pattern)
        assert matches.files == list(expected), pattern
        lines = [(hit.path, hit.start_line) for hit in matches.hits]
        assert lines == [(path, line) for path in expected for line in expected[path]], pattern
        assert (matches.lines, matches.is_whole) == (len(lines), True), pattern


def grep(folder: Path, pattern: str) -> list[str]:
    """Return the files that grep finds, with smart case."""
    case = [] if any(letter.isupper() for letter in pattern) else ["-i"]
    said = subprocess.run(
        ["grep", "-rlE", *case, "-e", pattern, "."],
        cwd=folder, env=os.environ | {"LC_ALL": "C.UTF-8"}, capture_output=True, check=False,
    )  # fmt: skip
    assert said.stderr == b""
    return sorted(line.removeprefix("./") for line in said.stdout.decode().splitlines())


def check_against_grep(manifest: Manifest, folder: Path) -> None:
    texts = {
        str(path.relative_to(folder)): path.read_bytes().decode()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    keep(manifest, texts)
    for pattern in PATTERNS:
        files = found(manifest, pattern, most=1).files
        assert sorted(files) == grep(folder, pattern) == sorted(reference(texts, pattern)), pattern


def test_own_files_are_those_that_grep_finds(manifest: Manifest, tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    for path, text in OWN.items():
        if path != "guide/crlf.md":  # where grep's $ is none
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(text.encode())
    check_against_grep(manifest, folder)


@pytest.mark.skipif(not MANUAL.is_dir(), reason="the documentation is not on this machine")
def test_the_files_of_a_real_manual_are_those_that_grep_finds(manifest: Manifest) -> None:
    check_against_grep(manifest, MANUAL)


def test_a_line_that_ends_as_on_windows_ends_before_that(manifest: Manifest) -> None:
    keep(manifest, OWN)
    assert [hit.text for hit in found(manifest, "here$").hits] == ["ends here"]


def test_pages_and_lines_of_the_file_are_told_where_text_was_made(manifest: Manifest) -> None:
    pdf = Document("één\nkite\ntwo\nkite é kite\n", "pdf", unit="page", parts=[0, 9])
    html = Document("# é\n\nkite\nkite", "html", source_lines=[(0, 3), (5, 10), (10, 20)])
    manifest.texts.save([(1, b"a.pdf", ReadText.of(pdf)), (2, b"b.html", ReadText.of(html))])
    hits = found(manifest, "kite").hits
    assert [(hit.path, hit.part and hit.part.number, hit.start_line) for hit in hits] == [
        ("a.pdf", 1, 2), ("a.pdf", 2, 2), ("b.html", None, 10), ("b.html", None, 20),
    ]  # fmt: skip


def test_a_long_line_is_clipped_around_its_match(manifest: Manifest) -> None:
    keep(manifest, {"a": "é" * 3_000_000 + "NEEDLE" + "ж" * 3_000_000, "b": "NEEDLE" + "z" * 999})
    first, second = found(manifest, "NEEDLE").hits
    assert first.text.startswith("…éé") and first.text.endswith("жж…") and "NEEDLE" in first.text
    assert second.text.startswith("NEEDLEzz") and second.text.endswith("zz…")
    assert all(len(hit.text) <= exact.CLIP + 2 for hit in (first, second))


def test_hits_are_limited_a_file_too_and_all_lines_counted(manifest: Manifest) -> None:
    keep(manifest, {"b": "kite\n" * 10, "a": "kite\n" * 10, "c": "owl\n"})
    matches = find(Exact("kite", False), manifest.texts, most=4, per_file=3)
    assert [(hit.rank, hit.path, hit.start_line) for hit in matches.hits] == [
        (1, "a", 1), (2, "a", 2), (3, "a", 3), (4, "b", 1),
    ]  # fmt: skip
    assert (matches.lines, matches.files) == (20, ["a", "b"])


def test_very_many_lines_are_not_all_counted_and_every_file_is_found(
    manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exact, "MOST_LINES", 15)
    keep(manifest, {f"{number:02}": "kite\n" * 10 for number in range(9)})
    matches = found(manifest, "kite")
    assert (matches.is_whole, len(matches.files)) == (False, 9)
    assert 15 <= matches.lines < 90


def test_only_some_files_and_lines_may_be_let_in(manifest: Manifest) -> None:
    keep(manifest, {"a": "kite\nkite owl\n", "b": "kite\n"})
    only = find(Exact("kite", False), manifest.texts, most=9, files={0})
    assert only.files == ["a"]
    keep_lines = keeps(Filters(without=["OWL"]))
    assert find(Exact("kite", False), manifest.texts, most=9, keep=keep_lines).lines == 2
    keep_lines = keeps(Filters(phrases=["kite owl"]))
    assert find(Exact("kite", False), manifest.texts, most=9, keep=keep_lines).lines == 1


def test_what_takes_too_long_is_given_up(manifest: Manifest) -> None:
    keep(manifest, OWN)
    times = iter(range(0, 100, 2))
    with pytest.raises(UsageError, match="longer than 5 seconds"):
        find(Exact("kite", False), manifest.texts, most=1, clock=lambda: next(times))


def test_many_lines_of_one_file_are_given_up_as_well(manifest: Manifest) -> None:
    keep(manifest, {"a": "kite\n" * 5 * exact.LOOK_EVERY})
    for keep_lines in (None, keeps(Filters(without=["kite"]))):
        times = iter(range(0, 100, 2))
        with pytest.raises(UsageError, match="longer than 5 seconds"):
            find(
                Exact("kite", False),
                manifest.texts,
                most=1,
                keep=keep_lines,
                clock=lambda times=times: next(times),  # type: ignore[misc]
            )


def test_texts_that_are_kept_in_memory_are_dropped_as_files_change(manifest: Manifest) -> None:
    keep(manifest, {"a": "kite"})
    assert found(manifest, "kite").files == ["a"]
    assert found(manifest, "kite").files == ["a"]
    manifest.touch([(0, Entry(b"b", 1, 1, 1))])
    assert found(manifest, "kite").files == ["b"]
    keep(manifest, {"b": "owl"})
    assert found(manifest, "kite").files == []
    assert found(manifest, "owl").files == ["b"]
    manifest.save([], removed=[0])
    assert found(manifest, "owl").files == []
    manifest.texts.save([(7, b"c", ReadText("owl", ""))])
    assert found(manifest, "owl").files == ["c"]
    manifest.texts.drop_unsaved([b"c"])
    assert found(manifest, "owl").files == []
