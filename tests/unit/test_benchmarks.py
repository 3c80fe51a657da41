"""The parts of the benchmarks that figures and their targets rest on."""

from pathlib import Path

import pytest

from benchmarks import _corpus, _report
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
