"""The whole path in a pseudo-terminal: the real program, encoder, Milvus Lite and vLLM."""

import json
import os
import signal
import time
from pathlib import Path

import psutil
import pytest

from tests.e2e.conftest import HOVERKITE, Run
from tests.e2e.terminal import CTRL_Q, ENTER, ESCAPE, Terminal

pytestmark = [pytest.mark.vllm, pytest.mark.timeout(600)]


def ask(terminal: Terminal, question: str) -> None:
    """Clear the query and ask another question."""
    terminal.type(ESCAPE)
    terminal.wait_for("Ask your documents anything", 20)
    terminal.type(question + ENTER)


def wait_until_gone(*pids: int) -> None:
    deadline = time.monotonic() + 30
    while any(map(psutil.pid_exists, pids)):
        assert time.monotonic() < deadline, f"of {pids} some still run"
        psutil.wait_procs([], timeout=0.1)


def test_ask_edit_find_and_survive_a_killed_engine(
    program_env: dict[str, str], docs: Path, hoverkite: Run
) -> None:
    with Terminal([*HOVERKITE, str(docs)], program_env) as terminal:
        terminal.wait_for("query", 20)
        terminal.type("How many eggs do kites lay?" + ENTER)
        terminal.wait_for("kites.md", 60)
        terminal.wait_for("two to five eggs", 20)
        assert "t/s" not in terminal.text, "the extracts did not wait for vLLM"
        terminal.wait_for("t/s", 300)

        (docs / "owls.md").write_text("# Owls\n\nThe eagle owl raises its young in a quarry.\n")
        ask(terminal, "eagle owl quarry")
        terminal.wait_for("owls.md", 20)

        pids = json.loads(hoverkite("status", docs, "--json").stdout)["pids"]
        assert all(pids.values())
        vllm = [pids["vllm"], *(p.pid for p in psutil.Process(pids["vllm"]).children(True))]
        os.kill(pids["engine"], signal.SIGKILL)
        wait_until_gone(pids["milvus"], *vllm)

        terminal.wait_for("● watching 4 files", 60)
        ask(terminal, "hard steel for forging")
        terminal.wait_for("anvil.md", 60)
        terminal.type(CTRL_Q)
        assert terminal.wait_for_end(20) == 0
    assert b"Traceback" not in terminal.raw
