"""How often the right passage is found, on public test collections, beside published figures.

``python -m benchmarks.retrieval [DATA] [--only NAME ...] [--home DIR] [--to FILE] [--quick]
[--json]``: DATA holds the collections ``scifact``, ``xquad``, ``product-docs-qa``, ``milvus-docs``
and ``chunking``. Documents become files in a folder, and everything goes through the engine, as a
person meets it. With ``--home`` the indexes are kept in DIR, and a second run embeds nothing;
``--to`` writes the page; ``--quick`` takes the smallest collection alone.
"""

import argparse
import asyncio
import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks import _report, _retrieval_page, _spans
from benchmarks._own_engine import index, own_home, running
from engine.config import REFERENCE_PROFILE
from engine.evaluating import beir, beir_files, evaluation
from engine.evaluating.evaluation import Judged, Trial
from engine.front.commands_eval import ask_all
from engine.front.connection import EngineClient
from engine.wire.api_search import Mode, SearchRequest

MODES: tuple[Mode, ...] = ("hybrid", "dense", "bm25")
LANGUAGES = ("en", "ru", "zh")
TOP = 5
"""Chunks that are compared with the passages."""
HNSW = "What do the parameters for HNSW mean?"
SECTION = ("reference/index.md", "HNSW")
"""Where its answer is: the file, and the end of the heading path."""
REFERENCE = {key: value for key, value in REFERENCE_PROFILE.items() if key.startswith("chunk")}
"""The reference splitting, as settings."""

Told = dict[str, Any]


async def measured(
    engine: EngineClient, root: Path, trial: Trial
) -> tuple[Told, dict[Mode, list[Judged]]]:
    """Index ``root``, ask every query in every mode, and return the counts and what was found."""
    folder, summary = await index(engine, root)
    found = await ask_all(engine, folder, trial, MODES)
    counts = {"documents": summary.files, "chunks": summary.chunks}
    return {"queries": len(trial.cases)} | counts, found


async def collection(engine: EngineClient, data: Path, home: Path) -> Told:
    """Measure one collection as ``hoverkite eval`` does."""
    written = beir_files.write_out(data, home / "collections")
    trial, _ = beir.read(data, written.names)
    counts, found = await measured(engine, written.root, trial)
    return counts | evaluation.report(found, [case.name for case in trial.cases])


async def scifact(engine: EngineClient, data: Path, home: Path) -> Told:
    return await collection(engine, data / "scifact/beir", home)


async def product_docs_qa(engine: EngineClient, data: Path, home: Path) -> Told:
    return await collection(engine, data / "product-docs-qa/beir", home)


async def xquad(engine: EngineClient, data: Path, home: Path) -> Told:
    """Ask in three languages of one index that holds the documents of all three."""
    merged = home / "xquad"
    merge({language: data / f"xquad/beir-{language}" for language in LANGUAGES}, merged)
    written = beir_files.write_out(merged, home / "collections")
    trial, _ = beir.read(merged, written.names)
    counts, found = await measured(engine, written.root, trial)
    return {
        language: {"documents": counts["documents"], "chunks": counts["chunks"]}
        | part(found, trial, f"{language}:")
        for language in LANGUAGES
    }


def part(found: dict[Mode, list[Judged]], trial: Trial, prefix: str) -> Told:
    """Return the figures of the queries whose name begins with ``prefix``."""
    chosen = [at for at, case in enumerate(trial.cases) if case.name.startswith(prefix)]
    some = {mode: [judged[at] for at in chosen] for mode, judged in found.items()}
    names = [trial.cases[at].name for at in chosen]
    return {"queries": len(chosen)} | evaluation.report(some, names)


def merge(parts: dict[str, Path], target: Path) -> None:
    """Write collections into one, each id with the name of its part before it."""
    target.mkdir(parents=True, exist_ok=True)
    for name in (beir.CORPUS, beir.QUERIES):
        lines = [
            json.dumps(line | {"_id": f"{key}:{line['_id']}"}, ensure_ascii=False)
            for key, source in parts.items()
            for line in read_jsonl(source / name)
        ]
        (target / name).write_text("\n".join(lines) + "\n", "utf-8")
    rows = ["query-id\tcorpus-id\tscore"]
    for key, source in parts.items():
        for row in (source / "qrels.tsv").read_text("utf-8").splitlines()[1:]:
            query, document, score = row.split("\t")
            rows.append(f"{key}:{query}\t{key}:{document}\t{score}")
    (target / "qrels.tsv").write_text("\n".join(rows) + "\n", "utf-8")


def read_jsonl(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


async def milvus_docs(engine: EngineClient, data: Path, home: Path) -> Told:
    """Ask of the documentation itself, whose paths are the ids, and where one question leads."""
    names = {record.id: record.id for record in beir.records(data / "milvus-docs/beir")}
    trial, _ = beir.read(data / "milvus-docs/beir", names)
    counts, found = await measured(engine, data / "milvus-docs/md", trial)
    folder, _ = await index(engine, data / "milvus-docs/md")
    first: Told = {}
    for mode in MODES:
        request = SearchRequest(query=HNSW, hits=1, mode=mode)
        hit = (await engine.search(folder, request)).hits[0]
        first[mode] = {
            "where": f"{hit.path}:{hit.start_line}",
            "heading": hit.heading,
            "right": hit.path == SECTION[0] and hit.heading.endswith(SECTION[1]),
        }
    told = evaluation.report(found, [case.name for case in trial.cases])
    return counts | told | {"hnsw": first}


async def chunking(engine: EngineClient, data: Path, home: Path) -> Told:
    """Compare the best chunks of each document with the passages, per document and in all."""
    queries: dict[str, list[tuple[str, str]]] = {}
    for line in read_jsonl(data / "chunking/beir/queries.jsonl"):
        queries.setdefault(line["corpus_id"], []).append((line["_id"], line["text"]))
    passages: dict[str, list[_spans.Range]] = {}
    for line in read_jsonl(data / "chunking/beir/spans.jsonl"):
        passages.setdefault(line["query_id"], []).append((line["start"], line["end"]))
    fits: dict[Mode, list[_spans.Fit]] = {mode: [] for mode in MODES}
    told: Told = {}
    for name, asked in queries.items():
        file = data / f"chunking/docs/{name}.md"
        chunks, found = await chunks_of(engine, file, home / "chunking" / name, asked)
        each = {
            mode: [_spans.fit(ranges[query], passages[query]) for query, _ in asked]
            for mode, ranges in found.items()
        }
        told[name] = {"queries": len(asked), "chunks": chunks}
        told[name] |= {mode: _spans.mean(some)._asdict() for mode, some in each.items()}
        for mode, some in each.items():
            fits[mode] += some
    overall = {mode: _spans.mean(some)._asdict() for mode, some in fits.items()}
    counts = {name: sum(one[name] for one in told.values()) for name in ("queries", "chunks")}
    return told | {"overall": counts | overall}


async def chunks_of(
    engine: EngineClient, file: Path, room: Path, asked: Sequence[tuple[str, str]]
) -> tuple[int, dict[Mode, dict[str, list[_spans.Range]]]]:
    """Return how many chunks a document has, and for each query where the best ones stand."""
    text = copied(file, room)
    folder, summary = await index(engine, room)
    found: dict[Mode, dict[str, list[_spans.Range]]] = {mode: {} for mode in MODES}
    for query, words in asked:
        for mode in MODES:
            request = SearchRequest(query=words, hits=TOP, mode=mode, per_file=0, plain=True)
            reply = await engine.search(folder, request)
            ranges = [(hit.start or 0, hit.end or 0) for hit in reply.hits]
            texts = [text[begin:end] for begin, end in ranges]
            assert texts == [hit.text for hit in reply.hits], "a hit tells where it stands"
            found[mode][query] = ranges
    return summary.chunks, found


def copied(file: Path, room: Path) -> str:
    """Give a document a folder of its own, and return its text."""
    room.mkdir(parents=True, exist_ok=True)
    if not (room / file.name).exists():
        shutil.copy(file, room)
    return file.read_bytes().decode("utf-8")


COLLECTIONS = {
    "scifact": scifact,
    "xquad": xquad,
    "product-docs-qa": product_docs_qa,
    "milvus-docs": milvus_docs,
    "chunking": chunking,
}
SMALLEST = "product-docs-qa"


async def measure(data: Path, home: Path, names: Sequence[str]) -> Told:
    """Return the figures of the collections ``names``."""
    told: Told = {}
    async with running() as engine:
        for name in names:
            told[name] = await COLLECTIONS[name](engine, data, home)
    if "chunking" in names:
        async with running(**REFERENCE) as engine:
            reference = await chunking(engine, data, home)
        told["chunking"] = {"default": told["chunking"], "reference": reference}
    return told


def options() -> argparse.Namespace:
    parser = _report.options("How often the right passage is found.")
    parser.add_argument("data", nargs="?", type=Path, default=Path("../shared/data"))
    parser.add_argument("--only", nargs="+", choices=COLLECTIONS, metavar="NAME")
    parser.add_argument("--home", type=Path, help="where indexes are kept for the next run")
    parser.add_argument("--to", type=Path, help="the page to write")
    return parser.parse_args()


def main() -> None:
    """Measure, print the figures, and write the page where that is wanted."""
    chosen = options()
    wanted = chosen.only or ([SMALLEST] if chosen.quick else list(COLLECTIONS))
    names = [name for name in wanted if (chosen.data / name).is_dir()]
    if absent := [name for name in wanted if name not in names]:
        print(f"not in {chosen.data}: {', '.join(absent)}")
    if not names:
        raise SystemExit(1 if chosen.only or chosen.to else 0)
    kept = chosen.home.resolve() if chosen.home else None
    if kept:
        kept.mkdir(mode=0o700, parents=True, exist_ok=True)
    data = chosen.data.resolve()
    with own_home(kept) as home:
        told = asyncio.run(measure(data, home, names))
    page = _retrieval_page.page(told, _report.machine())
    if chosen.to:
        chosen.to.write_text(page, "utf-8")
    print(json.dumps(told) if chosen.json else page)


if __name__ == "__main__":
    main()
