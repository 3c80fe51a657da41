"""A file decided by the walk is decided the same by the look at one path."""

import contextlib
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.config import Settings
from tests.unit.test_scan import found

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
