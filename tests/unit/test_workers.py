"""Workers that read rich formats: what a hostile file can do there, and what it costs."""

import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from engine.documents.parts import Parts, PartText
from engine.documents.workers import Pool, frames, worker
from engine.documents.workers.work import WORK, loader
from engine.errors import LoadError
from engine.own_process import command

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the limit binds on Linux only")
HOSTILE = command("tests.hostile_readers")


@pytest.fixture
def pool() -> Iterator[Pool]:
    pool = Pool(HOSTILE)
    yield pool
    pool.close()


def read(pool: Pool, work: str, raw: bytes = b"", name: str = "", seconds: float = 30) -> str:
    return pool.read(work, raw, name=name, seconds=seconds).parts[0].text


def until_gone(pid: int) -> None:
    """Wait for the end of a process; its parent has to have seen it."""
    for _ in range(3000):
        if not psutil.pid_exists(pid):
            return
        time.sleep(0.01)
    raise AssertionError(f"{pid} lives")


def test_a_worker_reads_file_after_file(pool: Pool) -> None:
    first, second = (read(pool, "pid") for _ in range(2))
    assert first == second == str(*pool.idle)
    assert pool.read(
        "echo", "Grüße\n\ud800".encode("utf-8", "surrogatepass"), name="a\x1b.x", seconds=9
    )


def test_what_comes_back_is_text_that_can_be_kept(pool: Pool) -> None:
    raw = "Grüße \U0001f600\n".encode() + b"\xff\0end"
    part = PartText("Grüße \U0001f600\n? end", "a b")
    assert pool.read("echo", raw, name="a\x1bb", seconds=30) == Parts("page", [part, part])


def test_threads_read_at_once_and_no_more_than_may(pool: Pool) -> None:
    pool = Pool(HOSTILE, most=2)
    pids: list[str] = []
    threads = [threading.Thread(target=lambda: pids.append(read(pool, "pid"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(pids) == 8
    assert 1 <= len(set(pids)) <= 2
    pool.close()


@pytest.mark.parametrize(
    ("work", "why"),
    [
        ("loop", "longer than 1 s"),
        ("loop_in_c", "longer than 1 s"),
        ("deaf", "longer than 1 s"),
        pytest.param("memory", "more memory than it may have", marks=LINUX),
        ("long", "too much text"),
        ("many", "too much text"),
        ("crash", r"crashed \(signal 11\)"),
        ("abort", r"too much memory, or its reader has a fault \(signal 6\)"),
        ("killed", "ended from outside"),
        ("leave", r"crashed \(exit status 3\)"),
        ("panic", r"a fault \(KeyboardInterrupt\)"),
        ("fault", r"a fault \(ZeroDivisionError\)"),
        ("library_fault", r"a fault \(ValueError\)"),
        ("deep", "nested too deeply"),
        ("nothing like it", r"a fault \(KeyError\)"),
    ],
)
def test_a_worker_that_fails_costs_one_file(pool: Pool, work: str, why: str) -> None:
    before = int(read(pool, "pid"))
    with pytest.raises(LoadError, match=why):
        read(pool, work, seconds=1 if "1 s" in why else 30)
    assert read(pool, "echo", b"the next one") == "the next one"
    if before not in pool.idle:
        until_gone(before)


@LINUX
def test_memory_that_grows_bit_by_bit_is_limited(pool: Pool) -> None:
    with pytest.raises(LoadError, match="more memory than it may have"):
        read(pool, "memory_bit_by_bit")


def test_a_file_of_many_bytes_to_a_worker_that_does_not_listen_is_given_up(pool: Pool) -> None:
    pid = int(read(pool, "pid"))
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(LoadError, match=r"longer than 0\.5 s"):
        read(pool, "echo", b"x" * 20_000_000, seconds=0.5)
    until_gone(pid)


def test_a_reason_is_safe_to_show(pool: Pool) -> None:
    with pytest.raises(LoadError) as failed:
        read(pool, "refuse", b"\x1b]52;c;AA==\x07 [/]\n" + b"x" * 5000)
    assert str(failed.value).startswith("]52;c;AA== [/] xxx")
    assert len(str(failed.value)) <= 300


def test_what_libraries_print_goes_nowhere(pool: Pool, capfd: pytest.CaptureFixture[str]) -> None:
    assert read(pool, "chatter") == "quiet"
    assert capfd.readouterr() == ("", "")


@LINUX
def test_a_worker_reaches_no_network_and_starts_no_program(pool: Pool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1]).encode()
        assert read(pool, "reaches_out", port) == str(["PermissionError"] * 5)
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()


def test_a_worker_writes_no_file(pool: Pool, tmp_path: Path) -> None:
    read(pool, "pid")
    target = tmp_path / "written"
    assert read(pool, "writes", name=str(target)) != "done"
    assert not target.exists() or not target.read_bytes()


@LINUX
def test_a_worker_changes_no_file(pool: Pool, tmp_path: Path) -> None:
    target = tmp_path / "docs" / "own"
    target.parent.mkdir()
    target.write_bytes(b"precious")
    before = target.stat()
    found = read(pool, "changes_files", b"precious", name=str(target))
    assert found == str([True, ["PermissionError"]])
    assert list(target.parent.iterdir()) == [target]
    after = target.stat()
    assert (after.st_mode, after.st_mtime_ns) == (before.st_mode, before.st_mtime_ns)


def test_a_worker_knows_no_secret(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOVERKITE_LLM_API_KEY", "secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    told = read(pool, "environment")
    assert "KEY" not in told
    assert told.endswith("'/']")


@pytest.mark.parametrize(
    "reply",
    [
        b"\xff" * 100,
        frames.LENGTHS.pack(2, 0) + b"[]",
        frames.LENGTHS.pack(2, 0) + b"{}",
        frames.LENGTHS.pack(4, 0) + b"nope",
        frames.pack({"unit": "page", "names": ["a"], "lengths": [5], "leaves": False}, b"abc"),
        frames.pack({"unit": "page", "names": ["a"], "lengths": [-1], "leaves": False}) + b"abc",
        frames.pack({"unit": "page", "names": 5, "lengths": 5, "leaves": False}),
        frames.pack({"unit": ["x"], "names": [], "lengths": [], "leaves": False}),
        frames.pack({"unit": "page", "names": [5], "lengths": [0], "leaves": False}),
        struct.pack("!II", 60_000, 0) + b"[" * 60_000,
    ],
)
def test_a_reply_without_sense_is_no_document(pool: Pool, reply: bytes) -> None:
    with pytest.raises(LoadError, match="makes no sense"):
        read(pool, "without_sense", reply + b"\0" * 10)
    assert read(pool, "echo", b"the next one") == "the next one"


def test_a_worker_that_died_while_it_waited_costs_no_file(pool: Pool) -> None:
    pid = int(read(pool, "pid"))
    os.kill(pid, signal.SIGKILL)
    (waits,) = pool.idle
    psutil.Process(waits).wait()
    assert int(read(pool, "pid")) != pid


def test_a_worker_that_grew_is_replaced(pool: Pool) -> None:
    first = int(read(pool, "large"))
    assert pool.idle == []
    until_gone(first)
    assert int(read(pool, "pid")) != first


def test_the_memory_of_the_engine_is_not_counted_as_a_workers(pool: Pool) -> None:
    ballast = bytearray(b"x") * (worker.MOST_MEMORY + 50_000_000)
    assert read(pool, "pid") == read(pool, "pid")
    assert ballast


def test_a_worker_is_replaced_after_many_files(pool: Pool) -> None:
    pids = [read(pool, "pid") for _ in range(worker.MOST_FILES + 1)]
    assert len(set(pids[:-1])) == 1
    assert pids[-1] != pids[0]


def test_a_worker_that_nobody_needs_is_ended() -> None:
    pool = Pool(HOSTILE, idle_seconds=0.1)
    until_gone(int(read(pool, "pid")))
    assert pool.idle == []
    assert read(pool, "echo", b"again") == "again"


def test_no_worker_outlives_its_engine() -> None:
    """Neither one that waits, nor one that reads without end and holds Python's lock."""
    code = (
        "import sys, threading, time\n"
        "from engine.documents.workers import Pool\n"
        f"pool = Pool({HOSTILE!r})\n"
        "first = pool.read('pid', b'', name='', seconds=60).parts[0].text\n"
        "def endless(): pool.read('loop_in_c', b'', name='', seconds=600)\n"
        "threading.Thread(target=endless, daemon=True).start()\n"
        "while pool.idle: time.sleep(0.01)\n"
        "second = pool.read('pid', b'', name='', seconds=60).parts[0].text\n"
        "print(first, second, flush=True)\n"
        "time.sleep(600)\n"
    )
    root = Path(worker.__file__).parents[3]
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=root) as engine:
        assert engine.stdout
        pids = [int(pid) for pid in engine.stdout.readline().split()]
        assert len(set(pids)) == 2
        engine.kill()
    for pid in pids:
        until_gone(pid)


def test_all_loaders_can_be_imported() -> None:
    for work in WORK:
        assert callable(loader(work))
