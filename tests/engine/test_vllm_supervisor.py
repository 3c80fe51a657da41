"""Nothing of vLLM survives: leases, stops, deaths, and the sweep at the next start."""

# ruff: noqa: ASYNC220  the loop of a test may wait for a file or a process

import asyncio
import os
import pty
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from engine.errors import ModelError
from engine.politeness import AUTOGROUP, SESSION
from engine.serving import vllm_remains
from engine.serving.vllm_lease import Lease
from engine.serving.vllm_supervisor import Task
from tests.supervised import alive, launch, remains, until

ROOT = Path(__file__).resolve().parents[2]


def supervisor_of(lease: Lease) -> psutil.Process:
    parent = psutil.Process(lease.pid).parent()
    assert parent is not None
    assert "engine.serving.vllm_supervisor" in parent.cmdline()
    return parent


@pytest.fixture(autouse=True)
def nothing_survives(home: Path) -> Iterator[None]:
    """End what a failed test left running."""
    yield
    vllm_remains.end(launch("serve").task.folder, grace=0)


@pytest.fixture
def task() -> Task:
    return launch("serve").task


async def started(task: Task, *, processes: int = 2) -> Lease:
    lease = await Lease.take(task)
    await until(lambda: len(alive(task)) == processes and task.socket.exists())
    return lease


async def test_stop_leaves_nothing(task: Task) -> None:
    lease = await started(task)
    assert psutil.Process(lease.pid).nice() == 3
    supervisor = supervisor_of(lease)
    await lease.stop()
    assert alive(task) == []
    assert remains(task) == []
    await until(lambda: not supervisor.is_running())


async def test_the_supervisor_is_detached_and_its_files_are_private(task: Task) -> None:
    lease = await started(task)
    supervisor = supervisor_of(lease)
    assert os.getsid(supervisor.pid) == supervisor.pid
    assert os.getpgid(lease.pid) == lease.pid != supervisor.pid
    for path in (task.lease, task.socket, Path(task.log), task.lock):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    assert stat.S_IMODE(task.folder.stat().st_mode) == 0o700
    await lease.stop()


@pytest.mark.skipif(not AUTOGROUP.exists(), reason="this kernel does not group sessions")
async def test_vllm_is_polite_to_other_sessions_too(task: Task) -> None:
    lease = await started(task)
    command = next(each for each in alive(task) if each.ppid() == supervisor_of(lease).pid)
    assert Path(f"/proc/{command.pid}/autogroup").read_text().endswith(f" nice {SESSION}\n")
    await lease.stop()


@pytest.mark.parametrize("mode", ["serve", "never", "stubborn"])
async def test_an_engine_that_is_killed_takes_vllm_with_it(mode: str) -> None:
    task = launch(mode).task
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD_FOREVER, task.to_json()],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
    with holder:
        assert holder.stdout
        assert (await asyncio.to_thread(holder.stdout.readline)).startswith(b"holding")
        await until(lambda: len(alive(task)) == 2)
        holder.kill()
    await until(lambda: not alive(task) and not remains(task))


HOLD_FOREVER = """
import asyncio, json, sys
from engine.serving.vllm_lease import Lease
from engine.serving.vllm_supervisor import Task
from tests.supervised import alive, launch, remains, until
async def main():
    lease = await Lease.take(Task(**json.loads(sys.argv[1])))
    print("holding", lease.pid, flush=True)
    await lease.lost()
asyncio.run(main())
"""


async def test_a_worker_that_escaped_the_tree_is_found() -> None:
    task = launch("escape").task
    lease = await started(task)
    await lease.stop()
    assert alive(task) == []


async def test_vllm_lives_while_another_lease_is_held(task: Task) -> None:
    first = await started(task)
    second = await Lease.take(task)
    assert second.pid == first.pid
    await first.stop()
    third = await Lease.take(task)
    assert third.pid == second.pid
    assert len(alive(task)) == 2
    await second.stop()
    assert len(alive(task)) == 2
    await third.stop()
    assert alive(task) == []
    assert remains(task) == []


async def test_vllm_that_dies_is_reported_and_its_workers_are_ended(task: Task) -> None:
    lease = await started(task)
    os.kill(lease.pid, signal.SIGKILL)
    assert await asyncio.wait_for(lease.lost(), 20) == -signal.SIGKILL
    assert alive(task) == []
    await until(lambda: not remains(task))


async def test_a_killed_supervisor_takes_vllm_with_it_or_the_next_one_does() -> None:
    task = launch("stubborn").task
    lease = await started(task)
    api_server = psutil.Process(lease.pid)
    supervisor_of(lease).kill()
    assert await asyncio.wait_for(lease.lost(), 10) is None
    await until(lambda: not vllm_remains.living([api_server]))
    worker = alive(task)
    assert len(worker) == 1, "the worker ignores SIGTERM"
    again = await started(task)
    assert vllm_remains.living(worker) == []
    await again.stop()


async def test_only_processes_of_the_run_folder_are_ended(task: Task) -> None:
    beside = task.folder.with_name("vllm-0123456789ab.d.mine")
    beside.mkdir()
    with subprocess.Popen(["sleep", "600"], cwd=beside) as stranger:
        await (await started(task)).stop()
        assert stranger.poll() is None
        stranger.kill()


async def test_a_process_with_a_terminal_is_a_persons(tmp_path: Path) -> None:
    pid, screen = pty.fork()
    if pid == 0:
        os.chdir(tmp_path)
        os.execvp("sleep", ["sleep", "600"])
    try:
        await until(lambda: psutil.Process(pid).name() == "sleep")
        assert vllm_remains.working_in(tmp_path) == []
    finally:
        os.kill(pid, signal.SIGKILL)
        await asyncio.to_thread(os.waitpid, pid, 0)
        os.close(screen)


async def test_many_engines_at_once_share_one_vllm(task: Task) -> None:
    leases = await asyncio.gather(*(Lease.take(task) for _ in range(4)))
    assert len({lease.pid for lease in leases}) == 1
    await asyncio.gather(*(lease.stop() for lease in leases))
    assert alive(task) == []


async def test_an_engine_that_comes_while_vllm_ends_gets_a_living_one(task: Task) -> None:
    first = await started(task)
    stopping = asyncio.create_task(first.stop())
    await asyncio.sleep(0)
    second = await Lease.take(task)
    await stopping
    await until(lambda: len(alive(task)) == 2)
    assert second.pid in [process.pid for process in alive(task)]
    await second.stop()


async def test_files_of_a_dead_supervisor_do_not_matter(task: Task) -> None:
    task.folder.mkdir()
    (task.folder / "old").write_text("left behind")
    for path in (task.lease, task.socket):
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(path))
    lease = await started(task)
    assert not (task.folder / "old").exists()
    await lease.stop()


async def test_a_command_that_does_not_exist(task: Task) -> None:
    missing = Task(**{**vars(task), "argv": ["/nowhere/python"]})
    with pytest.raises(ModelError, match="its supervisor ended"):
        await Lease.take(missing, patience_s=1)
    await until(lambda: not remains(missing))


async def test_what_a_killed_supervisor_left_goes_whatever_is_started_next(task: Task) -> None:
    """The next engine may serve another model: what is left is under another name then."""
    stubborn = launch("stubborn", "vllm-00000000dead").task
    lease = await started(stubborn)
    api_server, supervisor = psutil.Process(lease.pid), supervisor_of(lease)
    os.kill(supervisor.pid, signal.SIGSTOP)
    api_server.kill()
    supervisor.kill()
    await lease.lost()
    other = await started(task)
    assert len(alive(stubborn)) == 1
    await asyncio.to_thread(vllm_remains.sweep, stubborn.folder.parent)
    assert alive(stubborn) == []
    assert remains(stubborn) == []
    assert len(alive(task)) == 2, "one whose supervisor lives stays"
    assert task.socket.exists()
    await other.stop()


MAP_FOREVER = """
import mmap, sys, time
file = open(sys.argv[1], "w+b"); file.truncate(4096)
shared = mmap.mmap(file.fileno(), 4096); shared[0] = 1
time.sleep(600)
"""


async def mapping(task: Task, segment: Path) -> Lease:
    argv = [sys.executable, "-c", MAP_FOREVER, str(segment)]
    lease = await Lease.take(Task(**{**vars(task), "argv": argv}))
    process = psutil.Process(lease.pid)
    await until(lambda: segment in vllm_remains.shared_memory(process))
    return lease


async def test_shared_memory_goes_with_its_processes(task: Task) -> None:
    segment = vllm_remains.SHARED_MEMORY / f"hk-test-{os.getpid()}"
    lease = await mapping(task, segment)
    await lease.stop()
    assert not segment.exists()


async def test_shared_memory_goes_even_when_all_were_killed_at_once(task: Task) -> None:
    segment = vllm_remains.SHARED_MEMORY / f"hk-test-{os.getpid()}"
    lease = await mapping(task, segment)
    vllm_remains.note_shared_memory(task.folder)
    supervisor = supervisor_of(lease)
    os.kill(supervisor.pid, signal.SIGSTOP)
    os.kill(lease.pid, signal.SIGKILL)
    supervisor.kill()
    await lease.lost()
    assert segment.exists()
    await (await started(task)).stop()
    assert not segment.exists()


@pytest.mark.parametrize("noted", ["../../etc/passwd", "..", ".", "", "/etc/passwd"])
def test_a_forged_note_removes_nothing_elsewhere(noted: str, tmp_path: Path) -> None:
    (tmp_path / vllm_remains.NOTED).write_text(noted)
    assert vllm_remains._noted(tmp_path) == set()
