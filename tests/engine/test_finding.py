"""Where the engine is found, and why it could not be started."""

import errno
import fcntl
import os
from pathlib import Path

import pytest

from engine import paths
from engine.errors import EngineError
from engine.front import client
from engine.server import engine_lock


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATA", "STATE", "CONFIG", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))


def test_an_engine_is_found_from_another_runtime_folder(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    with engine_lock.held() as alone:
        assert alone
        where = paths.engine_socket()
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("r")))
        assert paths.engine_socket() != where
        assert (engine_lock.socket(), engine_lock.holder()) == (where, os.getpid())
    assert (engine_lock.socket(), engine_lock.holder()) == (paths.engine_socket(), None)


def test_a_relative_runtime_folder_is_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "r").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "r")
    assert paths.runtime_dir().is_absolute()
    assert not list((tmp_path / "r").iterdir())


LOG = """\
2026-01-01 00:00:00,000 41 ERROR engine: the disk of another engine is full
2026-01-01 00:00:01,000 42 INFO engine: engine 42 listens
2026-01-01 00:00:02,000 42 ERROR engine: the port is taken
2026-01-01 00:00:03,000 42 INFO engine: engine 42 stopped
"""


@pytest.mark.parametrize(
    ("pid", "status", "why"),
    [
        (42, 1, "engine: the port is taken"),
        (43, 1, "it ended with status 1; "),
        (43, -9, "it ended with SIGKILL; "),
        (0, None, "may tell why"),
    ],
)
def test_a_start_that_failed_is_explained_by_that_engine_s_own_words(
    pid: int, status: int | None, why: str
) -> None:
    (paths.make_private(paths.log_dir()) / "engine.log").write_text(LOG)
    assert why in client._why_ended(pid, status)


def test_a_disk_without_locks_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(file: int, kind: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", flock)
    for look in (engine_lock.holder, engine_lock.socket, engine_lock.held().__enter__):
        with pytest.raises(EngineError, match=r"engine\.lock can't be locked") as caught:
            look()
        assert "XDG_DATA_HOME" in caught.value.next_step
