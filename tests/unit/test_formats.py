"""Rich formats → parts: what is read, in which order, and under which names."""

import json
from collections.abc import Callable

import pytest

from engine.documents.formats import ebook, mail, notebook, sheets, slides, word
from engine.documents.parts import Parts, PartText
from tests import office_files as made

Loader = Callable[[bytes, str], Parts]
HOSTILE = "\x1b]52;c;AA==\x07\u202e[/][@click=app.quit]x"


def test_a_word_file_keeps_headings_tables_and_comments() -> None:
    cells = "".join(f"<w:tc>{made.word_paragraph(text)}</w:tc>" for text in ("Region", "Sum"))
    body = (
        made.word_paragraph("Harvest", "Heading1")
        + made.word_paragraph("Nothing! (yet) a_b")
        + f"<w:tbl><w:tr>{cells}</w:tr><w:tr>{cells}</w:tr></w:tbl>"
    )
    comment = f'<w:comment w:author="Ada">{made.word_paragraph("Check this")}</w:comment>'
    read = word.read(made.docx(body, comments=comment), "a.docx")
    text = read.parts[0].text
    assert read.unit is None
    assert text.startswith("## Harvest\n\nNothing! (yet) a_b\n\n| Region | Sum |")
    assert text.endswith("Comments:\nAda: Check this")


def test_an_open_document_text_keeps_headings_and_leaves_out_deleted_words() -> None:
    body = (
        "<office:text><text:tracked-changes><text:p>deleted</text:p></text:tracked-changes>"
        '<text:h text:outline-level="2">Bees</text:h>'
        "<text:p>They<text:s/>hum<text:line-break/>and <text:span>sting</text:span>.</text:p>"
        "</office:text>"
    )
    read = word.read(made.open_document(body), "a.odt")
    assert read.parts == [PartText("## Bees\n\nThey hum\nand sting.")]


def test_rich_text_in_a_legacy_code_page_is_read() -> None:
    raw = rb"{\rtf1\ansi\ansicpg1252 Caf\'e9 \u8364?5\par second}"
    assert word.read(raw, "a.rtf").parts == [PartText("Café €5\n\nsecond")]


def test_slides_come_in_the_order_of_the_presentation_with_titles_and_notes() -> None:
    table = (
        "<a:tbl><a:tr><a:tc><a:txBody><a:p><a:r><a:t>Name</a:t></a:r></a:p></a:txBody></a:tc>"
        "<a:tc/></a:tr></a:tbl>"
    )
    raw = made.pptx(
        made.shape("First", kind="title") + made.shape("one", "two"),
        made.shape("7", kind="sldNum") + table,
        notes={2: "Say it slowly"},
    )
    read = slides.read(raw, "a.pptx")
    assert read.unit == "slide"
    assert read.parts == [
        PartText("# First\n\none\n\ntwo", "First"),
        PartText("| Name |  |\n| --- | --- |\n\nNotes:\nSay it slowly"),
    ]


def test_slides_of_open_document_are_read() -> None:
    page = (
        '<draw:page><draw:frame presentation:class="title"><text:p>Bees</text:p></draw:frame>'
        "<draw:frame><text:p>They hum.</text:p></draw:frame>"
        "<presentation:notes><text:p>Hum!</text:p></presentation:notes></draw:page>"
    )
    read = slides.read(made.open_document(f"<office:presentation>{page}</office:presentation>"), "")
    assert read.parts == [PartText("# Bees\n\nThey hum.\n\nNotes:\nHum!", "Bees")]


def test_a_row_of_a_sheet_is_a_line_with_values_as_people_write_them() -> None:
    raw = made.xlsx(
        {
            "Sales": [["Region", "Amount", None], [], ["North\nEast", 12.0, 0.1, None]],
            "Dates": [[None, 45_292.0]],
        }
    )
    read = sheets.read(raw, "a.xlsx")
    assert read.unit == "sheet"
    assert read.parts == [
        PartText("Region | Amount\n\nNorth East | 12 | 0.1", "Sales"),
        PartText(" | 2024-01-01", "Dates"),
    ]


def test_chapters_come_in_the_order_of_the_spine_named_by_the_contents() -> None:
    raw = made.epub(
        {"b.xhtml": "<h2>Second</h2><p>Then.</p>", "a.xhtml": "<p>Once.</p>", "c.xhtml": "<p/>"},
        titles={"a.xhtml": "The <i>Start</i>"},
    )
    read = ebook.read(raw, "a.epub")
    assert read.unit == "chapter"
    assert read.parts == [PartText("Once.", "The Start"), PartText("## Second\n\nThen.", "Second")]


def test_a_chapter_that_the_contents_divide_has_no_title_of_its_own() -> None:
    raw = made.epub({"a.xhtml": "<h2>One</h2>"}, {"a.xhtml#1": "One", "a.xhtml#2": "Two"})
    assert [part.name for part in ebook.read(raw, "a.epub").parts] == [""]


def test_a_protected_book_says_so() -> None:
    raw = made.epub({"a.xhtml": "x"})
    with_key = made.zipped(
        made.entries(raw)
        | {
            "META-INF/encryption.xml": "<encryption><CipherReference URI='OPS/text/a.xhtml'/>"
            "</encryption>"
        }
    )
    with pytest.raises(ValueError, match="protected"):
        ebook.read(with_key, "a.epub")


def test_a_message_has_its_subject_people_body_and_the_names_of_files() -> None:
    raw = (
        b"From: =?utf-8?q?J=C3=B6rg?= <j@a.example>\r\nTo: b@a.example\r\nSubject: Hives\r\n"
        b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
        b"--x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Two <b>new</b> hives</p>\r\n"
        b'--x\r\nContent-Disposition: attachment; filename="map.pdf"\r\n\r\nAA\r\n--x--\r\n'
    )
    assert mail.read(raw, "a.eml").parts == [
        PartText(
            "# Hives\n\nFrom: Jörg <j@a.example>\nTo: b@a.example\n\nTwo **new** hives\n\n"
            "Attachments: map.pdf",
            "Hives",
        )
    ]


@pytest.mark.parametrize("charset", ["nonsense", "utf-8"])
def test_a_body_in_a_charset_that_is_unknown_or_wrong_is_read(charset: str) -> None:
    head = f"Subject: A\nContent-Type: text/plain; charset={charset}\n\n"
    assert "Café" in mail.read(head.encode() + "Café au lait".encode("cp1252"), "a").parts[0].text


def test_a_mailbox_has_a_part_for_each_message() -> None:
    box = "".join(
        f"From a@b Mon Jan  1 10:00:00 2024\nSubject: Number {at}\n\nFrom here\n\n>From there\n\n"
        for at in (1, 2)
    )
    parts = mail.read(box.encode(), "a.mbox").parts
    assert [part.name for part in parts] == ["Number 1", "Number 2"]
    assert parts[1].text == "# Number 2\n\nFrom here\n\nFrom there"


def test_fifty_thousand_messages_are_read() -> None:
    one = b"From a@b Mon Jan  1 10:00:00 2024\nSubject: A\nContent-Type: text/plain\n\nb\n\n"
    assert len(mail.read(one * 50_000, "a.mbox").parts) == 50_000


def test_a_cell_of_a_notebook_keeps_its_lines_and_says_its_language() -> None:
    raw = made.notebook(
        ("markdown", "# A\n\n\nb", ""), ("code", "x = 1\n\n\nx", "1\n"), language="R"
    )
    read = notebook.read(raw, "a.ipynb")
    assert read.unit == "cell"
    assert read.parts == [PartText("# A\n\n\nb"), PartText("x = 1\n\n\nx\n\nOutput:\n1", "R")]


def test_what_a_cell_printed_is_kept_short() -> None:
    part = notebook.read(made.notebook(("code", "x", "data " * 2_000_000)), "a.ipynb").parts[0]
    assert len(part.text) < 3_000
    assert part.text.endswith(" …")


BOMB = made.zipped({"content.xml": b" " * 300_000_000})
ENTITIES = '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><a>&b;</a>'


@pytest.mark.parametrize(
    ("read", "raw", "reason"),
    [
        (word.read, BOMB, "larger than 200 MB"),
        (slides.read, BOMB, "larger than 200 MB"),
        (word.read, made.zipped({"content.xml": ENTITIES}), "entities"),
        (slides.read, made.zipped({"content.xml": "<a"}), "XML"),
        (word.read, made.zipped({"a.txt": "a"}), "no document"),
        (word.read, b"PK\x03\x04nonsense", "unpacked"),
        (word.read, b"plain words", "damaged"),
        (slides.read, made.zipped({"a.txt": "a"}), "no presentation"),
        (sheets.read, b"plain words", "damaged"),
        (sheets.read, made.zipped({"a.txt": "a"}), "damaged"),
        (ebook.read, made.zipped({"a.txt": "a"}), "no e-book"),
        (ebook.read, made.zipped({"META-INF/container.xml": ENTITIES}), "entities"),
        (mail.read, b"plain words", "no e-mail"),
        (notebook.read, b"{}", "no notebook"),
        (notebook.read, b"[" * 100_000, "no notebook"),
        (notebook.read, b"\xff\xfe", "no notebook"),
    ],
)
def test_files_that_are_not_what_they_seem_say_why(read: Loader, raw: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read(raw, "a")


def test_a_sheet_with_far_cells_is_cut_or_refused() -> None:
    wide = made.xlsx({"A": [["x"] * 100_000]})
    assert sheets.read(wide, "a.xlsx").parts[0].text.count("x") == sheets.MOST_COLUMNS


@pytest.mark.parametrize("depth", [2_000, 100_000])
def test_xml_nested_deeply_is_read_or_refused(depth: int) -> None:
    nested = "<text:p>" * depth + "x" + "</text:p>" * depth
    try:
        assert "x" in word.read(made.open_document(nested), "a.odt").parts[0].text
    except ValueError as error:
        assert "XML" in str(error)


def test_no_control_character_comes_through() -> None:
    raws = {
        notebook: made.notebook(("code", HOSTILE, HOSTILE)),
        mail: f"Subject: {HOSTILE}\n\n{HOSTILE}".encode(),
        ebook: made.epub({"a": f"<h1>{HOSTILE}</h1>"}),
    }
    for loader, raw in raws.items():
        for part in loader.read(raw, "a").parts:
            assert not {"\x1b", "\x07"} & {*part.text, *part.name}
            assert "[@click=app.quit]x" in part.text


def test_old_notebooks_are_read() -> None:
    old = {"worksheets": [{"cells": [{"cell_type": "code", "input": ["x"], "outputs": 3}, 4]}]}
    assert notebook.read(json.dumps(old).encode(), "a").parts == [
        PartText("x", "python"),
        PartText(""),
    ]
