"""The engine process with all its parts: what it leaves, who may read it, when folders close."""

import asyncio
import contextlib
import os
import signal
import stat
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from engine import config, own_process, paths
from engine.config import Settings
from engine.errors import EngineError, EngineStoppedError, FolderError
from engine.front import cli, client, connection
from engine.front.connection import EngineClient
from engine.politeness import AUTOGROUP, SESSION
from engine.server import service
from engine.server.service import Engine
from engine.wire import api
from engine.wire.api_answer import AskRequest
from engine.wire.api_search import SearchRequest
from tests.hits import wanted
from tests.scripted_vllm import scripted_vllm
from tests.supervised import alive, launch, remains, until

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]

KEY = "sekret-key-0123456789"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return folder_of(tmp_path / "docs")


def folder_of(root: Path) -> Path:
    root.mkdir()
    (root / "kite.md").write_text("# Kite\n\nThe red kite steers with its forked tail.\n")
    return root


@pytest.fixture
def cache(encoder_cache: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own that holds the prepared encoder."""
    folder = home / ".cache"
    (folder / paths.APP).mkdir(parents=True, mode=0o700)
    (folder / paths.APP / "encoders").symlink_to(encoder_cache / "encoders")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder


@dataclass
class Running:
    """A real engine with a folder open and the stand-in for vLLM ready."""

    engine: EngineClient
    folder: str
    pids: api.Processes
    process: "subprocess.Popen[bytes]"


@pytest.fixture
async def running(
    root: Path,
    cache: Path,
    launched: list["subprocess.Popen[bytes]"],
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Running]:
    command = own_process.command
    monkeypatch.setattr(
        own_process,
        "command",
        lambda module: command("tests.engine_with_fake_vllm" if module == "engine" else module),
    )
    before = os.umask(0o022)  # as most people have it
    engine = await client.connect(config.load())
    try:
        opened = await engine.open_folder(str(root), start_llm=True)
        async with contextlib.aclosing(engine.sync(opened.folder)) as events:
            assert [event async for event in events][-1].type == "synced"
        status = await settled(engine, opened.folder)
        yield Running(engine, opened.folder, status.pids, launched[-1])
    finally:
        await engine.close()
        with contextlib.suppress(EngineError):
            await client.stop_engine()
        os.umask(before)


async def settled(engine: EngineClient, folder: str) -> api.FolderStatus:
    """Wait until vLLM is ready and return the status."""
    async with asyncio.timeout(60), contextlib.aclosing(engine.events(folder)) as statuses:
        async for status in statuses:
            if status.llm.state == "ready":
                return status
    raise AssertionError("the engine stopped")


def gone(pids: api.Processes) -> bool:
    """Whether no process of an engine is left, nor a file that tells of one."""
    task = launch("serve").task
    sockets = [path for path in paths.runtime_dir().iterdir() if path.is_socket()]
    return not (
        any(pid and psutil.pid_exists(pid) for pid in (pids.milvus, pids.vllm))
        or alive(task)
        or remains(task)
        or sockets
    )


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_engine_and_all_it_started(
    running: Running, sign: signal.Signals
) -> None:
    events = running.engine.events(running.folder)
    assert (await anext(events)).pids == running.pids
    assert running.pids.milvus
    assert running.pids.vllm
    os.kill(running.process.pid, sign)
    with pytest.raises(EngineStoppedError):  # a screen must not take it for a crash
        async for status in events:
            assert status.pids.engine == running.process.pid
    assert await asyncio.to_thread(running.process.wait, 20) == 0
    assert not paths.engine_socket().exists()
    assert gone(running.pids)
    log = (paths.log_dir() / "engine.log").read_text()
    assert "ERROR" not in log
    assert log.rstrip().endswith("stopped")


@pytest.mark.skipif(not AUTOGROUP.exists(), reason="this kernel does not group sessions")
async def test_engine_and_vllm_leave_the_processor_to_terminals(running: Running) -> None:
    for pid in (running.process.pid, running.pids.vllm):
        assert Path(f"/proc/{pid}/autogroup").read_text().endswith(f" nice {SESSION}\n")


async def test_everything_an_engine_makes_is_private(running: Running, cache: Path) -> None:
    found = {
        path
        for place in (paths.data_dir(), paths.log_dir(), paths.runtime_dir(), cache / paths.APP)
        for path in made_in(place)
    }
    names = {path.name for path in found}
    assert {"engine.sock", "engine.lock", "engine.log", "manifest.sqlite", "index.db"} <= names
    assert {".lease", ".lock", ".sock", ".log", ".seconds", ".d"} <= {p.suffix for p in found}
    sockets = [path for path in found if path.is_socket()]
    assert len(sockets) >= 4, "the engine's, Milvus's, the lease's and vLLM's"
    assert {oct(mode_of(path)): path for path in found if mode_of(path) & 0o077} == {}


def made_in(place: Path) -> Iterator[Path]:
    """Yield a folder and all that is in it; a link to a folder is followed."""
    yield place
    for folder, folders, files in os.walk(place, followlinks=True):
        yield from (Path(folder) / name for name in folders + files)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_the_key_is_nowhere_to_be_read(
    root: Path,
    home: Path,
    cache: Path,
    launched: list["subprocess.Popen[bytes]"],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(config.KEY_NAME, KEY)
    async with scripted_vllm() as vllm:
        vllm.api_key = KEY
        flags = {"llm_url": vllm.url}
        engine = await client.connect(config.load(flags), flags)
        opened = await engine.open_folder(str(root))
        assert await last_event(engine, opened.folder) == "finished"
        vllm.script.status = 500
        assert await last_event(engine, opened.folder) == "failed"
        vllm.api_key = "another"
        vllm.script.status = 401
        assert await last_event(engine, opened.folder) == "failed"
        with pytest.raises(FolderError):
            await engine.search("no such folder", SearchRequest(query="kite"))

        process = psutil.Process(launched[-1].pid)
        processes = [process, *process.children(recursive=True)]
        assert len(processes) >= 2, "the engine and Milvus"
        for one in processes:
            for told in ("cmdline", "environ"):
                assert KEY.encode() not in Path(f"/proc/{one.pid}/{told}").read_bytes()
        await engine.close()
        await client.stop_engine()
    written = [path for place in (home, paths.runtime_dir()) for path in place.rglob("*")]
    files = [path for path in written if path.is_file()]
    assert paths.log_dir() / "engine.log" in files
    assert [path for path in files if KEY.encode() in path.read_bytes()] == []


async def last_event(engine: EngineClient, folder: str) -> str:
    asked = AskRequest(question="How does the kite steer?")
    events = [event async for event in engine.ask(folder, asked)]
    return events[-1].type


async def test_an_engine_that_hangs_is_ended_by_stop(
    running: Running,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(connection, "GREETING_SECONDS", 1)
    monkeypatch.setattr(connection, "SILENCE_SECONDS", 1)
    monkeypatch.setattr(client, "END_SECONDS", 1)
    os.kill(running.process.pid, signal.SIGSTOP)
    began = time.monotonic()
    assert await asyncio.to_thread(command, "search", root, "kite") == 1
    said = capsys.readouterr().err
    assert "does not answer" in said
    assert "hoverkite stop" in said
    assert await asyncio.to_thread(command, "stop") == 0
    assert "The engine has stopped." in capsys.readouterr().err
    assert time.monotonic() - began < 10
    assert running.process.wait(0) == -signal.SIGKILL
    await until(lambda: not alive(launch("serve").task))
    await until(lambda: not psutil.pid_exists(running.pids.milvus or 0))


async def test_an_engine_whose_lock_is_removed_leaves(running: Running) -> None:
    paths.engine_lock().unlink()
    assert await asyncio.to_thread(running.process.wait, 30) == 0
    assert gone(running.pids)
    log = (paths.log_dir() / "engine.log").read_text()
    assert f"{paths.engine_lock()} was removed: this engine leaves" in log


async def test_an_engine_whose_lock_was_removed_is_stopped(
    running: Running, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "GREETING_SECONDS", 0.5)
    paths.engine_lock().unlink()
    os.kill(running.process.pid, signal.SIGSTOP)
    assert await asyncio.to_thread(command, "stop") == 1
    assert "does not stop" in capsys.readouterr().err
    os.kill(running.process.pid, signal.SIGCONT)
    assert await asyncio.to_thread(command, "stop") == 0
    assert "The engine has stopped." in capsys.readouterr().err
    assert running.process.wait(0) == 0
    assert gone(running.pids)
    assert await asyncio.to_thread(command, "stop") == 0
    assert "No engine is running." in capsys.readouterr().err


def command(*words: str | Path) -> int:
    return cli.main([str(word) for word in words], lambda *_: 0)


# --- folders that nobody uses ----------------------------------------------------------------


@pytest.fixture
async def engine(
    encoder_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Engine, Callable[[], bool]]]:
    """An engine in this process, and whether it wants to leave."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(encoder_cache.parent))
    left = asyncio.Event()
    made = Engine(Settings(engine_linger_minutes=0), left.set)
    yield made, left.is_set
    await made.close()


async def opened(engine: Engine, root: Path) -> str:
    folder = (await engine.open(api.OpenFolder(path=str(root)))).folder
    await engine.folder(folder).synced()
    return folder


async def test_a_folder_that_nobody_uses_is_closed_and_can_be_opened_again(
    engine: tuple[Engine, Callable[[], bool]], root: Path
) -> None:
    open_engine, _ = engine
    name = await opened(open_engine, root)
    folder = open_engine.folder(name)
    milvus = folder.milvus_pid
    assert milvus
    await open_engine.folders.close_unused(60)
    with open_engine.in_use(folder):
        await open_engine.folders.close_unused(0)
    assert open_engine.folder(name) is folder

    # One request comes while the folder is being closed, one after that.
    closing = asyncio.create_task(open_engine.folders.close_unused(0))
    await asyncio.sleep(0)
    with pytest.raises(FolderError, match="not open"):
        open_engine.folder(name)
    again = await opened(open_engine, root)
    assert closing.done()
    assert not psutil.pid_exists(milvus)
    assert again == name
    assert (await open_engine.folder(again).search(wanted("forked tail", 1))).hits


async def test_the_engine_closes_folders_while_it_is_used_and_leaves_when_it_is_not(
    engine: tuple[Engine, Callable[[], bool]],
    root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(service, "LEAST_LINGER", 0.2)
    open_engine, has_left = engine
    name = await opened(open_engine, root)
    other = await opened(open_engine, folder_of(tmp_path / "other"))
    used = open_engine.folder(name)
    unused = open_engine.folder(other).milvus_pid
    assert unused
    with open_engine.in_use(used):
        lingering = asyncio.create_task(open_engine.leave_when_unused())
        # Not by asking for the folder, which would be a use.
        await until(lambda: not psutil.pid_exists(unused))
        assert open_engine.folder(name) is used
        assert not has_left()
    await asyncio.wait_for(lingering, 10)
    assert has_left()
