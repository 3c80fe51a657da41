"""How often "not found" is right, and a citation; how often the extracts hold the answer.

``python -m benchmarks.citations [DATA] [--home DIR] [--questions N] [--quick] [--json]``: DATA
holds the collections ``product-docs-qa`` and ``xquad``. Each question is asked of all passages, and
of all but those that are relevant to it: then its answer should not be found. What is fitted is
fitted on one collection and tested on the other. Sentences that passages support are the gold
answers (made into sentences with their questions where they are a few words) and sentences of gold
passages; those that they don't are the same sentences against what is found without the gold
passages, and the same sentences altered in a number, a name or a negation. With ``--home`` indexes
are kept in DIR.
"""

import argparse
import asyncio
import random
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks import _report, _statements
from benchmarks._own_engine import own_home
from engine import config
from engine.answering import answerable, extracts
from engine.answering.support import ENOUGH, Found, Passage, Support
from engine.chunks.lexical import words
from engine.encoding.embedding import Encoder
from engine.evaluating import beir, beir_files
from engine.server.folder import Folder
from engine.server.shared_encoder import SharedEncoder
from engine.storage.index import Index
from engine.storage.manifest import open_manifest
from engine.wire.api_search import Filters, Hit, SearchRequest

COLLECTIONS = {"product-docs-qa": "product-docs-qa/beir", "xquad": "xquad/beir-en"}
PRECISION = 0.9
CAREFUL = 0.95
"""Precision that a threshold of the support check is fitted for: the other passages of one
collection are easier to tell apart than those of another."""
Figures = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """A question, and what was found for it with and without the passages that answer it."""

    text: str
    answers: list[str]
    gold: str
    """Text of those passages."""
    paths: frozenset[str]
    found: list[Hit]
    others: list[Hit]
    usual: float

    @property
    def is_retrieved(self) -> bool:
        return any(hit.path in self.paths for hit in self.found)


@dataclass(frozen=True)
class Tried:
    """A sentence that was looked up: how it was made, and what was found."""

    kind: str
    form: str
    found: Found | None
    is_in_gold: bool
    seconds: float

    @property
    def score(self) -> float:
        return self.found.score if self.found and not self.found.fault else 0.0


@asynccontextmanager
async def opened(root: Path, encoder: SharedEncoder) -> AsyncIterator[Folder]:
    """Open and index a folder in this process."""
    folder = Folder(root, open_manifest(root), config.load(), encoder, lambda: None)
    folder.begin()
    try:
        await folder.synced()
        yield folder
    finally:
        await folder.close()


async def ask_all(data: Path, folder: Folder, names: dict[str, str], most: int) -> list[Asked]:
    trial, _ = beir.read(data, names)
    files = {name: path for path, name in names.items()}
    texts = {record.id: record.text for record in beir.records(data)}
    answers = {line["_id"]: line.get("answers") or [] for line in _statements.lines(data)}
    queries = list(trial.queries)
    random.Random(1).shuffle(queries)
    asked = []
    for name, text in queries[:most]:
        gold = [record for record, grade in trial.qrels[name].items() if grade > 0]
        paths = [files[record] for record in gold]
        found, others = [
            (await folder.search(SearchRequest(query=text, plain=True, filters=filters))).hits
            for filters in (Filters(), Filters(not_paths=paths))
        ]
        usual = await folder.read_with(partial(_usual, text))
        whole = "\n".join(texts[record] for record in gold)
        asked.append(Asked(text, answers[name], whole, frozenset(paths), found, others, usual))
    return asked


def _usual(text: str, encoder: Encoder, index: Index) -> float:
    vector = encoder.encode_query(text)
    return index.usual_distance(vector, answerable.LEAST_CHUNKS, answerable.SAMPLE) or 0.0


# --- not found -------------------------------------------------------------------------------


def farness(asked: Sequence[Asked]) -> list[tuple[float, bool]]:
    """Return how far each search is from an answer, and whether there was none to find."""
    told = []
    for one in asked:
        for hits, is_missing in ((one.found, False), (one.others, True)):
            told.append((-sum(answerable.signals(one.text, hits, one.usual)), is_missing))
    return told


def still_said(one: Asked) -> bool:
    """Whether hits without the gold passages hold half of the answer's own words all the same."""
    for answer in one.answers:
        new = set(words(answer)) - set(words(one.text))
        if any(len(new & set(words(hit.text))) >= len(new) / 2 for hit in one.others):
            return True
    return False


def rates(told: Sequence[tuple[float, bool]], threshold: float) -> Figures:
    """Return precision and recall of what reaches ``threshold``."""
    right = sum(wanted for value, wanted in told if value >= threshold)
    reached = sum(value >= threshold for value, _ in told)
    wanted = sum(wanted for _, wanted in told)
    return {"precision": right / reached if reached else 1.0, "recall": right / max(1, wanted)}


def fitted(told: Sequence[tuple[float, bool]], precision: float) -> float:
    """Return the lowest of the thresholds that reach ``precision``: the one of the best recall."""
    values = sorted({value for value, _ in told})
    good = (value for value in values if rates(told, value)["precision"] >= precision)
    return next(good, values[-1])


def crossed(told: dict[str, list[tuple[float, bool]]], precision: float, sign: int) -> Figures:
    """Fit on each collection and test on the others."""
    figures: Figures = {}
    for on, own in told.items():
        threshold = fitted(own, precision)
        figures[f"fitted_on_{on}"] = {"threshold": sign * threshold, **rates(own, threshold)}
        for other in told.keys() - {on}:
            figures[f"fitted_on_{on},_tested_on_{other}"] = rates(told[other], threshold)
    return figures


# --- support ---------------------------------------------------------------------------------


def tried(asked: Sequence[Asked], encoder: Encoder, chance: random.Random) -> list[Tried]:
    names = [name for one in asked for name in _statements.names_in(one.gold)]
    told = []
    for one in asked:
        if not one.is_retrieved:
            continue
        known = support_of(one.text, one.found, encoder)
        elsewhere = support_of(one.text, one.others, encoder)
        for form, sentence in _true(one, chance):
            told.append(_try("true", form, sentence, known, one))
            told.append(_try("other passages", form, sentence, elsewhere, one))
            altered = {
                "number": _statements.with_other_number(sentence, one.gold, chance),
                "name": _statements.with_other_name(sentence, one.gold, names, chance),
                "negation": _statements.negated(sentence),
            }
            told += [_try(k, form, text, known, one) for k, text in altered.items() if text]
    return told


def support_of(question: str, hits: Sequence[Hit], encoder: Encoder) -> Support:
    passages = [Passage(hit.rank, hit.heading, hit.text) for hit in hits]
    return Support(passages, question, encoder)


def _true(one: Asked, chance: random.Random) -> list[tuple[str, str]]:
    """Return sentences that the gold passages support: the answer's, and one of their own."""
    found = []
    for answer in one.answers[:1]:
        is_short = len(answer.split()) < 8 and not answer.endswith(".")
        made = [_statements.statement(one.text, answer)] if is_short else []
        found += [("answer", text) for text in made or _statements.sentences(answer)]
    gold = [hit.text for hit in one.found if hit.path in one.paths]
    own = [
        text
        for text in _statements.sentences(gold[0])
        if len(text.split()) > 5 and text[-1] in ".!"
    ]
    return found + ([("word for word", chance.choice(own))] if own else [])


def _try(kind: str, form: str, sentence: str, support: Support, one: Asked) -> Tried:
    begun = time.perf_counter()
    found = support.find(sentence)
    seconds = time.perf_counter() - begun
    paths = {hit.rank: hit.path for hit in one.found}
    in_gold = kind == "true" and found is not None and paths.get(found.rank) in one.paths
    return Tried(kind, form, found, in_gold, seconds)


def support_figures(found: dict[str, list[Tried]]) -> Figures:
    told = {
        name: [(t.score, t.kind == "true") for t in some if t.kind in ("true", "other passages")]
        for name, some in found.items()
    }
    figures: Figures = {"against_other_passages": crossed(told, CAREFUL, 1)}
    for name, some in found.items():
        share: dict[str, float] = {
            kind: fmean(t.score >= ENOUGH for t in some if t.kind == kind)
            for kind in ("true", "other passages", "number", "name", "negation")
        }
        true = share.pop("true")
        pooled = fmean(t.score >= ENOUGH for t in some if t.kind in ("number", "name", "negation"))
        precisions = {kind: true / (true + wrong) for kind, wrong in share.items()}
        supported = [t for t in some if t.kind == "true" and t.score >= ENOUGH]
        figures[f"as_shipped_on_{name}"] = {
            "sentences": len(some),
            "recall": true,
            **{f"precision_against_{kind}": value for kind, value in precisions.items()},
            "precision_against_altered": true / (true + pooled),
            "cites_a_gold_passage": fmean(t.is_in_gold for t in supported),
        }
        by_form = defaultdict(list)
        for t in some:
            if t.kind == "true":
                by_form[t.form].append(t.score >= ENOUGH)
        figures[f"as_shipped_on_{name}"] |= {f"recall_of_{k}": fmean(v) for k, v in by_form.items()}
    seconds = [t.seconds for some in found.values() for t in some]
    return figures | {"a_sentence": _report.p50_p95(seconds)}


# --- extracts --------------------------------------------------------------------------------


def extract_figures(asked: Sequence[Asked], encoder: Encoder) -> Figures:
    """Return how often the extracts hold the answer, where a relevant passage is retrieved."""
    retrieved = [one for one in asked if one.is_retrieved and one.answers]
    held = [
        _holds(one, [e.text for e in extracts.quote(one.text, one.found, encoder=encoder)])
        for one in retrieved
    ]
    return {"questions": len(retrieved), "hold_the_answer": _report.at_least(fmean(held), 0.75)}


def _holds(one: Asked, texts: Sequence[str]) -> bool:
    """Whether texts hold an answer of a few words, or half of the own words of a longer one."""
    said = " ".join(texts)
    for answer in one.answers:
        if answer.casefold() in said.casefold():
            return True
        new = set(words(answer)) - set(words(one.text))
        if len(answer.split()) >= 8 and len(new & set(words(said))) >= len(new) / 2:
            return True
    return False


# --- all of it -------------------------------------------------------------------------------


async def measure(data: Path, home: Path, most: int) -> Figures:
    shared = SharedEncoder(config.load())
    asked: dict[str, list[Asked]] = {}
    try:
        for name, place in COLLECTIONS.items():
            written = beir_files.write_out(data / place, home / "collections")
            async with opened(written.root, shared) as folder:
                asked[name] = await ask_all(data / place, folder, written.names, most)
        encoder = await shared.get()
        return await asyncio.to_thread(figures_of, asked, encoder)
    finally:
        await shared.close()


def figures_of(asked: dict[str, list[Asked]], encoder: Encoder) -> Figures:
    told = {name: farness(some) for name, some in asked.items()}
    shipped = {
        f"as_shipped_on_{name}": rates(some, -answerable.ENOUGH) for name, some in told.items()
    }
    still = {f"still_said_in_{name}": fmean(map(still_said, some)) for name, some in asked.items()}
    found = {name: tried(some, encoder, random.Random(1)) for name, some in asked.items()}
    held = {name: extract_figures(some, encoder) for name, some in asked.items()}
    return {
        "not_found": {**still, **crossed(told, PRECISION, -1), **shipped},
        "support": support_figures(found),
        "extracts": held,
    }


def options() -> argparse.Namespace:
    parser = _report.options('How often citations and "not found" are right.')
    parser.add_argument("data", nargs="?", type=Path, default=Path("../shared/data"))
    parser.add_argument("--home", type=Path, help="where indexes are kept for the next run")
    parser.add_argument("--questions", type=int, default=300, help="of each collection, at most")
    return parser.parse_args()


def main() -> None:
    """Measure, and print shares."""
    chosen = options()
    data = chosen.data.resolve()
    if absent := [name for name, place in COLLECTIONS.items() if not (data / place).is_dir()]:
        raise SystemExit(f"not in {data}: {', '.join(absent)}")
    kept = chosen.home.resolve() if chosen.home else None
    if kept:
        kept.mkdir(mode=0o700, parents=True, exist_ok=True)
    most = min(chosen.questions, 40) if chosen.quick else chosen.questions
    with own_home(kept) as home:
        result = asyncio.run(measure(data, home, most))
    _report.show(result, as_json=chosen.json)


if __name__ == "__main__":
    main()
