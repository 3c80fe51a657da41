"""What became of the hits of an answer, in a real folder that is edited."""

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.config import Settings
from engine.searching.evidence import evidence
from engine.server.folder import Folder
from engine.wire.api_conversations import Evidence, EvidenceRequest
from engine.wire.api_search import Hit, SearchRequest
from tests.engine.tiny_encoder import TinyEncoder
from tests.opened import opening

pytestmark = pytest.mark.real

BIRDS = """# Birds

## Kite

The kite hovers above the meadow. It feeds on mice and voles.
Its tail is forked and rust-red.

## Swift

The swift sleeps on the wing for months.
"""
SMALL = Settings(chunk_size=130)
"""So that each section is a chunk."""


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    root = tmp_path / "docs"
    (root / "old").mkdir(parents=True)
    (root / "old" / "birds.md").write_text(BIRDS)
    (root / "other.md").write_text("Nothing of birds stands here.")
    return root


async def hit_on(folder: Folder, words: str) -> Hit:
    found = await folder.search(SearchRequest(query=words, mode="bm25"))
    return found.hits[0]


async def became(folder: Folder, *hits: Hit) -> list[Evidence]:
    await folder.synced()
    request = EvidenceRequest(hits=list(hits))
    return (await folder.looked_up(lambda manifest: evidence(request, manifest))).evidence


async def test_a_passage_that_nobody_touched_is_the_same(docs: Path) -> None:
    async with opening(docs, TinyEncoder(), settings=SMALL) as folder:
        hit = await hit_on(folder, "kite meadow")
        (docs / "old" / "birds.md").write_text(BIRDS.replace("sleeps", "slept"))
        (told,) = await became(folder, hit)
    assert (told.state, told.rank, told.text) == ("same", 1, "")
    assert told.place and (told.place.start_line, told.place.path) == (hit.start_line, hit.path)


def insert_above(root: Path) -> None:
    (root / "old" / "birds.md").write_text("An introduction.\n\n" + BIRDS)


def rename(root: Path) -> None:
    (root / "new").mkdir()
    (root / "old" / "birds.md").rename(root / "new" / "birds of prey.md")


def move_and_copy(root: Path) -> None:
    """Of two copies, the one that is called as the old file is taken."""
    rename(root)
    (root / "new" / "birds.md").write_text(BIRDS)


@pytest.mark.parametrize(
    ("edit", "path", "shift"),
    [
        (insert_above, "old/birds.md", 2),
        (rename, "new/birds of prey.md", 0),
        (move_and_copy, "new/birds.md", 0),
    ],
)
async def test_a_passage_that_stands_elsewhere_now_is_moved(
    docs: Path, edit: Callable[[Path], None], path: str, shift: int
) -> None:
    async with opening(docs, TinyEncoder(), settings=SMALL) as folder:
        hit = await hit_on(folder, "kite meadow")
        edit(docs)
        (told,) = await became(folder, hit)
    assert told.state == "moved"
    assert told.place
    assert (told.place.path, told.place.start_line) == (path, hit.start_line + shift)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("mice and voles", "frogs", "It feeds on frogs.\nIts tail is forked"),
        ("The kite hovers above the meadow", "A buzzard soars", "A buzzard soars. It feeds on"),
        ("rust-red.", "red.\nIts beak is hooked.", "Its tail is forked and red."),
    ],
)
@pytest.mark.parametrize("above", ["", "An introduction.\n\nOf several lines.\n\n"])
async def test_what_stands_in_the_place_of_a_changed_passage_is_told(
    docs: Path, old: str, new: str, expected: str, above: str
) -> None:
    async with opening(docs, TinyEncoder(), settings=SMALL) as folder:
        hit = await hit_on(folder, "kite meadow")
        assert "swift" not in hit.text
        (docs / "old" / "birds.md").write_text(above + BIRDS.replace(old, new))
        (told,) = await became(folder, hit)
    assert told.state == "changed"
    assert expected in told.text
    assert "swift" not in told.text
    assert told.place
    assert told.place.start_line == hit.start_line + above.count("\n")


@pytest.mark.parametrize("old", ["Sentence 10 ", "Sentence 11 ", "Sentence 12 ", "Sentence 13 "])
async def test_of_a_long_line_what_is_near_is_told(docs: Path, old: str) -> None:
    line = " ".join(f"Sentence {number} is about bird {number}." for number in range(40))
    (docs / "line.md").write_text(line)
    async with opening(docs, TinyEncoder(), settings=SMALL) as folder:
        hit = await hit_on(folder, "sentence 12")
        (docs / "line.md").write_text(line.replace(old, "What was changed long after that "))
        (told,) = await became(folder, hit)
    if old in hit.text:
        assert told.state == "changed"
        assert "What was changed long after that" in told.text
        assert len(told.text) < 2 * len(hit.text)


@pytest.mark.parametrize("text", ["", "Short.", "All is new here.\n" * 20])
async def test_a_file_that_was_written_anew_has_changed(docs: Path, text: str) -> None:
    async with opening(docs, TinyEncoder(), settings=SMALL) as folder:
        hit = await hit_on(folder, "kite meadow")
        (docs / "old" / "birds.md").write_text(text)
        (told,) = await became(folder, hit)
    assert told.state == "changed"
    assert told.text in text
    assert told.place and told.place.start_line >= 1


async def test_a_file_that_was_deleted_is_gone_and_each_hit_is_told_in_turn(docs: Path) -> None:
    async with opening(docs, TinyEncoder(), settings=SMALL) as folder:
        gone, same = await hit_on(folder, "kite meadow"), await hit_on(folder, "nothing stands")
        (docs / "old" / "birds.md").unlink()
        told = await became(folder, same, gone.model_copy(update={"rank": 7}), same)
    assert [(each.rank, each.state) for each in told] == [(1, "same"), (7, "gone"), (1, "same")]
    assert told[1].place is None


async def test_lines_of_an_exact_search_are_evidence_too(docs: Path) -> None:
    async with opening(docs, TinyEncoder(), settings=SMALL) as folder:
        (hit,) = (await folder.search(SearchRequest(query="'feeds on mice"))).hits
        insert_above(docs)
        (told,) = await became(folder, hit)
    assert told.state == "moved"
    assert told.place and told.place.start_line == hit.start_line + 2
