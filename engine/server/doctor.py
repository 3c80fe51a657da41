"""What may be wrong on this machine around the indexes, and how it is put right."""

import contextlib
import errno
import fcntl
import os
import shlex
import shutil
import socket as unix
import stat
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Literal

import psutil

from engine import config, own_process, paths
from engine.config import Settings
from engine.errors import ConfigError, EngineError
from engine.figures import counted, size
from engine.server import engine_lock, kept
from engine.serving import vllm_remains
from engine.wire.api_kept import Finding, KeptIndex

MACHINE = "machine"
"""What a finding is about that concerns no single folder."""
LEAST_FREE = 500_000_000
"""Bytes below which a disk is too full to index anything of size."""
SHOWN = 5
"""Examples of one finding."""
REPAIR = "Run: hoverkite doctor --repair"


def examine_machine(flags: dict[str, Any], *, repair: bool) -> Iterator[Finding]:
    """Yield what is found; with ``repair`` a fault that could be put right is mended."""
    settings, findings = _settings(flags)
    yield from findings
    # The permissions first: whatever uses these folders closes them to others.
    for look in (_permissions, _half_forgotten, _leftovers):
        yield from look(repair=repair)
    yield from _disk()
    yield from _models(settings)


def examine_indexes() -> Iterator[Finding]:
    """Yield one line on each index, from its manifest alone."""
    for index in kept.indexes():
        about = index.docs or index.place
        told = f"{counted(index.files, 'file')}, {counted(index.chunks, 'chunk')}, "
        told += size(index.bytes)
        if index.state == "damaged":
            yield _finding("fault", index.detail, _for_damaged(index), about=about)
        elif index.state == "missing":
            step = "Once it is back, the index is used again; "
            step += f"else: hoverkite forget {shlex.quote(index.docs)}"
            yield _finding("note", f"the folder is gone; {told}", step, about=about)
        elif index.detail:
            yield _finding("fault", index.detail, "Check its permissions", about=about)
        else:
            step = f"To compare it with its folder: hoverkite doctor {shlex.quote(about)}"
            yield _finding("note", f"not compared: {told}", step, about=about)


def _for_damaged(index: KeptIndex) -> str:
    if index.docs:
        return f"Run: hoverkite doctor {shlex.quote(index.docs)} --repair"
    step = "When its folder, which can't be told, is opened next, it is read again; "
    return step + f"or: hoverkite forget {shlex.quote(index.place)}"


def _finding(
    level: Literal["ok", "note", "fault", "mended"],
    what: str,
    step: str = "",
    *,
    about: str = MACHINE,
    examples: tuple[str, ...] = (),
) -> Finding:
    return Finding(about=about, level=level, what=what, step=step, examples=examples)


def _settings(flags: dict[str, Any]) -> tuple[Settings, list[Finding]]:
    try:
        return config.load(flags), []
    except ConfigError as error:
        return Settings(), [_finding("fault", str(error), error.next_step)]


# --- files ---------------------------------------------------------------------------------------


def _permissions(*, repair: bool) -> Iterator[Finding]:
    """Look whether other users can read or write what is ours."""
    wrong = [
        (path, mode)
        for home in (paths.data_dir(), paths.log_dir())
        for path, mode in _below(home)
        if mode & 0o077
    ]
    if not wrong:
        yield _finding("ok", "indexes and logs are closed to other users")
        return
    if repair:
        for path, mode in wrong:
            with contextlib.suppress(OSError):
                path.chmod(mode & 0o700)
    still = [str(path) for path, _ in wrong if stat.S_IMODE(path.lstat().st_mode) & 0o077]
    named = tuple(still or [str(path) for path, _ in wrong])[:SHOWN]
    told = counted(len(still or wrong), "file or folder", "files and folders")
    if still:
        yield _finding("fault", f"{told} open to other users", REPAIR, examples=named)
    else:
        yield _finding("mended", f"{told} open to other users", examples=named)


def _below(place: Path) -> Iterator[tuple[Path, int]]:
    """Yield files and folders from ``place`` down with their modes; links have none."""
    with contextlib.suppress(OSError):
        mode = place.lstat().st_mode
        if not stat.S_ISLNK(mode):
            yield place, stat.S_IMODE(mode)
        if stat.S_ISDIR(mode):
            for child in sorted(place.iterdir()):
                yield from _below(child)


def _half_forgotten(*, repair: bool) -> Iterator[Finding]:
    left = kept.half_forgotten()
    if not left:
        return
    named = tuple(str(path) for path in left[:SHOWN])
    told = f"{counted(len(left), 'index', 'indexes')} only half removed"
    if not repair:
        yield _finding("fault", told, REPAIR, examples=named)
        return
    failures = []
    for path in left:
        try:
            kept.remove_all(path)
        except OSError as error:
            failures.append(_finding("fault", f"{path}: {error.strerror}", "Remove it yourself"))
    yield from failures or [_finding("mended", told, examples=named)]


def _disk() -> Iterator[Finding]:
    place = paths.data_dir()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if free < LEAST_FREE:
        told = f"only {size(free)} free where the indexes are"
        yield _finding("fault", told, "Free some disk space", examples=(str(place),))
    else:
        yield _finding("ok", f"{size(free)} free where the indexes are")


# --- processes -----------------------------------------------------------------------------------


def _leftovers(*, repair: bool) -> Iterator[Finding]:
    """Look for what a killed engine, Milvus or vLLM has left."""
    try:
        runtime, engine = paths.runtime_dir(), engine_lock.holder()
    except EngineError as error:
        yield _finding("fault", str(error), error.next_step)
        return
    found = [
        *_stale_sockets(runtime, engine),
        *_lost_vllm(runtime),
        *_lost_milvus(engine),
    ]
    for told, end in found:
        if not repair:
            yield _finding("fault", told, REPAIR)
        elif end():
            yield _finding("mended", told)
        else:
            yield _finding("fault", f"{told} and can't be ended", "End it yourself")
    if not found:
        runs = f"engine {engine} runs" if engine else "no engine runs"
        yield _finding("ok", f"{runs}, and nothing is left of earlier ones")


_Leftover = tuple[str, Callable[[], bool]]
"""What is left, and what ends it and tells whether that worked."""


def _stale_sockets(runtime: Path, engine: int | None) -> Iterator[_Leftover]:
    socket = paths.engine_socket()
    if engine is None and os.path.lexists(socket) and not _is_listened_to(socket):
        yield f"a socket of an engine that is gone: {socket}", partial(_unlink, socket)
    for lease in runtime.glob("vllm-*.lease"):
        if not _is_held(lease.with_suffix(".lock")):
            yield f"a socket of a vLLM that is gone: {lease}", partial(_unlink, lease)


def _is_listened_to(socket: Path) -> bool:
    """Whether a process listens there, an engine whose lock was removed; True where in doubt."""
    with contextlib.closing(unix.socket(unix.AF_UNIX)) as connection:
        connection.settimeout(1)
        try:
            connection.connect(str(socket))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError as error:
            return error.errno != errno.ENOTSOCK
    return True


def _is_held(lock: Path) -> bool:
    """Whether a supervisor lives: it holds its lock for life."""
    try:
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _unlink(path: Path) -> bool:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
    return not os.path.lexists(path)


def _lost_vllm(runtime: Path) -> Iterator[_Leftover]:
    for folder in runtime.glob("vllm-*.d"):
        if not _is_held(folder.with_suffix(".lock")):
            lost = vllm_remains.working_in(folder)
            told = f"{counted(len(lost), 'process', 'processes')} of a vLLM that is gone: {folder}"
            yield told, partial(vllm_remains.end, folder)


def _lost_milvus(engine: int | None) -> Iterator[_Leftover]:
    """Find Milvus Lite servers of our indexes that no engine has any more."""
    home = str((paths.data_dir() / "indexes").resolve()) + os.sep
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            words = process.cmdline()
            ours = process.uids().real == os.getuid() and "milvus" in "".join(words[:1])
            lost = process.ppid() != engine and not _is_engine(process.parent())
            if ours and lost and any(word.startswith(home) for word in words):
                told = f"a Milvus server without an engine: process {process.pid}"
                yield told, partial(_end, process)


def _is_engine(process: psutil.Process | None) -> bool:
    """Whether it is an engine of ours, which may have lost its lock."""
    if process is None or process.uids().real != os.getuid():
        return False
    return process.cmdline()[1:] == own_process.command("engine")[1:]


def _end(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        process.terminate()
        process.wait(5)
    return not process.is_running()


# --- models --------------------------------------------------------------------------------------


def _models(settings: Settings) -> Iterator[Finding]:
    from engine.encoding import encoder_build, encoder_files
    from engine.serving.vllm_launch import installed_package

    known = encoder_files.loaded_before(settings)
    name = settings.embedding_model
    if known is None:
        told = f"the encoder {name} was not used here yet"
        yield _finding("note", told, "The first start prepares it, which takes a minute")
    elif (encoder_build.place(known[0], paths.cache_dir()) / "spec.json").exists():
        yield _finding("ok", f"the encoder {name} is compiled")
    else:
        told = f"the encoder {name} has no compiled form"
        yield _finding("note", told, "It is compiled when it is used next, or runs in torch")
    package = installed_package()
    if settings.llm_url:
        yield _finding("ok", f"answers come from {settings.llm_url}")
    elif package:
        yield _finding("ok", f"answers come from {package}")
    else:
        step = "Run: make setup, or set llm_url to a server"
        yield _finding("note", "vLLM is not installed: search works, without answers", step)
