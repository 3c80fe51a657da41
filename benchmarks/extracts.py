"""How long after the hits the extracts come, and how often they hold the answer.

``python -m benchmarks.extracts [DATA] [--questions N] [--json]``: DATA is a folder in BEIR's format
whose queries have answers (``corpus.jsonl``, ``queries.jsonl``), or any folder of documents, whose
headings are then the questions. Everything goes through the engine, as a client sees it. Baseline:
the whole best hit in the place of its extracts, which is all that search alone would give.
"""

import argparse
import asyncio
import contextlib
import json
import random
import re
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks._own_engine import index, own_engine
from engine.api import ExtractsFound, HitsFound
from engine.connection import EngineClient

HEADING = re.compile(r"^#{1,6} (.{10,80})$", re.MULTILINE)


@dataclass
class Question:
    """A question and the texts of which any is its answer."""

    text: str
    answers: list[str] = field(default_factory=list)

    def is_answered(self, texts: list[str]) -> bool:
        """Tell whether an answer stands in one of ``texts``."""
        return any(answer.lower() in text.lower() for answer in self.answers for text in texts)


@dataclass
class Found:
    """What came back for one question."""

    question: Question
    after_ms: float
    best_hit: str
    extracts: list[str]


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
    async with contextlib.aclosing(engine.ask(folder, question.text)) as events:
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
    times = sorted(one.after_ms for one in found)
    result = {
        "questions": len(found),
        "p50_ms": statistics.median(times),
        "p95_ms": times[int(len(times) * 0.95)],
        "max_ms": times[-1],
    }
    if asked := [one for one in found if one.question.answers]:

        def share(right: int) -> float:
            return right / len(asked)

        result |= {
            "in_any": share(sum(one.question.is_answered(one.extracts) for one in asked)),
            "in_first": share(sum(one.question.is_answered(one.extracts[:1]) for one in asked)),
            "in_best_hit": share(sum(one.question.is_answered([one.best_hit]) for one in asked)),
        }
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description="Latency and quality of the extracts.")
    parser.add_argument("data", nargs="?", type=Path, default=Path("docs"))
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = summarise(asyncio.run(measure(options.data.resolve(), options.questions)))
    if options.json:
        print(json.dumps(result))
        return
    print(
        f"{result['questions']} questions; extracts after the hits: p50 {result['p50_ms']:.1f} ms"
    )
    print(f"  p95 {result['p95_ms']:.1f} ms, at most {result['max_ms']:.1f} ms")
    if "in_any" in result:
        print(
            f"answer in an extract {result['in_any']:.1%}, in the first {result['in_first']:.1%};"
        )
        print(f"  in the best hit as a whole {result['in_best_hit']:.1%}")


if __name__ == "__main__":
    main()
