import random
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from langchain_text_splitters import Language, RecursiveCharacterTextSplitter

from engine.answering.quotable import units
from engine.chunks import chunking
from engine.chunks.chunk import Chunk
from engine.chunks.chunking import split
from engine.chunks.headings import Sections, markdown_headings
from engine.documents import Document, parse
from engine.documents.private_key import holds_private_key
from engine.files.kinds import READ, DocumentKind

LANGUAGES = sorted({kind.language for kind in READ.values() if kind.language})
DOCS = Path(__file__).parents[2] / "docs"


def chunks_of(
    text: str, kind: DocumentKind = "text", size: int = 64, overlap: int = 9
) -> list[Chunk]:
    document = Document(text, kind)
    chunks = split(document, size=size, overlap=overlap)
    for chunk in chunks:
        assert text[chunk.start : chunk.end] == chunk.text
        assert chunk.text == chunk.text.strip() and 0 < len(chunk.text) <= size
    return chunks


def uncovered(text: str, chunks: Sequence[Chunk]) -> str:
    """Return what lies outside all chunks, without whitespace."""
    left = list(text)
    for chunk in chunks:
        left[chunk.start : chunk.end] = " " * (chunk.end - chunk.start)
    return "".join("".join(left).split())


def headings_of(text: str, kind: DocumentKind = "markdown") -> dict[str, str]:
    """Return the heading path of the chunk that holds each line."""
    document = Document(text, kind)
    return {
        line.strip(): chunk.heading
        for chunk in split(document, size=128, overlap=0)
        for line in chunk.text.splitlines()
    }


@pytest.mark.parametrize(
    "unit",
    [
        "ab ",
        "a",
        "same line\n",
        "one\n\n",
        "- - -\n",
        "ab\r\n\r\n",
        "文字。",
        "\n\n\n",
        "| a | b |\n",
    ],
)
def test_repeated_text_is_cut_at_exact_places(unit: str) -> None:
    text = unit * 200
    chunks = chunks_of(text)
    assert uncovered(text, chunks) == ""
    assert [chunk.start for chunk in chunks] == sorted({chunk.start for chunk in chunks})


@pytest.mark.parametrize("seed", range(60))
def test_random_text_is_cut_at_exact_places(seed: int) -> None:
    dice = random.Random(seed)
    alphabet = dice.choice(["ab \n", "a ", "a\n", "ab", "ab。 ", "x\r\n "])
    unit = "".join(dice.choices(alphabet, k=dice.randint(1, 12)))
    text = "".join(dice.choices([unit, unit, "\n\n", *alphabet], k=200))
    assert uncovered(text, chunks_of(text, size=64, overlap=dice.choice([0, 5, 20]))) == ""


def test_prose_is_cut_where_the_reference_cuts_it() -> None:
    dice = random.Random(7)
    words = [dice.choice(["graph", "of", "the", "index", "search,"]) for _ in range(3000)]
    text = " ".join(words).replace("search, the", "search.\n\nThe").replace("of index", "of\nindex")
    plain = RecursiveCharacterTextSplitter(chunk_size=512, chunk_overlap=51)
    chunks = chunks_of(text, size=512, overlap=51)
    assert [chunk.text for chunk in chunks] == plain.split_text(text)


def written(dice: random.Random, sections: int) -> list[str]:
    """Return the sections of a document, each with its heading."""
    words = ["graph", "of", "the", "index", "search,", "kite.", "\n\n", "\n"]
    return [
        f"## Section {number}\n\nIt is {number}. "
        + " ".join(dice.choices(words, k=length))
        + "\n\n"
        for number in range(sections)
        for length in [dice.choice([30, 60, 300])]
    ]


@pytest.mark.parametrize("seed", range(20))
def test_an_edit_changes_the_chunks_of_its_section_alone(seed: int) -> None:
    dice = random.Random(seed)
    sections = written(dice, 8)
    before = {chunk.text for chunk in chunks_of("".join(sections), "markdown", size=256)}
    edited = dice.randrange(len(sections))
    cut = dice.randrange(30, len(sections[edited]))
    sections[edited] = sections[edited][:cut] + " more words" + sections[edited][cut:]
    after = chunks_of("".join(sections), "markdown", size=256)
    changed = [chunk for chunk in after if chunk.text not in before]
    assert changed
    assert {chunk.heading for chunk in changed} == {f"Section {edited}"}


def test_the_reference_pays_no_heed_to_headings() -> None:
    text = "".join(written(random.Random(7), 8))
    plain = RecursiveCharacterTextSplitter(chunk_size=512, chunk_overlap=51).split_text(text)
    document = Document(text, "markdown")
    as_reference = split(document, size=512, overlap=51, at_headings=False)
    assert [chunk.text for chunk in as_reference] == plain
    chunks = split(document, size=512, overlap=51)
    assert all(text.count("## Section", chunk.start, chunk.end) <= 1 for chunk in chunks)
    assert len(chunks) > len(plain)


def test_short_sections_share_a_chunk() -> None:
    chunks = chunks_of("# A\n\n## B\n\nbee\n\n## C\n\nc\n", "markdown", size=64)
    assert [chunk.text for chunk in chunks] == ["# A\n\n## B\n\nbee", "## C\n\nc"]


@pytest.mark.parametrize(
    ("heading", "kind"),
    [
        ("# Kite", "markdown"),
        ("# Bird\n\n## Kite ##  ", "markdown"),
        ("Kite\n----", "markdown"),
        ("====\nKite\n====", "rst"),
        ("Kite\r\n====\r\n", "rst"),
    ],
)
@pytest.mark.parametrize("blank", ["\n", "\n\n", "\n \n\n\n", "\r\n\r\n"])
def test_a_heading_stands_with_what_follows(heading: str, kind: DocumentKind, blank: str) -> None:
    text = "Before it. " * 10 + "\n\n" + heading + blank + "It hovers over the field. " * 10
    chunks = chunks_of(text.strip(), kind, size=64, overlap=0)
    (found,) = [chunk for chunk in chunks if "Kite" in chunk.text]
    assert found.text.startswith(heading.split("\n")[0].strip())
    assert "It hovers" in found.text
    assert uncovered(text, chunks) == ""


@pytest.mark.parametrize("language", LANGUAGES)
def test_code_is_cut_where_the_splitter_of_its_language_cuts_it(language: str) -> None:
    text = "".join(
        f"\nclass Kite{n} {{\n  def hover(a):\n    if a == {n}:\n      return a\n}}\n"
        f"function f{n}() {{}}\n"
        for n in range(40)
    )
    separators = RecursiveCharacterTextSplitter.get_separators_for_language(Language(language))
    plain = RecursiveCharacterTextSplitter(
        separators=separators, is_separator_regex=True, chunk_size=120, chunk_overlap=12
    )
    document = Document(text, "code", language)
    chunks = split(document, size=120, overlap=12)
    assert [chunk.text for chunk in chunks] == plain.split_text(text)
    assert all(text[chunk.start : chunk.end] == chunk.text for chunk in chunks)
    assert uncovered(text, chunks) == ""


def test_sentences_without_spaces_are_kept_whole() -> None:
    text = "向量索引很快。" * 30
    assert all(chunk.text.endswith("。") for chunk in chunks_of(text))


@pytest.mark.parametrize("text", ["", " ", "\n\n\t \r\n", "\u00a0\u2003\n"])
def test_whitespace_makes_no_chunk(text: str) -> None:
    assert chunks_of(text) == []


def test_chunks_know_their_lines() -> None:
    text = "".join(f"line {n} of the file\r\n\r\n" for n in range(1, 100))
    chunks = chunks_of(text)
    lines = text.split("\n")
    for chunk in chunks:
        assert lines[chunk.start_line - 1].startswith(chunk.text.split("\r\n")[0])
        assert chunk.text.split("\r\n")[-1] in lines[chunk.end_line - 1]
    assert chunks[-1].end_line == 197


def test_no_chunk_spans_two_pages() -> None:
    pages = ["First page, which is short.\n", "Second page. " * 20 + "\n", "   \n", "4.\n", "5.\n"]
    text = "".join(pages)
    starts = [sum(map(len, pages[:at])) for at in range(len(pages))]
    document = Document(text, "pdf", unit="page", parts=starts)
    chunks = split(document, size=128, overlap=12)
    found = [chunk.part.number for chunk in chunks if chunk.part]
    assert found == sorted(found)
    assert set(found) == {1, 2, 4, 5}
    assert chunks[0].text == "First page, which is short."
    for chunk in chunks:
        assert document.part(chunk.start) == document.part(chunk.end - 1) == chunk.part


# --- headings ---


def test_a_chunk_carries_the_path_of_its_headings() -> None:
    text = (
        "Above all headings, some words, as many as needed.\n\n"
        + "# Index *types*\n\n## `HNSW` [graph](x.md) &amp; co {#id}\n\n"
        + "Words about the graph index here, quite some of them.\n\n"
        + "Parameters\n----------\n\n"
        + "Words about the parameters, enough to fill a chunk.\n\n"
        + "# Next\n\n### Deep\n\nDeeper words, which fill another chunk of text.\n"
    )
    found = headings_of(text)
    assert found["Above all headings, some words, as many as needed."] == ""
    assert found["Words about the graph index here, quite some of them."] == (
        "Index types > HNSW graph & co"
    )
    assert (
        found["Words about the parameters, enough to fill a chunk."] == "Index types > Parameters"
    )
    assert found["Deeper words, which fill another chunk of text."] == "Next > Deep"


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_code_and_front_matter_hold_no_headings(newline: str) -> None:
    text = (
        "---\ntitle: Manual\n# comment\n---\n\n# Real heading\n\n"
        "```sh\n# make the index quickly, please\n"
        "run --with many --flags\n```\n\n    # indented code is no heading either\n\n"
        "<div>\n# inside raw HTML of a block, hm\n</div>\n\n"
        "The last words of this little document.\n"
    )
    found = list(markdown_headings(text.replace("\n", newline)))
    assert [heading.text for heading in found] == ["Real heading"]
    assert text.replace("\n", newline)[found[0].start :].startswith("# Real heading")


@pytest.mark.parametrize("opened", ["---\r\n", "---\n", "--- \r"])
@pytest.mark.timeout(20)
def test_front_matter_that_never_ends_is_none(opened: str) -> None:
    newline = opened.lstrip("- ")
    text = opened + f"key: value{newline}" * 5000 + f"{newline}# Real heading{newline}"
    assert [heading.text for heading in markdown_headings(text)] == ["Real heading"]


def test_a_chunk_over_two_sections_belongs_to_the_longer_part() -> None:
    text = "# One\n\nshort\n\n# Two\n\nthis section is the longer one by far\n"
    (chunk,) = chunks_of(text, "markdown", size=512)
    assert chunk.heading == "Two"


def test_titles_of_restructuredtext_are_headings() -> None:
    text = (
        "=======\nManual\n=======\n\nIndex\n-----\n\n"
        "Words about the index, which fill a chunk nicely.\n\n"
        "HNSW\n~~~~\n\nWords about the graph, which fill a chunk as well.\n\n"
        "===== =====\nA     B\n===== =====\n1     2\n===== =====\n\n"
        "Search\n------\n\nWords about the search, which fill the last chunk.\n"
    )
    found = headings_of(text, "rst")
    assert found["Words about the index, which fill a chunk nicely."] == "Manual > Index"
    assert found["Words about the graph, which fill a chunk as well."] == "Manual > Index > HNSW"
    assert found["Words about the search, which fill the last chunk."] == "Manual > Search"


def test_headings_of_html_are_headings() -> None:
    page = (
        b"<h1>Manual</h1>\n<h2>Ask <b>well</b><button>copy</button></h2>\n"
        b"<p>Words of the page.</p>\n"
    )
    (chunk,) = split(parse(page, "a.html"), size=512, overlap=51)
    assert (chunk.heading, chunk.start_line, chunk.end_line) == ("Manual > Ask well", 1, 3)


def test_a_hash_in_plain_text_and_code_is_no_heading() -> None:
    assert set(headings_of("# a comment\n\nx = 1\n", "code").values()) == {""}
    assert set(headings_of("# a note\n\nx = 1\n", "text").values()) == {""}


@pytest.mark.parametrize(
    "text",
    [
        "word " * 400_000,
        "a" * 600_000,
        "> " * 200_000,
        "[" * 300_000,
        "- " * 200_000,
        "# " * 200_000,
        "`" * 300_000,
        "```\n" * 100_000,
        "[a]: b\n" * 80_000,
        "text\n" * 200_000,
        "---\n" * 100_000,
        "<div>\n" * 80_000,
        "*a_ " * 100_000,
        "# " + "[a](b) *c* " * 50_000,
    ],
    ids=lambda text: text[:8].strip(),
)
def test_hostile_markdown_takes_bounded_time(text: str) -> None:
    begun = time.monotonic()
    split(Document(text, "markdown"), size=512, overlap=51)
    assert time.monotonic() - begun < 20


REPEATED = (
    *(" ", "\t", "\n", "\r\n", "\r", " \r\n", "-", "---\r\n", "|", "|\r\n", "`", "```\r\n", "#"),
    *("#\r\n", "{#", "<", "<a ", "<!--", ">", "'", '"', "=", "=\r\n", "!", "!)", "。", "&", "\\"),
    *("\\n", "a", "a\r\n=\r\n", "-----BEGIN PRIVATE KEY-----", "A: "),
)


@pytest.mark.parametrize("unit", REPEATED, ids=repr)
@pytest.mark.timeout(30)
def test_a_long_run_of_anything_takes_bounded_time(unit: str) -> None:
    run = unit * (100_000 // len(unit))
    opened = "-----BEGIN PRIVATE KEY-----\r\n" + run
    assert holds_private_key(opened) == (unit == "a")
    document = parse(f"---\r\n{run}".encode(), "a.md")
    assert uncovered(document.text, split(document, size=512, overlap=51)) == ""
    assert Sections(parse(run.encode(), "a.rst")).path(0, 1) == ""
    piece = run[:8192]
    assert all(quoted.end <= len(piece) for quoted in units(piece))


@pytest.mark.parametrize("unit", ["\r\n", " ", "<", "<a ", "<!--", ">", '"', "&", "-", "|\r\n"])
@pytest.mark.timeout(30)
def test_a_long_run_in_a_page_takes_bounded_time(unit: str) -> None:
    run = unit * (100_000 // len(unit))
    document = parse(f"<p>first</p>\n{run}\n".encode(), "a.html")
    assert document.text.startswith("first") and document.lines(0, 5) == (1, 1)


def test_a_text_longer_than_a_section_is_cut_like_any_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(chunking, "STRETCH", 1000)
    text = "".join(f"Sentence number {n} stands here. " for n in range(500))
    chunks = chunks_of(text)
    assert uncovered(text, chunks) == ""
    assert [chunk.start for chunk in chunks] == sorted(chunk.start for chunk in chunks)


def test_the_manual_is_cut_at_exact_places() -> None:
    for path in DOCS.glob("**/*.md"):
        text = path.read_text("utf-8")
        assert uncovered(text, chunks_of(text, "markdown", size=512, overlap=51)) == ""
