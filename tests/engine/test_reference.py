"""``--profile reference`` reproduces every value of the published reference set-up."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import config
from engine.chunks.chunking import split
from engine.documents import Document
from engine.serving import vllm_launch
from engine.serving.models import ServedModel
from engine.wire.api_answer import AnswerFinished, HitsFound, PromptMade
from tests.answering import asked, endpoint_of, the
from tests.engine.tiny_encoder import TinyEncoder
from tests.opened import opening
from tests.scripted_vllm import scripted_vllm

REFERENCE = config.Settings(**config.REFERENCE_PROFILE, profile="reference")
LLAMA = "meta-llama/Llama-3.1-8B-Instruct"
GIB = 1 << 30


def test_the_profile_is_taken_from_flags_file_and_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert config.load({"profile": "reference"}) == REFERENCE
    monkeypatch.setenv("HOVERKITE_PROFILE", "reference")
    assert config.load() == REFERENCE


def test_encoder_search_and_what_follows_without_hits() -> None:
    assert (REFERENCE.embedding_model, REFERENCE.embedding_prompts) == (
        "BAAI/bge-large-en-v1.5",
        "none",
    )
    assert REFERENCE.search_mode == "dense" and REFERENCE.rerank_model == ""
    assert REFERENCE.when_not_found == "answer"


def test_documents_are_cut_at_512_characters_with_a_tenth_of_overlap() -> None:
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    text = "\n\n".join(f"# Part {number}\n\n" + "A kite hovers. " * 60 for number in range(9))
    splitter = RecursiveCharacterTextSplitter(chunk_size=512, chunk_overlap=int(512 * 0.10))
    names = ("size", "overlap", "at_headings", "at_sentences", "context")
    values: dict[str, Any] = {name: getattr(REFERENCE, f"chunk_{name}") for name in names}
    chunks = split(Document(text, "text"), **values)
    assert [chunk.embedded for chunk in chunks] == splitter.split_text(text)


def test_the_command_of_vllm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vllm_launch, "installed_package", lambda: "vllm")
    monkeypatch.setattr(vllm_launch, "available_memory", lambda: 64 * GIB)
    assert REFERENCE.llm_model == LLAMA
    argv = vllm_launch.plan(ServedModel(LLAMA, LLAMA), REFERENCE).task.argv
    told = dict(pairwise(argv))
    wanted = {
        "--model": LLAMA,
        "--dtype": "bfloat16",
        "--gpu-memory-utilization": "0.5",
        "--seed": "415",
    }
    assert {name: told[name] for name in wanted} == wanted
    assert "--enforce-eager" in argv


@pytest.mark.real
async def test_what_the_server_of_the_answer_receives(tmp_path: Path) -> None:
    root = tmp_path / "docs"
    root.mkdir()
    for name in ("kite", "owl", "swift"):
        (root / f"{name}.md").write_text(f"The {name} hunts alone.\n" + f"{name} flies. " * 60)
    encoder = TinyEncoder()
    async with (
        scripted_vllm(tmp_path / "v.sock") as vllm,
        opening(root, encoder, settings=REFERENCE) as folder,
    ):
        endpoint = endpoint_of(vllm, tmp_path / "v.sock")
        events = await asked(folder, endpoint, REFERENCE, "does the kite hunt")
        (sent,) = vllm.requests
        assert vllm.counted >= 1, "the context is checked before"
    names = ("seed", "temperature", "top_p", "max_tokens")
    assert [sent[name] for name in names] == [415, 0.2, 0.95, REFERENCE.llm_max_tokens]
    found, made = the(HitsFound, events), the(PromptMade, events)
    assert found.mode == "dense"
    assert made.hits == [2, 1], "the best two, the best of them last"
    shown = sent["messages"][-1]["content"]
    best, second = found.hits[:2]
    assert shown.index(second.text) < shown.index(best.text)
    assert len(made.passages) == 2 and made.counted and not made.notice
    question = encoder.encode_query("does the kite hunt")
    vectors = encoder.encode_now([best.text, second.text])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert [best.distance, second.distance] == pytest.approx(list(vectors @ question), abs=1e-4)
    sources = the(AnswerFinished, events).sources
    assert [source.rpartition(":")[0] for source in sources] == list(
        dict.fromkeys([best.path, second.path])
    )
