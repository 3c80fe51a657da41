"""Chunks that end with sentences, stand in their context, and never go over a model's limit."""

import random
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from engine.chunks import chunking, sentences
from engine.chunks.chunk import Chunk
from engine.chunks.token_limit import TokenLimit
from engine.config import REFERENCE_PROFILE, Settings, load
from engine.documents import Document, parse
from engine.files.kinds import DocumentKind
from engine.files.scan import Entry
from engine.syncing.reading import Reader
from tests.unit.test_chunking import uncovered

ENGLISH = "The kite hovers over the field. It drops on what moves! Does it miss? Seldom, they say. "
RUSSIAN = "Коршун парит над полем. Он падает на добычу! Часто ли он промахивается? Редко. "
CHINESE = "黑鸢在田野上空盘旋。它扑向猎物！它会失手吗？“很少。”他说。"


def cut(text: str, kind: DocumentKind = "text", size: int = 100, context: int = 0) -> list[Chunk]:
    chunks = chunking.split(
        Document(text, kind), size=size, overlap=0, at_sentences=True, context=context
    )
    assert uncovered(text, chunks) == ""
    assert all(text[chunk.start : chunk.end] == chunk.text for chunk in chunks)
    assert all(0 < len(chunk.text) <= size for chunk in chunks)
    assert all(a.end <= b.start for a, b in pairwise(chunks))
    return chunks


@pytest.mark.parametrize("text", [ENGLISH, RUSSIAN, CHINESE], ids=["en", "ru", "zh"])
def test_prose_is_cut_between_sentences(text: str) -> None:
    chunks = cut(text * 9)
    assert len(chunks) > 2
    assert all(chunk.text[-1] in ".!?。！？”说" for chunk in chunks)
    assert all(chunk.text.endswith((".", "!", "?", "。", "！", "？", "”")) for chunk in chunks)


@pytest.mark.parametrize(
    "whole",
    [
        "e.g. the kite",
        "i.e. the kite",
        "Dr. Kite",
        "see Fig. 3",
        "J. R. Kite",
        "v2.4 of it",
        "https://kite.example/a.b?c=d.e!f of it",
        "и т. д. так",
        "см. рис. 3",
        "z. B. so",
    ],
)
@pytest.mark.parametrize("before", range(0, 40, 3))
def test_no_sentence_ends_inside(whole: str, before: int) -> None:
    text = f"{'word ' * before}{whole} ends here. Another sentence follows it. " * 3
    places = list(sentences.gaps(text))
    at = text.find(whole)
    while at >= 0:
        assert not [place for place in places if at < place < at + len(whole)]
        at = text.find(whole, at + 1)
    assert len(places) == 6


def test_the_number_of_an_item_ends_no_sentence() -> None:
    text = "1. Open the index.\n2. Search it. Close it.\n"
    assert [text[:gap] for gap in sentences.gaps(text)] == ["1. Open the index.\n2. Search it."]


def test_wrapped_prose_is_cut_between_sentences_and_not_at_its_lines() -> None:
    line = "A kite that hovers over the field sees every mouse that moves down\nthere. It drops. "
    assert all(chunk.text.endswith(".") for chunk in cut(line * 8, size=160))


def test_lists_tables_and_code_are_cut_between_their_lines() -> None:
    rows = "".join(f"| row {n} | it holds. some words. of a cell |\n" for n in range(30))
    items = "".join(f"- item {n} says this. and then it says that\n" for n in range(30))
    code = "".join(
        f"result_{n} = kite.hover(over={n}). then(lambda: None). end\n" for n in range(30)
    )
    text = f"{rows}\n{items}\n```python\n{code}```\n"
    lines = set(text.splitlines())
    for chunk in cut(text, "markdown", size=150):
        assert set(chunk.text.splitlines()) <= lines


def test_a_sentence_that_is_too_long_is_cut_at_a_clause() -> None:
    text = "a kite of the field, " * 20
    assert all(chunk.text.endswith(",") for chunk in cut(text, size=90))


# --- what is embedded with a chunk ---


def test_a_chunk_is_embedded_with_headings_and_what_stands_before_it() -> None:
    text = (
        "# Kites\n\n## Food\n\n"
        + "Mice are its food. Voles are too. " * 4
        + "Birds it takes rarely, for it must surprise them, or so they say.\n\n"
        "Eggs it never takes, since they do not move, and it sees only what moves below.\n"
    )
    first, second, last = cut(text, "markdown", size=170, context=40)
    assert first.context == ""
    assert second.text.startswith("Birds")
    assert second.context == "Kites > Food\nMice are its food. Voles are too."
    assert second.embedded == f"{second.context}\n{second.text}"
    assert last.context == "Kites > Food"  # it begins a paragraph


def test_no_context_reaches_over_a_section() -> None:
    text = f"# One\n\n{ENGLISH * 2}\n\n# Two\n\n{ENGLISH * 2}"
    (start,) = [chunk for chunk in cut(text, "markdown", 200, 80) if chunk.text.startswith("# Two")]
    assert start.context == ""


def test_the_title_of_front_matter_stands_before_each_chunk() -> None:
    document = parse(f"---\ntitle: Black kite\n---\n\n{ENGLISH * 9}".encode(), "a.md")
    first, *others = chunking.split(document, size=200, overlap=0, at_sentences=True, context=80)
    assert first.context == document.card and "Black kite" in first.context
    assert others and all(chunk.context.startswith("Black kite\n") for chunk in others)


def test_an_edit_changes_its_chunk_and_at_most_the_next() -> None:
    dice = random.Random(3)
    names = [f"Kite {n} hovers over field number {n * 7}." for n in range(200)]
    paragraphs = [" ".join(names[n : n + 8]) for n in range(0, 200, 8)]
    before = {chunk.embedded for chunk in cut("\n\n".join(paragraphs), size=500, context=80)}
    changed = []
    for _ in range(20):
        edited = list(paragraphs)
        at = dice.randrange(len(edited))
        edited[at] = edited[at].replace("hovers", "hangs", 2)
        after = cut("\n\n".join(edited), size=500, context=80)
        changed.append(sum(chunk.embedded not in before for chunk in after))
    assert max(changed) <= 2


# --- the model's limit ---


@pytest.fixture
def limit() -> TokenLimit:
    """Take 64 tokens, each a word or a character of what is no word."""
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.enable_truncation(64)
    return TokenLimit(tokenizer, 64)


HOSTILE = {
    "one line": "kite . " * 2500,
    "no spaces": "a" * 12500,
    "no spaces, many tokens": "a.b-" * 2500,
    "han": "黑鸢在田野上空盘旋" * 625,
    "han sentences": CHINESE * 300,
    "emoji": "😀👩‍👩‍👧🏽" * 1000,
    "combining": "e\u0301\u0323" * 2500,
    "crlf": "A kite. It hovers.\r\n\r\n" * 625,
    "points": "... " * 2500,
    "ends": ". " * 5000,
    "commas": "," * 6250,
    "marks": "\x1f\x1e\U00020000 " * 1250,
    "surrogates": "\ud800 \udc00" * 1250,
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("kind", ["text", "markdown"])
def test_no_chunk_goes_over_the_limit_and_nothing_is_lost(
    name: str, kind: DocumentKind, limit: TokenLimit
) -> None:
    document = Document(HOSTILE[name], kind)
    chunks = chunking.split(
        document, size=500, overlap=0, at_sentences=True, context=80, fits=limit.takes
    )
    assert uncovered(document.text, chunks) == ""
    assert all(limit.takes(chunk.embedded) for chunk in chunks)


def test_a_reader_splits_what_the_model_would_cut(tmp_path: Path, limit: TokenLimit) -> None:
    (tmp_path / "a.md").write_text("# Kite\n\n" + "a kite, " * 200, "utf-8")
    settings = Settings()
    plain, careful = (
        Reader(tmp_path, settings, model="a"),
        Reader(tmp_path, settings, model="b", fits=limit.takes),
    )
    assert plain.recipe != careful.recipe
    entry = Entry(b"a.md", 1608, 0, 0, 0)
    cut, whole = (reader.read(1, entry) for reader in (careful, plain))
    assert cut and whole and len(cut.chunks) > len(whole.chunks)
    assert all(limit.takes(chunk.embedded) for chunk in cut.chunks)
    assert not all(limit.takes(chunk.embedded) for chunk in whole.chunks)


@pytest.mark.parametrize(
    ("unit", "length"),
    [
        ("Kite. ", 1_500_000),
        *((unit, 200_000) for unit in ("a", "kite ", "黑鸢。", "😀", "\n", "x\r\n", ". ", "e.g. ")),
    ],
)
@pytest.mark.timeout(50)
def test_a_long_line_of_anything_takes_bounded_time(unit: str, length: int) -> None:
    begun = time.monotonic()
    text = unit * (length // len(unit))
    document = Document(text, "text")
    chunking.split(document, size=500, overlap=0, at_sentences=True, context=80)
    assert time.monotonic() - begun < 20


@pytest.mark.timeout(30)
def test_ten_thousand_headings_take_bounded_time() -> None:
    text = "".join(
        f"{'#' * (1 + n % 6)} Heading {n}\n\nA word. Another.\n\n" for n in range(10_000)
    )
    begun = time.monotonic()
    chunks = cut(text, "markdown", size=500, context=80)
    assert time.monotonic() - begun < 20
    assert len(chunks) > 1000


def test_the_reference_profile_cuts_as_the_reference_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOVERKITE_PROFILE", "reference")
    settings = load()
    chosen = settings.model_dump(include={name for name in REFERENCE_PROFILE if "chunk" in name})
    assert chosen == {
        "chunk_size": 512,
        "chunk_overlap": 51,
        "chunk_at_headings": False,
        "chunk_at_sentences": False,
        "chunk_context": 0,
    }


def kinds() -> Iterator[DocumentKind]:
    yield from ("markdown", "rst", "html", "pdf", "text")


@pytest.mark.parametrize("seed", range(30))
def test_random_text_is_cut_at_exact_places(seed: int) -> None:
    dice = random.Random(seed)
    alphabet = [
        "A kite",
        " ",
        ". ",
        "\n",
        "\r\n",
        "。",
        "！”",
        ", ",
        "；",
        "```\n",
        "| ",
        "- ",
        "x",
    ]
    text = "".join(dice.choices(alphabet, k=600))
    cut(text, dice.choice([*kinds()]), size=64, context=30)
