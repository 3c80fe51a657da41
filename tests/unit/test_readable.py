"""Links are embedded as their text; code, and what is shown, stays as it is."""

import time

import pytest

from engine.chunks.chunking import split
from engine.documents import parse
from engine.documents.code_spans import code_spans
from engine.documents.links import find
from engine.documents.readable import Readable


def read(text: str) -> str:
    return Readable(text).part(0, len(text)) or text


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("See [the guide](../guide.md#setup) first.", "See the guide first."),
        ("See [[Kites]] and [[birds/Owl|the owl]].", "See Kites and the owl."),
        ("A [[Page#Some heading]] and [[#Here]].", "A Page Some heading and Here."),
        ("| [[Page\\|shown]] | x and long enough |", "| shown | x and long enough |"),
        ("It shows ![[Diagram of the nest]] there.", "It shows Diagram of the nest there."),
        ("An ![image of a kite](a%20b.png 'A title') here.", "An image of a kite here."),
        ("![badge text](b.svg)](c) is not a link to it.", "badge text](c) is not a link to it."),
        ("[![a badge with words](b.svg)](c.md) is.", "a badge with words is."),
        ("[a [nested] label of words](x.md)", "a [nested] label of words"),
        ("[parentheses in it](a_(b)_c.md) go.", "parentheses in it go."),
        ("[angled in brackets](<my file.md>) go.", "angled in brackets go."),
        ("Mail <https://example.org/long> now.", "Mail https://example.org/long now."),
        ("[words of it][ref] go\n\n[ref]: x.md 'T'\n", "words of it go"),
        ("[Words of it][] go on\n\n[words  of it]: <x.md>\n", "Words of it go on"),
        (
            "[a footnote] is[^1] no link\n\n[^1]: Its text.",
            "[a footnote] is[^1] no link\n\n[^1]: Its text.",
        ),
        ("- [ ] Do this task\n* [x] Done task", "- Do this task\n* Done task"),
        ("## A heading {#its-anchor}\n\ntext", "## A heading\n\ntext"),
        ("<a id='x'></a>Words <a href='http://x.y/z'>of it</a> stay", "Words of it stay"),
        ("a[i](x) in `b[i](x)` and `[[c]]`", "ai in `b[i](x)` and `[[c]]`"),
        ("```\n[code](x.md)\n```\nand [words](x.md)", "```\n[code](x.md)\n```\nand words"),
        ("[a label\n\nof two](x.md) paragraphs", "[a label\n\nof two](x.md) paragraphs"),
        ("\\[escaped](x.md) and \\![x", "\\[escaped](x.md) and \\![x"),
        ("if [[ -f x ]]; then std::vector<int>", "if [[ -f x ]]; then std::vector<int>"),
        ("Put <your-bucket> and <div> there", "Put <your-bucket> and <div> there"),
        ("[x](javascript:alert(1)) is text", "x is text"),
        (
            "[](https://example.org/a/very/long/address)",
            "[](https://example.org/a/very/long/address)",
        ),
        ("plain words", "plain words"),
        ("", ""),
    ],
)
def test_marks_are_left_out_of_what_is_embedded(text: str, reads: str) -> None:
    assert read(text).strip() == reads.strip()


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "](" * 50_000,
        "](((((" * 20_000,
        "[a](" * 25_000,
        "[[a" * 30_000,
        "[[" * 50_000 + "]]" * 50_000,
        "![" * 30_000 + "](x)" * 30_000,
        "[a](b(c)" * 15_000,
        '](a"' * 25_000,
        "](x 'y" * 20_000,
        "[a][" * 25_000,
        "<a " * 30_000,
        "<https://" * 10_000,
        "`" * 100_000,
        "".join("`" * n + "a" for n in range(1, 1400)),
        "[x]: " * 20_000,
        "[x]:\n" * 20_000,
        "- [ ] " * 15_000,
        ">" * 100_000,
        " " * 100_000 + "[",
        "](" + " " * 100_000,
        "\n" * 100_000,
        "\n " * 50_000,
        "{#" * 50_000,
        "\\" * 100_000,
        "~~~" * 30_000,
    ],
    ids=lambda text: text[:12],
)
def test_hostile_text_is_read_in_time_that_grows_with_its_length(text: str) -> None:
    begun = time.thread_time()
    Readable(text).part(0, len(text))
    assert time.thread_time() - begun < 4


def test_chunks_keep_their_text_and_are_embedded_as_they_read() -> None:
    text = "# Kites\n\n" + "".join(f"See [page {n}](deep/down/page-{n}.md).\n" for n in range(40))
    chunks = split(parse(text.encode(), "a.md"), size=128, overlap=20)
    for chunk in chunks:
        assert text[chunk.start : chunk.end] == chunk.text
        assert "deep/down" in chunk.text and "deep/down" not in chunk.embedded
    assert all(
        c.readable is None for c in split(parse(text.encode(), "a.txt"), size=128, overlap=0)
    )


def test_a_link_that_is_cut_is_read_as_far_as_it_goes() -> None:
    text = "word " * 10 + "[a label of words](" + "a/" * 20 + "x.md) and after it more words"
    cut = text.index("words](") + 2
    assert Readable(text).part(0, cut) == "word " * 10 + "a label of wo"
    assert (Readable(text).part(cut, len(text)) or "").startswith("rds and after it")


def test_what_has_no_words_but_marks_is_embedded_as_it_is() -> None:
    text = "[](https://example.org/a/long/address) [?](https://example.org/another/address)"
    assert Readable(text).part(0, len(text)) is None


def test_code_is_found_in_all_its_forms() -> None:
    text = "a `b` c\n\n~~~sh\nd\n~~~\n\n    e\n\n- f\n\n    g\n\n``h ` i``\n\n`j\n\nk`\n\n```\nopen"
    assert [text[slice(*span)].strip() for span in code_spans(text)] == [
        "`b`", "~~~sh\nd\n~~~", "e", "``h ` i``", "```\nopen",
    ]  # fmt: skip


def test_links_say_what_they_show_and_where_they_lead() -> None:
    text = "[a](b.md) ![[c#d|e]] <https://f.g> [h][i]\n\n[i]: j.md#k\n"
    found = [(text[x.label : x.label_end], x.target, x.is_wiki) for x in find(text).links]
    assert found == [
        ("a", "b.md", False), ("e", "c#d", True), ("https://f.g", "https://f.g", False),
        ("h", "j.md#k", False),
    ]  # fmt: skip
