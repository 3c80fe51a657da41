"""How long after the hits the extracts come, and how often they hold the answer.

``python -m benchmarks.extracts [DATA] [--questions N] [--quick] [--json]``: DATA is a folder in
BEIR's format whose queries have answers (``corpus.jsonl``, ``queries.jsonl``), or any folder of
documents, whose headings are then the questions. Everything goes through the engine, as a client
sees it. Baseline: the whole best hit in the place of its extracts, which is all that search alone
would give.
"""

import asyncio
import contextlib
import json
import random
import re
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import _report
from benchmarks._own_engine import index, own_engine
from engine.front.connection import EngineClient
from engine.wire.api_answer import AskRequest, ExtractsFound, HitsFound

HEADING = re.compile(r"^#{1,6} (.{10,80})$", re.MULTILINE)


@dataclass
class Question:
    """A question and the texts of which any is its answer."""

    text: str
    answers: list[str] = field(default_factory=list)


@dataclass
class Found:
    """What came back for one question."""

    question: Question
    after_ms: float
    best_hit: str
    extracts: list[str]

    def is_answered(self, texts: list[str]) -> bool:
        """Tell whether an answer to the question stands in one of ``texts``."""
        answers = self.question.answers
        return any(answer.lower() in text.lower() for answer in answers for text in texts)


def read_jsonl(path: Path) -> Iterator[dict[str, object]]:
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def questions_of(data: Path) -> list[Question]:
    if (data / "queries.jsonl").exists():
        read = read_jsonl(data / "queries.jsonl")
        return [Question(str(line["text"]), list(line.get("answers") or [])) for line in read]  # type: ignore[call-overload]
    headings = (HEADING.findall(file.read_text("utf-8")) for file in sorted(data.rglob("*.md")))
    return [Question(heading) for found in headings for heading in found]


def documents_of(data: Path, room: Path) -> Path:
    """Return a folder of documents: ``data`` itself, or its corpus written to ``room``."""
    if not (data / "corpus.jsonl").exists():
        return data
    for line in read_jsonl(data / "corpus.jsonl"):
        (room / f"{line['_id']}.txt").write_text(str(line["text"]), "utf-8")
    return room


async def ask(engine: EngineClient, folder: str, question: Question) -> Found:
    """Return hits and extracts; the answer model is not waited for."""
    best_hit, seen = "", 0.0
    async with contextlib.aclosing(
        engine.ask(folder, AskRequest(question=question.text))
    ) as events:
        async for event in events:
            if isinstance(event, HitsFound):
                seen = time.perf_counter()
                best_hit = event.hits[0].text
            elif isinstance(event, ExtractsFound):
                after = (time.perf_counter() - seen) * 1000
                return Found(question, after, best_hit, [one.text for one in event.extracts])
    raise SystemExit("the engine stopped in the middle of an answer")


async def measure(data: Path, most: int) -> list[Found]:
    questions = questions_of(data)
    if not questions:
        raise SystemExit(f"{data} holds neither queries.jsonl nor Markdown with headings")
    random.Random(1).shuffle(questions)
    async with own_engine() as engine:
        with tempfile.TemporaryDirectory() as room:
            folder, _ = await index(engine, documents_of(data, Path(room)))
            await ask(engine, folder, Question("the first question of all"))
            return [await ask(engine, folder, question) for question in questions[:most]]


def summarise(found: list[Found]) -> dict[str, float]:
    seconds = [one.after_ms / 1000 for one in found]
    result = {
        "questions": len(found),
        **_report.p50_p95(seconds),
        "max_ms": max(seconds) * 1000,
    }
    if asked := [one for one in found if one.question.answers]:

        def share(right: int) -> float:
            return right / len(asked)

        result |= {
            "answer_in_any_extract": share(sum(one.is_answered(one.extracts) for one in asked)),
            "in_the_first": share(sum(one.is_answered(one.extracts[:1]) for one in asked)),
            "in_the_best_hit": share(sum(one.is_answered([one.best_hit]) for one in asked)),
        }
    return result


def main() -> None:
    """Measure, and print milliseconds and shares."""
    parser = _report.options("Latency and quality of the extracts.")
    parser.add_argument("data", nargs="?", type=Path, default=Path("docs"))
    parser.add_argument("--questions", type=int, default=200)
    options = parser.parse_args()
    most = min(options.questions, 50) if options.quick else options.questions
    result = summarise(asyncio.run(measure(options.data.resolve(), most)))
    _report.show(result, as_json=options.json)


if __name__ == "__main__":
    main()
