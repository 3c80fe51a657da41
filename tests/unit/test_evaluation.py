"""The measures, against values computed by hand, and their intervals."""

import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from engine.evaluating import evaluation
from engine.evaluating.evaluation import Judged, measure, report, summed_up, table


def values_of(ranking: list[str], relevant: dict[str, int]) -> dict[str, float]:
    return {name: float(row[0]) for name, row in measure([Judged(ranking, relevant)]).items()}


def gain(rank: int) -> float:
    return 1 / math.log2(1 + rank)


@pytest.mark.parametrize(
    ("ranking", "relevant", "expected"),
    [
        (["a", "b"], {"a": 1}, (1, 1, 1, 1)),
        (["b", "a"], {"a": 1}, (gain(2), 1, 1, 1 / 2)),
        (["b", "c", "d", "a"], {"a": 1}, (gain(4), 0, 1, 1 / 4)),
        (list("bcdefghijka"), {"a": 1}, (0, 0, 0, 0)),
        (["a", "x", "b"], {"a": 1, "b": 1}, ((1 + gain(3)) / (1 + gain(2)), 1, 1, 1)),
        (["a", "x", "y", "b"], {"a": 1, "b": 1, "c": 1}, None),
        (["a", "b"], {"a": 1, "b": 2}, ((1 + 2 * gain(2)) / (2 + gain(2)), 1, 1, 1)),
        (["a", "b"], {"a": 0, "b": 1}, (gain(2), 1, 1, 1 / 2)),
        ([], {"a": 1}, (0, 0, 0, 0)),
        (["b"], {"a": 1}, (0, 0, 0, 0)),
    ],
)
def test_each_measure_is_what_its_formula_says(
    ranking: list[str], relevant: dict[str, int], expected: tuple[float, ...] | None
) -> None:
    if expected is None:
        ideal = 1 + gain(2) + gain(3)
        expected = ((1 + gain(4)) / ideal, 1 / 3, 2 / 3, 1)
    found = values_of(ranking, relevant)
    assert list(found) == ["ndcg@10", "recall@3", "recall@10", "mrr@10"]
    assert list(found.values()) == pytest.approx(list(expected))


@pytest.mark.parametrize("place", range(10))
def test_no_order_of_names_changes_the_rank(place: int) -> None:
    """trec_eval ranks equal scores by name, and is never given any."""
    for names in ([f"{at}" for at in range(10)], [f"{9 - at}" for at in range(10)]):
        assert values_of(names, {names[place]: 1})["mrr@10"] == pytest.approx(1 / (place + 1))


@pytest.mark.parametrize("name", ["a\0b", "\ud800", "", " ", "é" * 500, "q0", "\n", "../x"])
def test_a_name_may_hold_anything(name: str) -> None:
    assert values_of(["x", name], {name: 1})["mrr@10"] == 1 / 2
    assert values_of(["x", name + "y"], {name: 1})["mrr@10"] == 0


def test_a_document_found_twice_counts_once_at_its_first_rank() -> None:
    assert values_of(["b", "a", "a"], {"a": 1})["mrr@10"] == 1 / 2


def test_queries_keep_their_order_and_none_is_dropped() -> None:
    rows = measure([Judged([], {"a": 1}), Judged(["a"], {"a": 1}), Judged(["b"], {"a": 1})])
    assert rows["recall@10"].tolist() == [0, 1, 0]
    many = [Judged(["a"] if at % 7 else [], {"a": 1}) for at in range(1200)]
    assert measure(many)["mrr@10"].tolist() == [float(at % 7 > 0) for at in range(1200)]


def test_answers_count_where_they_are_known() -> None:
    judged = [Judged(["a"], {"a": 1}), Judged([], {"a": 1}, 1.0), Judged([], {"a": 1}, 0.0)]
    assert summed_up(measure(judged)[evaluation.ANSWERED]).mean == 0.5
    assert evaluation.ANSWERED not in measure(judged[:1])


def test_intervals_are_the_same_each_time_and_hold_the_mean() -> None:
    values = np.random.default_rng(1).random(200)
    once, again = summed_up(values), summed_up(values)
    assert once == again
    assert once.low < once.mean < once.high
    spread = 1.96 * values.std() / math.sqrt(len(values))
    assert (once.high - once.low) / 2 == pytest.approx(spread, rel=0.1)


@pytest.mark.parametrize("values", [[1.0] * 30, [0.0], [0.5]])
def test_values_that_are_all_the_same_have_an_interval_without_width(values: list[float]) -> None:
    figure = summed_up(np.array(values))
    assert (figure.mean, figure.low, figure.high) == (values[0],) * 3


def two_modes() -> dict[str, Any]:
    good = [Judged(["a"], {"a": 1}) for _ in range(20)]
    worse = [Judged(["b", "a"], {"a": 1}) for _ in range(19)] + [Judged([], {"a": 1})]
    return report({"hybrid": good, "dense": worse}, [f"q{at}" for at in range(20)])


def test_a_report_compares_modes_query_by_query() -> None:
    told = two_modes()
    assert set(told["modes"]["dense"]) == {"ndcg@10", "recall@3", "recall@10", "mrr@10"}
    assert told["modes"]["hybrid"]["mrr@10"] == 1
    assert told["modes"]["dense"]["mrr@10"] == pytest.approx(19 / 40)
    mean, low, high = told["against_hybrid"]["dense"]["mrr@10"]
    assert mean == pytest.approx(19 / 40 - 1)
    assert low <= mean <= high < 0
    assert told["missed"] == {"hybrid": [], "dense": ["q19"]}
    assert report({"dense": [Judged(["a"], {"a": 1})]}, ["q"])["against_hybrid"] == {}


def test_a_table_has_a_column_for_each_mode() -> None:
    lines = table(two_modes())
    assert lines[0].split("  ")[0] == ""
    assert "hybrid" in lines[0]
    assert " ".join(lines[4].split()) == "MRR@10 1.000 (1.000 to 1.000) 0.475 (0.425 to 0.500)"
    assert lines[-4].split()[:2] == ["MRR@10", "-0.525"]
    assert max(map(len, lines)) < 100


def test_a_table_names_what_was_missed_but_not_all_of_very_many() -> None:
    assert table(two_modes())[-2:] == ["nothing right in the first 10", "dense      q19"]
    nothing = report({"hybrid": [Judged([], {"a": 1})] * 9}, [f"q{at}" for at in range(9)])
    assert table(nothing)[-1].endswith(" q6, q7 and 1 more: --json names all")
    assert "nothing right" not in "".join(table(report({"dense": [Judged(["a"], {"a": 1})]}, "q")))


def test_nobody_waits_for_the_library_but_who_measures() -> None:
    imports = "import sys, tui.command, engine.front.commands_eval"
    code = f"{imports}; print('pytrec_eval' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
