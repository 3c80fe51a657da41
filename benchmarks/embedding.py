"""Embedding speed against SentenceTransformer.encode in float32, measured in the same run.

``python -m benchmarks.embedding [DOCS] [CHUNKS]``: prints ratios; the absolute numbers are only
this machine's, now.
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

from engine import embedding, encoder_files
from engine.config import Settings
from engine.embedding import Encoder
from engine.encoder_torch import open_model

WARM = """
import sys, time
started = time.perf_counter()
from pathlib import Path
from engine import embedding
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


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs")
    chunks = chunks_of(folder, int(sys.argv[2]) if len(sys.argv) > 2 else 128)
    if not chunks:
        sys.exit(f"{folder} holds no Markdown")
    with tempfile.TemporaryDirectory() as name:
        cache = Path(name)
        settings = Settings(embedding_device="cpu")
        cold = seconds(lambda: embedding.load(settings, cache=cache).close())
        command = [sys.executable, "-c", WARM, str(cache)]
        warm = [
            float(subprocess.run(command, capture_output=True, check=True).stdout) for _ in range(3)
        ]
        encoder = embedding.load(settings, cache=cache)
        model = encoder_files.find(settings.embedding_model)
        assert model
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
        busy = query_ms_while_encoding(encoder, chunks)
        print(f"encoder: {encoder.device}; {len(chunks)} chunks of {folder}")
        print(f"chunks/s: {len(chunks) / ours:.0f} against {len(chunks) / theirs:.0f}", end="")
        print(f" in fp32: {theirs / ours:.1f} times ({their_cpu / our_cpu:.1f} in processor time)")
        print(f"one query: {our_query:.1f} ms against {their_query:.1f}", end="")
        print(f": {their_query / our_query:.1f} times; while encoding {busy:.1f} ms")
        print(f"start: warm {min(warm):.1f} s (first ever {cold:.0f} s)", end="")
        print(f" against {torch_start:.0f} s: {torch_start / min(warm):.0f} times")
        print(f"cosine to fp32: {cosines.mean():.6f} on average, {cosines.min():.6f} at least")


if __name__ == "__main__":
    main()
