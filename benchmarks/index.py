"""Files → searchable, against the reference as a script, measured in the same run.

``python -m benchmarks.index [DOCS] [--files N|all] [--rounds N] [--quick] [--json]``: the engine
with nothing indexed, and the reference (RecursiveCharacterTextSplitter, SentenceTransformer.encode
in float32, one Milvus insert) do the same files in turns. Both cut text alike, without regard to
headings and sentences, and have their model loaded before. Trust the ratios, on a busy machine
those in processor time.
"""

import asyncio
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import _report
from benchmarks._own_engine import cpu_of, index, own_engine
from engine import documents, paths
from engine.chunks import chunking
from engine.config import REFERENCE_PROFILE, Settings
from engine.encoding import embedding, encoder_files
from engine.encoding.embedding import Encoder
from engine.encoding.encoder_torch import open_model
from engine.files.kinds import FileKind, kind_of
from engine.front.connection import EngineClient

SAMPLE = 36
"""Files of the Milvus documentation that take the reference about a minute on two cores."""
QUICK_SAMPLE = 9
MAX_BYTES = 10_000_000
SPLITTING = {name: value for name, value in REFERENCE_PROFILE.items() if name.startswith("chunk_")}
"""Ours, for this benchmark: as the reference does it."""


@dataclass
class Spent:
    """What one of the two needed for some files."""

    chunks: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0

    def add(self, chunks: int, seconds: float, cpu_seconds: float) -> None:
        """Count one more round."""
        self.chunks += chunks
        self.seconds += seconds
        self.cpu_seconds += cpu_seconds

    @property
    def rate(self) -> float:
        """Chunks a second."""
        return self.chunks / self.seconds

    def figures(self) -> _report.Figures:
        """Return it all by name."""
        return {
            "chunks": self.chunks,
            "wall_s": self.seconds,
            "processor_s": self.cpu_seconds,
            "chunks_per_s": self.rate,
        }


def timed(work: Callable[[], int]) -> tuple[int, float, float]:
    """Return what ``work`` returns, its seconds, and the processor time of all its threads."""
    cpu, started = time.process_time(), time.perf_counter()
    chunks = work()
    return chunks, time.perf_counter() - started, time.process_time() - cpu


def reference(files: list[Path], model: Any, database: Path) -> int:
    """Index ``files`` as the reference notebook does; return the number of chunks."""
    from langchain_text_splitters import RecursiveCharacterTextSplitter
    from pymilvus import MilvusClient

    splitter = RecursiveCharacterTextSplitter(chunk_size=512, chunk_overlap=51)
    texts = [documents.load(file, max_bytes=MAX_BYTES)[0].text for file in files]
    chunks = [chunk for text in texts for chunk in splitter.split_text(text)]
    vectors = model.encode(chunks, normalize_embeddings=True, show_progress_bar=False)
    milvus = MilvusClient(str(database))
    milvus.create_collection("docs", dimension=vectors.shape[1], metric_type="COSINE")
    rows = zip(chunks, vectors, strict=True)
    milvus.insert(
        "docs", [{"id": at, "vector": row[1], "text": row[0]} for at, row in enumerate(rows)]
    )
    milvus.close()
    return len(chunks)


async def ours(files: list[Path], engine: EngineClient, docs: Path) -> tuple[int, float, float]:
    """Index copies of ``files`` in ``docs``; return chunks, seconds and processor time."""
    for number, file in enumerate(files):
        shutil.copy(file, docs / f"{number}-{file.name}")
    pid = (await engine.hello()).pid
    cpu, started = cpu_of(pid), time.perf_counter()
    _, summary = await index(engine, docs)
    return summary.chunks, time.perf_counter() - started, cpu_of(pid) - cpu


def encode_alone(files: list[Path], encoder: Encoder) -> int:
    """Give the encoder all distinct chunks of ``files`` at once, and nothing else to do."""
    loaded = [documents.load(file, max_bytes=MAX_BYTES)[0] for file in files]
    cut = partial(chunking.split, size=512, overlap=51, at_headings=False)
    pieces = [chunk.embedded for one in loaded for chunk in cut(one)]
    distinct = list(dict.fromkeys(pieces))
    encoder.encode(distinct)
    return len(pieces)


def sample(docs: Path, wanted: str) -> list[Path]:
    """Return the files of ``docs`` that are read, or some of them, always the same."""
    files = [file for file in sorted(docs.rglob("*")) if isinstance(kind_of(file.name), FileKind)]
    files = [file for file in files if file.is_file()]
    if not files:
        sys.exit(f"{docs} holds no file that is read")
    random.Random(1).shuffle(files)
    return files if wanted == "all" else files[: int(wanted)]


async def measure(files: list[Path], rounds: int) -> tuple[Spent, Spent, Spent]:
    """Return what hoverkite, the reference and the bare encoder needed."""
    settings = Settings(embedding_device="cpu")
    encoder = embedding.load(settings, cache=paths.cache_dir())
    found = encoder_files.find(settings.embedding_model)
    assert found
    model = open_model(str(found.folder), "cpu")
    hoverkite, script, bare = Spent(), Spent(), Spent()
    async with own_engine(**SPLITTING) as engine:
        with tempfile.TemporaryDirectory() as name:
            await warm_up(Path(name), engine, encoder, model)
            for turn in range(rounds):
                part = files[turn::rounds]
                docs = Path(name) / f"docs{turn}"
                docs.mkdir()
                hoverkite.add(*await ours(part, engine, docs))
                database = Path(name) / f"reference{turn}.db"
                script.add(*timed(lambda: reference(part, model, database)))  # noqa: B023
                bare.add(*timed(lambda: encode_alone(part, encoder)))  # noqa: B023
    return hoverkite, script, bare


async def warm_up(folder: Path, engine: EngineClient, encoder: Encoder, model: Any) -> None:
    """Let everything be imported, loaded and compiled."""
    docs = folder / "warm"
    docs.mkdir()
    file = docs / "warm.md"
    file.write_text("\n\n".join(f"A kite hovers over field {n}. " * 12 for n in range(24)))
    await index(engine, docs)
    reference([file], model, folder / "warm.db")
    encode_alone([file], encoder)


def main() -> None:
    """Measure, and print ratios."""
    parser = _report.options("Files → searchable, against the reference.")
    parser.add_argument("docs", nargs="?", type=Path, default=Path("docs"))
    parser.add_argument("--files", default=str(SAMPLE), help="how many, or all")
    parser.add_argument("--rounds", type=int, default=3, help="turns in which they are done")
    options = parser.parse_args()
    files = sample(options.docs, str(QUICK_SAMPLE) if options.quick else options.files)
    hoverkite, script, bare = asyncio.run(measure(files, min(options.rounds, len(files))))
    ratio, share = hoverkite.rate / script.rate, hoverkite.rate / bare.rate
    target = 3.5 if _report.has_bf16() else 2.2
    result = {
        "files": len(files),
        "hoverkite": hoverkite.figures(),
        "reference": script.figures(),
        "ratio": ratio,
        "ratio_in_processor_time": script.cpu_seconds / hoverkite.cpu_seconds,
        "share_of_encoder": share,
        "share_of_encoder_in_processor_time": bare.cpu_seconds / hoverkite.cpu_seconds,
        "targets": {
            "ratio": _report.at_least(ratio, target),
            "share_of_encoder": _report.at_least(share, 0.9),
        },
    }
    _report.show(result, as_json=options.json)


if __name__ == "__main__":
    main()
