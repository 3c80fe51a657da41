"""A whole file in parts: its lines, where the hit stands, PDF pages, and texts of any size."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from engine.documents.document import Document
from engine.part import Part
from engine.searching.parts import CUT, LONGEST_LINE, part
from engine.storage.manifest import Manifest
from engine.storage.texts import ReadText
from engine.wire.api_around import AroundRequest
from engine.wire.api_parts import PART_LINES, PartReply, PartRequest
from tests.engine.tiny_encoder import TinyEncoder
from tests.hits import wanted
from tests.in_process import client_of
from tests.opened import opening

LONG = "".join(f"line {number}\n" for number in range(1, 251))


@pytest.fixture
def manifest(tmp_path: Path) -> Iterator[Manifest]:
    opened = Manifest(tmp_path / "manifest.sqlite")
    yield opened
    opened.close()


def keep(manifest: Manifest, text: str, **parts: Any) -> None:
    manifest.texts.save([(1, b"a.md", ReadText.of(Document(text, "text", **parts)))])


def asked(manifest: Manifest, number: int | None, line: int = 1, **place: Any) -> PartReply:
    values = {"path": "a.md", "start_line": line, "end_line": line} | place
    return part(PartRequest(place=AroundRequest.model_validate(values), part=number), manifest)


def test_the_first_part_is_the_one_in_which_the_hit_begins(manifest: Manifest) -> None:
    keep(manifest, LONG)
    reply = asked(manifest, None, 205)
    assert (reply.part, reply.parts, reply.first, reply.total) == (2, 3, 201, 250)
    assert [line.text for line in reply.lines if line.is_hit] == ["line 205"]
    assert reply.has_hit


def test_all_parts_make_the_text(manifest: Manifest) -> None:
    keep(manifest, LONG.replace("\n", "\r\n"))
    parts = [asked(manifest, number) for number in range(3)]
    assert [len(each.lines) for each in parts] == [PART_LINES, PART_LINES, 50]
    lines = [line for each in parts for line in each.lines]
    assert [line.line for line in lines] == [*range(1, 251)]
    assert "".join(f"{line.text}\n" for line in lines) == LONG
    assert asked(manifest, 99).part == 2


@pytest.mark.parametrize(("text", "lines"), [("", [""]), ("\n", [""]), ("a\n\n", ["a", ""])])
def test_small_texts(manifest: Manifest, text: str, lines: list[str]) -> None:
    keep(manifest, text)
    reply = asked(manifest, None, 7)
    assert [line.text for line in reply.lines] == lines
    assert (reply.part, reply.parts, reply.total) == (0, 1, len(lines))


def test_a_hit_that_is_gone_leaves_the_file_from_its_beginning(manifest: Manifest) -> None:
    keep(manifest, LONG)
    reply = asked(manifest, None, 205, text="what stood there")
    assert (reply.part, reply.has_hit) == (0, False)
    assert not any(line.is_hit for line in reply.lines)
    assert asked(manifest, None, path="other.md") == PartReply()


OLD = "The pump runs for ten minutes each morning.\nThen the valve is closed by hand, slowly.\n"


@pytest.mark.parametrize(
    "now",
    [
        OLD.replace("ten", "twelve"),
        OLD.replace("slowly", "fast"),
        OLD.replace("each morning.\nThen", "each evening and\na while later"),
        "One line more before.\n" + OLD.replace("pump", "large pump"),
        OLD.replace("hand, slowly", "hand, slowly, and then it is opened again"),
    ],
)
def test_a_hit_of_which_some_words_were_changed_is_known_again(
    manifest: Manifest, now: str
) -> None:
    keep(manifest, "Of other things.\n" * 20 + now + "Of other things.\n" * 20)
    reply = asked(manifest, None, line=21, end_line=22, text=OLD)
    assert reply.has_hit
    marked = [line.text for line in reply.lines if line.is_hit]
    assert marked and all(line in now.splitlines() for line in marked)
    assert any("valve" in line for line in marked) and any("pump" in line for line in marked)


@pytest.mark.parametrize("text", ["ten\n", "The pump ran yesterday, and nobody knew why at all."])
def test_what_only_sounds_alike_is_not_the_hit(manifest: Manifest, text: str) -> None:
    keep(manifest, "Of other things.\n" * 20 + OLD.replace("ten", "12"))
    assert not asked(manifest, None, line=21, text=text).has_hit


def test_a_hit_over_two_parts_is_marked_in_both(manifest: Manifest) -> None:
    keep(manifest, LONG)
    own = "".join(f"line {number}\n" for number in range(99, 103)).rstrip()
    parts = [asked(manifest, number, 99, text=own) for number in (0, 1)]
    marked = [line.line for each in parts for line in each.lines if line.is_hit]
    assert marked == [99, 100, 101, 102]


@pytest.mark.parametrize(
    ("words", "line", "back", "found"),
    [
        ("LINE 2", 1, False, None),
        ("Line 2", 1, False, None),
        ("line 2", 3, False, 20),
        ("line 24", 30, False, 240),
        ("line 24", 246, False, 246),
        ("line 24", 250, False, 24),
        ("line 24", 240, True, 24),
        ("line 24", 24, True, 249),
        ("line 7\nline 8", 1, False, 7),
        ("l.ne", 1, False, None),
        ("(", 1, True, None),
    ],
)
def test_words_are_found_below_and_above_a_line_and_round_the_ends(
    manifest: Manifest, words: str, line: int, back: bool, found: int | None
) -> None:
    keep(manifest, LONG)
    place = AroundRequest(path="a.md", start_line=1, end_line=1)
    reply = part(PartRequest(place=place, find=words, line=line, back=back), manifest)
    assert reply.found == found
    if found is not None:
        assert reply.first <= found < reply.first + PART_LINES
        assert words.split("\n")[0] in reply.lines[found - reply.first].text
    else:
        assert reply.part == 0 and reply.lines


def test_lines_of_a_pdf_tell_their_pages(manifest: Manifest) -> None:
    keep(manifest, "one\ntwo\nthree\n", unit="page", parts=[0, 8])
    lines = asked(manifest, None, 1, part=Part("page", 2)).lines
    assert [(line.part and line.part.number, line.line, line.is_hit) for line in lines] == [
        (1, 1, False),
        (1, 2, False),
        (2, 1, True),
    ]


def test_a_very_long_line_is_cut(manifest: Manifest) -> None:
    keep(manifest, "x" * 5_000_000)
    (line,) = asked(manifest, None).lines
    assert line.text == "x" * LONGEST_LINE + CUT


def test_a_hit_far_inside_a_very_long_line_is_in_what_is_shown_of_it(manifest: Manifest) -> None:
    text = "alpha " * 4_000 + "zebraword " + "omega " * 4_000
    keep(manifest, text)
    at = text.index("zebraword")
    (line,) = asked(manifest, None, text="zebraword omega", start=at).lines
    assert "zebraword" in line.text and line.is_hit
    assert line.text.startswith(CUT) and line.text.endswith(CUT)
    assert len(line.text) == LONGEST_LINE + 2 * len(CUT)


@pytest.mark.parametrize("number", [-1, 2**40, "x"])
def test_a_part_is_a_number(number: Any) -> None:
    place = {"path": "a.md", "start_line": 1, "end_line": 1}
    with pytest.raises(ValidationError):
        PartRequest.model_validate({"place": place, "part": number})


@pytest.mark.real
async def test_the_file_of_a_hit_is_told_over_the_wire(tmp_path: Path) -> None:
    root = tmp_path / "docs"
    root.mkdir()
    (root / "two\nlines.md").write_text("# Kites\n\n\x1b]52;c;AA== fly\n".replace("\x1b", "\x9b"))
    async with opening(root, TinyEncoder()) as folder:
        (found,) = (await folder.search(wanted("kites", 1))).hits
        client = client_of(folder)
        reply = await client.part("any", PartRequest(place=AroundRequest.of(found, 0)))
        await client.close()
    assert [line.text for line in reply.lines] == ["# Kites", "", "\x9b]52;c;AA== fly"]
    assert reply.has_hit
