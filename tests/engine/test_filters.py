"""Filters and the files, chunks and lines that they let in."""

import json
import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from engine.chunks.chunk import Chunk
from engine.errors import UsageError
from engine.files.scan import Entry
from engine.storage.filters import Selection, holding, keeps
from engine.storage.manifest import FileUpdate, Manifest, row_id, text_hash
from engine.storage.texts import ReadText
from engine.wire.api_search import Filters, SearchRequest

DAY = "2026-02-03"
NOON = int(datetime(2026, 2, 3, 12).timestamp()) * 10**9
HOURS = 3600 * 10**9

FILES: dict[str, tuple[int, Sequence[str]]] = {
    "guide/index.md": (NOON, ["Hot standby\n of the Generator", "a draft, état"]),
    "guide/deep/Ops.PDF": (NOON - 13 * HOURS, ["the hot  standby", "drafty"]),
    "notes/guide": (NOON + 13 * HOURS, ["猫が好き", "overhot standby"]),
    "notes/[x] !y.txt": (NOON, ["hot standby hot standby", "DRAFT"]),
    "new\nline.md": (0, ["snake_draft"]),
}


@pytest.fixture
def manifest(tmp_path: Path) -> Iterator[Manifest]:
    opened = Manifest(tmp_path / "manifest.sqlite")
    for number, (path, (mtime, chunks)) in enumerate(FILES.items(), 1):
        add(opened, number, os.fsencode(path), mtime, chunks)
    yield opened
    opened.close()


def add(manifest: Manifest, file: int, path: bytes, mtime: int, chunks: Sequence[str]) -> None:
    entry = Entry(path, 1, mtime, file)
    made = [Chunk(0, len(text), text, 1, 1, None, "") for text in chunks]
    manifest.texts.save([(file, path, ReadText("\n".join(chunks), ""))])
    manifest.save([FileUpdate(file, entry, "content", "recipe", made)])


def tag(manifest: Manifest, path: str, *tags: str) -> None:
    file = manifest.files()[path.encode()].id
    with manifest.narrowing._file.transaction() as connection:
        connection.executemany("INSERT INTO tags VALUES (?, ?)", [(file, one) for one in tags])


def selected(manifest: Manifest, **filters: Any) -> set[str] | None:
    """Return the paths of the files that are let in."""
    files = manifest.narrowing.select(Filters(**filters)).files
    if files is None:
        return None
    names = {record.id: os.fsdecode(path) for path, record in manifest.files().items()}
    return {names[file] for file in files}


IN_GUIDE = {"guide/index.md", "guide/deep/Ops.PDF"}


@pytest.mark.parametrize(
    ("filters", "paths"),
    [
        ({"paths": ["guide/**"]}, IN_GUIDE),
        ({"paths": ["guide/"]}, IN_GUIDE),
        ({"paths": ["./guide"]}, IN_GUIDE),
        ({"paths": ["/guide"]}, IN_GUIDE),
        ({"paths": ["guide"]}, {*IN_GUIDE, "notes/guide"}),
        ({"paths": ["GUIDE/"]}, set()),
        ({"paths": ["*.pdf"]}, {"guide/deep/Ops.PDF"}),
        ({"paths": ["Ops.*"]}, {"guide/deep/Ops.PDF"}),
        ({"paths": ["OPS.*"]}, set()),
        ({"paths": ["guide/deep", "index.md"]}, IN_GUIDE),
        ({"paths": ["guide/*.md"]}, {"guide/index.md"}),
        ({"paths": ["**/deep/*"]}, {"guide/deep/Ops.PDF"}),
        ({"paths": ["*y.txt"]}, {"notes/[x] !y.txt"}),
        ({"paths": ["!guide"]}, set()),
        ({"paths": ["#guide"]}, set()),
        ({"paths": ["new*"]}, {"new\nline.md"}),
        ({"paths": ["*.md"]}, {"guide/index.md", "new\nline.md"}),
        ({"not_paths": ["*.md", "notes/"]}, {"guide/deep/Ops.PDF"}),
        ({"paths": ["guide/"], "not_paths": ["deep"]}, {"guide/index.md"}),
        ({"types": ["md", "pdf"]}, {"guide/index.md", "new\nline.md", "guide/deep/Ops.PDF"}),
        ({"types": [".PDF"]}, {"guide/deep/Ops.PDF"}),
        ({"not_types": [".Md", "txt"]}, {"guide/deep/Ops.PDF", "notes/guide"}),
        ({"after": DAY}, {"guide/index.md", "notes/guide", "notes/[x] !y.txt"}),
        ({"before": DAY}, {"guide/deep/Ops.PDF", "new\nline.md"}),
        ({"after": DAY, "before": "2026-02-04"}, {"guide/index.md", "notes/[x] !y.txt"}),
        ({"after": "2026-02-05"}, set()),
        ({"after": "0001-01-01"}, None),
        ({"after": "9990-01-01"}, set()),
        ({"before": "0001-01-01"}, set()),
        ({"before": "9990-01-01"}, None),
        ({"before": "2199-01-01"}, set(FILES)),
        ({"after": "2026-03-01", "before": "2026-01-01"}, set()),
        ({"tags": ["project"]}, {"guide/index.md", "notes/guide"}),
        ({"tags": ["#Project/X"]}, {"notes/guide"}),
        ({"tags": ["project", "b"]}, {"guide/index.md"}),
        ({"tags": ["proj"]}, set()),
        ({"tags": ["'; DROP TABLE tags; --"]}, set()),
        ({"not_tags": ["project"], "paths": ["guide/"]}, {"guide/deep/Ops.PDF"}),
        ({"phrases": ["hot"], "without": ["x"]}, None),
    ],
)
def test_files_are_let_in(
    manifest: Manifest, filters: dict[str, Any], paths: set[str] | None
) -> None:
    tag(manifest, "guide/index.md", "project", "b")
    tag(manifest, "notes/guide", "project/x", "projects")
    assert selected(manifest, **filters) == paths


def test_a_name_that_is_no_utf_8_can_be_filtered_by_over_the_wire(manifest: Manifest) -> None:
    add(manifest, 9, b"caf\xe9/x.md", NOON, ["kite"])
    typed = [os.fsdecode(b"caf\xe9/")]
    sent = SearchRequest(query="kite", filters=Filters(paths=typed, not_tags=typed))
    came = SearchRequest.model_validate_json(json.dumps(sent.model_dump()))
    assert selected(manifest, **came.filters.model_dump()) == {os.fsdecode(b"caf\xe9/x.md")}


def test_a_folder_is_of_no_type(manifest: Manifest) -> None:
    add(manifest, 9, b"old.md/x.pdf", NOON, ["kite"])
    files = selected(manifest, not_types=["md"], after=DAY)
    assert files == {"notes/guide", "notes/[x] !y.txt", "old.md/x.pdf"}


def rows_of(*texts: str) -> set[int]:
    """Return the rows of chunks, wherever these stand."""
    return {
        row_id(file, text_hash(text))
        for file, (_, chunks) in enumerate(FILES.values(), 1)
        for text in chunks
        if text in texts
    }


def test_phrases_and_words_to_be_without_are_found_in_chunks(manifest: Manifest) -> None:
    select = manifest.narrowing.select
    held = rows_of("Hot standby\n of the Generator", "the hot  standby", "hot standby hot standby")
    assert select(Filters(phrases=["hot standby"])) == Selection(rows=held)
    both = select(Filters(phrases=["hot standby", "the"])).rows
    assert both == held - rows_of("hot standby hot standby")
    assert select(Filters(without=["draft"])).barred == rows_of("a draft, état", "DRAFT")
    assert select(Filters(phrases=["猫"])).rows == rows_of("猫が好き")
    inside = select(Filters(phrases=["hot standby"], paths=["notes"]))
    assert inside.rows == rows_of("hot standby hot standby")
    assert len(inside.files or ()) == 2


def test_what_nothing_meets_is_told(manifest: Manifest) -> None:
    select = manifest.narrowing.select
    assert select(Filters(paths=["gude"], types=["md"])).notices == ("no file is at gude",)
    assert select(Filters(types=["doc", "xls"])).notices == ("no file is of type doc or xls",)
    assert select(Filters(tags=["x"])).notices == ("no file is tagged x",)
    assert select(Filters(after="2027-01-01")).notices
    assert select(Filters(phrases=["cold fusion"])).notices == (
        'no chunk holds "cold fusion" word for word',
    )
    assert select(Filters(paths=["gude"])).is_empty
    assert not select(Filters(paths=["guide"])).is_empty
    assert select(Filters()) == Selection()


@pytest.mark.parametrize("path", ["a/**/b/**/c/**/d", "[", "!"])
def test_a_path_that_is_no_pattern_is_refused_or_names_nothing(
    manifest: Manifest, path: str
) -> None:
    try:
        assert selected(manifest, paths=[path]) == set()
    except UsageError as error:
        assert "no pattern of paths" in str(error)


@pytest.mark.parametrize(
    ("phrase", "text", "expected"),
    [
        ("hot standby", "a HOT\n\tStandby.", True),
        ("hot standby", "hot-standby", False),
        ("draft", "drafts", False),
        ("draft", "draft_x", False),
        ("draft", "(draft)", True),
        ("draft", "Đdraft", False),
        ("état", "L'ÉTAT!", True),
        ("a.c", "abc", False),
        ("c++", "in c++, too", True),
        ("c++", "c+++", True),
        ("好き", "猫が好きです", True),
        ("猫a", "猫ab", False),
        ("a\u00a0b", "a b", True),
        ("\ud800", "?", False),
        ("  ", "", True),
    ],
)
def test_a_phrase_is_whole_words_in_any_case(phrase: str, text: str, expected: bool) -> None:
    assert (holding(phrase).search(text.encode()) is not None) is expected


def test_a_text_is_tested_for_both() -> None:
    test = keeps(Filters(phrases=["kite"], without=["owl"]))
    assert test
    assert [test(text) for text in (b"a kite", b"a kite owl", b"nothing")] == [True, False, False]
    assert keeps(Filters(paths=["x"])) is None


def test_the_chunks_of_filters_alone_are_the_newest_files_first(manifest: Manifest) -> None:
    narrowing = manifest.narrowing
    rows = narrowing.newest_rows(narrowing.select(Filters(paths=["notes", "guide"])), 99)
    texts = [manifest.chunks_at([row])[row].chunk.text for row in rows]
    assert texts[:2] == ["猫が好き", "overhot standby"]
    assert texts[-2:] == ["the hot  standby", "drafty"]
    assert len(texts) == 8
    few = narrowing.newest_rows(narrowing.select(Filters(without=["draft"])), 3, per_file=1)
    texts = [manifest.chunks_at([row])[row].chunk.text for row in few]
    assert texts == ["猫が好き", "Hot standby\n of the Generator", "hot standby hot standby"]


def test_a_file_that_is_not_embedded_yet_is_known_by_its_name_alone(manifest: Manifest) -> None:
    manifest.texts.save([(99, b"guide/new.md", ReadText("kite", ""))])
    files, _ = manifest.narrowing.files(Filters(paths=["guide/new.md"]))
    assert files == {99}
    files, _ = manifest.narrowing.files(Filters(paths=["guide/new.md"], before="2100-01-01"))
    assert files == set()
