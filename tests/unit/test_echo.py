"""Examples that only repeat the question do not come before its answer."""

import pytest

from engine.searching.demotion import demoted
from engine.searching.echo import repeats, weigher
from tests.unit.test_folding import found

QUESTION = "What do the parameters for HNSW mean?"
EXAMPLE = "```text\nQuestion: 'What do the parameters for HNSW MEAN!?'\nAnswer: ...\n```"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (EXAMPLE, True),
        ('~~~py\nask("What do the parameters for HNSW mean?")', True),
        ("```sh\nls\n```\nthen\n```\nwhat do the parameters for hnsw mean\n```", True),
        ("## What do the parameters for HNSW mean?\n\nM limits the degree.", False),
        ("Q: What do the parameters for HNSW mean?\nA: M limits the degree.", False),
        ("```sh\nls\n```\nWhat do the parameters for HNSW mean?", False),
        ("```\nWhat do the parameters for HNSW meander?\n```", False),
        ("> ```\r\n> What do the parameters for HNSW mean?\r\n> ```\r\n", True),
        ("```ls``` lists.\nWhat do the parameters for HNSW mean?", False),
        ("ls\n```\nWhat do the parameters for HNSW mean?\n```sh\nls", False),
        ("what do the parameters for hnsw mean\n```\nthen\n```sh\nls\n```", True),
        ("```\n" * 10_000, False),
        ("", False),
    ],
)
def test_a_repetition_in_code_is_told_from_one_in_text(text: str, expected: bool) -> None:
    assert repeats(QUESTION, text) is expected


def test_an_answer_comes_before_an_example_that_asks_the_same() -> None:
    hits = [found(1, EXAMPLE), found(2, "M limits the degree."), found(60, "far away")]
    assert [one.stored.row for one in demoted(hits, weigher(QUESTION))] == [2, 1, 60]


@pytest.mark.parametrize("query", ["pip install pymilvus", "create index with", "", "HNSW"])
def test_a_command_that_is_looked_for_stays_where_it_is(query: str) -> None:
    hits = [found(1, f"```\n{query}\n```"), found(2, "text")]
    assert [one.stored.row for one in demoted(hits, weigher(query))] == [1, 2]
