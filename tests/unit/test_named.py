"""Names in a question, and chunks that hold them."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.searching.named import MOST_NAMES, held, named


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("what is create_index?", ["create_index"]),
        ("call __init__ and _private", ["__init__", "_private"]),
        ("MAX_SIZE, maxSize and MaxSizeError.", ["MAX_SIZE", "maxSize", "MaxSizeError"]),
        ("why ERR_FOO-12?", ["ERR_FOO-12"]),
        ("errors E1234, ORA-00942 (CVE-2021-44228)", ["E1234", "ORA-00942", "CVE-2021-44228"]),
        ("code 0x80070005!", ["0x80070005"]),
        ("does --flag=3 or --dry-run work", ["--flag", "--dry-run"]),
        ("see index.md, 'guide/a.b.md' and docker-compose.yml.",
         ["index.md", "guide/a.b.md", "docker-compose.yml"]),
        ("os.path.join(a, b) or foo() or std::vector", ["os.path.join", "foo", "std::vector"]),
        ("create(x), min() or json.dumps(s)", ["create", "min", "json.dumps"]),
        ("new in v2.4.1 and 2.4.1-rc1, v3?", ["v2.4.1", "2.4.1-rc1", "v3"]),
        ("what is `plain words` and `x`?", ["plain words", "x"]),
        ("/etc/hosts ~/.bashrc ./run.sh", ["/etc/hosts", "~/.bashrc", "./run.sh"]),
        ("commit 3acfb39 of $HOME", ["3acfb39", "$HOME"]),
        ("什么是create_index？", ["create_index"]),
        ("как работает create_index, имя_файла?", ["create_index", "имя_файла"]),
        ("create_index create_index", ["create_index"]),
    ],
)  # fmt: skip
def test_names_are_noticed(question: str, names: list[str]) -> None:
    assert named(question) == names


@pytest.mark.parametrize(
    "question",
    [
        "What do the parameters for HNSW mean?",
        "How many of the 40 or 1234567 were sold in 2026, 3.5 or 2.4 percent?",
        "and/or TCP/IP client/server, e.g. i.e. U.S.A. a.m.",
        "well-known state-of-the-art e-mail",
        "it's the dog's, don't!",
        "Is it 10:30 or 1,000.00 or 50%? - No -- never ... x = y",
        "I am Bob. Alice (his friend) [too]",
        "Which file(s) hold the index(es) of GPU(s)/pod(s)? Those of f(x).",
        "-5 -x # a & b",
        "`` ` ```",
        "",
        "事故の原因は何ですか。",
    ],
)
def test_ordinary_words_and_numbers_are_none(question: str) -> None:
    assert named(question) == []


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("create_index", "call create_index()", True),
        ("create_index", "Create_Index", True),
        ("createIndex", "createindex", False),
        ("index.md", "index.mdx", False),
        ("index.md", "my-index.md", True),
        ("index.md", "index-md", False),
        ("--flag", "use --flag=3", True),
        ("--flag", "---flag", False),
        ("--flag", "--flags", False),
        ("E12", "E123", False),
        ("v2.4", "v2.4.1", True),
        ("plain words", "some Plain words here", True),
    ],
)
def test_a_name_is_held_word_for_word(name: str, text: str, expected: bool) -> None:
    assert held([name], text) == ([name] if expected else [])


@pytest.mark.parametrize(
    "piece",
    ["a_", "a.", "-", "`", "` ", "/a", "a1", "(", "f(", "A-1", "x_1 ", "a.b@", "_", "a:", "1."],
)
def test_hostile_questions_take_little_time(piece: str) -> None:
    question = piece * (100_000 // len(piece)) + "!"
    begun = time.monotonic()
    assert len(named(question)) <= MOST_NAMES
    assert time.monotonic() - begun < 2


@given(st.text(alphabet="aZ_.-/`:1(x@ $", max_size=30))
def test_every_name_stands_in_its_question(question: str) -> None:
    assert all(name in question for name in named(question))
