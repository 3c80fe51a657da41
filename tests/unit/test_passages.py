"""Hits joined with their neighbours for the model: sections, overlaps, changed files, budgets."""

import os
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from engine import config
from engine.answering.passages import Stretch, joined, key_of, stretches, widened
from engine.answering.prompt import Material, Prompt, build
from engine.chunks.chunk import Chunk
from engine.config import Settings
from engine.documents.document import Document
from engine.files.scan import Entry
from engine.part import Part
from engine.storage.manifest import FileUpdate, Manifest
from engine.storage.texts import ReadText
from engine.wire.api_search import Hit
from tests.hits import hit as any_hit
from tests.unit.test_prompt import MARK, characters

PARTS = [f"Part {number} of the text." for number in range(9)]
TEXT = "\n\n".join(PARTS)
HEADINGS = ["A", "A", "A", "B", "B", "B", "B", "B", "C"]
LARGE: dict[str, Any] = {"llm_model": "some/model", "llm_max_tokens": 64, "prompt_hits": 9}


@pytest.fixture
def manifest(tmp_path: Path) -> Iterator[Manifest]:
    opened = Manifest(tmp_path / "manifest.sqlite")
    yield opened
    opened.close()


def chunk(number: int, overlap: int = 0) -> Chunk:
    start = TEXT.index(PARTS[number]) - (overlap if number else 0)
    end = TEXT.index(PARTS[number]) + len(PARTS[number])
    return Chunk(
        start, end, TEXT[start:end], 2 * number + 1, 2 * number + 1, None, HEADINGS[number]
    )


def keep(manifest: Manifest, path: bytes = b"a.md", *, overlap: int = 0) -> None:
    file = manifest.new_id()
    manifest.texts.save([(file, path, ReadText.of(Document(TEXT, "text")))])
    chunks = [chunk(number, overlap) for number in range(len(PARTS))]
    entry = Entry(path, 1, 1, 1, 1)
    manifest.save([FileUpdate(file, entry, "content", "recipe", chunks)])


def hit(rank: int, number: int, overlap: int = 0, **changes: Any) -> Hit:
    part = chunk(number, overlap)
    values = {"path": "a.md", "heading": part.heading, "text": part.text}
    return any_hit(rank, **(values | {"start": part.start, "end": part.end} | changes))


def around(
    manifest: Manifest, hits: Sequence[Hit], chunks: int = 1, **values: Any
) -> list[Stretch | None]:
    settings = Settings.model_validate(LARGE | {"prompt_context": chunks} | values)
    return stretches(hits, settings, manifest)


def shown(manifest: Manifest, hits: Sequence[Hit], chunks: int = 1) -> list[tuple[list[int], str]]:
    passages = joined(hits, around(manifest, hits, chunks), len(hits))
    return [([each.rank for each in passage.hits], passage.text) for passage in passages]


def parts(first: int, last: int) -> str:
    return "\n\n".join(PARTS[first : last + 1])


@pytest.mark.parametrize(
    ("number", "chunks", "first", "last"),
    [
        (1, 1, 0, 2),
        (0, 1, 0, 1),
        (2, 1, 1, 2),
        (3, 1, 3, 4),
        (5, 2, 3, 7),
        (5, 10, 3, 7),
        (8, 5, 8, 8),
    ],
)
def test_a_hit_gets_its_neighbours_of_the_same_section(
    manifest: Manifest, number: int, chunks: int, first: int, last: int
) -> None:
    keep(manifest)
    assert shown(manifest, [hit(1, number)], chunks) == [([1], parts(first, last))]


@pytest.mark.parametrize("overlap", [0, 5])
@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([4, 6], [([1, 2], parts(3, 7))]),
        ([6, 4], [([1, 2], parts(3, 7))]),
        ([4, 4], [([1, 2], parts(3, 5))]),
        ([1, 4], [([1, 2], parts(0, 5))]),
        ([7, 3], [([1], parts(6, 7)), ([2], parts(3, 4))]),
        ([7, 3, 5], [([1, 2, 3], parts(3, 7))]),
        ([7, 0, 4], [([1, 3], parts(3, 7)), ([2], parts(0, 1))]),
    ],
)
def test_hits_that_touch_become_one_passage(
    manifest: Manifest, numbers: list[int], expected: list[tuple[list[int], str]], overlap: int
) -> None:
    keep(manifest, overlap=overlap)
    hits = [hit(rank, number, overlap) for rank, number in enumerate(numbers, 1)]
    found = shown(manifest, hits)
    if not overlap:
        assert found == expected
    whole = "\n".join(text for _, text in found)
    for one, next_one in pairwise(PARTS):
        assert whole.count(one) <= 1 and whole.count(next_one) <= 1
    assert all(each.text in whole for each in hits)


def test_hits_of_other_files_are_never_joined(manifest: Manifest) -> None:
    keep(manifest)
    keep(manifest, b"b.md")
    hits = [hit(1, 4), hit(2, 5, path="b.md")]
    assert shown(manifest, hits) == [([1], parts(3, 5)), ([2], parts(4, 6))]


@pytest.mark.parametrize(
    "changes",
    [
        {"path": "gone.md"},
        {"path": "../a.md"},
        {"text": "Something else now"},
        {"start": None, "end": None},
        {"start": 10**15, "end": 10**16},
        {"start": -3},
    ],
)
def test_a_hit_that_is_gone_or_has_changed_is_shown_alone(
    manifest: Manifest, changes: dict[str, Any]
) -> None:
    keep(manifest)
    hits = [hit(1, 4, **changes), hit(2, 5)]
    assert around(manifest, hits)[0] is None
    assert shown(manifest, hits) == [([1], hits[0].text), ([2], parts(4, 6))]


def test_a_name_that_is_no_utf_8(manifest: Manifest) -> None:
    keep(manifest, b"\xff.md")
    found = hit(1, 4, path=os.fsdecode(b"\xff.md").encode("utf-8", "replace").decode())
    assert around(manifest, [found]) == [None]
    found = found.model_copy(update={"quoted_path": "%FF.md"})
    assert shown(manifest, [found]) == [([1], parts(3, 5))]


@pytest.mark.parametrize("values", [{"llm_model": ""}, {"prompt_context": 0}])
def test_the_demonstration_model_and_0_show_hits_alone(
    manifest: Manifest, values: dict[str, Any]
) -> None:
    keep(manifest)
    assert around(manifest, [hit(1, 4)], **values) == [None]


def test_the_reference_shows_hits_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert config.load({"profile": "reference"}).prompt_context == 0
    assert config.load().prompt_context == 1


@pytest.mark.parametrize(
    ("dropped", "first", "last"), [(3, 4, 7), (5, 3, 4), (6, 3, 5), (8, 3, 7), (1, 3, 7)]
)
def test_what_was_dropped_stands_in_no_passage(
    manifest: Manifest, dropped: int, first: int, last: int
) -> None:
    keep(manifest)
    found = hit(1, 4, start_line=9, end_line=9)
    gone = hit(2, dropped, start_line=2 * dropped + 1, end_line=2 * dropped + 1)
    settings = Settings.model_validate(LARGE | {"prompt_context": 3})
    (stretch,) = stretches([found], settings, manifest, {key_of(gone)})
    assert stretch and stretch.text.strip() == parts(first, last)
    (other,) = stretches(
        [found], settings, manifest, {key_of(gone.model_copy(update={"path": "b.md"}))}
    )
    assert other and other.text.strip() == parts(3, 7)


def test_lines_of_passages_that_begin_on_other_pages() -> None:
    """Lines of a PDF are counted on each page anew."""
    one = Stretch(0, 9, "a\nb\nc\nd\n", 40, 43, Part("page", 1))
    two = Stretch(8, 11, "\nef", 1, 1, Part("page", 2))
    assert (
        two.with_(one)
        == one.with_(two)
        == Stretch(0, 11, "a\nb\nc\nd\nef", 40, 44, Part("page", 1))
    )


# --- in the prompt -----------------------------------------------------------------------------


async def built(manifest: Manifest, hits: list[Hit], context: int = 100_000) -> Prompt:
    settings = Settings.model_validate(LARGE)
    material = Material("Why?", hits, around(manifest, hits))
    return await build(material, settings=settings, context=context, count=characters, mark=MARK)


async def test_the_prompt_shows_joined_passages_and_names_all_their_hits(
    manifest: Manifest,
) -> None:
    keep(manifest)
    prompt = await built(manifest, [hit(1, 4), hit(2, 0), hit(3, 6)])
    text = prompt.messages[1]["content"]
    assert f"{MARK} [1] a.md, B, lines 7-15\n{parts(3, 7)}\n{MARK} end" in text
    assert [(each.hits, each.start_line, each.end_line) for each in prompt.passages] == [
        ([2], 1, 3),
        ([1, 3], 7, 15),
    ]
    assert prompt.hits == [2, 3, 1], "the best is last"
    assert prompt.notice == ""
    assert all(text.count(part) == 1 for part in PARTS[:2] + PARTS[3:8])


async def test_what_is_around_hits_is_left_out_first(manifest: Manifest) -> None:
    keep(manifest)
    hits = [hit(1, 1), hit(2, 6)]
    room = 64
    whole = await built(manifest, hits)
    both = await built(manifest, hits, whole.tokens + room)
    assert both == whole
    one = await built(manifest, hits, whole.tokens + room - 1)
    assert one.notice == "the text around 1 hit left out to fit the model's context"
    assert parts(0, 2) in one.messages[1]["content"] and one.hits == [2, 1]
    none = await built(manifest, hits, one.tokens + room - 1)
    assert none.notice == "the text around 2 hits left out to fit the model's context"
    assert none.hits == [2, 1] and PARTS[0] not in none.messages[1]["content"]
    fewer = await built(manifest, hits, none.tokens + room - 1)
    assert fewer.hits == [1]
    assert fewer.notice == (
        "the text around 2 hits and 1 of 2 passages left out to fit the model's context"
    )


@pytest.mark.parametrize("context", range(560, 1200, 40))
async def test_it_always_fits(manifest: Manifest, context: int) -> None:
    keep(manifest)
    hits = [hit(rank, number) for rank, number in enumerate((4, 0, 8, 6, 2), 1)]
    prompt = await built(manifest, hits, context)
    assert prompt.tokens + 64 <= context


async def test_without_anything_around_nothing_is_told_of_it(manifest: Manifest) -> None:
    keep(manifest)
    lone = [hit(1, 8)]
    assert widened(lone, around(manifest, lone)) == []
    prompt = await built(manifest, lone, 500)
    assert "around" not in prompt.notice
