"""What ``hoverkite ask`` prints: what was not found, what no passage supports, and places."""

from typing import Any

import pytest

from engine.front.printed_answer import AnswerPrinter, place
from engine.wire.api_answer import NOT_FOUND, AnswerFinished, Citation
from tests.hits import hit


def finished(**changes: Any) -> AnswerFinished:
    values: dict[str, Any] = {
        "answer": "It rests.",
        "finish_reason": "stop",
        "model": "m",
        "ttft_ms": 1,
        "completion_tokens": 1,
        "tokens_per_s": 1,
        "sources": ["a.md:1"],
    }
    return AnswerFinished(**(values | changes))


@pytest.mark.parametrize(
    ("changes", "out", "err"),
    [
        ({"citations": [Citation(n=1, supported=True, start=0, end=1)]}, "source: d/a.md:1", ""),
        (
            {"citations": [Citation(n=None, supported=False, start=0, end=1)]},
            "source: d/a.md:1",
            "[?] stands after what was found in no passage.",
        ),
        (
            {"finish_reason": NOT_FOUND, "not_found": True, "sources": []},
            "",
            "No model was asked; --anyway has it answer.",
        ),
        ({"not_found": True, "documents": False, "sources": []}, "", ""),
        ({"answer": " "}, "source: d/a.md:1", "The model wrote nothing."),
    ],
)
def test_the_end_of_an_answer_tells_what_it_stands_on(
    changes: dict[str, Any], out: str, err: str, capsys: pytest.CaptureFixture[str]
) -> None:
    AnswerPrinter("d").show(finished(**changes))
    printed = capsys.readouterr()
    assert (printed.out.strip(), printed.err.strip()) == (out, err)


@pytest.mark.parametrize(("reason", "told"), [("length", True), ("stop", False)])
def test_an_answer_at_its_length_limit_is_told_to_be_cut_off(
    capsys: pytest.CaptureFixture[str], reason: str, told: bool
) -> None:
    AnswerPrinter("notes").show(finished(answer="It rests.", finish_reason=reason))
    said = capsys.readouterr()
    assert ("cut off at its length limit" in said.err) is told
    assert "cut off" not in said.out


@pytest.mark.parametrize(
    ("docs", "quoted", "expected"),
    [
        ("notes", "", "notes/a/b.md:7"),
        ("./notes/", "", "notes/a/b.md:7"),
        (".", "", "a/b.md:7"),
        ("/abs", "third line", "/abs/a/b.md:9"),
        ("..", "not there", "../a/b.md:9"),
    ],
)
def test_places_lead_there_from_here(docs: str, quoted: str, expected: str) -> None:
    text = "first line\nsecond line\nthird line\n"
    found = hit(path="a/b.md", start_line=7, end_line=9, text=text)
    assert place(docs, found, quoted) == expected
