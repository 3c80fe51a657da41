"""The locks: complete, hashed, tied to no registry, and as the environment is."""

import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools import lock as lock_tool

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "requirements"
LOCKS = ("cpu.lock", "gpu.lock")
PLATFORMS: dict[str, dict[str, str]] = {
    "Linux x86-64": {"sys_platform": "linux", "platform_machine": "x86_64"},
    "Linux ARM": {"sys_platform": "linux", "platform_machine": "aarch64"},
    "macOS ARM": {"sys_platform": "darwin", "platform_machine": "arm64"},
}


def pins(name: str) -> list[Requirement]:
    lines = (REQUIREMENTS / name).read_text("utf-8").splitlines()
    return [Requirement(line.rstrip(" \\")) for line in lines if line[:1].isalnum()]


def left_out() -> set[str]:
    lines = (REQUIREMENTS / "left-out.txt").read_text("utf-8").splitlines()
    return {line for line in lines if line and not line.startswith("#")}


def asked_for() -> list[Requirement]:
    """Everything that pyproject.toml asks for, of the program and of those who work on it."""
    described = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    lines = [*described["project"]["dependencies"], *described["dependency-groups"]["dev"]]
    return [Requirement(line) for line in lines]


def applies(requirement: Requirement, platform: dict[str, str]) -> bool:
    return requirement.marker is None or requirement.marker.evaluate(dict(platform))


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_the_lock_answers_pyproject(platform: str, python: str) -> None:
    marks = {**PLATFORMS[platform], "python_version": python, "python_full_version": f"{python}.1"}
    pinned = {
        canonicalize_name(pin.name): str(pin.specifier).removeprefix("==")
        for pin in pins("cpu.lock")
        if applies(pin, marks)
    }
    unanswered = {
        str(asked)
        for asked in asked_for()
        if applies(asked, marks)
        and asked.name not in left_out()
        and not asked.specifier.contains(pinned.get(canonicalize_name(asked.name), "0"))
    }
    assert unanswered == set()


@pytest.mark.parametrize("name", [*LOCKS, "uv.txt"])
def test_every_pin_is_exact_and_hashed(name: str) -> None:
    text = (REQUIREMENTS / name).read_text("utf-8")
    entries = re.split(r"(?m)^(?=[a-z0-9])", text)[1:]
    assert len(entries) == len(pins(name)) > 0
    assert [entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("name", [*LOCKS, "uv.txt"])
def test_a_lock_names_no_registry(name: str) -> None:
    assert lock_tool.FOREIGN.findall((REQUIREMENTS / name).read_text("utf-8")) == []


@pytest.mark.parametrize(
    "line",
    ["--index-url https://registry.example/simple", "-i http://x", "--find-links /opt/wheels",
     "torch @ file:///opt/wheels/torch.whl"],
)  # fmt: skip
def test_a_line_that_ties_a_lock_to_a_registry_is_seen(line: str) -> None:
    assert lock_tool.FOREIGN.search(f"rich==15.0.0 \\\n{line}\n")


def test_a_machine_without_a_gpu_gets_no_cuda() -> None:
    cuda = re.compile(r"nvidia|cuda|cupy|triton|flashinfer|^torch|^ray$|^llm$|llama")
    assert [pin.name for pin in pins("cpu.lock") if cuda.search(pin.name)] == []


def unmet() -> Iterator[str]:
    """Names that an installed package asks for and that are not installed."""
    installed = {canonicalize_name(found.name) for found in distributions()}
    for found in distributions():
        for line in found.requires or []:
            asked = Requirement(line)
            without_extra = asked.marker is None or asked.marker.evaluate({"extra": ""})
            if without_extra and canonicalize_name(asked.name) not in installed:
                yield canonicalize_name(asked.name)


def test_only_what_is_left_out_on_purpose_is_missing_here() -> None:
    assert set(unmet()) <= left_out()
