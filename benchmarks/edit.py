"""Save → searchable: one paragraph changed in one of the files, idle and during bulk work.

``python -m benchmarks.edit [DOCS] [--edits N] [--chunks N ...] [--quick] [--json]``: a copy of DOCS
is filled up with made-up documents to each number of chunks; every second edit is saved as vim
saves, to another file that then takes the name. An edit is searchable from the moment at which a
search for the paragraph is begun that finds its new sentence; ``found`` counts that search too.
Bulk work is 500 new files, dropped into the same folder, or in another that was just opened.

Baseline: SentenceTransformer.encode in float32 of all chunks of the edited file, which is the least
that tools need that embed whole files again.
"""

import asyncio
import random
import shutil
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import _corpus, _report
from benchmarks._own_engine import index, own_home, running
from engine.config import Settings
from engine.encoding import encoder_files
from engine.encoding.encoder_torch import open_model
from engine.front.connection import EngineClient
from engine.wire.api_search import SearchRequest

SIZES = (7_000, 100_000)
CHUNKS_A_FILE = 40
"""Of the made-up documents that fill up a folder."""
BULK_FILES, BULK_CHUNKS, NEARLY_ALL = 500, 7_500, 7_300
LIMIT_SECONDS = 30.0
POLL_SECONDS = 0.004
PAUSE_SECONDS = (0.15, 0.45)
"""Between two edits: longer than the watch waits for quiet, and never in step with it."""
HANDED_OVER_SECONDS = 2.5
"""After many files were written: an edit that is noticed together with them is bulk work too."""
MOST_HITS = 100
LONGEST_QUERY = 400
"""Characters; a paragraph that is longer stands in several chunks."""
BASELINE_FILES = 8


@dataclass(frozen=True)
class Edit:
    """One paragraph of a file, changed."""

    file: Path
    text: str
    paragraph: str
    """What the paragraph says now; it is searched for."""
    word: str
    """Stands in its new sentence and nowhere else."""
    atomic: bool

    def save(self) -> None:
        """Write the file: in place, or beside it and then over it."""
        target = self.file.with_name(f".{self.file.name}.swp") if self.atomic else self.file
        target.write_text(self.text, "utf-8")
        if self.atomic:
            target.replace(self.file)


@dataclass(frozen=True)
class Took:
    """Seconds from a save until its sentence could be found, and until it was."""

    searchable: float
    found: float
    embedded: int


@dataclass(frozen=True)
class Bulk:
    """Bulk work: a folder, and the number of chunks in it near the end of the work."""

    folder: str
    chunks: int

    async def has_begun(self, engine: EngineClient) -> None:
        """Wait until the engine is at it, and has been told of all new files."""
        async for status in engine.events(self.folder):
            if status.progress.files_total:
                break
        await asyncio.sleep(HANDED_OVER_SECONDS)

    async def is_done(self, engine: EngineClient) -> bool:
        """Whether it is done, all but a few files."""
        return (await engine.status(self.folder)).chunks >= self.chunks


def edits_of(docs: Path, count: int, *, seed: int) -> Iterator[Edit]:
    """Yield ``count`` edits of prose in the Markdown below ``docs``, each made when it is due."""
    chance = random.Random(seed)
    files = [file for file in sorted(docs.rglob("*.md")) if prose_of(file)]
    if not files:
        raise SystemExit(f"{docs} holds no Markdown with paragraphs")
    for number in range(count):
        file = chance.choice(files)
        paragraph = chance.choice(prose_of(file))
        word = f"zephyr{chance.randrange(36**6):x}"
        sentence = f"The {word} committee postponed its {number}th quarterly tax audit in Lisbon."
        words = paragraph.split(" ")
        changed = " ".join([*words[: len(words) // 2], sentence])
        blocks = file.read_text("utf-8").split("\n\n")
        blocks[blocks.index(paragraph)] = changed
        yield Edit(
            file, "\n\n".join(blocks), changed[-LONGEST_QUERY:], word, atomic=bool(number % 2)
        )


def prose_of(file: Path) -> list[str]:
    """Return the paragraphs that a person would change: no headings, tables, lists or code."""
    try:
        blocks = file.read_text("utf-8").split("\n\n")
    except UnicodeDecodeError:
        return []
    return [block for block in blocks if len(block) >= 80 and block[0].isalpha()]


async def time_edit(engine: EngineClient, folder: str, edit: Edit) -> Took:
    """Save, and search whenever the index has changed, until the new sentence is found."""
    before = await engine.status(folder)
    revision = before.revision
    saved = time.perf_counter()
    edit.save()
    while (begun := time.perf_counter()) - saved < LIMIT_SECONDS:
        status = await engine.status(folder)
        if status.revision != revision:
            revision, begun = status.revision, time.perf_counter()
            reply = await engine.search(
                folder,
                SearchRequest(
                    query=edit.paragraph, hits=MOST_HITS, per_file=0, fold=False, plain=True
                ),
            )
            if any(edit.word in hit.text for hit in reply.hits):
                found = time.perf_counter() - saved
                embedded = status.embedded_total - before.embedded_total
                return Took(begun - saved, found, embedded)
        await asyncio.sleep(POLL_SECONDS)
    raise SystemExit(f"an edit of {edit.file.name} was not searchable after {LIMIT_SECONDS} s")


async def time_edits(
    engine: EngineClient, folder: str, edits: Iterator[Edit], bulk: Bulk | None = None
) -> list[Took]:
    """Return what each edit took; with ``bulk``, only of those saved while that was indexed."""
    chance = random.Random(2)
    took = []
    for edit in edits:
        await asyncio.sleep(chance.uniform(*PAUSE_SECONDS))
        if bulk and await bulk.is_done(engine):
            break
        took.append(await time_edit(engine, folder, edit))
    return took


async def measure(home: Path, docs: Path, chunks: int, edits: int) -> dict[str, Any]:
    """Return the figures of a folder of so many chunks, idle and in both kinds of bulk work."""
    folder, edited = home / "docs", home / "docs" / "own"
    shutil.copytree(docs, edited)
    missing = chunks - sum(1 for _ in _corpus.texts_of(edited))
    if missing > 0:
        _corpus.write(folder / "filler", -(-missing // CHUNKS_A_FILE), missing)
    _corpus.make_known(folder)
    async with running() as engine:
        name, summary = await index(engine, folder)
        idle = await time_edits(engine, name, edits_of(edited, edits, seed=1))
    return {
        "chunks": summary.chunks,
        "idle": {
            **figures(idle, p50_ms=250, p95_ms=500),
            "embedded": embedded([one.embedded for one in idle]),
        },
        "while_another_folder_is_indexed": figures(
            await beside_another(home, folder, edits_of(edited, edits, seed=2)), p95_ms=1000
        ),
        "while_500_new_files_are_indexed": figures(
            await beside_new_files(folder, edits_of(edited, edits, seed=3)), p95_ms=1000
        ),
    }


async def beside_another(home: Path, folder: Path, edits: Iterator[Edit]) -> list[Took]:
    """Time edits while a folder that was just opened is indexed in the same engine."""
    _corpus.write(home / "other", BULK_FILES, BULK_CHUNKS, seed=3)
    async with running() as engine:
        name, _ = await index(engine, folder)
        other = await engine.open_folder(str(home / "other"), agreed=True)
        bulk = Bulk(other.folder, NEARLY_ALL)
        await bulk.has_begun(engine)
        return await time_edits(engine, name, edits, bulk)


async def beside_new_files(folder: Path, edits: Iterator[Edit]) -> list[Took]:
    """Time edits while many new files of the same folder are indexed."""
    async with running() as engine:
        name, summary = await index(engine, folder)
        _corpus.write(folder / "dropped", BULK_FILES, BULK_CHUNKS, seed=2)
        bulk = Bulk(name, summary.chunks + NEARLY_ALL)
        await bulk.has_begun(engine)
        return await time_edits(engine, name, edits, bulk)


def figures(took: list[Took], **targets: float) -> dict[str, Any]:
    """Return percentiles of what edits took, beside their targets in milliseconds."""
    if not took:
        return {"edits": 0}
    spread = _report.p50_p95([one.searchable for one in took])
    return {
        "edits": len(took),
        **spread,
        "found_p50_ms": statistics.median(one.found for one in took) * 1000,
        "targets": {name: _report.at_most(spread[name], most) for name, most in targets.items()},
    }


def embedded(chunks: list[int]) -> dict[str, Any]:
    """Return how many chunks edits had embedded, beside the targets."""
    return {
        "mean": _report.at_most(statistics.mean(chunks), 1.5),
        "p95": _report.at_most(_report.p95(chunks), 3),
    }


def whole_file_seconds(docs: Path) -> float:
    """Return how long SentenceTransformer takes for all chunks of one edited file, the median."""
    found = encoder_files.find(Settings().embedding_model)
    assert found, "an engine has used it"
    model = open_model(str(found.folder), "cpu")
    model.encode(["a kite"])
    spent = []
    for edit in edits_of(docs, BASELINE_FILES, seed=1):
        texts = list(_corpus.texts_in(edit.file))
        begun = time.perf_counter()
        model.encode(texts, show_progress_bar=False)
        spent.append(time.perf_counter() - begun)
    return statistics.median(spent)


def main() -> None:
    """Measure, and print milliseconds and ratios."""
    parser = _report.options("Save → searchable, idle and during bulk work.")
    parser.add_argument("docs", nargs="?", type=Path, default=Path("docs"))
    parser.add_argument("--edits", type=int, default=50)
    parser.add_argument("--chunks", type=int, nargs="+", default=list(SIZES))
    options = parser.parse_args()
    sizes, edits = options.chunks, options.edits
    if options.quick:
        sizes, edits = sizes[:1], min(edits, 15)
    result: dict[str, Any] = {}
    for chunks in sizes:
        with own_home() as home:
            measured = asyncio.run(measure(home, options.docs.resolve(), chunks, edits))
        result[f"at_{measured['chunks']}_chunks"] = measured
        print(f"at {chunks} chunks: done", file=sys.stderr)
    baseline = whole_file_seconds(options.docs) * 1000
    result["whole_file_embedded_again"] = {"p50_ms": baseline}
    for measured in [*result.values()][:-1]:
        measured["idle"]["ratio"] = baseline / measured["idle"]["p50_ms"]
    _report.show(result, as_json=options.json)


if __name__ == "__main__":
    main()
