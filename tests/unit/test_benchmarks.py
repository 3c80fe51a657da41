"""The parts of the benchmarks that figures and their targets rest on."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import _corpus, _report, _retrieval_page, _spans, retrieval
from benchmarks.edit import edits_of, prose_of


@pytest.mark.parametrize(
    ("values", "expected"),
    [([7.0], 7.0), ([1.0, 2.0], 2.0), (list(range(1, 101)), 95), (list(range(20, 0, -1)), 19)],
)
def test_p95_is_the_smallest_value_that_95_percent_do_not_exceed(
    values: list[float], expected: float
) -> None:
    assert _report.p95(values) == expected


def test_a_target_is_met_up_to_its_limit_and_not_beyond() -> None:
    assert _report.at_most(15, 15)["met"]
    assert not _report.at_most(15.01, 15)["met"]
    assert _report.at_least(2.2, 2.2)["met"]
    assert not _report.at_least(2.19, 2.2)["met"]


def test_figures_are_printed_with_their_units_and_groups_below() -> None:
    figures = {
        "chunks": 7000,
        "idle": {"p50_ms": 181.4, "chunks_per_s": 3.14159},
        "deep": {"edits": 2, "targets": {"p95_ms": {"is": 1.0, "at_most": 2, "met": False}}},
    }
    assert _report.lines_of(figures) == [
        "chunks 7000",
        "idle: p50 181 ms, chunks per s 3.14",
        "deep:",
        "  edits 2",
        "  targets: p95 ms: is 1.00, at most 2, NOT met",
    ]


def test_a_made_up_paragraph_is_one_chunk_and_no_two_are_alike(tmp_path: Path) -> None:
    _corpus.write(tmp_path, files=7, chunks=100)
    _corpus.write(tmp_path / "more", files=1, chunks=20, seed=2)
    texts = list(_corpus.texts_of(tmp_path))
    assert len(list(tmp_path.rglob("*.md"))) == 8
    assert len(texts) == len(set(texts)) == 120
    assert all(text.count("\n\n") == 0 for text in texts)


def test_an_edit_changes_one_paragraph_of_prose(tmp_path: Path) -> None:
    prose = (
        "A kite hovers over the field and waits for what moves below, all day long, in any wind."
    )
    file = tmp_path / "docs" / "a.md"
    file.parent.mkdir()
    before = f"# Kites\n\n- a list\n\n```\n{prose}\n```\n\n{prose}\n\n| a table |"
    file.write_text(before, "utf-8")
    assert prose_of(file) == [prose]
    for edit in edits_of(file.parent, 2, seed=1):
        edit.save()
        after = file.read_text("utf-8")
        assert edit.paragraph in after
        assert edit.word in edit.paragraph
        changed = [
            b for a, b in zip(before.split("\n\n"), after.split("\n\n"), strict=True) if a != b
        ]
        assert changed == [edit.paragraph]
        before = after
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize(
    ("chunks", "passages", "expected"),
    [
        ([(0, 100)], [(40, 50)], (1, 0.1, 0.1)),
        ([(0, 100), (200, 300)], [(90, 110)], (0.5, 0.05, 10 / 210)),
        ([(0, 100), (80, 180)], [(80, 100), (500, 520)], (0.5, 0.1, 20 / 220)),
        ([(0, 10)], [(20, 30)], (0, 0, 0)),
        ([], [(20, 30)], (0, 0, 0)),
        ([(5, 10)], [(0, 5), (10, 20)], (0, 0, 0)),
    ],
)
def test_chunks_are_compared_with_passages_by_characters(
    chunks: list[_spans.Range], passages: list[_spans.Range], expected: tuple[float, ...]
) -> None:
    """In the third, two chunks share 20 characters of a passage, which count once as found."""
    assert tuple(_spans.fit(chunks, passages)) == pytest.approx(expected)


def test_merged_collections_keep_their_ids_apart(tmp_path: Path) -> None:
    parts = {}
    for language in ("en", "ru"):
        parts[language] = tmp_path / language
        parts[language].mkdir()
        for name in ("corpus", "queries"):
            (parts[language] / f"{name}.jsonl").write_text('{"_id": "1", "text": "x"}\n')
        (parts[language] / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\n1\t1\t1\n")
    retrieval.merge(parts, tmp_path / "merged")
    lines = (tmp_path / "merged/corpus.jsonl").read_text().splitlines()
    ids = [json.loads(line)["_id"] for line in lines]
    assert ids == ["en:1", "ru:1"]
    assert (tmp_path / "merged/qrels.tsv").read_text().splitlines()[1:] == [
        "en:1\ten:1\t1",
        "ru:1\tru:1\t1",
    ]


def test_a_page_tells_which_targets_are_met() -> None:
    def figures(hybrid: float, dense: float) -> dict[str, Any]:
        modes = {"hybrid": hybrid, "dense": dense, "bm25": 0.1}
        names = _retrieval_page.MEASURES
        rows = {mode: dict.fromkeys(names, value) for mode, value in modes.items()}
        ends = {mode: dict.fromkeys(names, (0, 1)) for mode in modes}
        counts = {"queries": 1, "documents": 2, "chunks": 3}
        return counts | {"modes": rows, "intervals": ends, "against_hybrid": {}}

    told = {"scifact": figures(0.73, 0.739), "xquad": {"en": figures(0.969, 0.98)}}
    page = _retrieval_page.page(told, _report.machine())
    rows = [line for line in page.splitlines() if line.startswith(("| scifact", "| xquad"))]
    assert [row.split(" | ")[-1] for row in rows] == ["yes |", "**no** |", "yes |", "**no** |"]
    assert "product-docs-qa" not in page
