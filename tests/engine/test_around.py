"""What stands around a hit: of texts, PDF pages and HTML, also after the file has changed."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from engine.documents.document import Document
from engine.errors import UsageError
from engine.part import Part
from engine.searching.around import LONGEST, around
from engine.storage.manifest import Manifest
from engine.storage.texts import ReadText
from engine.wire.api_around import AroundReply, AroundRequest
from tests.engine.tiny_encoder import TinyEncoder
from tests.hits import hit, wanted
from tests.in_process import client_of
from tests.opened import opening

TEN = "".join(f"line {number}\n" for number in range(1, 11))


@pytest.fixture
def manifest(tmp_path: Path) -> Iterator[Manifest]:
    opened = Manifest(tmp_path / "manifest.sqlite")
    yield opened
    opened.close()


def keep(manifest: Manifest, document: Document | str, path: bytes = b"a.md") -> None:
    if isinstance(document, str):
        document = Document(document, "text")
    manifest.texts.save([(1, path, ReadText.of(document))])


def asked(manifest: Manifest, first: int, last: int | None = None, **more: Any) -> AroundReply:
    values = {"path": "a.md", "start_line": first, "end_line": last or first} | more
    return around(AroundRequest(**values), manifest)


def numbers(reply: AroundReply) -> list[int]:
    return [line.line for line in reply.lines]


def own(reply: AroundReply) -> str:
    return "\n".join(line.text for line in reply.lines)[reply.start : reply.end]


@pytest.mark.parametrize(
    ("first", "last", "before", "after", "shown", "marked"),
    [
        (5, 6, 2, 1, [3, 4, 5, 6, 7], [5, 6]),
        (5, 5, 0, 0, [5], [5]),
        (1, 1, 40, 2, [1, 2, 3], [1]),
        (10, 10, 1, 40, [9, 10], [10]),
        (9, 4000, 1, 40, [8, 9, 10], [9, 10]),
        (6, 2, 1, 1, [5, 6, 7], [6]),
        (11, 11, 40, 40, [], []),
        (2**31, 2**31, 40, 40, [], []),
    ],
)
def test_lines_around_a_place(
    manifest: Manifest,
    first: int,
    last: int,
    before: int,
    after: int,
    shown: list[int],
    marked: list[int],
) -> None:
    keep(manifest, TEN)
    reply = asked(manifest, first, last, before=before, after=after)
    assert numbers(reply) == shown
    assert [line.line for line in reply.lines if line.is_hit] == marked
    assert own(reply) == "\n".join(f"line {number}" for number in marked)


@pytest.mark.parametrize(
    "wrong",
    [{"start_line": 0}, {"before": 201}, {"part": {"unit": "room", "number": 1}}, {"start": -1}],
)
def test_what_cannot_be_asked(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        AroundRequest(**({"path": "a.md", "start_line": 1, "end_line": 1} | wrong))


@pytest.mark.parametrize("path", ["b.md", "", "../a.md", "/etc/passwd", "./a.md", "a.md\0"])
def test_only_files_that_are_known(manifest: Manifest, path: str) -> None:
    keep(manifest, TEN)
    assert asked(manifest, 1, path=path) == AroundReply()


def test_a_name_that_is_no_utf_8(manifest: Manifest) -> None:
    keep(manifest, TEN, b"sub/\xff\xfe.md")
    reply = asked(manifest, 2, path="sub/\ufffd\ufffd.md", quoted_path="sub/%FF%FE.md", after=0)
    assert numbers(reply) == [1, 2]
    assert asked(manifest, 2, path="sub/\ufffd\ufffd.md").lines == []


def test_a_piece_of_a_long_line_is_marked_alone(manifest: Manifest) -> None:
    text = "before\nOne sentence. The hit’s own sentence. A third.\nafter"
    keep(manifest, text)
    found = "The hit’s own sentence."
    reply = asked(manifest, 2, text=found, start=text.index(found))
    assert own(reply) == found
    assert [line.is_hit for line in reply.lines] == [False, True, False]


def test_the_same_words_elsewhere_are_not_meant(manifest: Manifest) -> None:
    text = "twice twice\n" * 9
    keep(manifest, text)
    at = 4 * len("twice twice\n") + 6
    assert asked(manifest, 5, text="twice", start=at, before=0, after=0).start == 6
    assert numbers(asked(manifest, 5, text="twice", before=0, after=0)) == [5]


@pytest.mark.parametrize(("line", "nearest"), [(1, 3), (5, 3), (25, 40), (39, 40), (50, 40)])
def test_of_the_same_text_at_other_places_the_nearest_is_meant(
    manifest: Manifest, line: int, nearest: int
) -> None:
    keep(manifest, "\n".join("here" if n in (3, 40) else "----" for n in range(1, 61)))
    assert numbers(asked(manifest, line, text="here", before=0, after=0)) == [nearest]


@pytest.mark.parametrize("shift", [-4, -1, 0, 1, 3000])
def test_a_hit_whose_file_changed_since(manifest: Manifest, shift: int) -> None:
    above = "new\n" * max(shift, 0)
    changed = above + "".join(TEN.splitlines(keepends=True)[max(-shift, 0) :])
    keep(manifest, changed)
    reply = asked(manifest, 6, text="line 6", start=TEN.index("line 6"), before=1, after=1)
    assert [line.text for line in reply.lines] == ["line 5", "line 6", "line 7"]
    assert reply.lines[1].line == 6 + shift
    assert own(reply) == "line 6"
    keep(manifest, "something else altogether\n" * 20)
    assert asked(manifest, 6, text="line 6", start=30) == AroundReply()


@pytest.mark.parametrize(("line", "text"), [(2, "two"), (3, ""), (4, "four")])
def test_windows_ends_of_lines(manifest: Manifest, line: int, text: str) -> None:
    keep(manifest, "one\r\ntwo\r\n\r\nfour\r\n")
    reply = asked(manifest, line, text=text)
    assert [each.text for each in reply.lines] == ["one", "two", "", "four"]
    assert own(reply) == text
    assert [each.line for each in reply.lines if each.is_hit] == [line]


def test_pages_of_a_pdf(manifest: Manifest) -> None:
    pages = ["p1 l1\np1 l2\n", "p2 l1\np2 l2\np2 l3\n", "p3 l1\n"]
    offsets = [0, len(pages[0]), len(pages[0] + pages[1])]
    keep(manifest, Document("".join(pages), "pdf", unit="page", parts=offsets))
    reply = asked(manifest, 2, part=Part("page", 2), before=2, after=2)
    assert [(x.part and x.part.number, x.line, x.text) for x in reply.lines] == [
        *((1, 2, "p1 l2"), (2, 1, "p2 l1"), (2, 2, "p2 l2")),
        *((2, 3, "p2 l3"), (3, 1, "p3 l1")),
    ]
    assert own(reply) == "p2 l2"
    assert own(asked(manifest, 1, part=Part("page", 3), text="p3 l1")) == "p3 l1"
    assert asked(manifest, 1, part=Part("page", 4)) == AroundReply()
    assert asked(manifest, 1, part=Part("page", 10**40)) == AroundReply()


@pytest.mark.parametrize(
    ("line", "text"), [(1, "Top"), (7, "of the page"), (20, "End"), (9, "End")]
)
def test_lines_of_html_are_those_of_its_source(manifest: Manifest, line: int, text: str) -> None:
    made = "Top\nThe middle\nof the page\nEnd\n"
    marks = [(0, 3), (made.index("The"), 7), (made.index("End"), 20)]
    keep(manifest, Document(made, "html", source_lines=marks))
    reply = asked(manifest, line, text=text)
    assert own(reply) == text
    assert numbers(reply) == [3, 7, 7, 20]


@pytest.mark.parametrize("text", ["x" * 3_000_000, "\n" * 100_000, "é\r\n" * 50_000])
@pytest.mark.parametrize("place", [0, 40_000])
def test_a_reply_is_bounded(manifest: Manifest, text: str, place: int) -> None:
    keep(manifest, text)
    reply = asked(manifest, 1, 10**6, before=200, after=200)
    assert sum(len(line.text) + 1 for line in reply.lines) <= LONGEST + 1
    found = text[place : place + 500].strip() or "x"
    reply = asked(manifest, 1, text=found, start=place, before=200, after=200)
    assert len(reply.lines) <= 402 + found.count("\n")
    assert sum(len(line.text) for line in reply.lines) <= LONGEST
    assert own(reply).replace("\n", "\r\n") == found or own(reply) == found or not reply.lines


def test_a_long_line_that_was_cut_is_found(manifest: Manifest) -> None:
    keep(manifest, "first\n" + "x" * 900 + "NEEDLE" + "y" * 900 + "\nlast")
    clipped = f"…{'x' * 50}NEEDLE{'y' * 50}…"
    reply = asked(manifest, 2, text=clipped)
    assert own(reply) == clipped.strip("…")
    assert [line.is_hit for line in reply.lines] == [False, True, False]


def test_a_file_that_is_removed_is_known_to_be_gone_at_once(manifest: Manifest) -> None:
    keep(manifest, TEN)
    assert len(asked(manifest, 1).lines) == 10
    manifest.texts.save([(1, b"a.md", None)])
    assert asked(manifest, 1) == AroundReply()
    keep(manifest, "back")
    assert [line.text for line in asked(manifest, 1).lines] == ["back"]


def test_an_empty_file(manifest: Manifest) -> None:
    keep(manifest, "")
    assert len(asked(manifest, 1).lines) == 1
    assert asked(manifest, 2).lines == []


@pytest.mark.real
async def test_a_client_asks_over_http_while_indexing_is_paused(tmp_path: Path) -> None:
    root = tmp_path / "docs"
    root.mkdir()
    (root / "kite.md").write_text("# Kite\n\nOne.\n\nA kite hovers.\n\nThree.\n")
    Path(os.fsdecode(os.fsencode(root) + b"/\xff.txt")).write_text("owl one\nowl two\n")
    async with opening(root, TinyEncoder()) as folder:
        client = client_of(folder)
        (line,) = (await folder.search(wanted("'A kite", 5))).hits
        (chunk, *_) = (await folder.search(wanted("A kite hovers type:md", 5))).hits
        (odd,) = (await folder.search(wanted("'owl two", 5))).hits
        folder.pause(paused=True)
        async with asyncio.timeout(5):
            for found, middle in ((line, 3), (chunk, 3), (odd, 1)):
                reply = await client.around("id", AroundRequest.of(found, 2))
                assert own(reply) == found.text
                assert len(reply.lines) >= middle
            gone = hit(1, path="gone.md")
            assert await client.around("id", AroundRequest.of(gone, 2)) == AroundReply()
        with pytest.raises(UsageError, match="start_line is wrong"):
            bad = AroundRequest.of(line, 2).model_copy(update={"start_line": 0})
            await client.around("id", bad)
        await client.close()
