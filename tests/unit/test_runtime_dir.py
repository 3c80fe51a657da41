"""Where sockets are put, whatever the environment says."""

import os
import stat
import tempfile
from pathlib import Path

import pytest

from engine import paths

LONGEST = "vllm-0123456789abcdef.sock"
OWN = f"{paths.APP}-{os.getuid()}"


@pytest.fixture
def short() -> "Path":
    """A folder with a short name, as a runtime folder has."""
    return Path(os.environ["XDG_RUNTIME_DIR"])


@pytest.fixture(autouse=True)
def temporary(short: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The temporary folder."""
    place = short / "t"
    place.mkdir()
    monkeypatch.setenv("TMPDIR", str(place))
    return place


def usable(folder: Path) -> bool:
    """Whether ``folder`` is private and any socket in it has a path that fits."""
    mode = stat.S_IMODE(folder.stat().st_mode)
    return mode == 0o700 and len(os.fsencode(folder / LONGEST)) <= paths.LONGEST_SOCKET_PATH


def test_the_runtime_folder_is_used_where_there_is_one(short: Path) -> None:
    made = paths.runtime_dir()
    assert made.parent == short / paths.APP
    assert usable(made)


@pytest.mark.parametrize(
    "value",
    [None, "", "r", "./r", "missing", "/nowhere/at/all", "/dev/null", "/" + 5000 * "x"],
)
def test_else_a_private_folder_below_the_temporary_one(
    temporary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    (tmp_path / "r").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    if value is not None:
        monkeypatch.setenv("XDG_RUNTIME_DIR", value)
    made = paths.runtime_dir()
    assert made.parent == temporary / OWN
    assert usable(made)
    assert list((tmp_path / "r").iterdir()) == []


@pytest.mark.parametrize("more", range(-2, 3))
def test_a_path_is_used_to_the_last_byte(
    short: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch, more: int
) -> None:
    room = paths.LONGEST_SOCKET_PATH - len(f"/{paths.APP}/01234567/{LONGEST}")
    name = "é" * ((room - len(str(short)) - 5) // 2)  # two bytes each
    place = short / (name + "x" * (room - len(os.fsencode(short / name)) + more))
    assert len(os.fsencode(place)) == room + more
    place.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(place))
    made = paths.runtime_dir()
    assert made.parent == (place / paths.APP if more <= 0 else temporary / OWN)
    assert usable(made)


@pytest.mark.parametrize("value", ["", "t", "/nowhere", "/" + 5000 * "x", "made and too long"])
def test_without_a_temporary_folder_that_fits_it_is_tmp(
    short: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    long = short / (90 * "x")
    long.mkdir()
    monkeypatch.setenv("TMPDIR", str(long) if value.startswith("made") else value)
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    made = paths.runtime_dir()
    assert made.parent == Path("/tmp") / OWN
    assert usable(made)
    made.rmdir()


def test_another_user_s_runtime_folder_is_left_alone(
    short: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``sudo`` and ``su`` may pass on its name."""
    uid = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: uid + 1)
    assert not paths._is_own(str(short))
    monkeypatch.setattr(os, "getuid", lambda: uid)
    monkeypatch.setattr(paths, "_is_own", lambda _: False)
    assert paths.runtime_dir().parent == temporary / OWN
    assert not (short / paths.APP).exists()


def test_a_runtime_folder_that_may_not_be_written_is_left_alone(
    short: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != short and access(path, mode))
    assert paths.runtime_dir().parent == temporary / OWN


def test_it_stays_where_it_is_while_milvus_lite_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    before = paths.runtime_dir()
    monkeypatch.setattr(tempfile, "tempdir", str(before))
    assert paths.runtime_dir() == before
