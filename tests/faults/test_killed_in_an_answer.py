"""Somebody is killed in the middle of an answer: the asker, vLLM's supervisor, the engine.

The real program, engine and vLLM, each a process of its own.
"""

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from engine import paths
from engine.serving import vllm_remains
from engine.serving.endpoint import Endpoint
from engine.serving.vllm_figures import figures
from tests.e2e.conftest import HOVERKITE, Run, docs, hoverkite, program_env
from tests.models import PREPARED_CACHE, without_an_end
from tests.opened import until_it
from tests.supervised import until

__all__ = ["docs", "hoverkite", "program_env"]

pytestmark = [
    pytest.mark.real, pytest.mark.vllm, pytest.mark.slow, pytest.mark.timeout(480),
]  # fmt: skip

QUESTION = "Count the beats of the kite's wings one by one, from 1 to 1000."
LONG = {"HOVERKITE_LLM_MAX_TOKENS": "3000"}


@pytest.fixture
def endless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model of the user's own whose answers only end where the context does."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(PREPARED_CACHE))
    folder = tmp_path / "model"
    folder.mkdir()
    return without_an_end(folder)


@pytest.fixture
def env(program_env: dict[str, str], endless: Path) -> dict[str, str]:
    program_env |= LONG | {"HOVERKITE_LLM_MODEL": str(endless)}
    return program_env


@contextlib.contextmanager
def in_an_answer(docs: Path, env: dict[str, str]) -> Iterator["subprocess.Popen[str]"]:
    """Ask, and go on once the model writes; the asker is gone at the end."""
    command = [*HOVERKITE, "ask", str(docs), QUESTION, "--anyway"]
    with subprocess.Popen(
        command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    ) as asker:  # fmt: skip
        try:
            assert asker.stdout
            while not asker.stdout.readline().startswith("— "):
                assert asker.poll() is None, asker.communicate()
            assert asker.stdout.read(1), "the model writes"
            yield asker
        finally:
            asker.kill()


def served() -> list[psutil.Process]:
    """The living processes of all vLLMs of this user."""
    folders = paths.runtime_dir().glob("vllm-*.d")
    return [process for folder in folders for process in vllm_remains.working_in(folder)]


def segments(processes: list[psutil.Process]) -> set[Path]:
    """The shared memory that they use."""
    return {path for process in processes for path in vllm_remains.shared_memory(process)}


def left_over() -> list[str]:
    """What of vLLM is left in the folder of sockets, besides locks."""
    return [path.name for path in paths.runtime_dir().glob("vllm-*") if path.suffix != ".lock"]


def kept_answers(hoverkite: Run, docs: Path) -> list[tuple[str, str]]:
    """The kept answers, oldest first, each with how it ended."""
    listed = json.loads(hoverkite("conversations", docs, "--json").stdout)["conversations"]
    names = [each["id"] for each in listed]
    shown = [
        json.loads(hoverkite("conversations", docs, "show", n, "--json").stdout) for n in names
    ]
    turns = sorted((turn for each in shown for turn in each["turns"]), key=lambda t: t["asked"])
    return [(turn["answer"], turn["finish_reason"]) for turn in turns]


async def test_nothing_is_lost_and_nobody_is_left(
    docs: Path, env: dict[str, str], endless: Path, hoverkite: Run
) -> None:
    with in_an_answer(docs, env) as asker:
        processes = served()
        asker.kill()
    (socket,) = paths.runtime_dir().glob("vllm-*.sock")
    endpoint = Endpoint(str(endless), 0, socket=socket)

    async def is_free() -> bool:
        counted = await figures(endpoint)
        return counted is not None and counted.running == 0

    await until_it(is_free, 10)
    assert served() == processes, "it waits for the next question"

    with in_an_answer(docs, env) as asker:
        shared = segments(processes)
        assert shared
        supervisor = processes[0].parent()
        assert supervisor is not None and "vllm_supervisor" in " ".join(supervisor.cmdline())
        supervisor.send_signal(signal.SIGKILL)
        written, said = asker.communicate(timeout=60)
    assert asker.returncode not in (0, -signal.SIGKILL)
    assert written.strip()
    assert "cut off" in said or "The model failed" in said  # as this or that process ends first
    assert "Ask again" in said
    await until(lambda: not vllm_remains.living(processes), 30)
    assert not [segment for segment in shared if segment.exists()]

    with in_an_answer(docs, env):
        processes = served()
        shared = segments(processes)
        engine = json.loads(hoverkite("status", docs, "--json").stdout)["pids"]["engine"]
        os.kill(engine, signal.SIGKILL)
        await until(lambda: not vllm_remains.living(processes), 30)
    assert not [segment for segment in shared if segment.exists()]
    kept = kept_answers(hoverkite, docs)
    assert [reason for _, reason in kept] == ["", "", ""]
    assert all(answer.strip() for answer, _ in kept[:2])
    assert left_over() == []
