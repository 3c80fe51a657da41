import codecs
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine import documents
from engine.documents import Changing, Document, html, load, parse, pdf
from engine.errors import LoadError

LIMIT = 10_000_000
JAPANESE = "これは日本語の文章です。検索エンジンのテストに使います。\n"


def make_pdf(*pages: str, encrypted: bool = False) -> bytes:
    """Write a small PDF by hand: one line of text for each line of a page."""
    kids = " ".join(f"{4 + 2 * at} 0 R" for at in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for at, page in enumerate(pages):
        shown = " ".join(f"({line}) Tj 0 -14 Td" for line in page.splitlines())
        stream = f"BT /F1 12 Tf 50 700 Td {shown} ET"
        objects += [
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] "
            f"/Resources << /Font << /F1 3 0 R >> >> /Contents {5 + 2 * at} 0 R >>",
            f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream",
        ]
    body, offsets = "%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(body))
        body += f"{number} 0 obj\n{content}\nendobj\n"
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    key = "00" * 32
    lock = f"/Encrypt << /Filter /Standard /V 1 /R 2 /O <{key}> /U <{key}> /P -4 >> /ID [<00> <00>]"
    return (
        f"{body}xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
        f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R {lock if encrypted else ''} >>\n"
        f"startxref\n{len(body)}\n%%EOF\n"
    ).encode("ascii")


def write(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


# --- plain text ---


@pytest.mark.parametrize(
    ("name", "kind", "language"),
    [
        ("a.md", "markdown", None),
        ("a.rst", "rst", None),
        ("a.txt", "text", None),
        ("README", "text", None),
        ("a.toml", "text", None),
        ("a.PY", "code", "python"),
        ("Makefile", "code", None),
    ],
)
def test_a_file_is_read_as_its_name_says(
    tmp_path: Path, name: str, kind: str, language: str | None
) -> None:
    document, _ = load(write(tmp_path, name, b"one\ntwo\n"), max_bytes=LIMIT)
    assert (document.text, document.kind, document.language) == ("one\ntwo\n", kind, language)


def test_newlines_are_not_translated_and_lines_are_counted(tmp_path: Path) -> None:
    document, _ = load(write(tmp_path, "a.md", b"one\r\n\r\nthree\r\nfour"), max_bytes=LIMIT)
    assert document.text == "one\r\n\r\nthree\r\nfour"
    start = document.text.index("three")
    assert document.lines(start, start + len("three")) == (3, 3)
    assert document.lines(0, len(document.text)) == (1, 4)
    assert document.lines(0, len("one\r\n")) == (1, 1)
    assert document.part(start) is None


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16-le", "utf-16-be", "utf-32-le"])
def test_byte_order_marks_tell_the_encoding_and_are_no_text(encoding: str) -> None:
    mark = b"" if encoding == "utf-8-sig" else "\ufeff".encode(encoding)
    assert parse(mark + "naïve 鸢".encode(encoding), "a.txt").text == "naïve 鸢"


RUSSIAN = "Это русский текст, написанный для проверки поиска.\n"
CHINESE = "你好。向量索引使用图结构。今天天气很好，我们一起去公园散步。\n"
POLISH = "Książka leży na stole, a właściciel śpi. Proszę wejść i zamknąć drzwi.\n"


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "é"),
        ("cp1252", "ß\n"),
        ("cp1252", "El niño"),
        ("cp1252", "Året är"),
        ("cp1252", "L’été, où ?"),
        ("cp1252", "naïve"),
        ("cp1252", "“Ça va” – 5 € … 20 m² à 3°"),
        ("cp1252", "Müller & Söhne"),
        ("cp1252", "Året är långt och vägen är smal. Här går små människor på gatan på ängen.\n"),
        ("cp1252", "Größe – Straße “quoted”, naïve café\n"),
        ("latin-1", "résumé"),
        ("cp1252", "plain ASCII first\n" * 9000 + "Müller & Söhne\n"),
        ("shift_jis", "短い"),
        ("shift_jis", JAPANESE),
        ("shift_jis", "データベースのインデックスとベクトル検索"),
        ("euc_jp", JAPANESE),
        ("cp1251", RUSSIAN),
        ("koi8-r", RUSSIAN),
        ("koi8-r", "Привет, мир. Это русский"),
        ("cp1250", "Příliš žlutý"),
        ("gbk", CHINESE),
        ("big5", "你好。向量索引使用圖結構。今天天氣很好，我們一起去公園散步。\n"),
        ("euc_kr", "안녕하세요. 이것은 한국어 문장입니다. 검색 엔진을 시험합니다.\n"),
        ("cp1250", POLISH),
        ("cp1253", "Αυτό είναι ένα ελληνικό κείμενο για δοκιμή. Η αναζήτηση λειτουργεί.\n"),
        ("gbk", "plain ASCII first\n" * 9000 + CHINESE),
        ("utf-8", "é"),
        ("utf-8", "\x1b[2J\u202e é"),
    ],
)
def test_encodings_are_recognised(encoding: str, text: str) -> None:
    assert parse(text.encode(encoding), "a.txt").text == text


@pytest.mark.parametrize("raw", [b"\xff", b"\xe9\xff\xe9", "Мир".encode("cp1251")])
def test_a_few_bytes_of_no_known_language_are_read_as_western(raw: bytes) -> None:
    assert parse(raw, "a.txt").text == raw.decode("cp1252")


@pytest.mark.parametrize(
    "raw",
    [
        b"\x7fELF\x02\x01\x01\x00\x00\x00 binary",
        bytes(range(1, 32)) * 40,
        codecs.BOM_UTF16_LE + b"a\x00\x00\x00b\x00",
    ],
)
def test_binary_content_under_a_text_name_is_refused(raw: bytes) -> None:
    with pytest.raises(LoadError, match="binary"):
        parse(raw, "a.md")


@pytest.mark.parametrize("name", ["a.md", "a.html", "a.pdf", "a.py"])
def test_an_empty_file_is_an_empty_document(tmp_path: Path, name: str) -> None:
    document, content = load(write(tmp_path, name, b""), max_bytes=LIMIT)
    assert document.text == "" and len(content) == 64


def test_the_hash_tells_contents_apart(tmp_path: Path) -> None:
    path = write(tmp_path, "a.md", b"one")
    _, one = load(path, max_bytes=LIMIT)
    _, again = load(write(tmp_path, "b.md", b"one"), max_bytes=LIMIT)
    _, two = load(write(tmp_path, "a.md", b"two"), max_bytes=LIMIT)
    assert one == again != two


# --- files that are none ---


def test_links_pipes_and_folders_are_refused_at_once(tmp_path: Path) -> None:
    write(tmp_path, "real.md", b"text")
    (tmp_path / "link.md").symlink_to("real.md")
    os.mkfifo(tmp_path / "pipe.md")
    (tmp_path / "folder.md").mkdir()
    begun = time.monotonic()
    for name, why in (("link", "link"), ("pipe", "regular"), ("folder", "regular")):
        with pytest.raises(LoadError, match=why):
            load(tmp_path / f"{name}.md", max_bytes=LIMIT)
    assert time.monotonic() - begun < 1


def test_a_large_file_is_refused_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.txt"
    with path.open("wb") as sparse:
        sparse.truncate(1_000_000_000)
    with pytest.raises(LoadError, match="larger than 10 MB"):
        load(path, max_bytes=LIMIT)


def test_a_file_that_is_gone_is_a_passing_error(tmp_path: Path) -> None:
    with pytest.raises(Changing):
        load(tmp_path / "gone.md", max_bytes=LIMIT)


def test_a_file_that_grows_while_it_is_read_is_a_passing_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, "a.md", b"first")
    real = os.fstat

    def fstat_then_write(handle: int) -> os.stat_result:
        status = real(handle)
        with path.open("ab") as file:
            file.write(b" and more")
        return status

    monkeypatch.setattr(os, "fstat", fstat_then_write)
    with pytest.raises(Changing):
        load(path, max_bytes=LIMIT)


# --- HTML ---

PAGE = b"""<!doctype html>
<html><head><title>T</title><style>p { color: red }</style></head>
<body>
<nav><a href="/">Home link</a></nav>
<h1 id="x">Index types<button>copy</button><svg><path d="M0"/><text>drawn</text></svg></h1>
<p>The <code>HNSW</code> index is
   a graph, see <a href="/docs/x.html">the docs</a>.</p>
<script>var tracking = "secret";</script>
<h2>Parameters</h2>
<table>
<tr><th>Name</th><th>Meaning</th></tr>
<tr><td>M</td><td>maximum &amp; degree</td></tr>
</table>
<ul>
<li>first item</li>
<li>second item</li>
</ul>
<pre><code>index = Index(
    "HNSW")</code></pre>
</body></html>
"""


def test_html_becomes_markdown_without_what_is_no_text() -> None:
    text = parse(PAGE, "a.html").text
    for kept in (
        "# Index types\n",
        "## Parameters\n",
        "`HNSW`",
        "see the docs.",
        "| M | maximum & degree |",
        "- first item",
        'index = Index(\n    "HNSW")',
    ):
        assert kept in text
    for dropped in ("Home link", "copy", "drawn", "tracking", "color", "/docs/x.html", "<"):
        assert dropped not in text


@pytest.mark.parametrize(
    ("piece", "lines"),
    [
        ("# Index types", (5, 5)),
        ("a graph, see", (7, 7)),
        ("## Parameters", (9, 9)),
        ("| M | maximum & degree |", (12, 12)),
        ("- first item\n- second item", (15, 16)),
        ('"HNSW")', (19, 19)),
    ],
)
def test_lines_of_html_are_those_of_the_file(piece: str, lines: tuple[int, int]) -> None:
    document = parse(PAGE, "a.html")
    start = document.text.index(piece)
    assert document.lines(start, start + len(piece)) == lines


def test_lines_of_html_are_right_where_words_repeat() -> None:
    source = "<table>\n" + "".join("<tr><td>same</td></tr>\n" for _ in range(50)) + "</table>\n"
    document = parse((source * 2).encode(), "a.html")
    rows = [at for at in range(len(document.text)) if document.text.startswith("same", at)]
    assert [document.lines(at, at + 4)[0] for at in rows] == [*range(2, 52), *range(54, 104)]


@pytest.mark.parametrize("above", ["<title>Kites</title>", "<nav>Kites</nav>", "<p></p>"])
def test_the_first_line_of_html_is_that_of_its_first_text(above: str) -> None:
    page = f"<!doctype html>\n{above}\n\n<h1>Kites</h1>\n<p>They hover.</p>\n"
    assert parse(page.encode(), "a.html").lines(0, 1) == (4, 4)


def test_html_in_a_declared_encoding_is_decoded() -> None:
    page = '<meta charset="shift_jis"><p>短い</p>'.encode("shift_jis")
    assert "短い" in parse(page, "a.html").text
    wrong = '<meta charset="ascii"><p>Größe und Straße</p>'.encode("cp1252")
    assert "Größe und Straße" in parse(wrong, "a.html").text


@pytest.mark.parametrize(
    "name",
    ["undefined", "unicode_escape", "raw_unicode_escape", "utf-7", "hex", "idna", "nonsense", ".."],
)
def test_html_that_declares_no_encoding_of_pages_is_read_as_it_looks(name: str) -> None:
    page = f"<meta charset={name}><p>Größe \\ud800 \\x +2AA- und Straße</p>\n".encode("cp1252")
    assert parse(page, "a.html").text.strip() == "Größe \\ud800 \\x +2AA- und Straße"


def test_html_with_a_character_reference_of_many_digits_is_read() -> None:
    page = b"<p>first</p>\n<p>&#" + b"1" * 5000 + b"; last</p>\n"
    document = parse(page, "a.html")
    at = document.text.index("last")
    assert document.lines(at, at + 4) == (2, 2)


@pytest.mark.parametrize("tag", [b"<div>", b"<b>", b"<ul><li>", b"<blockquote>"])
@pytest.mark.parametrize("depth", [10_000, 150_000])
def test_html_nested_without_end_is_refused_in_time(tag: bytes, depth: int) -> None:
    begun = time.monotonic()
    with pytest.raises(LoadError, match="nested"):
        parse(tag * depth + b"needle", "a.html")
    assert time.monotonic() - begun < 20


def test_large_html_is_converted_in_a_child_that_is_stopped_in_time() -> None:
    page = b"<p>\n" + b"word &amp; " * (html.LARGE // 5)
    with pytest.raises(LoadError, match=r"longer than 0\.2 s"):
        html.parse(page, seconds=0.2)
    closed = b"<p>" + b"word\n" * (html.LARGE // 4) + b"</p><h2>End</h2>"
    assert "## End" in html.parse(closed).text


# --- PDF ---


def test_a_pdf_is_read_page_by_page(tmp_path: Path) -> None:
    path = write(tmp_path, "a.pdf", make_pdf("First page\nsecond line", "Another page"))
    document, _ = load(path, max_bytes=LIMIT)
    assert document.text == "First page\nsecond line\nAnother page\n"
    second = document.text.index("second")
    another = document.text.index("Another")
    found = [str(document.part(start)) for start in (0, second, another)]
    assert found == ["page 1", "page 1", "page 2"]
    assert document.lines(second, another) == (2, 2)
    assert document.lines(another, another + 7) == (1, 1)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (make_pdf("", ""), "scanned PDF without text"),
        (make_pdf("x", encrypted=True), "encrypted"),
        (b"%PDF-1.4\nnothing of the kind", "damaged"),
        (make_pdf("x")[:100], "damaged"),
        (b"\x00" * 5000, "damaged"),
    ],
)
def test_a_pdf_without_text_says_why(raw: bytes, why: str) -> None:
    with pytest.raises(LoadError, match=why):
        parse(raw, "a.pdf")


def test_a_pdf_that_takes_too_long_is_stopped() -> None:
    with pytest.raises(LoadError, match="longer than"):
        pdf.parse(make_pdf("x"), seconds=0.001)


def test_a_child_that_dies_without_a_word_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(LoadError, match="too much memory or time"):
        pdf.parse(make_pdf("x"))


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS binds on Linux only")
def test_the_child_may_not_take_all_memory() -> None:
    """The worker as it is, with a library that asks for 3 GiB in the place of pdfium."""
    worker = Path(pdf.__file__).with_name("worker.py")
    code = (
        "import importlib.util, sys\n"
        f"spec = importlib.util.spec_from_file_location('worker', {str(worker)!r})\n"
        "worker = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(worker)\n"
        "sys.argv = ['worker', 'pdf']\n"
        "worker.WORK['pdf'] = lambda raw: [bytearray(3 * 1024**3)]\n"
        "worker.main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], input=b"", capture_output=True, check=False)
    assert b"more memory than it may have" in done.stdout


def test_a_document_knows_nothing_of_the_file_kinds_not_read_yet() -> None:
    with pytest.raises(LoadError, match="Word"):
        parse(b"PK", "a.docx")


def test_a_document_without_text_has_one_line() -> None:
    assert Document("", "text").lines(0, 0) == (1, 1)


def test_importing_the_loaders_loads_no_heavy_library() -> None:
    heavy = "pypdfium2 html_to_markdown charset_normalizer langchain_text_splitters torch"
    code = f"import sys, engine.documents; print([m for m in {heavy.split()} if m in sys.modules])"
    root = Path(documents.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root
    )
    assert done.stdout.strip() == "[]"
