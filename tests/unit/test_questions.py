"""A person's own questions: how they are read, and which hits are right."""

import argparse
import json
import math
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from engine.config import Settings
from engine.errors import HoverkiteError, UsageError
from engine.evaluating import questions
from engine.evaluating.questions import Question, Questions, holds, is_right
from engine.files.scan import Look
from engine.front import commands_eval
from engine.front.connection import EngineClient
from engine.wire import api
from engine.wire.api_search import Place
from tests.hits import hit
from tests.tui import scripted

LONG = " ".join(f"word{at}" for at in range(60))


def file_of(tmp_path: Path, *lines: Any) -> Path:
    file = tmp_path / "questions.jsonl"
    file.write_text("\n".join(x if isinstance(x, str) else json.dumps(x) for x in lines), "utf-8")
    return file


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("{",), "line 1 of .* is not JSON"),
        (('{"question": "q", "path": "a.md"}', "", "[1]"), "line 3 of .* is no JSON object"),
        (("[" * 100_000,), "line 1 of .* is not JSON"),
        (({"query": "q", "path": "a"},), 'line 1 of .* has no "question"'),
        (({"question": " ", "path": "a"},), 'line 1 of .* has no "question"'),
        (({"question": 7, "path": "a"},), 'line 1 of .* has a "question" that is no text'),
        (({"question": "q"},), 'line 1 of .* neither a "path" nor an "answer_text"'),
        (({"question": "q", "answer_text": "\n"},), "line 1 of .* neither"),
        (({"question": "q", "path": ["a"]},), 'has a "path" that is no text'),
        (({"question": "after:x y", "path": "a"},), "line 1 of .* can't be asked: x is no day"),
        (({"question": "/(/", "path": "a"},), r"line 1 of .* can't be asked: .* missing \)"),
        ((), "holds no question"),
        (("", "  "), "holds no question"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, lines: tuple[Any, ...], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        questions.read(file_of(tmp_path, *lines))


def test_a_file_that_is_no_text_or_not_there_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "q.jsonl"
    file.write_bytes(b'{"question": "a", "path": "b"}\n\xff\xfe\n')
    with pytest.raises(UsageError, match=r"line 2 of .* is not UTF-8"):
        questions.read(file)
    for there in (tmp_path / "none", tmp_path):
        with pytest.raises(UsageError, match="can't be read"):
            questions.read(there)


def test_marks_blank_lines_and_odd_separators_are_read(tmp_path: Path) -> None:
    file = tmp_path / "q.jsonl"
    lines = [
        '{"question": "a\u2028b", "path": "./x//y.md"}',
        "",
        '{"question":"c","answer_text":"d"}',
    ]
    file.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    read = questions.read(file)
    assert list(read.questions) == [
        Question(1, "a\u2028b", "x/y.md", ""),
        Question(3, "c", "", "d"),
    ]
    assert [case.name for case in read.cases] == ["line 1", "line 3"]


@pytest.mark.parametrize(
    "path", ["gone.md", "../out.md", "/etc/passwd", "", "a\0b", "x" * 999, ".env", "sub", "\ud800"]
)
def test_a_path_that_is_not_read_is_named_before_anything_is_asked(
    tmp_path: Path, path: str
) -> None:
    docs = tmp_path / "docs"
    (docs / "sub").mkdir(parents=True)
    for name in ("a.md", ".env", "../out.md"):
        (docs / name).write_text("x")
    asked = Questions([Question(1, "q", "a.md", ""), Question(4, "q", path or "sub/a.md", "")])
    look = Look(docs, Settings(), index_root=tmp_path / "data")
    with pytest.raises(UsageError, match=r"^line 4 ") as caught:
        questions.check_paths(asked, Path("q.jsonl"), look, "docs")
    assert "line 1" not in str(caught.value)
    questions.check_paths(Questions(asked.questions[:1]), Path("q.jsonl"), look, "docs")


@pytest.mark.parametrize(
    ("text", "answer", "expected"),
    [
        ("The kite  HOVERS\nover a meadow.", "the kite hovers over", True),
        ("The kite hovers", "the kite lands", False),
        ("A STRASSE", "straße", True),
        (f"Heading. {LONG[:300]}", LONG, True),  # the hit is a piece of the answer
        (LONG, f"{LONG} and more", True),
        (" ".join(LONG.split()[:19]), LONG, False),  # too few words to be told from chance
        (f"{' '.join(LONG.split()[:20])} {'other ' * 40}", LONG, False),  # not half of the shorter
        ("one two three", "one two three four", False),
        (
            "黑豹队的防守只丢了 308分，在联赛中排名第六，同时也以 24 次拦截领先国家橄榄球联盟",
            "308分，在联赛中排名第六，同时也以 24 次拦截领先国家橄榄球联盟，并且四次",
            True,
        ),
        ("", "x", False),
    ],
)
def test_a_hit_holds_an_answer_or_much_of_a_long_one(
    text: str, answer: str, expected: bool
) -> None:
    assert holds(text, answer) is expected


@pytest.mark.parametrize(
    ("path", "answer", "expected"),
    [
        ("a.md", "", True),
        ("b.md", "", False),
        ("", "two EGGS", True),
        ("", "ten eggs", False),
        ("a.md", "two eggs", True),
        ("a.md", "ten eggs", False),
        ("b.md", "two eggs", False),
        ("copy.md", "two eggs", True),
    ],
)
def test_path_and_answer_tell_which_hits_are_right(path: str, answer: str, expected: bool) -> None:
    same = Place(path="copy.md", start_line=1, end_line=1)
    found = hit(path="a.md", text="Kites lay two\neggs.").model_copy(update={"folded": [same]})
    assert is_right(Question(1, "q", path, answer), found) is expected


def test_the_first_right_hit_is_what_is_relevant() -> None:
    hits = [hit(path=path, text=text) for path, text in (("b", "x"), ("a", "y"), ("a", "answer"))]
    asked = Questions([Question(1, "q", "a", ""), Question(2, "q", "a", "answer")])
    by_path = asked.judge(0, hits)
    assert by_path[:2] == (["0", "1", "2"], {"1": 1})
    assert math.isnan(by_path.answered)
    assert asked.judge(1, hits) == (["0", "1", "2"], {"2": 1}, 1.0)
    assert asked.judge(1, []) == ([], {"none": 1}, 0.0)
    in_another_file = Questions([Question(1, "q", "c", "answer")]).judge(0, hits)
    assert (in_another_file.relevant, in_another_file.answered) == ({"none": 1}, 1.0)


async def test_a_folder_that_a_window_has_paused_is_not_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its figures would be those of a part of it."""

    class Client(EngineClient):
        async def open_folder(self, path: str, **_: Any) -> api.FolderOpened:
            return api.FolderOpened(folder="f", path=path)

        async def sync(self, folder: str) -> AsyncGenerator[api.SyncEvent, None]:
            yield scripted.status(watch="paused", pending=3)

    options = argparse.Namespace(docs=str(tmp_path), yes=False)
    subject = commands_eval.Subject(tmp_path, Questions([Question(1, "q", "a", "")]))
    with pytest.raises(HoverkiteError, match="has paused indexing: 3 files wait"):
        await commands_eval._indexed(Client(), subject, options)
