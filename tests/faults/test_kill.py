"""A process that is killed while it writes leaves an index that the next one makes whole."""

import json
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from engine import paths

pytestmark = pytest.mark.real


@pytest.mark.parametrize("kind", ["insert", "update", "delete"])
@pytest.mark.parametrize(
    "rounds", [4, pytest.param(24, marks=[pytest.mark.slow, pytest.mark.timeout(300)])]
)
def test_killed_at_random_moments_nothing_is_lost_or_doubled(
    tmp_path: Path, kind: str, rounds: int
) -> None:
    root = tmp_path / "docs"
    root.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.killed", str(root), kind, "7", str(rounds)],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr[-2000:]
    figures = json.loads(done.stderr.splitlines()[-1])
    print(figures)  # for the manual: pytest -s
    assert figures["acknowledged"] >= rounds
    assert figures["looked"] >= rounds
    # A killed writer's server carries the path of the index's file, and ends by itself.
    place = str(paths.index_dir(root))
    servers = [p for p in psutil.process_iter(["cmdline"]) if place in str(p.info["cmdline"])]
    assert psutil.wait_procs(servers, timeout=10)[1] == []
