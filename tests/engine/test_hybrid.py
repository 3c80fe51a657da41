"""Searching by meaning and by words in a real folder: real Milvus, vectors without meaning.

The tiny encoder gives each text a random vector, so that what is found by words is told apart from
what is found by meaning.
"""

import itertools
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.errors import UsageError
from engine.server.folder import Folder
from engine.storage.index import WORDS_OFF, Index, Query
from engine.storage.store import Store
from engine.wire.api_search import Filters, SearchReply, SearchRequest
from tests.engine.tiny_encoder import TinyEncoder
from tests.opened import opening

NOTES = {
    "birds/kite.md": "# Kite\n\nThe red kite steers with its forked tail.\n",
    "birds/owl.md": "# Owl\n\nThe barn owl hears a mouse under the snow.\n",
    "ru.md": "# Коршун\n\nЧёрный коршун строит гнёзда на высоких деревьях.\n",
    "zh.md": "# 黑鸢\n\n黑鸢在高大的树上筑巢。\n",
    "log.txt": "The build failed with ERR_NEST-12 and nothing else.\n",
    "log2.txt": "The build failed with ERR_NEST-13, and the build failed, build failed again.\n",
}


@pytest.fixture
async def folder(root: Path) -> AsyncIterator[Folder]:
    for name, text in NOTES.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)
    async with opening(root, TinyEncoder()) as opened:
        yield opened


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    folder.mkdir()
    return folder


async def found(folder: Folder, query: str, **asked: Any) -> SearchReply:
    return await folder.search(SearchRequest(query=query, **asked))


async def paths(folder: Folder, query: str, **asked: Any) -> list[str]:
    return [hit.path for hit in (await found(folder, query, **asked)).hits]


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("forked tails", "birds/kite.md"),
        ("высокое дерево", "ru.md"),
        ("树上", "zh.md"),
        ("ERR_NEST-12", "log.txt"),
    ],
)
async def test_words_are_found_in_any_language(folder: Folder, query: str, path: str) -> None:
    assert (await paths(folder, query, mode="bm25"))[0] == path
    assert (await paths(folder, query))[0] == path


async def test_each_mode_asks_its_arms_and_tells_where_a_hit_came_from(folder: Folder) -> None:
    words = await found(folder, "snow mouse", mode="bm25")
    assert [hit.path for hit in words.hits] == ["birds/owl.md"]
    (owl,) = words.hits
    assert (owl.bm25_rank, owl.dense_rank, words.mode) == (1, None, "bm25")
    assert owl.bm25_score and owl.bm25_score > 0
    meaning = await found(folder, "snow mouse", mode="dense")
    assert len(meaning.hits) == len(NOTES)
    assert {(hit.bm25_rank, hit.bm25_score) for hit in meaning.hits} == {(None, None)}
    assert [hit.dense_rank for hit in meaning.hits] == [*range(1, len(NOTES) + 1)]
    by_path = {hit.path: hit.distance for hit in meaning.hits}
    assert owl.distance == pytest.approx(by_path["birds/owl.md"], abs=1e-5), "told all the same"
    both = await found(folder, "snow mouse")
    ranks = {hit.path: (hit.dense_rank, hit.bm25_rank) for hit in both.hits}
    assert (both.mode, ranks["birds/owl.md"]) == ("hybrid", (meaning_rank(meaning), 1))
    assert [hit.score for hit in both.hits] == sorted(
        (hit.score or 0 for hit in both.hits), reverse=True
    )


def meaning_rank(reply: SearchReply) -> int:
    return next(hit.rank for hit in reply.hits if hit.path == "birds/owl.md")


async def test_where_no_word_is_known_meaning_alone_ranks(folder: Folder) -> None:
    assert await paths(folder, "xyzzy", mode="bm25") == []
    assert await paths(folder, "xyzzy") == await paths(folder, "xyzzy", mode="dense")
    assert await paths(folder, "what is the") == await paths(folder, "what is the", mode="dense")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("path:birds/** the", {"birds/kite.md", "birds/owl.md"}),
        ("-path:birds the type:md", {"ru.md", "zh.md"}),
        ('"barn owl"', {"birds/owl.md"}),
        ("build -ERR_NEST-13", {*NOTES} - {"log2.txt"}),
        ("type:pdf bird", set()),
        ('"barn kite"', set()),
    ],
)
@pytest.mark.parametrize("mode", ["hybrid", "dense"])
async def test_filters_hold_in_every_mode(
    folder: Folder, query: str, expected: set[str], mode: Any
) -> None:
    reply = await found(folder, query, mode=mode)
    assert {hit.path for hit in reply.hits} == expected
    assert bool(reply.notices) == (not expected), "what lets nothing in is told"


async def test_filters_are_taken_beside_the_query_too(folder: Folder) -> None:
    assert await paths(folder, "the", filters=Filters(paths=["birds/kite.md"])) == ["birds/kite.md"]
    with pytest.raises(UsageError, match="31"):
        await found(folder, "kite after:2026-02-31")


async def test_a_chunk_that_holds_an_identifier_comes_before_those_that_hold_its_parts(
    folder: Folder,
) -> None:
    reply = await found(folder, "why did the build fail with ERR_NEST-12?")
    assert reply.hits[0].path == "log.txt"
    assert reply.hits[0].named == ["ERR_NEST-12"]
    assert {tuple(hit.named) for hit in reply.hits[1:]} == {()}


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("release checklist", "release-checklist.md"),
        ("Release_Checklist", "release-checklist.md"),
        (" СПИСОК  дел ", "Список дел.md"),
        ("what is left", "todo.md"),
        ("100% sure_", "100% sure.md"),
    ],
)
async def test_a_file_that_is_called_as_the_query_comes_first(
    folder: Folder, root: Path, query: str, path: str
) -> None:
    (root / "old").mkdir()
    (root / "old" / "release-checklist (old).md").write_text("release checklist " * 20)
    (root / "old" / "sure.md").write_text("100% sure " * 20 + "100x sure")
    (root / "release-checklist.md").write_text("Publish the owl, if the release is tagged.")
    (root / "Список дел.md").write_text("Кормить список коршунов.")
    (root / "todo.md").write_text("---\naliases: [What is left]\n---\nleft: nothing is what is")
    (root / "100% sure.md").write_text("Sure enough.")
    await folder.synced()
    hits = (await found(folder, query)).hits
    assert hits[0].path == path
    assert hits[0].named == [" ".join(query.split())]
    assert {tuple(hit.named) for hit in hits[1:]} <= {()}


async def test_a_file_is_found_by_its_name_however_much_else_is_nearer(
    folder: Folder, root: Path
) -> None:
    for number in range(500):
        (root / f"{number}.md").write_text(f"release checklist {number}")
    (root / "Release checklist.md").write_text("Publish the owl.")
    await folder.synced()
    query = "release checklist"
    for mode in ("dense", "bm25"):
        assert "Release checklist.md" not in await paths(folder, query, mode=mode, hits=100)
    assert (await paths(folder, query))[0] == "Release checklist.md"
    assert "Release checklist.md" not in await paths(folder, f"{query} path:1*.md")


async def test_a_name_that_many_files_have_is_none(folder: Folder, root: Path) -> None:
    for number in range(5):
        (root / f"part{number}").mkdir()
        (root / f"part{number}" / "index.md").write_text(f"{number} owls")
    await folder.synced()
    assert {tuple(hit.named) for hit in (await found(folder, "index")).hits} == {()}


async def test_copies_are_folded_and_what_is_cut_is_explained(folder: Folder, root: Path) -> None:
    (root / "copy.md").write_text(NOTES["birds/owl.md"])
    (root / "long.md").write_text("\n\n".join(f"# Part {n}\n\nsnow {n} " * 40 for n in range(6)))
    await folder.synced()
    reply = await found(folder, "barn owl snow", explain=True, per_file=1)
    owls = [hit for hit in reply.hits if "barn owl" in hit.text]
    assert len(owls) == 1
    assert {owls[0].path, *(one.path for one in owls[0].folded)} == {"birds/owl.md", "copy.md"}
    assert {cut.place.path for cut in reply.cut} == {"long.md"}
    assert {cut.reason for cut in reply.cut} == {"1 better hit is in the same file"}
    assert (await found(folder, "barn owl snow")).cut == []


async def test_places_are_shared_out_among_files_unless_there_is_only_one(
    folder: Folder, root: Path
) -> None:
    (root / "long.md").write_text("\n\n".join(f"# Part {n}\n\nsnow {n} " * 40 for n in range(7)))
    await folder.synced()

    async def of_long(query: str, **asked: Any) -> int:
        return (await paths(folder, query, fold=False, **asked)).count("long.md")

    assert await of_long("snow") == 4
    assert await of_long("snow path:long.md") == 8
    assert await of_long("snow path:long.md", per_file=2) == 2
    for name in NOTES:
        (root / name).unlink()
    await folder.synced()
    assert await of_long("snow") == 8


# --- the search by words is seen to work -----------------------------------------------------


async def test_words_that_are_not_searched_are_noticed_and_milvus_is_filled_anew(
    folder: Folder, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = folder._index
    assert index and index.notices == ()
    index._words_seen = 0
    deaf = itertools.count()
    search = Store.search

    def search_deafly(self: Store, query: Any, limit: int, among: str = "") -> Any:
        return (
            [] if isinstance(query, str) and not next(deaf) else search(self, query, limit, among)
        )

    monkeypatch.setattr(Store, "search", search_deafly)
    with caplog.at_level(logging.WARNING):
        index.see_that_words_are_found()
    assert "filled anew" in caplog.text
    assert index.notices == ()
    assert await paths(folder, "forked tail", mode="bm25") == ["birds/kite.md"]


async def test_a_search_by_words_that_stays_off_is_told_with_every_reply(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = folder._index
    assert index
    index._words_seen = 0
    search = Store.search
    monkeypatch.setattr(
        Store,
        "search",
        lambda self, query, limit, among="": (
            [] if isinstance(query, str) else search(self, query, limit, among)
        ),
    )
    index.see_that_words_are_found()
    reply = await found(folder, "forked tail")
    assert reply.notices == [WORDS_OFF]
    assert len(reply.hits) == len(NOTES)


async def test_words_are_checked_once_after_each_opening(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = folder._index
    assert index
    looked: list[int] = []

    def look(_: Index) -> bool:
        looked.append(1)
        return True

    monkeypatch.setattr(Index, "_finds_words", look)
    await folder.synced()
    assert looked == []
    index.reopen()
    await folder.synced()
    assert looked == [1]


# --- long lists of rows ----------------------------------------------------------------------


@pytest.mark.parametrize("few", [0, 1000])
async def test_rows_are_let_in_and_barred_however_many_there_are(
    folder: Folder, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.storage.filters.FEW_ROWS", few)
    index, narrowing = folder._index, folder._manifest.narrowing
    assert index
    vector = np.ones(TinyEncoder.dimension, np.float32)
    for filters, expected in (
        (Filters(phrases=["build"]), {b"log.txt", b"log2.txt"}),
        (Filters(phrases=["build"], without=["again"]), {b"log.txt"}),
        (Filters(without=["build"], paths=["*.txt"]), set()),
    ):
        query = Query(lambda: vector, "build", selection=narrowing.select(filters))
        assert {one.stored.path for one in index.search(query, 1)} == expected


@pytest.mark.parametrize(
    ("barred", "few", "names_others"),
    [("birds/", 0, True), ("birds/", 1000, False), ("*.md", 0, False), ("none", 0, False)],
)
async def test_files_are_let_in_by_whichever_list_is_shorter(
    folder: Folder, barred: str, few: int, names_others: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.storage.filters.FEW_FILES", few)
    narrowing, vector = folder._manifest.narrowing, np.ones(TinyEncoder.dimension, np.float32)
    selection = narrowing.select(Filters(not_paths=[barred], without=["again"]))
    assert selection.files
    assert ("not in" in selection.among) is names_others
    assert folder._index
    hits = folder._index.search(Query(lambda: vector, "build", selection=selection), 9)
    found = folder._manifest.files_at({one.stored.path for one in hits})
    again = folder._manifest.files_at([b"log2.txt"])[b"log2.txt"].id
    assert {record.id for record in found.values()} == selection.files - {again}


async def test_rows_that_are_let_in_are_found_however_far_behind_the_longest_reply_they_are(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("filters.FEW_ROWS", "store.MOST_HITS", "index.MOST_HITS"):
        monkeypatch.setattr(f"engine.storage.{name}", 2)
    index, narrowing = folder._index, folder._manifest.narrowing
    assert index
    selection = narrowing.select(Filters(without=["build"]))
    barred = folder._manifest.vectors.at([*selection.barred], index._model, index.dimension)
    vector = np.stack([*barred.values()]).sum(axis=0)
    assert len([*index.search(Query(lambda: vector, selection=selection), 2)]) == 2
