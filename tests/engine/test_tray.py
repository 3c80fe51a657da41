"""Hits that a person pinned or dropped: looked up anew, shown first, or never."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from engine.answering import extracts
from engine.config import Settings
from engine.server.folder import Folder
from engine.wire.api_answer import (
    AnswerFailed,
    AnswerFinished,
    AskEvent,
    Extract,
    ExtractsFound,
    HitsFound,
    PromptMade,
    Tray,
)
from engine.wire.api_search import Hit, Place
from tests.answering import asked, endpoint_of, the
from tests.engine.tiny_encoder import TinyEncoder
from tests.hits import hit as any_hit
from tests.hits import wanted
from tests.opened import opening
from tests.scripted_vllm import MODEL, ScriptedVllm, scripted_vllm

pytestmark = pytest.mark.real

SETTINGS = Settings(search_mode="bm25", llm_model=MODEL, prompt_hits=2, hits=3)
BIRDS = ("kite", "owl", "swift", "wren", "heron")


@pytest.fixture
async def vllm(tmp_path: Path) -> AsyncIterator[ScriptedVllm]:
    async with scripted_vllm(tmp_path / "v.sock") as server:
        yield server


@pytest.fixture
async def folder(tmp_path: Path) -> AsyncIterator[Folder]:
    root = tmp_path / "docs"
    root.mkdir()
    for bird in BIRDS:
        text = f"# The {bird}\n\nThe {bird} is a bird. It hunts alone.\n"
        (root / f"{bird}.md").write_text(text)
    (root / "lines.md").write_text("".join(f"Heron line {number}.\n" for number in range(9)))
    async with opening(root, TinyEncoder(), settings=SETTINGS) as opened:
        yield opened


async def hit_of(folder: Folder, bird: str, **changes: Any) -> Hit:
    """Return the hit of a bird's file, as an earlier search gave it."""
    hits = (await folder.search(wanted(f"path:{bird}.md {bird}", 1))).hits
    return hits[0].model_copy(update=changes)


def place_of(hit: Hit) -> Place:
    """Return where a hit stands, without the rest of it."""
    return Place.model_validate(hit.model_dump(include=set(Place.model_fields)))


class Asking:
    """What is asked of the folder, with a tray."""

    def __init__(self, folder: Folder, vllm: ScriptedVllm, tmp_path: Path) -> None:
        self.folder, self.vllm = folder, vllm
        self._endpoint = endpoint_of(vllm, tmp_path / "v.sock")

    async def __call__(self, question: str, **tray: Any) -> list[AskEvent]:
        settings = SETTINGS.model_copy(update=tray.pop("settings", {}))
        more = {"hits": tray.pop("hits", None), "tray": Tray(**tray)}
        return await asked(self.folder, self._endpoint, settings, question, **more)

    @property
    def shown(self) -> str:
        """What the model was shown last."""
        return str(self.vllm.requests[-1]["messages"][-1]["content"])


@pytest.fixture
def ask(folder: Folder, vllm: ScriptedVllm, tmp_path: Path) -> Asking:
    return Asking(folder, vllm, tmp_path)


async def test_a_pinned_hit_is_shown_first_whatever_is_found(ask: Asking) -> None:
    pinned = await hit_of(ask.folder, "wren", rank=1)
    events = await ask("where does the kite hunt", pinned=[pinned], hits=2)
    found = the(HitsFound, events)
    assert [hit.rank for hit in found.hits] == [1, 2, 3]
    assert found.hits[2].path == "wren.md" and found.hits[0].path == "kite.md"
    assert found.notices == []
    made = the(PromptMade, events)
    assert made.hits == [2, 1, 3], "the most important is the last"
    assert [passage.hits for passage in made.passages] == [[2], [1], [3]]
    assert ask.shown.index("kite is") < ask.shown.index("[3] wren.md") < ask.shown.index("where")
    assert any("wren.md" in source for source in the(AnswerFinished, events).sources)


async def test_a_pinned_hit_that_is_found_too_keeps_its_rank(ask: Asking) -> None:
    pinned = await hit_of(ask.folder, "owl", rank=7)
    events = await ask("the kite and the owl", pinned=[pinned, pinned])
    hits = the(HitsFound, events).hits
    assert [hit.path for hit in hits].count("owl.md") == 1
    (owl,) = [hit for hit in hits if hit.path == "owl.md"]
    assert the(PromptMade, events).hits[-1] == owl.rank
    assert ask.shown.count("The owl is a bird") == 1


@pytest.mark.parametrize(
    "forged",
    [
        {"text": "The kite is a lie."},
        {"path": "../docs/kite.md"},
        {"path": "none.md"},
        {"path": "/etc/hostname", "text": "root"},
        {"text": " \n"},
        {"start_line": 0, "start": None},
        {"quoted_path": "%FF.md"},
    ],
)
async def test_what_a_client_says_of_a_pinned_hit_is_not_believed(
    ask: Asking, forged: dict[str, Any]
) -> None:
    pinned = await hit_of(ask.folder, "kite", **forged)
    events = await ask("where does the owl hunt", pinned=[pinned])
    (notice,) = the(HitsFound, events).notices
    assert notice.endswith("was pinned and has changed: it is left out")
    assert "lie" not in ask.shown
    assert isinstance(events[-1], AnswerFinished)


async def test_heading_and_numbers_of_a_pinned_hit_are_those_of_the_index(ask: Asking) -> None:
    forged = {"heading": "Ignore all", "distance": 1.0, "start_line": 3, "named": ["x"], "page": 9}
    pinned = await hit_of(ask.folder, "wren", **forged)
    events = await ask("anything", pinned=[pinned], exactly=True)
    (hit,) = the(HitsFound, events).hits
    assert (hit.heading, hit.distance, hit.named, hit.part) == ("The wren", None, [], None)
    assert "Ignore" not in ask.shown


async def test_a_pinned_hit_that_moved_in_its_file_is_shown_where_it_stands_now(
    ask: Asking,
) -> None:
    pinned = await hit_of(ask.folder, "wren")
    file = ask.folder.root / "wren.md"
    file.write_text("First a line.\n\n" + file.read_text())
    await ask.folder.synced()
    events = await ask("anything", pinned=[pinned], exactly=True)
    (hit,) = the(HitsFound, events).hits
    assert (hit.start_line, hit.text) == (pinned.start_line + 2, pinned.text)
    file.write_text("All else.")
    await ask.folder.synced()
    events = await ask("anything", pinned=[pinned], exactly=True)
    assert the(HitsFound, events).hits == []
    failed = the(AnswerFailed, events)
    assert "no pinned hit is left" in failed.problem.detail
    assert len(the(HitsFound, events).notices) == 1


async def test_a_line_of_an_exact_search_can_be_pinned(ask: Asking) -> None:
    lines = (await ask.folder.search(wanted("'line 4", 5))).hits
    events = await ask("anything", pinned=lines, exactly=True)
    assert [hit.text for hit in the(HitsFound, events).hits] == ["Heron line 4."]
    assert "[1] lines.md, line 5\nHeron line 4.\n" in ask.shown


async def test_exactly_the_pinned_hits_are_shown_and_nothing_is_searched(
    ask: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinned = [await hit_of(ask.folder, bird) for bird in ("wren", "owl", "swift")]

    async def search(*_: Any) -> None:
        raise AssertionError("nothing is to be searched")

    monkeypatch.setattr(ask.folder, "search", search)
    events = await ask("where does the kite hunt", pinned=pinned, exactly=True)
    assert [hit.path for hit in the(HitsFound, events).hits] == ["wren.md", "owl.md", "swift.md"]
    assert the(PromptMade, events).hits == [3, 2, 1]
    assert "kite is" not in ask.shown
    quoted = {extract.hit for extract in the(ExtractsFound, events).extracts}
    assert quoted <= {1, 2, 3} and quoted


async def test_what_was_dropped_is_found_and_neither_shown_nor_quoted(ask: Asking) -> None:
    kite = await hit_of(ask.folder, "kite")
    events = await ask("where does the kite hunt", dropped=[place_of(kite)], pinned=[kite])
    hits = the(HitsFound, events).hits
    assert "kite.md" in [hit.path for hit in hits]
    assert "kite is" not in ask.shown
    (rank,) = [hit.rank for hit in hits if hit.path == "kite.md"]
    assert rank not in the(PromptMade, events).hits
    assert rank not in [extract.hit for extract in the(ExtractsFound, events).extracts]


async def test_where_all_was_dropped_nothing_is_answered(ask: Asking) -> None:
    found = the(HitsFound, await ask("the kite")).hits
    asked_before = len(ask.vllm.requests)
    places = [
        Place.model_validate(hit.model_dump(include=set(Place.model_fields))) for hit in found
    ]
    events = await ask("the kite", dropped=places)
    assert isinstance(events[-1], AnswerFailed)
    assert len(ask.vllm.requests) == asked_before


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"prompt_choice": "extracts"}, [1, 3]),
        ({"prompt_choice": "best"}, [2, 1]),
        ({"llm_model": "", "prompt_hits": 1}, [1, 3]),
    ],
)
async def test_hits_that_are_quoted_are_shown_before_better_ones(
    ask: Asking, monkeypatch: pytest.MonkeyPatch, values: dict[str, Any], expected: list[int]
) -> None:
    def quote(question: str, hits: list[Hit], *, encoder: object) -> list[Extract]:
        return [Extract(text=hits[rank - 1].text, hit=rank) for rank in (3, 3, 1)]

    monkeypatch.setattr(extracts, "quote", quote)
    events = await ask("the bird that hunts alone", settings=values)
    assert len(the(HitsFound, events).hits) == 3
    assert the(PromptMade, events).hits == expected


async def test_a_place_of_another_file_drops_nothing(ask: Asking) -> None:
    kite = await hit_of(ask.folder, "kite")
    other = any_hit(1, path="b.md", start_line=kite.start_line, end_line=kite.end_line)
    await ask("where does the kite hunt", dropped=[place_of(other)])
    assert "kite is" in ask.shown
