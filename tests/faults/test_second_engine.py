"""A second engine, what a dead one left behind, and a data folder that cannot be written."""

import asyncio
import contextlib
import os
import socket
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from engine import config, own_process, paths
from engine.errors import EngineError, HoverkiteError
from engine.front import cli, client
from engine.front.connection import EngineClient
from engine.server import engine_lock
from engine.server.service import Engine
from engine.wire import api
from tests.engine.tiny_encoder import TinyEncoder
from tests.faults.disks import read_only
from tests.opened import embedded, indexed, on_disk, opening

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]

Launched = list["subprocess.Popen[bytes]"]


@contextlib.asynccontextmanager
async def connected() -> AsyncIterator[EngineClient]:
    found = await client.connect(config.load())
    try:
        yield found
    finally:
        await found.close()


@pytest.fixture
async def no_engine_is_left(cache: Path) -> AsyncIterator[None]:
    yield
    with contextlib.suppress(EngineError):
        await client.stop_engine()


# --- two of them -----------------------------------------------------------------------------


async def test_of_engines_started_at_once_one_stays_and_all_attach_to_it(
    no_engine_is_left: None, launched: Launched
) -> None:
    clients = await asyncio.gather(*(client.connect(config.load()) for _ in range(4)))
    pids = {(await one.hello()).pid for one in clients}
    late = await asyncio.to_thread(start_another)
    async with connected() as one:
        pids.add((await one.hello()).pid)
    for one in clients:
        await one.close()
    assert late == 0, "it left without a fuss"
    assert len(pids) == 1
    (pid,) = pids
    running = [process.pid for process in launched if process.poll() is None]
    assert running == [pid]
    assert engine_lock.holder() == pid


def start_another() -> int:
    environment = own_process.environment()
    command = own_process.command("engine")
    done = subprocess.run(command, input=b"{}", env=environment, cwd="/", timeout=60, check=False)
    return done.returncode


# --- what a dead one left --------------------------------------------------------------------


def dead_process() -> int:
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def ourselves() -> int:
    return os.getpid()


@pytest.mark.parametrize("holder", [dead_process, ourselves])
async def test_a_stale_lock_and_socket_are_in_nobodys_way(
    no_engine_is_left: None, launched: Launched, holder: Callable[[], int]
) -> None:
    stale = paths.engine_socket()
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as left:
        left.bind(str(stale))
    elsewhere = stale.with_name("elsewhere.sock")
    paths.engine_lock().write_bytes(b"%d\n%s" % (holder(), os.fsencode(elsewhere)))
    async with connected() as one:
        assert (await one.hello()).pid == launched[-1].pid


# --- what cannot be written ------------------------------------------------------------------


def test_a_data_folder_that_cannot_be_written_is_named(
    root: Path,
    cache: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with read_only(paths.make_private(paths.data_dir())):
        assert cli.main(["search", str(root), "note"], lambda *_: 0) == 1
    said = capsys.readouterr().err
    assert str(paths.data_dir()) in said
    assert "read-only" in said.lower() or "permission" in said.lower()
    assert_no_bad_advice(said)


@pytest.mark.parametrize("part", ["indexes", "one index"])
async def test_an_index_that_cannot_be_written_is_named_and_stays_as_it_was(
    root: Path, encoder: TinyEncoder, part: str
) -> None:
    async with opening(root, encoder):
        pass
    index = paths.index_dir(root)
    before = contents(index)
    engine = Engine(config.load(), lambda: None)
    with read_only(index if part == "one index" else index.parent):
        with pytest.raises(HoverkiteError) as met:
            opened = await engine.open(api.OpenFolder(path=str(root)))
            await engine.folder(opened.folder).synced()
        await engine.close()
    assert str(index) in str(met.value)
    assert "read-only" in f"{met.value} {met.value.next_step}".lower()
    assert_no_bad_advice(f"{met.value} {met.value.next_step}")
    assert contents(index) == before


async def test_once_it_can_be_written_again_all_is_as_before(
    root: Path, encoder: TinyEncoder
) -> None:
    async with opening(root, encoder):
        pass
    known = len(embedded(encoder))
    with read_only(paths.index_dir(root)), pytest.raises(HoverkiteError):
        async with opening(root, encoder):
            pass
    async with opening(root, encoder) as opened:
        assert await indexed(opened) == on_disk(root)
    assert len(embedded(encoder)) == known


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def assert_no_bad_advice(said: str) -> None:
    for advice in ("delete", "remove", "rm -"):
        assert advice not in said.lower()
