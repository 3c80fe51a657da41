"""What the benchmark of citations is made of: sentences, alterations, and thresholds."""

import random

import pytest

from benchmarks import _statements, citations

PASSAGE = "The kite Ada, seen by Vos in 1998, is red. It was seen by Marie Curie in 2004."


@pytest.mark.parametrize(
    ("question", "answer", "expected"),
    [
        ("How many points did the team score?", "308", "The team score 308 points."),
        ("Who led the team in sacks?", "Kawann Short", "Kawann Short led the team in sacks."),
        ("What did Tesla build?", "a coil", "Tesla build a coil."),
        ("In which year was it built?", "1889", "It built year 1889."),
        ("Name the bird.", "kite", "Name the bird: kite."),
    ],
)
def test_question_and_answer_become_a_statement(question: str, answer: str, expected: str) -> None:
    assert _statements.statement(question, answer) == expected


def test_what_is_altered_is_taken_from_the_passage() -> None:
    chance = random.Random(1)
    number = _statements.with_other_number("It came in 1998.", PASSAGE, chance)
    name = _statements.with_other_name("It was seen by Vos here.", PASSAGE, ["Far"], chance)
    assert number == "It came in 2004."
    assert name in {"It was seen by Ada here.", "It was seen by Marie Curie here."}
    assert _statements.with_other_number("It came.", PASSAGE, chance) is None
    assert _statements.with_other_name("It came.", PASSAGE, ["Far"], chance) is None


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("It is red.", "It is not red."),
        ("It is not red.", "It is red."),
        ("It sings.", None),
    ],
)
def test_a_sentence_is_negated_once(sentence: str, expected: str | None) -> None:
    assert _statements.negated(sentence) == expected


def test_a_threshold_is_fitted_for_precision_and_tested_elsewhere() -> None:
    own = [(0.9, True), (0.8, True), (0.7, False), (0.6, True), (0.1, False)]
    assert citations.fitted(own, 0.9) == 0.8
    assert citations.fitted(own, 0.75) == 0.6
    assert citations.rates(own, 0.8) == {"precision": 1.0, "recall": pytest.approx(2 / 3)}
    told = citations.crossed({"a": own, "b": [(0.85, False), (0.95, True)]}, 0.9, -1)
    assert told["fitted_on_a"]["threshold"] == -0.8
    assert told["fitted_on_a,_tested_on_b"] == {"precision": 0.5, "recall": 1.0}
    assert told["fitted_on_b,_tested_on_a"]["recall"] == 0.0
