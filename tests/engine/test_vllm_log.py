"""The log of a running vLLM is kept short by its supervisor."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine import own_process
from engine.serving import vllm_remains
from engine.serving.vllm_lease import Lease
from engine.serving.vllm_log import last_lines
from tests.supervised import launch, until

IMPATIENT = """
import sys
from engine.serving import vllm_log, vllm_supervisor
vllm_supervisor.LOG_EVERY = 0.05
sys.exit(vllm_supervisor.main())
"""


@pytest.mark.real
async def test_a_long_log_is_cut_while_the_command_goes_on_writing(home: Path) -> None:
    task = launch("serve").task
    await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", IMPATIENT],
        input=task.to_json(),
        text=True,
        check=True,
        env=os.environ | own_process.environment(),
    )
    try:
        lease = await Lease.take(task)
        log = Path(task.log)
        assert log.stat().st_mode & 0o777 == 0o600
        with log.open("ab") as writing:  # noqa: ASYNC230  nobody else waits
            writing.write(b"a line of its log\n" * 400_000)
        await until(lambda: log.stat().st_size < 100_000)
        assert log.read_bytes().endswith(b"\na line of its log\n")
        await lease.stop()
    finally:
        vllm_remains.end(task.folder, grace=0)


def test_the_addresses_of_the_server_are_no_lines_of_note(tmp_path: Path) -> None:
    told = "(APIServer pid=1) INFO 11-23 09:53:34 [launcher.py:195] "
    lines = ("Starting vLLM server", "Available routes are:", "Route: /v1/models, Methods: GET")
    log = tmp_path / "vllm.log"
    log.write_text("".join(f"{told}{line}\n" for line in lines))
    assert last_lines(log) == ["Starting vLLM server"]
