"""Embedding speed against SentenceTransformer.encode in float32, measured in the same run.

``python -m benchmarks.embedding [DOCS] [CHUNKS] [--quick] [--json]``: prints ratios; the absolute
numbers are only this machine's, now.
"""

import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks import _report
from engine.config import Settings
from engine.encoding import embedding, encoder_files
from engine.encoding.embedding import Encoder
from engine.encoding.encoder_torch import open_model

WARM = """
import sys, time
started = time.perf_counter()
from pathlib import Path
from engine.encoding import embedding
from engine.config import Settings
encoder = embedding.load(Settings(embedding_device="cpu"), cache=Path(sys.argv[1]))
encoder.encode_query("a kite")
print(time.perf_counter() - started)
"""


def chunks_of(folder: Path, count: int) -> list[str]:
    texts = [path.read_text("utf-8", "replace") for path in sorted(folder.rglob("*.md"))]
    cut = [text[at : at + 512] for text in texts for at in range(0, len(text), 461)]
    order = np.random.default_rng(1).permutation(len(cut))[:count]
    return [cut[at] for at in order]


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def cpu_seconds(work: Callable[[], object]) -> float:
    """Processor time of all threads: what other programs do meanwhile hardly counts."""
    started = time.process_time()
    work()
    return time.process_time() - started


def query_ms(query: Callable[[str], object], times: int = 50) -> float:
    spent = [seconds(partial(query, f"how does index {at} work?")) for at in range(times)]
    return statistics.median(spent) * 1000


def query_ms_while_encoding(encoder: Encoder, chunks: list[str]) -> float:
    bulk = threading.Thread(target=encoder.encode, args=[chunks])
    bulk.start()
    spent = []
    while bulk.is_alive():
        spent.append(seconds(lambda: encoder.encode_query("how does the index work?")))
    return statistics.median(spent) * 1000


def measure(chunks: list[str], cache: Path) -> _report.Figures:
    """Return what the encoder needs, compiled anew in ``cache``, and what the authority needs."""
    settings = Settings(embedding_device="cpu")
    cold = seconds(lambda: embedding.load(settings, cache=cache).close())
    command = [sys.executable, "-c", WARM, str(cache)]
    warm = min(
        float(subprocess.run(command, capture_output=True, check=True).stdout) for _ in range(3)
    )
    encoder = embedding.load(settings, cache=cache)
    model = encoder_files.find(settings.embedding_model)
    assert model, "a model that was loaded is on this machine"
    torch_started = time.perf_counter()
    baseline = open_model(str(model.folder), "cpu")
    torch_start = time.perf_counter() - torch_started
    encoder.encode(chunks[:16])
    baseline.encode(chunks[:16])
    encode, authority = partial(encoder.encode, chunks), partial(baseline.encode, chunks)
    ours, theirs = seconds(encode), seconds(authority)
    our_cpu, their_cpu = cpu_seconds(encode), cpu_seconds(authority)
    expected = baseline.encode(chunks, normalize_embeddings=True)
    cosines = (encoder.encode(chunks) * expected).sum(axis=1)
    our_query, their_query = query_ms(encoder.encode_query), query_ms(baseline.encode)
    return {
        "encoder": encoder.device,
        "chunks": len(chunks),
        "chunks_per_s": {
            "ours": len(chunks) / ours,
            "fp32": len(chunks) / theirs,
            "ratio": theirs / ours,
            "ratio_in_processor_time": their_cpu / our_cpu,
        },
        "one_query": {
            "ours_ms": our_query,
            "fp32_ms": their_query,
            "ratio": their_query / our_query,
            "while_encoding_ms": query_ms_while_encoding(encoder, chunks),
        },
        "start": {
            "warm_s": warm,
            "first_ever_s": cold,
            "torch_s": torch_start,
            "ratio": torch_start / warm,
        },
        "cosine_to_fp32": {
            "mean": f"{cosines.mean():.6f}",
            "least": f"{cosines.min():.6f}",
        },
    }


def main() -> None:
    """Measure, and print ratios."""
    parser = _report.options("Embedding speed against SentenceTransformer in float32.")
    parser.add_argument("docs", nargs="?", type=Path, default=Path("docs"))
    parser.add_argument("chunks", nargs="?", type=int, default=128)
    options = parser.parse_args()
    chunks = chunks_of(options.docs, min(options.chunks, 64) if options.quick else options.chunks)
    if not chunks:
        sys.exit(f"{options.docs} holds no Markdown")
    with tempfile.TemporaryDirectory() as name:
        _report.show(measure(chunks, Path(name)), as_json=options.json)


if __name__ == "__main__":
    main()
