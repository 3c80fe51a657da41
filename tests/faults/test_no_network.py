"""A machine that never had a network: the program runs where there is not even a loopback."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import HOVERKITE, docs, program_env

__all__ = ["docs", "program_env"]

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]

CUT_OFF = ["unshare", "--user", "--map-root-user", "--net"]
NETWORKS = "import socket; print(*(name for _, name in socket.if_nameindex()))"


@pytest.fixture
def cut_off() -> list[str]:
    """The words before a command that give it no network."""
    if not shutil.which(CUT_OFF[0]):
        pytest.skip("there is no unshare here")
    tried = subprocess.run(
        [*CUT_OFF, sys.executable, "-c", NETWORKS], capture_output=True, text=True, check=False
    )
    if tried.returncode:
        pytest.skip(f"no network namespace may be made here: {tried.stderr.strip()}")
    assert tried.stdout.split() == ["lo"]
    return CUT_OFF


def test_indexing_searching_and_extracts_need_no_network(
    cut_off: list[str], docs: Path, program_env: dict[str, str]
) -> None:
    def run(*words: str | Path, **more: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*cut_off, *HOVERKITE, *map(str, words)],
            env=program_env | more, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=170, check=False,
        )  # fmt: skip

    found = run("search", docs, "which bird keeps its head still?")
    assert found.returncode == 0, found.stderr
    assert "birds/kites.md" in found.stdout.splitlines()[0]
    told = run("ask", docs, "How do I descale the kettle?", HOVERKITE_LLM_START="never")
    assert "vinegar" in told.stdout
    assert (told.returncode, told.stderr) == (0, "No model answers: turned off by llm_start\n")
    (docs / "new.md").write_text("The wren sings from the hedge.")
    assert "new.md" in run("search", docs, "wren hedge").stdout


@pytest.mark.slow
@pytest.mark.vllm
@pytest.mark.timeout(400)
def test_an_answer_is_written_without_a_network(
    cut_off: list[str], docs: Path, program_env: dict[str, str]
) -> None:
    words = " ".join(map(repr, [*HOVERKITE, "ask", str(docs), "How do I descale the kettle?"]))
    done = subprocess.run(
        [*cut_off, "sh", "-c", f"ip link set lo up && exec {words}"],
        env=program_env | {"HOVERKITE_LLM_MAX_TOKENS": "16"}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=380, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "vinegar" in done.stdout
