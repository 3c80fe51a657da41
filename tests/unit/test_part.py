"""Parts of documents: how they are named, kept and found again."""

import pytest

from engine.documents import Document
from engine.part import LONGEST_NAME, Part, Unit, location, short, unpacked
from engine.wire.api_search import Place

ATTACK = "a b\x1b]52;c;AA==\x07 \u202e 3 “x”"


@pytest.mark.parametrize(
    ("part", "lines", "said"),
    [
        (None, (3, 3), "line 3"),
        (None, (3, 9), "lines 3-9"),
        (Part("page", 3), (2, 5), "page 3, lines 2-5"),
        (Part("slide", 4, "Why kites"), (1, 1), "slide 4 “Why kites”, line 1"),
        (Part("sheet", 2, "Sales"), (12, 20), "sheet Sales, rows 12-20"),
        (Part("sheet", 2), (12, 12), "sheet 2, row 12"),
        (Part("cell", 7), (1, 3), "cell 7, lines 1-3"),
    ],
)
def test_where_something_stands_in_words(
    part: Part | None, lines: tuple[int, int], said: str
) -> None:
    assert location(part, *lines) == said


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (None, ":2-5"),
        (Part("page", 3), " p.3"),
        (Part("sheet", 2, "Sales"), " Sales:2-5"),
        (Part("sheet", 2), " 2:2-5"),
        (Part("slide", 4, "Why kites"), " slide 4"),
    ],
)
def test_where_something_stands_behind_a_path(part: Part | None, said: str) -> None:
    assert short(part, 2, 5) == said


@pytest.mark.parametrize("name", ["", "Sales", "two words", " 7 ", ATTACK, "\n"])
def test_what_the_manifest_keeps_of_a_part_is_the_part(name: str) -> None:
    part = Part("chapter", 12, name)
    assert unpacked(part.packed()) == part


@pytest.mark.parametrize("kept", [None, "", "room 3 ", "3"])
def test_what_is_no_part_is_none(kept: str | None) -> None:
    assert unpacked(kept) is None


@pytest.mark.parametrize("unit", ["slide", "message"])
def test_a_document_tells_parts_by_name_and_lines_in_them(unit: Unit) -> None:
    document = Document(
        "a\nb\nc\nd\n", "text", unit=unit, parts=[0, 4], names=["One", "T" * (LONGEST_NAME + 9)]
    )
    assert document.part(3) == Part(unit, 1, "One")
    assert document.part(4) == Part(unit, 2, "T" * LONGEST_NAME)
    assert document.lines(6, 7) == (2, 2)
    assert document.span(2, 2, Part(unit, 2)) == (6, 8)
    assert document.span(1, 1, Part(unit, 3)) == (8, 8)


def test_a_place_of_a_kept_conversation_that_tells_its_page_is_understood() -> None:
    kept = {"path": "a.pdf", "start_line": 1, "end_line": 2, "page": 7}
    assert Place.model_validate(kept).part == Part("page", 7)
    assert Place.model_validate(kept | {"page": None}).part is None
