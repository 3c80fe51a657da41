"""How well a search finds: measures by pytrec_eval, and how sure they are.

pytrec_eval is trec_eval, the program that published figures come from. It is imported by whoever
measures, and by nobody else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from engine import figures
from engine.wire.api_search import Hit, Mode, SearchRequest

DEPTH = 10
"""Ranks that count."""
MEASURES = {
    "ndcg@10": "ndcg_cut_10",
    "recall@3": "recall_3",
    "recall@10": "recall_10",
    "mrr@10": "recip_rank",
}
"""Our names, and pytrec_eval's. Its reciprocal rank has no cut: it sees ``DEPTH`` ranks."""
ANSWERED = "answer@10"
"""Share of the questions with an answer text that one of ``DEPTH`` hits holds, in any file."""
MISSED_SHOWN = 8
"""Queries without a right hit that a table names, at most."""
ROUNDS = 2000
"""Samples that an interval is made from."""
SEED = 415

Values = NDArray[np.float64]
"""A measure's value for each query, in their order; NaN where it does not apply."""


class Case(NamedTuple):
    """One query, and what it is called in reports."""

    name: str
    query: str


class Judged(NamedTuple):
    """What was found for one query, and what should have been."""

    ranking: Sequence[str]
    """What was found, best first, each once."""
    relevant: Mapping[str, int]
    """What is relevant, with its grade; 0 and less is not relevant."""
    answered: float = nan
    """1 or 0: whether the answer was among the hits; NaN where none is known."""


class Trial(Protocol):
    """Queries, and how their hits are judged."""

    @property
    def cases(self) -> Sequence[Case]:
        """The queries, in order."""
        ...

    def ask(self, at: int, mode: Mode) -> SearchRequest:
        """Return the search that the case ``at`` is."""
        ...

    def judge(self, at: int, hits: Sequence[Hit]) -> Judged:
        """Return what ``hits`` are to the case ``at``."""
        ...


@dataclass(frozen=True, slots=True)
class Figure:
    """A mean over queries, with its 95 % interval."""

    mean: float
    low: float
    high: float


def measure(found: Sequence[Judged]) -> dict[str, Values]:
    """Return every measure's values; a query without hits has 0, as has one without a right hit."""
    from pytrec_eval import RelevanceEvaluator

    relevant: dict[str, dict[str, int]] = {}
    runs: dict[str, dict[str, float]] = {}
    for at, judged in enumerate(found):
        # Numbers for names: trec_eval is C, where a name ends at a zero byte.
        names = [*judged.ranking[:DEPTH], *judged.relevant]
        numbers = {name: str(number) for number, name in enumerate(dict.fromkeys(names))}
        relevant[str(at)] = {numbers[name]: grade for name, grade in judged.relevant.items()}
        # Scores that fall strictly: of equal ones, trec_eval takes the last name first.
        ranks = enumerate(dict.fromkeys(judged.ranking[:DEPTH]))
        runs[str(at)] = {numbers[name]: float(DEPTH - rank) for rank, name in ranks}
    evaluator = RelevanceEvaluator(relevant, {"ndcg_cut.10", "recall.3,10", "recip_rank"})
    results = evaluator.evaluate(runs)
    each = [results[str(at)] for at in range(len(found))]
    values = {ours: _array(row[theirs] for row in each) for ours, theirs in MEASURES.items()}
    answered = _array(judged.answered for judged in found)
    return values if np.isnan(answered).all() else values | {ANSWERED: answered}


def _array(values: Any) -> Values:
    return np.fromiter(values, np.float64)


def summed_up(values: Values) -> Figure:
    """Return the mean of what applies, and the percentile bootstrap's interval for it.

    The same queries are drawn for every array of one length, so that the difference of two modes
    has the interval of a paired comparison.
    """
    values = values[~np.isnan(values)]
    chance = np.random.default_rng(SEED)
    size = len(values)
    means = [values[chance.integers(size, size=size)].mean() for _ in range(ROUNDS)]
    low, high = np.percentile(means, [2.5, 97.5])
    return Figure(float(values.mean()), float(low), float(high))


def report(found: Mapping[Mode, Sequence[Judged]], names: Sequence[str]) -> dict[str, Any]:
    """Return what ``--json`` tells of each mode; ``names`` are those of the queries.

    ``intervals`` are those of the means in ``modes``; ``against_hybrid`` tells by how much a mode
    is better than hybrid; ``missed`` names the queries without a right hit in ``DEPTH``.
    """
    values = {mode: measure(judged) for mode, judged in found.items()}
    means = {mode: _figures(rows) for mode, rows in values.items()}
    apart = {
        mode: {name: summed_up(rows[name] - values["hybrid"][name]) for name in rows}
        for mode, rows in values.items()
        if "hybrid" in values and mode != "hybrid"
    }
    return {
        "modes": {mode: _means(figures) for mode, figures in means.items()},
        "intervals": {mode: _intervals(figures) for mode, figures in means.items()},
        "against_hybrid": {
            mode: {name: [_r(f.mean), _r(f.low), _r(f.high)] for name, f in figures.items()}
            for mode, figures in apart.items()
        },
        "missed": {
            mode: [name for name, hit in zip(names, rows["recall@10"], strict=True) if not hit]
            for mode, rows in values.items()
        },
    }


def _figures(rows: Mapping[str, Values]) -> dict[str, Figure]:
    return {name: summed_up(values) for name, values in rows.items()}


def _means(figures: Mapping[str, Figure]) -> dict[str, float]:
    return {name: _r(figure.mean) for name, figure in figures.items()}


def _intervals(figures: Mapping[str, Figure]) -> dict[str, list[float]]:
    return {name: [_r(figure.low), _r(figure.high)] for name, figure in figures.items()}


def _r(value: float) -> float:
    return round(value, 6)


def table(told: Mapping[str, Any]) -> list[str]:
    """Return the lines of a :func:`report` to read: a column for each mode."""
    modes = list(told["modes"])
    lines = [_row("", [f"{mode}, 95 % interval" for mode in modes])]
    for name in next(iter(told["modes"].values())):
        pairs = [(told["modes"][mode][name], told["intervals"][mode][name]) for mode in modes]
        lines.append(_row(_LABELS[name], [_cell(mean, *ends) for mean, ends in pairs]))
    if apart := told["against_hybrid"]:
        lines += ["", "against hybrid, query by query"]
        for name in next(iter(apart.values())):
            cells = [_cell(*apart[mode][name], sign="+") if mode in apart else "" for mode in modes]
            lines.append(_row(_LABELS[name], cells))
    missed = [(mode, names) for mode, names in told["missed"].items() if names]
    if missed:
        lines += ["", f"nothing right in the first {DEPTH}"]
    for mode, names in missed:
        more = len(names) - MISSED_SHOWN
        rest = f" and {figures.count(more)} more: --json names all" if more > 0 else ""
        lines.append(f"{mode:11}{', '.join(names[:MISSED_SHOWN])}{rest}")
    return lines


_LABELS = {name: name for name in (*MEASURES, ANSWERED)} | {
    "ndcg@10": "nDCG@10",
    "mrr@10": "MRR@10",
}


def _row(label: str, cells: Sequence[str]) -> str:
    return (f"{label:11}" + "".join(f"{cell:26}" for cell in cells)).rstrip()


def _cell(mean: float, low: float, high: float, *, sign: str = "") -> str:
    return f"{mean:{sign}.3f} ({low:{sign}.3f} to {high:{sign}.3f})"
