"""The page of the retrieval benchmark: our figures beside those that others published."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from textwrap import wrap
from typing import Any

from engine import config

Told = Mapping[str, Any]

MEASURES = {
    "ndcg@10": "nDCG@10",
    "recall@3": "recall@3",
    "recall@10": "recall@10",
    "mrr@10": "MRR@10",
}
PACKAGES = (
    *("hoverkite", "milvus-lite", "pymilvus", "openvino", "torch", "sentence-transformers"),
    *("PyStemmer", "pytrec-eval-terrier", "numpy"),
)
SETTINGS = ("embedding_model", "search_mode", "hits_per_file", "chunk")
"""How the names begin of the settings that matter here."""

PUBLISHED: dict[str, list[tuple[str, dict[str, str]]]] = {
    "scifact": [
        ("all-MiniLM-L6-v2 (MTEB)", {"ndcg@10": ".645", "recall@10": ".783"}),
        ("bm25s (MTEB)", {"ndcg@10": ".687", "recall@10": ".819"}),
        ("BM25 (BEIR)", {"ndcg@10": ".665"}),
        ("bge-small-en-v1.5, of the same size (MTEB)", {"ndcg@10": ".713", "recall@10": ".836"}),
        ("plain script, 512-character chunks: dense", {"ndcg@10": ".679"}),
        ("plain script, 512-character chunks: BM25", {"ndcg@10": ".676"}),
        ("plain script, 512-character chunks: RRF", {"ndcg@10": ".717"}),
        ("plain script, 512-character chunks: sum of min-max scores", {"ndcg@10": ".726"}),
        ("plain script, the best of some 35 fusions", {"ndcg@10": ".737"}),
    ],
    "xquad en": [
        ("all-MiniLM-L6-v2 (MTEB, English alone)", {"ndcg@10": ".944"}),
        ("bm25s (MTEB, English alone)", {"ndcg@10": ".965"}),
        ("multilingual-e5-large (MTEB, English alone)", {"ndcg@10": ".984"}),
    ],
    "xquad ru": [
        ("all-MiniLM-L6-v2 (MTEB, Russian alone)", {"ndcg@10": ".216"}),
        ("bm25s (MTEB, Russian alone)", {"ndcg@10": ".871"}),
        ("multilingual-e5-large (MTEB, Russian alone)", {"ndcg@10": ".973"}),
    ],
    "xquad zh": [
        ("all-MiniLM-L6-v2 (MTEB, Chinese alone)", {"ndcg@10": ".242"}),
        ("bm25s (MTEB, Chinese alone)", {"ndcg@10": ".121"}),
        ("BM25 by pairs of characters (Chinese alone)", {"ndcg@10": ".964"}),
        ("multilingual-e5-large (MTEB, Chinese alone)", {"ndcg@10": ".964"}),
    ],
    "product-docs-qa": [
        ("voyage-2, top 3 (Anthropic's guide)", {"recall@3": ".659", "mrr@10": ".737"}),
        ("voyage-2 and Claude as a reranker (the same)", {"recall@3": ".693", "mrr@10": ".865"}),
        ("BM25 of whole sections", {"ndcg@10": ".674", "mrr@10": ".765"}),
    ],
    "milvus-docs": [("BM25 of whole pages", {"ndcg@10": ".883"})],
}
CHUNKING_PUBLISHED = (
    ("Recursive 200/0, text-embedding-3-large (Chroma)", ".881", ".070", ".069"),
    ("Recursive 400/0, text-embedding-3-large (Chroma)", ".895", ".036", ".036"),
    ("Recursive 400/200, text-embedding-3-large (Chroma)", ".881", ".033", ".033"),
    ("Cluster 200, text-embedding-3-large (Chroma)", ".873", ".080", ".080"),
)
TARGETS = (
    ("scifact", "ndcg@10", 0.73),
    ("xquad en", "ndcg@10", 0.97),
    ("xquad ru", "ndcg@10", 0.94),
    ("xquad zh", "ndcg@10", 0.95),
    ("product-docs-qa", "recall@3", 0.66),
    ("product-docs-qa", "mrr@10", 0.74),
)
HOW = """\
Each document is a file, each collection a folder (all three languages of xquad are one), and each
query goes through the client to the engine. A document stands where its best chunk does. In
brackets: 95 % bootstrap intervals over the queries. Published figures are others'; those of MTEB
embed whole documents."""
CHUNKING = """\
The 5 best chunks of a document against the passages that answer, in characters. Recall: how much of
the passages was retrieved. Precision: how much of the chunks is passage; each chunk counts in full.
IoU: what both share, against all that is in either. Means over questions."""
LOSS = 0.01
"""nDCG@10 that hybrid may lose against the better of dense and BM25."""


def page(told: Told, machine: Told) -> str:
    """Return the page in Markdown; only what was measured is in it."""
    collections = dict(_collections(told))
    lines = ["# How often the right passage is found", "", *_head(machine)]
    lines += _met(collections, told)
    for name, figures in collections.items():
        lines += ["", f"## {name}", "", *_section(name, figures)]
    if "milvus-docs" in told:
        lines += ["", *_hnsw(told["milvus-docs"]["hnsw"])]
    if "chunking" in told:
        lines += ["", "## chunking", "", *_chunking(told["chunking"])]
    return "\n".join(lines) + "\n"


def _collections(told: Told) -> Iterator[tuple[str, Told]]:
    for name, figures in told.items():
        if name == "xquad":
            yield from ((f"xquad {language}", some) for language, some in figures.items())
        elif name != "chunking":
            yield name, figures


def _head(machine: Told) -> Iterator[str]:
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    made = f"Made by `make bench-retrieval` on {machine['date']}, {machine['processor']}, Python "
    yield from wrap(f"{made}{machine['python']}, {packages}.", 100)
    yield ""
    settings = config.Settings().model_dump()
    chosen = ", ".join(
        f"{name} {value}" for name, value in settings.items() if name.startswith(SETTINGS)
    )
    yield from wrap(f"Default settings, for all collections alike: {chosen}.", 100)
    yield ""
    yield from HOW.splitlines()
    yield ""


def _met(collections: Told, told: Told) -> Iterator[str]:
    yield from _table(("collection", "figure", "is", "target", "met"), _targets(collections, told))


def _targets(collections: Told, told: Told) -> Iterator[Sequence[str]]:
    for name, measure, target in TARGETS:
        if name in collections:
            value = collections[name]["modes"]["hybrid"][measure]
            what = f"hybrid {MEASURES[measure]}"
            yield name, what, _f(value), f"≥ {target:.2f}", _yes(value >= target)
    for name, figures in collections.items():
        ndcg = {mode: row["ndcg@10"] for mode, row in figures["modes"].items()}
        lead = ndcg["hybrid"] - max(ndcg["dense"], ndcg["bm25"])
        what = "hybrid nDCG@10 against the better of both"
        yield name, what, f"{lead:+.3f}", f"≥ -{LOSS}", _yes(lead >= -LOSS)
    if "milvus-docs" in told:
        first = told["milvus-docs"]["hnsw"]["hybrid"]
        what = "parameters of HNSW first"
        yield "milvus-docs", what, first["where"], "reference/index.md", _yes(first["right"])
    if "chunking" in told:
        both = [told["chunking"][key]["overall"]["hybrid"] for key in ("default", "reference")]
        iou, before = (one["iou"] for one in both)
        yield "chunking", "hybrid IoU", _f(iou), f"> {_f(before)}", _yes(iou > before)
        recall, before = (one["recall"] for one in both)
        yield "chunking", "hybrid recall", _f(recall), f"≥ {_f(before)}", _yes(recall >= before)


def _section(name: str, figures: Told) -> Iterator[str]:
    yield ", ".join(f"{figures[key]} {key}" for key in ("queries", "documents", "chunks")) + "."
    yield ""
    rows = [
        [f"**{mode}**", *(_interval(figures, mode, measure) for measure in MEASURES)]
        for mode in figures["modes"]
    ]
    for whose, published in PUBLISHED.get(name, []):
        rows.append([whose, *(published.get(measure, "") for measure in MEASURES)])
    yield from _table(("", *MEASURES.values()), rows)
    for mode, apart in figures["against_hybrid"].items():
        mean, low, high = apart["ndcg@10"]
        yield ""
        lead = f"{mean:+.3f} ({low:+.3f} to {high:+.3f})"
        yield f"{mode} less hybrid, nDCG@10 query by query: {lead}."


def _interval(figures: Told, mode: str, measure: str) -> str:
    low, high = figures["intervals"][mode][measure]
    return f"{_f(figures['modes'][mode][measure])} ({_f(low)} to {_f(high)})"


def _hnsw(first: Told) -> Iterator[str]:
    yield "The first hit for “What do the parameters for HNSW mean?”:"
    yield ""
    rows = [(mode, hit["where"], hit["heading"], _yes(hit["right"])) for mode, hit in first.items()]
    yield from _table(("", "where", "section", "the index parameters"), rows)


def _chunking(told: Told) -> Iterator[str]:
    yield from CHUNKING.splitlines()
    yield ""
    rows: list[Sequence[str]] = []
    for name in told["default"]:
        for splitting in ("default", "reference"):
            figures = told[splitting][name]
            for mode in ("hybrid", "dense", "bm25"):
                numbers = [_f(figures[mode][key]) for key in ("recall", "precision", "iou")]
                label = f"**{splitting}**" if name == "overall" else splitting
                rows.append((name, label, str(figures["chunks"]), mode, *numbers))
    rows += [("overall", whose, "", "dense", *numbers) for whose, *numbers in CHUNKING_PUBLISHED]
    yield from _table(
        ("document", "splitting", "chunks", "mode", "recall", "precision", "IoU"), rows
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"


def _f(value: float) -> str:
    return f"{value:.3f}"


def _yes(met: bool) -> str:
    return "yes" if met else "**no**"
