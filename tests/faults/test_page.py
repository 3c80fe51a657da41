"""The manual's page of faults names tests that exist, and every state there is."""

import ast
import re
from pathlib import Path
from typing import get_args

import pytest

from engine.wire import api

TESTS = Path(__file__).resolve().parents[1]
PAGE = (TESTS.parent / "docs/faults.md").read_text("utf-8")
NAMED = sorted(set(re.findall(r"`((?:\w+/)+test_\w+\.py(?:::\w+)?)`", PAGE)))


def test_the_page_names_tests() -> None:
    assert len(NAMED) > 30


@pytest.mark.parametrize("name", NAMED)
def test_a_test_that_the_page_names_exists(name: str) -> None:
    file, _, function = name.partition("::")
    source = ast.parse((TESTS / file.removeprefix("tests/")).read_text("utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    tests = {node.name for node in source.body if isinstance(node, kinds)}
    assert function in tests if function else tests


@pytest.mark.parametrize("state", get_args(api.FolderState))
def test_the_page_names_every_state(state: str) -> None:
    assert f"| `{state}` |" in PAGE
