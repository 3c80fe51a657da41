"""Fixtures of the unit tests."""

from collections.abc import Callable
from pathlib import Path

import pytest

Tree = Callable[..., Path]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Make files, ``name`` or ``name=content``, and return the folder they stand in."""

    def make(*files: str) -> Path:
        for file in files:
            name, _, content = file.partition("=")
            path = tmp_path / "docs" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content or "text")
        return tmp_path / "docs"

    return make
