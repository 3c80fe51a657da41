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

PLACEHOLDER = "Ask your documents anything"

pytestmark = [pytest.mark.terminal, pytest.mark.vllm, pytest.mark.timeout(1200)]

SOON = 120.0
"""Seconds for what takes a few on an idle machine."""
MODEL_START = 600.0
"""Seconds for vLLM's start and its answer, half a minute on an idle machine."""


def ask(terminal: Terminal, question: str) -> None:
    """Clear the query and ask another question."""
    clear_the_query(terminal)
    terminal.type(question)
    terminal.wait_for(question, SOON)
    terminal.type(ENTER)


def clear_the_query(terminal: Terminal) -> None:
    """Press Esc until the query is empty: while an answer streams, the first one stops that."""
    for _ in range(3):
        terminal.type(ESCAPE)
        try:
            terminal.wait_for(PLACEHOLDER, SOON / 3)
        except AssertionError:
            continue
        return
    raise AssertionError(f"the query was not cleared:\n{terminal.text}")


def wait_until_gone(*pids: int) -> None:
    deadline = time.monotonic() + SOON
    while any(map(runs, pids)):
        assert time.monotonic() < deadline, f"of {pids} some still run"
        psutil.wait_procs([], timeout=0.1)


def runs(pid: int) -> bool:
    """Whether a process does anything still; in a container nobody may collect the dead."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_ask_edit_find_and_survive_a_killed_engine(
    program_env: dict[str, str], docs: Path, hoverkite: Run
) -> None:
    with Terminal([*HOVERKITE, str(docs)], program_env) as terminal:
        terminal.wait_for(PLACEHOLDER, SOON)
        ask(terminal, "How many eggs do kites lay?")
        terminal.wait_for("kites.md", SOON)
        terminal.wait_for("two to five eggs", SOON)
        assert "t/s" not in terminal.text, "the extracts did not wait for vLLM"
        terminal.wait_for("t/s", MODEL_START)

        (docs / "owls.md").write_text("# Owls\n\nThe eagle owl raises its young in a quarry.\n")
        ask(terminal, "eagle owl quarry")
        terminal.wait_for("owls.md", SOON)

        pids = json.loads(hoverkite("status", docs, "--json").stdout)["pids"]
        assert all(pids.values())
        vllm = [pids["vllm"], *(p.pid for p in psutil.Process(pids["vllm"]).children(True))]
        os.kill(pids["engine"], signal.SIGKILL)
        wait_until_gone(pids["milvus"], *vllm)

        terminal.wait_for("● watching 4 files", SOON)
        ask(terminal, "hard steel for forging")
        terminal.wait_for("anvil.md", SOON)
        terminal.type(CTRL_Q)
        assert terminal.wait_for_end(SOON) == 0
    assert b"Traceback" not in terminal.raw
