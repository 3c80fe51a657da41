"""What an answer shows the model of a real folder: hits joined with their neighbours."""

import contextlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from engine.answer import answer
from engine.api import AnswerFinished, AskRequest, ExtractsFound, HitsFound, PromptMade
from engine.config import Settings
from engine.endpoint import Endpoint
from engine.vllm_server import AnswerModel
from tests.engine.tiny_encoder import TinyEncoder
from tests.opened import opening
from tests.scripted_vllm import MODEL, scripted_vllm
from tests.tui.scripted import llm

pytestmark = pytest.mark.real

BEFORE = "The owl hunts at night and rests by day. " * 12
KITE = "A kite hovers above the meadow, its tail spread wide. " * 9
AFTER = "The swift sleeps on the wing for months. " * 12
OTHER = "Nothing of this section belongs there. " * 5


def model_at(endpoint: Endpoint) -> AnswerModel:
    async def ready() -> Endpoint:
        return endpoint

    answering = contextlib.nullcontext
    return cast("AnswerModel", SimpleNamespace(ready=ready, state=llm(), answering=answering))


@pytest.mark.parametrize(
    ("values", "is_joined"),
    [
        ({"llm_model": MODEL}, True),
        ({"llm_url": "http://127.0.0.1/v1"}, True),
        ({"llm_model": MODEL, "prompt_context": 0}, False),
        ({}, False),
    ],
)
async def test_the_model_is_shown_what_stands_around_a_hit(
    tmp_path: Path, values: dict[str, Any], is_joined: bool
) -> None:
    root = tmp_path / "docs"
    root.mkdir()
    text = f"# Birds\n\n{BEFORE}\n\n{KITE}\n\n{AFTER}\n\n# Others\n\n{OTHER}\n"
    (root / "birds.md").write_text(text)
    settings = Settings.model_validate({"search_mode": "bm25", "prompt_hits": 1} | values)
    async with (
        scripted_vllm(tmp_path / "v.sock") as vllm,
        opening(root, TinyEncoder()) as folder,
    ):
        model = model_at(Endpoint(MODEL, vllm.context, socket=tmp_path / "v.sock"))
        request = AskRequest(question="kite hovers meadow", mode="bm25")
        events = [event async for event in answer(request, folder, model, settings)]
        shown = vllm.requests[0]["messages"][-1]["content"]
    (found,) = [event for event in events if isinstance(event, HitsFound)]
    (extracts,) = [event for event in events if isinstance(event, ExtractsFound)]
    (made,) = [event for event in events if isinstance(event, PromptMade)]
    assert isinstance(events[-1], AnswerFinished)
    assert (made.hits, made.notice) == ([1], "")
    assert found.hits[0].text in shown
    assert [word in shown for word in ("owl", "swift")] == [is_joined, is_joined]
    assert "Nothing of this section" not in shown
    assert all(each.text in found.hits[each.hit - 1].text for each in extracts.extracts)
