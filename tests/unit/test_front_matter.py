"""Front matter: what it says is found, and its raw lines are no text of the document."""

import time

import pytest

from engine.answering.quotable import units
from engine.chunks.chunk import Chunk
from engine.chunks.chunking import split
from engine.documents import Document, front_matter, parse
from engine.documents.markdown import inline_tags


def document(text: str) -> Document:
    return parse(text.encode("utf-8", "surrogatepass"), "note.md")


def chunks_of(text: str, size: int = 512) -> list[Chunk]:
    made = document(text)
    chunks = split(made, size=size, overlap=0)
    for chunk in chunks:
        assert made.text == text
        assert text[chunk.start : chunk.end] == chunk.text
        assert 0 < len(chunk.text) <= size
        assert chunk.start_line == text.count("\n", 0, chunk.start) + 1
    return chunks


def test_what_it_says_stands_before_the_first_chunk_and_its_lines_in_none() -> None:
    text = (
        "---\ntitle: Nest boxes\naliases: [Bird houses, 'Nests: a list']\ntags: [Birds, wood/work]"
        "\ndate: 2024-05-01\nsummary: How to build one.\nlayout: post\nweight: 3\n---\n\n"
        "# Building\n\nSaw the board.\n"
    )
    made = document(text)
    assert made.title == "Nest boxes"
    assert made.aliases == ("Bird houses", "Nests: a list")
    assert made.tags == ("birds", "wood/work")
    (chunk,) = chunks_of(text)
    assert chunk.text == "# Building\n\nSaw the board."
    assert chunk.start_line == 11
    assert chunk.heading == "Building"
    assert chunk.context.splitlines() == [
        "Nest boxes",
        "Bird houses, Nests: a list",
        "#Birds #wood/work",
        "How to build one.",
        "date: 2024-05-01",
    ]
    assert chunk.embedded == f"{chunk.context}\n{chunk.text}"


def test_only_the_first_chunk_has_the_card() -> None:
    text = "---\ntitle: Birds\n---\n" + "".join(f"# Part {n}\n\n{'word ' * 60}\n" for n in range(4))
    assert [chunk.context for chunk in chunks_of(text)] == ["Birds", "", "", ""]


@pytest.mark.parametrize(
    ("written", "tags"),
    [
        ("tags: [a, '#b', C]", ("a", "b", "c")),
        ("tags:\n  - a\n  - b/c\n", ("a", "b/c")),
        ("tags: a b  c", ("a", "b", "c")),
        ("tags: machine learning, Nets", ("machine learning", "nets")),
        ("tags: '#a #b'", ("a", "b")),
        ("tag: one", ("one",)),
        ("Tags: [2024, 1.5, true]", ("2024", "1.5", "true")),
        ("tags: ", ()),
        ("tags: null", ()),
        ("tags: [~, '', '#', '/']", ()),
        ("tags: {a: 1}", ()),
        ("tags: [[a, [b]], {c: d}]", ("a", "b")),
        ("tags: [Straße, STRASSE, 日本]", ("strasse", "日本")),
        ("tags: a\ntags: b", ("b",)),
    ],
)
def test_tags_are_read_however_they_are_written(written: str, tags: tuple[str, ...]) -> None:
    assert document(f"---\n{written}\n---\ntext").tags == tags


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("title: 2024", "2024"),
        ("title: 2024-05-01", "2024-05-01"),
        ("title: yes", "yes"),
        ("title: 'null'", "null"),
        ("title: ~", ""),
        ("title: [first, second]", "first"),
        ("title: >\n  folded\n  lines\n", "folded lines"),
        ("title: a\ntitle: b", "b"),
        ("title: !!python/object/apply:os.system ['true']", "true"),
        ('title: "\\e]52;c;aGk=\\a"', "\x1b]52;c;aGk=\x07"),
        ("? title\n: x", "x"),
        ("title: " + "x" * 1000, "x" * 200),
    ],
)
def test_a_title_is_taken_as_it_is_written(written: str, title: str) -> None:
    assert document(f"---\r\n{written}\r\n---\r\ntext").title == title


def test_toml_is_read_too() -> None:
    text = (
        '+++\ntitle = "Kites"\ndate = 2024-05-01\n[taxonomies]\ntags = ["Birds", 7]\n+++\n\nBody\n'
    )
    made = document(text)
    assert (made.title, made.tags) == ("Kites", ("birds", "7"))
    assert [chunk.text for chunk in chunks_of(text)] == ["Body"]


BOMB = "\n".join(
    ["a0: &a0 [x, x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 20))]
)
MERGES = "\n".join(
    [
        "a0: &a0 {k: v}",
        *(f"a{n}: &a{n}\n  <<: [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 20)),
    ]
)


@pytest.mark.parametrize(
    "inside",
    [
        BOMB,
        MERGES,
        "a: " + "[" * 30_000,
        "a: " + "{a: " * 15_000,
        "- " * 30_000 + "x",
        "[" * 60_000,
        "title: a: b",
        "title: x\n\tindented: tab",
        "just words",
        "- a\n- list",
        "42",
        "{{ template }}: x",
        "title: 'unclosed",
        "title: *nobody",
        "title: \x01",
        "title: \udcff",
        "x: " + "y" * 1_000_000,
        "x: y\n" * 200_000,
        "",
        "# only a comment",
    ],
    ids=lambda inside: inside[:20],
)
def test_what_cannot_be_read_safely_is_text_as_before(inside: str) -> None:
    begun = time.thread_time()
    assert front_matter.read(f"---\n{inside}\n---\nbody words\n") is None
    assert time.thread_time() - begun < 1
    if "\x01" not in inside and "\udcff" not in inside and len(inside) < 100_000:
        text = f"---\n{inside}\n---\nbody words\n"
        assert "".join(c.text for c in chunks_of(text, 100_000)).startswith("---")


@pytest.mark.parametrize(
    "text",
    [
        "---\ntitle: x\n",
        "--- \ntitle",
        "text\n---\ntitle: x\n---\n",
        " ---\na: b\n---\n",
        "---",
        "",
    ],
)
def test_what_does_not_end_or_does_not_begin_the_file_is_no_front_matter(text: str) -> None:
    assert front_matter.read(text) is None


def test_toml_that_is_nested_deeply_is_no_front_matter() -> None:
    assert front_matter.read("+++\na = " + "[" * 30_000 + "\n+++\n") is None
    assert front_matter.read("+++\nno toml\n+++\n") is None


def test_a_card_is_short_whatever_the_front_matter_holds() -> None:
    listed = ", ".join(f"alias number {n}" for n in range(500))
    read = front_matter.read(
        f"---\ntitle: Short\naliases: [{listed}]\nsummary: {'word ' * 500}\n---\n"
    )
    assert read
    assert read.card.startswith("Short\nalias number 0, alias number 1")
    assert len(read.card) <= front_matter.LONGEST_CARD
    assert len(read.aliases) == front_matter.MOST_VALUES


def test_a_file_of_nothing_else_is_one_chunk_of_what_it_says() -> None:
    text = "---\ntitle: Heron\naliases: [Grey fisher]\ntags: [bird]\n---\n\n"
    (chunk,) = chunks_of(text)
    assert chunk.text == text.strip()
    assert chunk.embedded == "Heron\nGrey fisher\n#bird"
    assert chunks_of(text, size=20)[0].embedded == chunk.embedded
    assert [*units(chunk.text)] == []


def test_headings_begin_behind_it() -> None:
    chunks = chunks_of("+++\n# a comment\ntitle = 'x'\n+++\n\n## Real\n\nwords\n")
    assert [chunk.heading for chunk in chunks] == ["Real"]


def test_boxes_of_tasks_are_not_quoted() -> None:
    text = "- [ ] Oil the hinges.\n- [x] Paint the door.\n  * [X] Twice is better.\n"
    quoted = [text[unit.start : unit.end] for unit in units(text)]
    assert quoted == ["Oil the hinges.", "Paint the door.", "Twice is better."]


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("#tag at the start, #other/nested/ and #Third.", ["tag", "other/nested", "Third"]),
        ("# Heading\n## Another\n#NoHeading", ["NoHeading"]),
        ("#123 #1984/2 #y2024 #2024-plan #_x", ["y2024", "2024-plan", "_x"]),
        ("`#code` and ```#inline\n#again``` no", []),
        ("```\n#fenced\n```\n~~~\n#tilde\n~~~\n\n    #indented\n", []),
        ("- item\n\n    #inlist\n", ["inlist"]),
        ("a#b (#c) [[#Heading]] [x](y#z) {#id} &#39; https://x.y/#frag", []),
        ("##double #tag# #tag##", []),
        ("#日本語 #größe", ["日本語", "größe"]),
        ("\\#escaped", []),
        ("#" * 1_000_000, []),
        ("#1" * 500_000, []),
        (" #1" * 300_000, []),
        ("#" + "a" * 1_000_000, []),
        ("x" + "`" * 1_000_000 + " #tag", ["tag"]),
        ("".join("`" * n + " " for n in range(1, 1400)) + "#tag", ["tag"]),
    ],
    ids=lambda value: str(value)[:20],
)
def test_inline_tags_are_those_of_vaults(text: str, tags: list[str]) -> None:
    begun = time.thread_time()
    assert [*inline_tags(text)] == tags
    assert time.thread_time() - begun < 2


def test_tags_of_front_matter_and_text_are_one_set() -> None:
    assert document("---\ntags: [Bird]\n---\n#bird #Owl `#no`").tags == ("bird", "owl")
    assert parse(b"#tag", "notes.txt").tags == ()


@pytest.mark.parametrize(
    "line", ["x = 0x" + "f" * 6000, ".".join("a" * 6000) + " = 1"], ids=["long", "deep"]
)
def test_toml_that_would_take_all_memory_or_can_t_be_written_out_is_text(line: str) -> None:
    begun = time.thread_time()
    assert front_matter.read(f"+++\ntitle = 'x'\n{line}\n+++\nwords\n") is None
    assert time.thread_time() - begun < 0.5
