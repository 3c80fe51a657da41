"""When a watch says that the folder has to be looked at, apart from plain events."""

import asyncio
import contextlib
import ctypes
import errno
import os
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from watchdog.observers import inotify_c

from engine import mounts
from engine.files import watch
from engine.files.watch import Hints, Watch
from engine.mounts import Mount
from tests.opened import until


class Heard:
    """What a watch handed over, and clocks that go as the test wants."""

    def __init__(self) -> None:
        self.hints: list[Hints] = []
        self.awake = 1000.0
        self.slept = 0.0
        self.look_takes = 0.0
        self.asked = 0
        """How often the clock was looked at: twice a round."""

    def take(self, hints: Hints) -> "asyncio.Future[None]":
        self.hints.append(hints)
        self.awake += self.look_takes
        acted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        acted.set_result(None)
        return acted

    def now(self) -> float:
        self.asked += 1
        return self.awake

    def wall(self) -> float:
        return self.awake + self.slept

    @property
    def looks(self) -> int:
        """How often the whole folder was to be looked at."""
        return sum(hints.everything for hints in self.hints)

    def paths(self) -> set[bytes]:
        return {path for hints in self.hints for path in hints.paths}


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "ALIVE_EVERY", 0.02)
    monkeypatch.setattr(watch, "BEGIN_AGAIN", 0.02)
    monkeypatch.setattr(watch, "QUIET", 0.02)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    place = tmp_path / "docs"
    (place / "deep/down").mkdir(parents=True)
    return place


@pytest.fixture
def mounted(monkeypatch: pytest.MonkeyPatch) -> list[Mount]:
    """What is mounted."""
    table = [Mount("/", "ext4")]
    monkeypatch.setattr(mounts, "listed", lambda: list(table))
    return table


@contextlib.asynccontextmanager
async def watching(root: Path, heard: Heard, *, well: bool = True) -> AsyncIterator[Watch]:
    """Watch ``root``; the first looks are over if that goes well."""
    made = Watch(root, heard.take, now=heard.now, wall=heard.wall)
    task = asyncio.create_task(made.run())
    try:
        await until(lambda: heard.looks > 0)
        if well:
            await nothing_more(heard)
        yield made
    finally:
        task.cancel()
        await asyncio.wait({task})
    assert task.cancelled(), task.exception()


async def nothing_more(heard: Heard) -> None:
    """Wait until the watch has gone round a few times with nothing to hand over."""
    before = None
    while before != len(heard.hints):
        before, asked = len(heard.hints), heard.asked
        await until(lambda asked=asked: heard.asked > asked + 10)  # type: ignore[misc]


# --- clocks ---------------------------------------------------------------------------------


async def test_after_a_suspend_the_whole_folder_is_looked_at_once(root: Path) -> None:
    heard = Heard()
    async with watching(root, heard):
        heard.hints.clear()
        heard.slept += 3600
        await until(lambda: heard.looks == 1)
        await nothing_more(heard)
        assert heard.looks == 1
        heard.slept -= 3600  # somebody set the clock
        heard.slept += 1  # it is mended by a second
        await nothing_more(heard)
        assert heard.looks == 1


async def test_the_whole_folder_is_looked_at_from_time_to_time(root: Path) -> None:
    heard = Heard()
    async with watching(root, heard):
        heard.hints.clear()
        heard.awake += watch.RECONCILE_EVERY - 1
        await nothing_more(heard)
        assert heard.looks == 0
        heard.awake += 2
        await until(lambda: heard.looks == 1)


# --- where others write ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["nfs4", "9p", "cifs", "fuse.sshfs", "vboxsf"])
@pytest.mark.parametrize("below", ["", "/deep"])
async def test_a_network_folder_is_looked_at_often_and_its_events_count_too(
    root: Path, mounted: list[Mount], kind: str, below: str
) -> None:
    mounted.append(Mount(f"{root}{below}", kind))
    heard = Heard()
    async with watching(root, heard) as made:
        assert made.partial == (
            f"changes that others make in a network folder ({kind}) are looked for every 30 s"
        )
        heard.hints.clear()
        heard.awake += watch.PARTIAL_EVERY + 1
        await until(lambda: heard.looks == 1)
        (root / "deep/own.md").write_text("written here")
        await until(lambda: b"deep/own.md" in heard.paths())
        assert heard.looks == 1


async def test_looks_that_take_long_are_rare(root: Path, mounted: list[Mount]) -> None:
    mounted.append(Mount(str(root), "nfs"))
    heard = Heard()
    heard.look_takes = 2.0
    async with watching(root, heard) as made:
        assert made.partial.endswith("are looked for every 100 s")
        heard.hints.clear()
        heard.awake += 99
        await nothing_more(heard)
        assert heard.looks == 0
        heard.look_takes = 100.0
        heard.awake += 2
        await until(lambda: heard.looks == 1)
        await until(lambda: made.partial.endswith(f"every {watch.RECONCILE_EVERY:.0f} s"))


async def test_what_is_mounted_or_unmounted_below_is_looked_at(
    root: Path, mounted: list[Mount]
) -> None:
    heard = Heard()
    async with watching(root, heard) as made:
        assert made.partial == ""
        heard.hints.clear()
        mounted.append(Mount(f"{root}/deep", "nfs4"))
        await until(lambda: heard.looks > 0 and "nfs4" in made.partial)
        await nothing_more(heard)
        heard.hints.clear()
        mounted.pop()
        await until(lambda: heard.looks > 0 and made.partial == "")


async def test_what_is_mounted_elsewhere_is_of_no_interest(
    root: Path, mounted: list[Mount], tmp_path: Path
) -> None:
    mounted.append(Mount(str(tmp_path), "ext4"))
    heard = Heard()
    async with watching(root, heard) as made:
        heard.hints.clear()
        for place in (tmp_path / "other", f"{root}-2", tmp_path / "docs 2"):
            mounted.append(Mount(str(place), "nfs4"))
        await nothing_more(heard)
        assert (heard.looks, made.partial) == (0, "")


async def test_a_folder_that_does_not_answer_holds_up_nothing_else(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = threading.Event()
    asked = threading.Event()
    in_time: list[bool] = []
    async with watching(root, Heard()):
        lstat = Path.lstat

        def hang(self: Path) -> os.stat_result:
            if self == root and not asked.is_set():
                asked.set()
                in_time.append(answers.wait(10))
            return lstat(self)

        monkeypatch.setattr(Path, "lstat", hang)
        await until(asked.is_set)
        answers.set()
        await until(lambda: bool(in_time))
    assert in_time == [True], "the event loop waited for the folder"


# --- what the system does not watch ---------------------------------------------------------


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> set[bytes]:
    """Names of folders that nobody may read, whoever runs the test."""
    names: set[bytes] = set()
    add, access = inotify_c.inotify_add_watch, os.access

    def refuse(handle: int, path: bytes, mask: int) -> int:
        if path.rpartition(b"/")[2] in names:
            ctypes.set_errno(errno.EACCES)
            return -1
        return int(add(handle, path, mask))

    def may(path: Any, mode: int, **options: Any) -> bool:
        name = os.fsencode(path).rpartition(b"/")[2]
        return name not in names and access(path, mode, **options)

    monkeypatch.setattr(inotify_c, "inotify_add_watch", refuse)
    monkeypatch.setattr(os, "access", may)
    return names


async def test_folders_that_were_closed_are_watched_once_they_open(
    root: Path, closed: set[bytes]
) -> None:
    (root / "wide").mkdir()
    closed.update({b"down", b"wide"})
    heard = Heard()
    async with watching(root, heard) as made:
        assert made.partial == "", "what can't be read is skipped, which is shown elsewhere"
        heard.hints.clear()
        (root / "deep/down/secret.md").write_text("unseen")
        (root / "owl.md").write_text("seen")
        await until(lambda: b"owl.md" in heard.paths())
        closed.clear()
        await until(lambda: heard.looks > 0)
        await nothing_more(heard)
        heard.hints.clear()
        (root / "deep/down/new.md").write_text("seen")
        (root / "wide/new.md").write_text("seen")
        await until(lambda: {b"deep/down/new.md", b"wide/new.md"} <= heard.paths())
        assert b"deep/down/secret.md" not in heard.paths()


async def test_a_root_that_is_closed_to_us_is_not_said_to_be_watched(
    root: Path, closed: set[bytes]
) -> None:
    closed.add(b"docs")
    async with watching(root, Heard(), well=False) as made:
        assert made.partial == "the system can't watch it (Permission denied)"


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("inotify_init", errno.EMFILE, "max_user_instances"),
        ("inotify_add_watch", errno.ENOSPC, "max_user_watches"),
        ("inotify_add_watch", errno.EIO, "Input/output error"),
    ],
)
async def test_a_limit_of_the_system_is_named_and_left_behind_once_it_is_raised(
    root: Path, monkeypatch: pytest.MonkeyPatch, name: str, error: int, words: str
) -> None:
    def refuse(*_: Any) -> int:
        ctypes.set_errno(error)
        return -1

    monkeypatch.setattr(watch, "PARTIAL_EVERY", 0.05)
    monkeypatch.setattr(watch, "LOOKING_SHARE", 1)
    with monkeypatch.context() as limited:
        limited.setattr(inotify_c, name, refuse)
        async with watching(root, Heard(), well=False) as made:
            assert words in made.partial
            limited.undo()
            await until(lambda: made.partial == "")


async def test_a_watch_whose_reader_of_events_died_is_begun_again(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    heard = Heard()
    async with watching(root, heard):
        with monkeypatch.context() as failing:
            failing.setattr(inotify_c.InotifyFD, "read_events", _fail)
            (root / "lost.md").write_text("wakes the reader")
            await until(lambda: not ears())
        await until(lambda: bool(ears()))
        await nothing_more(heard)
        heard.hints.clear()
        (root / "owl.md").write_text("seen")
        await until(lambda: b"owl.md" in heard.paths())


def _fail(_: Any) -> None:
    raise OSError(errno.EIO, "no more")


def ears() -> list[threading.Thread]:
    """The threads that read events."""
    return [thread for thread in threading.enumerate() if isinstance(thread, inotify_c.InotifyFD)]


async def test_events_that_the_system_really_dropped_are_made_up_for(root: Path) -> None:
    """The kernel's queue is filled while nobody reads it."""
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    if limit > 50_000:
        pytest.skip("this system's queue takes too long to fill")
    heard = Heard()
    async with watching(root, heard):
        heard.hints.clear()
        (ear,) = (thread for thread in ears() if isinstance(thread, inotify_c.InotifyFD))
        with ear._lock:
            for number in range(limit):
                (root / f"{number % 10}.md").write_text("")
        await until(lambda: heard.looks > 0, 30)
        (root / "deep/down/after.md").write_text("seen")
        await until(lambda: b"deep/down/after.md" in heard.paths())


async def test_a_watch_that_is_cancelled_while_it_begins_leaves_no_thread(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    walk = os.walk

    def slow(*args: Any, **options: Any) -> Any:
        begun.set()
        go_on.wait(30)
        return walk(*args, **options)

    monkeypatch.setattr(os, "walk", slow)
    task = asyncio.create_task(Watch(root, Heard().take).run())
    await until(begun.is_set)
    task.cancel()
    go_on.set()
    await asyncio.wait({task})
    await until(lambda: not ears())
    await until(lambda: not [t for t in threading.enumerate() if "Emitter" in type(t).__name__])
