"""Milvus Lite's server: ready when it listens, in a private place, and never two on one file."""

import stat
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from pymilvus import MilvusClient

from engine import paths
from engine.errors import StoreError
from engine.storage import lite_server

pytestmark = pytest.mark.real


def sockets() -> list[Path]:
    return list(paths.runtime_dir().glob("milvus-*.sock"))


def servers(target: Path) -> list[psutil.Process]:
    children = psutil.Process().children()
    return [child for child in children if str(target) in " ".join(child.cmdline())]


def test_a_server_can_be_called_as_soon_as_it_is_started(home: Path) -> None:
    target = home / "index.db"
    lite_server.start(target)
    lite_server.start(target)
    (server,) = servers(target)
    (socket,) = sockets()
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
    client = MilvusClient(str(target), timeout=5)
    assert client.list_collections() == []
    client.close()
    lite_server.release(target)
    lite_server.release(target)
    assert not server.is_running()
    assert not sockets()


HOLDER = """
import sys
from pathlib import Path
from engine.storage import lite_server
lite_server.START_SECONDS = 1.0
lite_server.start(Path(sys.argv[1]))
print("started", flush=True)
sys.stdin.read()
"""


def test_a_file_that_another_process_has_is_refused_until_it_ends(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = home / "index.db"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(target)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout and holder.stdin
        assert holder.stdout.readline() == b"started\n"
        (server,) = psutil.Process(holder.pid).children()
        monkeypatch.setattr(lite_server, "START_SECONDS", 0.1)
        with pytest.raises(StoreError, match="in use by another process"):
            lite_server.start(target)
        monkeypatch.undo()
        holder.kill()
    assert psutil.wait_procs([server], timeout=10)[1] == [], "it outlived its engine"
    lite_server.start(target)
    lite_server.release(target)


@pytest.mark.parametrize("damage", [b"\0" * 50_000, b"not a database" * 1000])
def test_a_server_that_ends_at_once_is_told(home: Path, damage: bytes) -> None:
    target = home / "index.db"
    target.write_bytes(damage)
    with pytest.raises(StoreError, match="can't be opened: Milvus Lite ended with status"):
        lite_server.start(target)
    assert not servers(target)


def test_a_refused_start_leaves_the_lock_of_the_other_alone(home: Path) -> None:
    target = home / "index.db"
    lite_server.start(target)
    asked = subprocess.run(
        [sys.executable, "-c", HOLDER, str(target)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "in use by another process" in asked.stderr
    assert (home / ".index.db.lock").exists()
    lite_server.release(target)
