"""What an answer shows the model of a real folder: hits joined with their neighbours."""

from pathlib import Path
from typing import Any

import pytest

from engine.config import Settings
from engine.wire.api_answer import AnswerFinished, ExtractsFound, HitsFound, PromptMade
from tests.answering import asked, endpoint_of, the
from tests.engine.tiny_encoder import TinyEncoder
from tests.opened import opening
from tests.scripted_vllm import MODEL, scripted_vllm

pytestmark = pytest.mark.real

BEFORE = "The owl hunts at night and rests by day. " * 12
KITE = "A kite hovers above the meadow, its tail spread wide. " * 9
AFTER = "The swift sleeps on the wing for months. " * 12
OTHER = "Nothing of this section belongs there. " * 5


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
        endpoint = endpoint_of(vllm, tmp_path / "v.sock")
        events = await asked(folder, endpoint, settings, "kite hovers meadow", mode="bm25")
        shown = vllm.requests[0]["messages"][-1]["content"]
    found, extracts = the(HitsFound, events), the(ExtractsFound, events)
    made = the(PromptMade, events)
    assert isinstance(events[-1], AnswerFinished)
    assert (made.hits, made.notice) == ([1], "")
    assert made.counted and made.tokens == vllm.count(vllm.requests[0]["messages"])
    assert [message.model_dump() for message in made.messages] == vllm.requests[0]["messages"]
    assert (found.hits[0].text in shown) is bool(values), "or its sentences alone"
    assert [word in shown for word in ("owl", "swift")] == [is_joined, is_joined]
    assert "Nothing of this section" not in shown
    assert all(each.text in found.hits[each.hit - 1].text for each in extracts.extracts)
