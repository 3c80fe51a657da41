"""Where links lead: to files of the folder, by path, name or alias, and never out of it."""

import time

import pytest

from engine.documents import parse
from engine.documents.code_spans import without_code
from engine.documents.links import find
from engine.searching.link_targets import Names, line_of, links_in

PATHS = [
    b"README.md",
    b"guide/setup.md",
    b"guide/index.md",
    b"guide/My Notes.md",
    b"birds/Kite.md",
    b"birds/archive/2019/Kite.md",
    b"birds/owl.pdf",
    b"etc/passwd.md",
    b"caf\xe9.md",
    b"a#b.md",
]
NAMES = Names(PATHS, {"milvus": [b"birds/Kite.md"], "gone": [b"no/longer.md"]})


def target(text: str, source: bytes = b"guide/setup.md") -> tuple[bytes, str] | None:
    (link,) = find(text).links
    found = NAMES.target_of(link, source)
    return found and (found.path, found.anchor)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[x](index.md)", (b"guide/index.md", "")),
        ("[x](./index.md#How-to)", (b"guide/index.md", "How-to")),
        ("[x](../README.md?raw=1#a)", (b"README.md", "a")),
        ("[x](../readme.MD)", (b"README.md", "")),
        ("[x](My%20Notes.md)", (b"guide/My Notes.md", "")),
        ("[x](<My Notes.md>)", (b"guide/My Notes.md", "")),
        ("[x](#here)", (b"guide/setup.md", "here")),
        ("[x](/birds/Kite.md)", (b"birds/Kite.md", "")),
        ("[x](/guide)", (b"guide/index.md", "")),
        ("[x](../birds/kite)", (b"birds/Kite.md", "")),
        ("[x](../birds/Kite.html#y)", (b"birds/Kite.md", "y")),
        ("[x](Kite.md)", (b"birds/Kite.md", "")),
        ("[x](../a%23b.md)", (b"a#b.md", "")),
        ("[x](../caf%E9.md)", (b"caf\xe9.md", "")),
        ("[x](nowhere.md)", None),
        ("[x](https://example.org/README.md)", None),
        ("[x](//example.org/README.md)", None),
        ("[x](mailto:README.md)", None),
        ("[x](file:///etc/passwd.md)", None),
        ("<https://example.org/README.md>", None),
        ("[x](..\\README.md)", None),
        ("[x](../../../../../..)", None),
        ("[x](../)", None),
        ("[x](%00.md)", None),
        ("[[Kite]]", (b"birds/Kite.md", "")),
        ("[[kITE#Feathers#Tail|shown]]", (b"birds/Kite.md", "Feathers#Tail")),
        ("[[2019/Kite]]", (b"birds/archive/2019/Kite.md", "")),
        ("[[birds/kite.md]]", (b"birds/Kite.md", "")),
        ("![[owl.pdf]]", (b"birds/owl.pdf", "")),
        ("[[owl]]", (b"birds/owl.pdf", "")),
        ("[[MILVUS]]", (b"birds/Kite.md", "")),
        ("[[gone]]", None),
        ("[[#Setup]]", (b"guide/setup.md", "Setup")),
        ("[[nest/Kite]]", None),
        ("[[../../etc/passwd]]", None),
        ("[[Unknown]]", None),
    ],
)
def test_a_link_leads_to_a_file_of_the_folder_or_nowhere(
    text: str, expected: tuple[bytes, str] | None
) -> None:
    assert target(text) == expected


@pytest.mark.parametrize(
    "written", ["../../etc/passwd", "/etc/passwd", "../../../etc/shadow", "..%2f..%2fetc%2fshadow"]
)
def test_what_a_link_reaches_for_outside_is_never_given(written: str) -> None:
    found = target(f"[x]({written})")
    assert found is None or found[0] in PATHS


@pytest.mark.parametrize(
    ("anchor", "line"),
    [
        ("", 1),
        ("first-part", 5),
        ("First-Part", 5),
        ("First part", 5),
        ("Top#First part", 5),
        ("first-part-1", 9),
        ("own-id", 11),
        ("named", 13),
        ("^block", 14),
        ("^other", 1),
        ("nothing-of-the-kind", 1),
        ("größe--mehr", 16),
        ("(((", 1),
        ("^" + "(" * 500, 1),
    ],
)
def test_an_anchor_is_found_as_heading_block_or_name(anchor: str, line: int) -> None:
    text = (
        "---\ntitle: x\n---\n# Top\n## First `part`\n\n```\n# Code\n## First part\n".replace(
            "# Code\n## First part\n", "```\n"
        )
        + "## First part\nwords\n## Words {#own-id}\n\n<a name='named'></a>\nA line ^block\n\n"
        + "## Größe & mehr\n"
    )
    assert line_of(parse(text.encode(), "a.md"), anchor) == line


def test_only_links_in_the_part_that_is_asked_about_are_given() -> None:
    text = "[a](a.md) `[b](b.md)` [c](c.md)\n\n[d]\n\n[d]: d.md"
    made = parse(text.encode(), "a.md")
    assert [link.target for link in links_in(made, 5, len(text))] == ["c.md", "d.md"]
    assert [*links_in(parse(text.encode(), "a.txt"), 0, len(text))] == []


def test_many_files_of_one_name_and_many_links_cost_little() -> None:
    paths = [f"{n % 100}/{n}/Note.md".encode() for n in range(20_000)]
    links = find(without_code("[[x/Note]] [y](../Note.md) " * 50)).links
    begun = time.thread_time()
    names = Names(paths, {})
    for link in links:
        names.target_of(link, b"a/b.md")
    assert time.thread_time() - begun < 10
