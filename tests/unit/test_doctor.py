"""What ``hoverkite doctor`` finds on the machine, and puts right. No engine runs in these tests."""

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from engine import own_process, paths
from engine.front import cli, connection
from engine.server import doctor, kept
from engine.wire.api_kept import Finding
from tests.unit.test_kept import HOSTILE, index_of

MILVUS = "import sys, time; time.sleep(60)"


@pytest.fixture(autouse=True)
def private() -> Iterator[None]:
    """Make files as the engine does."""
    before = os.umask(0o077)
    yield
    os.umask(before)


def faults(*, repair: bool = False) -> list[Finding]:
    return [found for found in doctor.examine_machine({}, repair=repair) if found.level == "fault"]


def test_a_fresh_machine_is_sound(capsys: pytest.CaptureFixture[str]) -> None:
    assert faults() == []
    assert cli.main(["doctor"], lambda *_: 0) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("this machine\n  ok      indexes and logs are closed")
    assert printed.err == "All is sound.\n"


def test_what_others_could_read_is_closed(tmp_path: Path) -> None:
    place = index_of(tmp_path / "notes")
    log = paths.make_private(paths.log_dir()) / "engine.log"
    log.touch()
    outside = tmp_path / "outside"
    outside.touch(0o666)
    (place / "link").symlink_to(outside)
    for path, mode in ((place, 0o755), (place / kept.MANIFEST, 0o644), (log, 0o666)):
        path.chmod(mode)
    (place / "index.db").chmod(0o600)
    outside.chmod(0o644)
    before = outside.stat().st_mode
    [fault] = faults()
    assert str(log) in fault.examples
    assert str(place / "index.db") not in fault.examples
    assert faults(repair=True) == []
    assert faults() == []
    assert [path.stat().st_mode & 0o777 for path in (place, log)] == [0o700, 0o600]
    assert outside.stat().st_mode == before


def test_what_killed_processes_left_is_removed(tmp_path: Path) -> None:
    stale = [paths.engine_socket(), paths.runtime_dir() / "vllm-0123456789ab.lease"]
    for path in stale:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
    run_folder = paths.runtime_dir() / "vllm-0123456789ab.d"
    run_folder.mkdir()
    half = kept.take_away(index_of(tmp_path / HOSTILE))
    (half.aside / half.aside.name).symlink_to(tmp_path)
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o500)
    (half.aside.parent / f"{kept.FORGOTTEN}link").symlink_to(outside)
    (half.aside.parent / f"{kept.FORGOTTEN}file").touch()
    lost = subprocess.Popen(["sleep", "60"], cwd=run_folder, start_new_session=True)
    try:
        assert len(faults()) == 4
        assert faults(repair=True) == []
        assert lost.wait(10) < 0
    finally:
        lost.kill()
        lost.wait()
    assert not any(path.exists() for path in (*stale, run_folder, half.aside))
    assert (tmp_path / HOSTILE).is_dir()
    assert outside.stat().st_mode & 0o777 == 0o500
    assert kept.half_forgotten() == []
    assert faults() == []


@pytest.fixture
def stray_milvus(tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that looks like the Milvus Lite server of one of our indexes."""
    (tmp_path / "milvus").symlink_to(sys.executable)
    database = index_of(tmp_path / "notes") / "index.db"
    process = subprocess.Popen([tmp_path / "milvus", "-c", MILVUS, str(database)])
    yield process
    process.kill()
    process.wait()


def test_a_milvus_without_an_engine_is_ended(stray_milvus: "subprocess.Popen[bytes]") -> None:
    [fault] = faults()
    assert fault.what == f"a Milvus server without an engine: process {stray_milvus.pid}"
    assert faults(repair=True) == []
    assert not psutil.pid_exists(stray_milvus.pid)
    assert faults() == []


def test_a_full_disk_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "LEAST_FREE", 2**80)
    [fault] = faults(repair=True)
    assert "free where the indexes are" in fault.what


def test_a_broken_config_file_is_a_finding(capsys: pytest.CaptureFixture[str]) -> None:
    file = paths.config_dir() / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text("colour = '\x1b[2J'")
    assert cli.main(["doctor", "--repair", "--json"], lambda *_: 0) == 1
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    told = json.loads(printed)
    assert not told["sound"]
    assert [finding["level"] for finding in told["left"]] == ["fault"]
    assert str(file) in told["left"][0]["what"]


def test_each_index_is_looked_at_briefly(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index_of(tmp_path / "sound")
    index_of(tmp_path / HOSTILE)
    (tmp_path / HOSTILE).rmdir()
    assert cli.main(["doctor"], lambda *_: 0) == 0
    (index_of(tmp_path / "broken") / kept.MANIFEST).write_bytes(b"no database" * 500)
    levels = {found.about: found.level for found in doctor.examine_indexes()}
    broken = str(paths.index_dir(tmp_path / "broken"))
    assert levels == {
        str(tmp_path / "sound"): "note",
        str(tmp_path / HOSTILE): "note",
        broken: "fault",
    }
    capsys.readouterr()
    assert cli.main(["doctor"], lambda *_: 0) == 1
    printed = capsys.readouterr()
    assert printed.err == "1 fault left.\n"
    assert "\x1b" not in printed.out
    assert os.linesep + broken in printed.out
    assert re.search(r"not compared: 1 file, 2 chunks, \d+ kB\n", printed.out)
    assert f"with its folder: hoverkite doctor {tmp_path / 'sound'}{os.linesep}" in printed.out
    assert "DOCS" not in printed.out
    assert f"or: hoverkite forget {broken}{os.linesep}" in printed.out


def test_what_was_put_right_is_marked_and_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index_of(tmp_path / "notes").chmod(0o755)
    kept.take_away(index_of(tmp_path / "half"))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(paths.engine_socket()))
    assert cli.main(["doctor"], lambda *_: 0) == 1
    assert capsys.readouterr().err == "3 faults left.\n"
    assert cli.main(["doctor", "--repair"], lambda *_: 0) == 0
    printed = capsys.readouterr()
    assert printed.out.count("  mended  ") == 3
    assert printed.err == "3 faults put right.\n"
    assert cli.main(["doctor"], lambda *_: 0) == 0
    assert capsys.readouterr().err == "All is sound.\n"


def test_the_socket_of_an_engine_that_lost_its_lock_is_left_alone() -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(paths.engine_socket()))
        listener.listen()
        assert faults(repair=True) == []
        assert paths.engine_socket().exists()
    [fault] = faults()
    assert fault.what.startswith("a socket of an engine that is gone")


def test_a_milvus_of_an_engine_that_lost_its_lock_is_left_alone(
    stray_milvus: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = psutil.Process().cmdline()[1:]
    monkeypatch.setattr(own_process, "command", lambda module: [module, *ours])
    assert faults(repair=True) == []
    assert stray_milvus.poll() is None


def test_an_engine_that_hangs_is_a_fault(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(connection, "GREETING_SECONDS", 0.2)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(paths.engine_socket()))
        listener.listen()
        assert cli.main(["doctor"], lambda *_: 0) == 1
    printed = capsys.readouterr()
    assert "  fault   the engine does not answer\n          Run: hoverkite stop\n" in printed.out
    assert printed.err == "1 fault left.\n"
