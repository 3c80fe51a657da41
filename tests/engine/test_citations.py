"""Citations, and answers that are not found: a real folder and encoder, a model by script."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from engine.config import Settings
from engine.server.shared_encoder import SharedEncoder
from engine.wire.api import LlmState
from engine.wire.api_answer import (
    NOT_FOUND,
    AnswerFailed,
    AnswerFinished,
    ExtractsFound,
    HitsFound,
    PromptMade,
    Token,
)
from tests.engine.conversing import Talking, only, talking
from tests.scripted_vllm import MODEL

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]

BIRDS = ["kite", "owl", "swift", "heron", "falcon", "raven", "starling", "swallow"]
PORTS = "# Ports\n\nMilvus listens on port 19530. The dashboard listens on port 9091.\n"
ASKED = "On which port does the dashboard listen?"
UNKNOWN = "Who won the football match between France and Brazil?"


@pytest.fixture
async def docs(tmp_path: Path) -> Path:
    root = tmp_path / "docs"
    root.mkdir()
    for number, bird in enumerate(BIRDS * 3):
        what = f"The {bird} of valley {number} sits on the tree and it sings in the morning."
        (root / f"{bird}{number}.md").write_text(f"# The {bird} {number}\n\n{what}\n")
    (root / "ports.md").write_text(PORTS)
    return root


@pytest.fixture
async def encoder(
    encoder_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[SharedEncoder]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(encoder_cache.parent))
    made = SharedEncoder(Settings(embedding_device="cpu"))
    yield made
    await made.close()


async def ask(talk: Talking, question: str, *pieces: str, **request: Any) -> list[Any]:
    """Return the events of an answer that the model writes in ``pieces``."""
    talk.vllm.requests.clear()
    talk.vllm.script.pieces = list(pieces) or ["So it is."]
    return list(await talk.ask(question, **({"mode": "hybrid"} | request)))


async def test_sentences_are_marked_while_they_stream(docs: Path, encoder: SharedEncoder) -> None:
    said = ("The dash", "board listens on port 90", "91 [", "7", "]. Mil", "vus listens on 9091.")
    async with talking(docs, docs.parent / "v", encoder) as talk:
        events = await ask(talk, ASKED, *said)
        talk.vllm.script.finish_reason = None
        cut_off = await ask(talk, ASKED, "The dashboard listens on port 9091. ", "And ")
    found, finished = only(events, HitsFound), only(events, AnswerFinished)
    rank = next(hit.rank for hit in found.hits if hit.path == "ports.md")
    assert finished.answer == (
        f"The dashboard listens on port 9091. [{rank}] Milvus listens on 9091. [?]"
    )
    tokens = [event for event in events if isinstance(event, Token)]
    assert "".join(token.text for token in tokens) == finished.answer
    assert tokens[0].text == "The dash"
    assert len(tokens) > 4
    assert [len(token.citations) for token in tokens if token.citations] == [1, 1]
    assert all("[" not in token.text for token in tokens if not token.citations)
    assert [each for token in tokens for each in token.citations] == finished.citations
    first, second = finished.citations
    assert (first.n, first.path, first.start_line, first.end_line) == (rank, "ports.md", 1, 3)
    assert finished.answer[first.start : first.end] == "The dashboard listens on port 9091."
    assert (second.n, second.supported, second.path) == (None, False, "")
    told = finished.not_found, finished.documents, finished.prompt_tokens > 0
    assert told == (False, True, True)
    extracts = only(events, ExtractsFound)
    assert (extracts.not_found, extracts.searched) == (False, "")
    failed = only(cut_off, AnswerFailed)
    assert [citation.supported for citation in failed.citations] == [True]
    assert failed.answer.startswith(f"The dashboard listens on port 9091. [{rank}]")


async def test_what_is_not_found_is_said_before_any_model_and_a_person_may_overrule_it(
    docs: Path, encoder: SharedEncoder
) -> None:
    async with talking(docs, docs.parent / "v", encoder) as talk:
        for values in ({}, {"llm_model": "", "when_not_found": "answer"}):
            talk.settings = talk.settings.model_copy(update=values)
            says_so(await ask(talk, UNKNOWN), talk)
            events = await ask(talk, UNKNOWN, "France won in Paris.", anyway=True)
            assert only(events, ExtractsFound).not_found
            assert only(events, PromptMade).hits
            assert only(events, AnswerFinished).documents
            assert only(events, AnswerFinished).not_found
            assert only(events, AnswerFinished).answer == "France won in Paris. [?]"
            shown = talk.vllm.requests[0]["messages"][-1]["content"]
            assert only(events, ExtractsFound).extracts[0].text in shown
        filtered = only(await ask(talk, f"{UNKNOWN} type:md"), ExtractsFound)
        assert filtered.searched == "25 files, 25 chunks, as far as the filters let them in"


def says_so(events: list[Any], talk: Talking) -> None:
    extracts, finished = only(events, ExtractsFound), only(events, AnswerFinished)
    assert (extracts.not_found, extracts.searched) == (True, "25 files, 25 chunks")
    assert (finished.finish_reason, finished.answer, finished.not_found) == (NOT_FOUND, "", True)
    assert (finished.citations, finished.sources) == ([], [])
    assert not any(isinstance(event, LlmState | PromptMade | Token) for event in events)
    assert talk.vllm.requests == []


async def test_another_model_may_answer_without_documents(
    docs: Path, encoder: SharedEncoder
) -> None:
    async with talking(docs, docs.parent / "v", encoder, when_not_found="answer") as talk:
        events = await ask(talk, UNKNOWN, "France won [1]. ", "So it is.")
        made, finished = only(events, PromptMade), only(events, AnswerFinished)
        assert (made.documents, made.hits) == (False, [])
        assert finished.answer == "France won. So it is."
        assert (finished.not_found, finished.documents) == (True, False)
        assert (finished.citations, finished.sources) == ([], [])
        (sent,) = talk.vllm.requests
        assert [message["role"] for message in sent["messages"]] == ["system", "user"]
        assert sent["messages"][1]["content"] == UNKNOWN
        assert "the tree" not in str(sent)
        for question in NOT_READ:
            assert not only(await ask(talk, question), ExtractsFound).not_found


NOT_READ = [
    "Кто выиграл матч между Францией и Бразилией?",
    "谁赢了比赛？",
    "Qui a gagné le match ?",
    MODEL,
]


async def test_a_small_folder_is_never_said_to_hold_nothing(
    tmp_path: Path, encoder: SharedEncoder
) -> None:
    root = tmp_path / "docs"
    root.mkdir()
    (root / "ports.md").write_text(PORTS)
    async with talking(root, tmp_path / "v", encoder) as talk:
        assert not only(await ask(talk, UNKNOWN), ExtractsFound).not_found
