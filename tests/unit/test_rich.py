"""Rich formats as documents: kind by content, parts, and what their chunks stand under."""

import pytest

from engine.chunks.chunking import split
from engine.chunks.headings import Sections
from engine.documents import Document, parse
from engine.errors import LoadError
from engine.part import Part
from tests import office_files as made

BOOK = made.epub(
    {"b.xhtml": "<h2>Sails</h2><p>Cloth.</p><h3>Seams</h3><p>Thread.</p>", "a": "<p>Once.</p>"}
)
SALES = made.xlsx({"Sales": [["Region", "Amount"], [], ["North", 12.0]], "Costs": [["a", 1.0]]})


def heading(document: Document, words: str) -> str:
    """Return the headings that some words of a document stand under."""
    at = document.text.index(words)
    return Sections(document).path(at, at + 1)


def test_a_row_of_a_sheet_is_a_line_of_its_part() -> None:
    document = parse(SALES, "a.xlsx")
    at = document.text.index("North")
    assert (document.kind, document.unit) == ("sheet", "sheet")
    assert document.part(at) == Part("sheet", 1, "Sales")
    assert document.lines(at, at + 5) == (3, 3)
    assert document.part(document.text.index("a | 1")) == Part("sheet", 2, "Costs")


def test_rows_stand_under_the_name_of_their_sheet_and_its_columns() -> None:
    document = parse(SALES, "a.xlsx")
    assert heading(document, "a | 1") == "Costs: a | 1"
    chunks = split(document, size=15, overlap=0, context=100)
    assert "Sales: Region | Amount\nNorth | 12" in [chunk.embedded for chunk in chunks]


def test_rows_of_a_table_stand_under_its_columns() -> None:
    document = parse(b"Region;Amount\nNorth;12\nSouth;13\n", "a.csv")
    assert document.kind == "table"
    assert heading(document, "South") == "Region | Amount"


def test_chapters_keep_their_headings_and_none_of_the_chapter_before() -> None:
    document = parse(BOOK, "a.epub")
    assert heading(document, "Once.") == ""
    assert heading(document, "Cloth.") == "Sails"
    assert heading(document, "Thread.") == "Sails > Seams"
    chunks = split(document, size=40, overlap=0)
    assert [chunk.text.split()[0] for chunk in chunks] == ["Once.", "##", "###"]
    at = document.text.index("Thread")
    assert document.part(at) == Part("chapter", 2, "Sails")
    assert document.lines(at, at + 1) == (7, 7)


def test_a_comment_in_a_cell_of_code_is_no_heading() -> None:
    raw = made.notebook(("markdown", "# Load", ""), ("code", "# not this\nx = 1", ""))
    document = parse(raw, "a.ipynb")
    assert heading(document, "x = 1") == "Load"
    at = document.text.index("x = 1")
    assert str(document.part(at)) == "cell 2"
    assert document.lines(at, at + 1) == (2, 2)


def test_slides_and_messages_are_headed_by_their_names() -> None:
    title, rest = made.shape("Kites", kind="title"), made.shape("They fly.")
    deck = parse(made.pptx(title + rest, made.shape("untitled")), "a.pptx")
    assert (heading(deck, "They fly."), heading(deck, "untitled")) == ("Kites", "")
    mail = parse(b"Subject: Hives\nFrom: a@b.example\n\nbody\n", "a.eml")
    assert heading(mail, "body") == "Hives"


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.adoc", "= Kite\n\n----\n== code\n----\n\n== Tail\n\nforked", "Kite > Tail"),
        (
            "a.org",
            "* Kite\n#+begin_src\n* code\n#+end_src\n** TODO Tail :x:\nforked",
            "Kite > Tail",
        ),
        ("a.tex", "\\section{The \\emph{Kite}}\n\\subsection*{Tail}\nforked", "The Kite > Tail"),
        ("a.rst", "Kite\n====\n\nTail\n----\n\nforked", "Kite > Tail"),
    ],
)
def test_headings_of_other_markup_are_known(name: str, text: str, expected: str) -> None:
    assert heading(parse(text.encode(), name), "forked") == expected


@pytest.mark.parametrize(
    ("name", "raw", "kind"),
    [
        ("a.txt", BOOK, "ebook"),
        ("a.docx", SALES, "sheet"),
        ("a.xlsx", made.docx(made.word_paragraph("Words")), "word"),
        ("a.pdf", made.open_document("<text:p>x</text:p>"), ""),
        ("a.doc", b"<html><p>Words</p></html>", "html"),
        ("a.xls", b"\xef\xbb\xbf<table><tr><td>1</td></tr></table>", "html"),
        ("a.xls", b"a\tb\n1\t2\n", "table"),
        ("a.doc", b"Just words.", "text"),
        ("a.txt", rb"{\rtf1 Words}", "word"),
        ("a.txt", b"PK are two letters", "text"),
    ],
)
def test_a_file_is_read_as_what_it_is(name: str, raw: bytes, kind: str) -> None:
    if kind:
        assert parse(raw, name).kind == kind
    else:
        with pytest.raises(LoadError, match="archive under the name of a PDF"):
            parse(raw, name)


@pytest.mark.parametrize(
    ("name", "raw", "reason"),
    [
        ("a.docx", made.zipped({"a.exe": "x"}), "an archive under the name of a document"),
        ("a.md", made.zipped({"a.exe": "x"}), "an archive under the name of a text"),
        (
            "a.docx",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            "encrypted",
        ),
        ("a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1nothing", "damaged"),
        ("a.doc", b"\x00\x01\x02", "binary content"),
        ("a.json", b'"' + b"a" * 1_000_000 + b'"', "data of more than 1 MB"),
        ("a.xlsx", made.xlsx({"Empty": []}), "no text"),
    ],
)
def test_what_is_not_read_says_why(name: str, raw: bytes, reason: str) -> None:
    with pytest.raises(LoadError, match=reason):
        parse(raw, name)


def test_data_nested_deeply_is_text_as_any_other() -> None:
    assert parse(b"[" * 100_000, "a.json").kind == "data"
