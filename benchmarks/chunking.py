"""Which splitting finds the right passage: recall, precision and IoU of the top 5 chunks.

``python -m benchmarks.chunking [DATA] [--docs NAME ...] [--ways N] [--json]``: DATA is a folder in
the format of BEIR with ``spans.jsonl`` besides, the excerpts that answer each query
(``{"query_id", "doc_id", "start", "end"}``). Every document is split in each way, embedded, and
searched by meaning, by words, and by the equal-weight sum of both arms' min-max scores. Per query:
characters of the excerpts that the top 5 chunks hold, divided by those of the excerpts (recall),
of the chunks (precision), and of both together (IoU). Texts are embedded once for all ways.

Baseline: RecursiveCharacterTextSplitter, 512 characters, overlap 51, nothing but the text embedded.
"""

import json
import math
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import config, paths
from engine.chunks import chunking, lexical
from engine.documents import Document
from engine.encoding import embedding
from engine.storage.fusion import DENSE_WEIGHT, DEPTH, fuse
from engine.storage.store import Neighbour

TOP = 5
K1, B = 1.2, 0.75
ARMS = ("dense", "bm25", "hybrid")
WAYS: dict[str, dict[str, Any]] = {
    "reference 512/51": {"size": 512, "overlap": 51, "at_headings": False},
    "at headings 512/51": {"size": 512, "overlap": 51},
    "500, no overlap": {"size": 500, "overlap": 0},
    "500, sentences": {"size": 500, "overlap": 0, "at_sentences": True},
    "500, sentences, context": {"size": 500, "overlap": 0, "at_sentences": True, "context": 80},
    "400, sentences, context": {"size": 400, "overlap": 0, "at_sentences": True, "context": 80},
    "550, sentences, context": {"size": 550, "overlap": 0, "at_sentences": True, "context": 80},
}

Place = tuple[str, int, int]
Scores = NDArray[np.float64]


@dataclass
class Collection:
    """Long documents, questions, and the excerpts that answer them."""

    documents: dict[str, str]
    queries: dict[str, str]
    gold: dict[str, list[Place]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def load(cls, folder: Path, names: Iterable[str] = ()) -> "Collection":
        """Read ``folder``; ``names`` limits it to those documents and their queries."""
        wanted = set(names)
        documents = {
            row["_id"]: row["text"]
            for row in _lines(folder / "corpus.jsonl")
            if not wanted or row["_id"] in wanted
        }
        queries = {row["_id"]: row["text"] for row in _lines(folder / "queries.jsonl")}
        found = cls(documents, {})
        for row in _lines(folder / "spans.jsonl"):
            if row["doc_id"] in documents:
                place = row["doc_id"], row["start"], row["end"]
                found.gold[row["query_id"]].append(place)
        found.queries = {name: queries[name] for name in found.gold}
        return found


def _lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


class Okapi:
    """BM25 over the words that the engine compares."""

    def __init__(self, texts: list[str]) -> None:
        counts = [Counter(lexical.words(text)) for text in texts]
        lengths = np.array([max(1, sum(count.values())) for count in counts], float)
        norms = K1 * (1 - B + B * lengths / lengths.mean())
        self._size = len(texts)
        self._weights: dict[str, dict[int, float]] = defaultdict(dict)
        for row, count in enumerate(counts):
            for word, times in count.items():
                self._weights[word][row] = times * (K1 + 1) / (times + norms[row])

    def scores(self, query: str) -> Scores:
        """Return the score of each text."""
        scores = np.zeros(self._size)
        for word in lexical.words(query):
            rows = self._weights.get(word, {})
            weight = math.log(1 + (self._size - len(rows) + 0.5) / (len(rows) + 0.5))
            for row, share in rows.items():
                scores[row] += weight * share
        return scores


class Vectors:
    """Embeds each text once."""

    def __init__(self) -> None:
        self.encoder = embedding.load(config.load({}), cache=paths.cache_dir())
        self._known: dict[str, NDArray[np.float32]] = {}

    def of(self, texts: list[str]) -> NDArray[np.float32]:
        """Return one unit vector a text."""
        new = sorted({text for text in texts if text not in self._known}, key=len)
        if new:
            self._known |= dict(zip(new, self.encoder.encode(new), strict=True))
        return np.stack([self._known[text] for text in texts])


def ranked(dense: Scores, words: Scores) -> dict[str, list[int]]:
    """Return the best rows of each arm, best first."""
    by_meaning, by_words = _best(dense), [one for one in _best(words) if one.distance > 0]
    hybrid = [one.row for one in fuse(by_meaning, by_words, weight=DENSE_WEIGHT)]
    alone = ([one.row for one in arm] for arm in (by_meaning, by_words))
    return dict(zip(ARMS, (*alone, hybrid), strict=True))


def _best(scores: Scores) -> list[Neighbour]:
    best = np.argsort(-scores, kind="stable")[:DEPTH]
    return [Neighbour(int(row), float(scores[row])) for row in best]


def measure(chunks: list[Place], gold: list[Place]) -> tuple[float, float, float]:
    """Return recall, precision and IoU; what several chunks hold counts once as found."""
    wanted = _covered(gold)
    found = _covered(_common(chunks, gold))
    shown = sum(end - start for _, start, end in chunks)
    return found / wanted, found / max(1, shown), found / (shown + wanted - found)


def _common(some: list[Place], others: list[Place]) -> Iterator[Place]:
    for name, start, end in some:
        for other, first, last in others:
            if name == other and max(start, first) < min(end, last):
                yield name, max(start, first), min(end, last)


def _covered(places: Iterable[Place]) -> int:
    """Return how many characters lie in at least one of ``places``."""
    total, name, reached = 0, "", 0
    for other, start, end in sorted(places):
        reached = max(start, reached) if other == name else start
        name = other
        total += max(0, end - reached)
        reached = max(end, reached)
    return total


def run(collection: Collection, way: dict[str, Any], vectors: Vectors) -> dict[str, Any]:
    """Split, embed and search in one way; figures overall and for each document, in %."""
    places, texts = [], []
    for name, text in collection.documents.items():
        plain = Document(text, "markdown")
        for chunk in chunking.split(plain, fits=vectors.encoder.fits, **way):
            places.append((name, chunk.start, chunk.end))
            texts.append(chunk.embedded)
    words, rows = Okapi(texts), vectors.of(texts)
    asked = vectors.of([*collection.queries.values()]) @ rows.T
    found: dict[str, dict[str, list[tuple[float, ...]]]] = defaultdict(lambda: defaultdict(list))
    for dense, (query, text) in zip(asked, collection.queries.items(), strict=True):
        gold = collection.gold[query]
        for arm, best in ranked(dense.astype(float), words.scores(text)).items():
            measured = measure([places[row] for row in best[:TOP]], gold)
            for corpus in ("all", gold[0][0]):
                found[corpus][arm].append(measured)
    return {
        "chunks": len(places),
        "characters": round(float(np.mean([end - start for _, start, end in places]))),
        "figures": {
            corpus: {
                arm: [round(100 * float(value), 2) for value in np.mean(all_of, axis=0)]
                for arm, all_of in arms.items()
            }
            for corpus, arms in found.items()
        },
    }


def print_table(results: dict[str, dict[str, Any]]) -> None:
    """Print a table in Markdown for each corpus."""
    corpora = next(iter(results.values()))["figures"]
    for corpus in corpora:
        print(f"\n{corpus}: recall / precision / IoU of the top {TOP} chunks, in %\n")
        print(f"| splitting | chunks | {' | '.join(ARMS)} |\n| --- | --- | --- | --- | --- |")
        for name, result in results.items():
            cells = (
                " / ".join(f"{value:.1f}" for value in result["figures"][corpus][arm])
                for arm in ARMS
            )
            print(f"| {name} | {result['chunks']} | {' | '.join(cells)} |")


def main(arguments: list[str]) -> None:
    """Compare all ways, or the first ``--ways``."""
    import argparse

    parser = argparse.ArgumentParser(prog="benchmarks.chunking", description=__doc__)
    parser.add_argument("data", nargs="?", type=Path, default=Path("../shared/data/chunking/beir"))
    parser.add_argument("--docs", nargs="*", default=[], help="only these documents")
    parser.add_argument("--ways", type=int, default=len(WAYS), help="only the first so many ways")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    collection, vectors = Collection.load(given.data, given.docs), Vectors()
    results = {}
    for name in [*WAYS][: given.ways]:
        print(f"{name} …", file=sys.stderr)
        results[name] = run(collection, WAYS[name], vectors)
    if given.json:
        print(json.dumps(results, indent=2))
    else:
        print_table(results)


if __name__ == "__main__":
    main(sys.argv[1:])
