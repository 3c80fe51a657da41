"""Logs tell what happened, and nothing of what stands in documents, questions or answers."""

from pathlib import Path

import pytest

from engine import config, paths
from engine.errors import HoverkiteError
from engine.front import client
from engine.front.connection import EngineClient
from engine.wire.api_answer import AskRequest
from engine.wire.api_search import SearchRequest
from tests.opened import until_it
from tests.scripted_vllm import scripted_vllm

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]

IN_A_DOCUMENT = "the plover sleeps beneath the third willow"
IN_A_QUESTION = "where does the dunlin spend the winter"
IN_AN_ANSWER = "the curlew keeps its own counsel"
IN_A_NAME = "letter-to-somebody"


async def test_no_text_of_documents_questions_or_answers_is_in_a_log(
    root: Path, cache: Path, launched: list[object]
) -> None:
    (root / f"{IN_A_NAME}.md").write_text(IN_A_DOCUMENT)
    (root / f"{IN_A_NAME}.html").write_text(f"{'<div>' * 10_000}{IN_A_DOCUMENT}")
    (root / f"{IN_A_NAME}.pdf").write_text(IN_A_DOCUMENT)
    async with scripted_vllm() as vllm:
        flags = {"llm_url": vllm.url}
        engine = await client.connect(config.load(flags), flags)
        folder = (await engine.open_folder(str(root))).folder
        vllm.script.pieces = [IN_AN_ANSWER]
        kinds = await answered(engine, folder)
        assert list(dict.fromkeys(kinds)) == [
            *("hits", "extracts", "turn", "prompt", "token", "finished")
        ]
        vllm.script.status = 500
        assert (await answered(engine, folder))[-1] == "failed"
        assert (await engine.search(folder, SearchRequest(query=IN_A_QUESTION))).hits
        with pytest.raises(HoverkiteError):
            await engine.search("no such folder", SearchRequest(query=IN_A_QUESTION))

        async def all_read() -> bool:
            return (await engine.status(folder)).skipped_total == 2

        await until_it(all_read)
        await engine.close()
        await client.stop_engine()
    logs = [path for path in paths.log_dir().rglob("*") if path.is_file()]
    written = b"".join(path.read_bytes() for path in logs).decode("utf-8", "replace")
    assert "engine.log" in {path.name for path in logs}
    assert "stopped" in written
    for text in (IN_A_DOCUMENT, IN_A_QUESTION, IN_AN_ANSWER, IN_A_NAME):
        assert text not in written


async def answered(engine: EngineClient, folder: str) -> list[str]:
    """Ask, and return the types of the events, states of the model left out."""
    kinds = [
        event.type async for event in engine.ask(folder, AskRequest(question=f"{IN_A_QUESTION}?"))
    ]
    return [kind for kind in kinds if kind != "llm"]
