"""A file decided by the walk is decided the same by the look at one path; hostile ignore files."""

import contextlib
import logging
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pathspec import GitIgnoreSpec

from engine.config import Settings
from engine.files import ignore, scan
from engine.files.ignore import Ignored
from tests.unit.conftest import Tree
from tests.unit.test_scan import ELSEWHERE, found

NAMES = """
    a.md b.txt README x.docx .hidden.md keep.txt new\\nline.md caf\\udce9.md a*b.md [x].md !.md
    secrets.yaml uv.lock draft.md~ build target logs node_modules .git
    pyproject.toml Cargo.toml CACHEDIR.TAG pyvenv.cfg
"""
PATTERNS = r"*.txt !keep.txt /logs/ logs build/ !build/a.md **/b.txt target/* \!*"

names = st.sampled_from([name.encode().decode("unicode_escape") for name in NAMES.split()] + [" "])
paths = st.lists(names, min_size=1, max_size=3).map("/".join)
rules = st.lists(st.sampled_from(PATTERNS.split()), min_size=1).map("\n".join)


@given(
    files=st.lists(paths, max_size=12),
    links=st.dictionaries(paths, paths, max_size=3),
    ignoring=st.dictionaries(st.just("") | paths, rules, max_size=3),
    hidden=st.booleans(),
)
@settings(deadline=None, max_examples=80, derandomize=True, database=None)
def test_the_walk_and_the_look_agree(
    files: list[str], links: dict[str, str], ignoring: dict[str, str], hidden: bool
) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        written = dict.fromkeys(files, "text")
        written |= {f"{folder}/.gitignore".lstrip("/"): text for folder, text in ignoring.items()}
        for path, text in written.items():
            with contextlib.suppress(OSError):  # another thing stands there
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(text)
        for path, target in links.items():
            with contextlib.suppress(OSError):
                (root / path).symlink_to(root / target)
        found(root, Settings(include_hidden=hidden))  # which compares the two for every path


globs = st.lists(st.sampled_from(["*", "**", "?", "a", "b", "[ab]", "[]*]", "/", "/**/"]))


@given(
    pattern=globs.map("".join),
    path=st.text("ab/]*", min_size=1).filter(lambda path: "//" not in path and path[0] != "/"),
)
@settings(deadline=None, max_examples=500, derandomize=True, database=None)
def test_stars_mean_what_they_mean_to_git(pattern: str, path: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        Path(name, ".gitignore").write_text(f"{pattern}\n")
        if pattern.count("**") <= ignore.MOST_DOUBLE_STARS:
            wanted = GitIgnoreSpec.from_lines([pattern]).match_file(path)
            assert Ignored().within(name, "").matches(path) == wanted


def test_many_stars_end_in_time(tree: Tree) -> None:
    root = tree(f".gitignore={'*a' * 30}*b\nleft-out.md\n", f"{'a' * 250}.md", "left-out.md")
    assert found(root) == [f"{'a' * 250}.md"]


@pytest.mark.parametrize("line", ["**/a/" * 9 + "c", "[z-a]"])
def test_a_line_that_takes_too_long_or_is_wrong_is_passed_over(
    line: str, tree: Tree, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    root = tree(f".gitignore={line}\nleft-out.md\n", f"{'a/' * 60}b.md", "left-out.md")
    entries = scan.scan(root, Settings(), index_root=ELSEWHERE).entries
    assert [entry.path.decode() for entry in entries] == [f"{'a/' * 60}b.md"]
    assert "no pattern" in caplog.text


@pytest.mark.parametrize("line", ["x{}.md", "# {:09999}"])
def test_an_endless_ignore_file_is_read_in_part(
    line: str, tree: Tree, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    lines = ["first.md", *(line.format(n) for n in range(70_000 if "x" in line else 7)), "last.md"]
    root = tree("first.md", "last.md", ".gitignore=" + "\n".join(lines))
    assert found(root) == ["last.md"]
    assert "too long" in caplog.text


def test_comments_do_not_count_as_patterns(tree: Tree) -> None:
    root = tree("last.md", ".gitignore=" + "# x\n\n" * 2_500 + "last.md\n")
    assert found(root) == []
