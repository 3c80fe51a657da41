"""The process that owns vLLM, so that nothing of it survives the engine.

Started by the engine with a :class:`Task` as JSON on standard input, it takes the task's lock,
listens on the lease socket, detaches, and runs the command. An engine holds a lease: an open
connection. When the last lease is gone the command and all its descendants are ended at once.

On a lease, lines are exchanged. The supervisor sends ``pid N`` and, when the command ends by
itself, ``exited CODE``. The engine may send ``stop``: then the supervisor hangs up; if nobody else
holds a lease, only when all is gone.
"""

import asyncio
import contextlib
import ctypes
import fcntl
import json
import os
import signal
import socket
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from engine.politeness import make_session_polite
from engine.serving import vllm_log, vllm_remains

UNCLAIMED_S = 20
"""How long the command runs before the first lease is taken."""

BUSY = 75
"""Exit status (EX_TEMPFAIL) when another supervisor has the same task."""

LOG_EVERY = 60.0
"""Seconds between looks at the size of the log."""

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True)
class Task:
    """What is supervised, and where its files lie. All paths are absolute."""

    stem: str
    """What the paths of its socket, lease, lock and run folder begin with."""
    argv: list[str]
    """The command. Where it has to listen is added as ``--uds PATH``."""
    environment: dict[str, str]
    log: str
    """What the command and its supervisor print."""
    niceness: int = 0

    @property
    def socket(self) -> Path:
        """Where the command listens; removed at the end."""
        return Path(f"{self.stem}.sock")

    @property
    def lease(self) -> Path:
        """Where the supervisor listens; removed at the end."""
        return Path(f"{self.stem}.lease")

    @property
    def lock(self) -> Path:
        """The file whose lock decides which process is the supervisor."""
        return Path(f"{self.stem}.lock")

    @property
    def folder(self) -> Path:
        """The command's run folder: made for it, removed with all it holds."""
        return Path(f"{self.stem}.d")

    def to_json(self) -> str:
        """Return the task as it is read from standard input."""
        return json.dumps(asdict(self))


class Supervisor:
    """Runs one command as long as somebody holds a lease on it."""

    def __init__(self, task: Task, listener: socket.socket) -> None:
        self._task = task
        self._listener = listener
        self._leases: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._over = asyncio.Event()
        self._pid = 0

    async def run(self) -> None:
        """Run the command until it ends or nobody wants it any longer."""
        loop = asyncio.get_running_loop()
        for asked in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(asked, self._over.set)
        command = await asyncio.create_subprocess_exec(
            *self._task.argv,
            "--uds",
            str(self._task.socket),
            cwd=self._task.folder,
            env=self._task.environment | {"TMPDIR": str(self._task.folder)},
            start_new_session=True,
            preexec_fn=self._before_command,
        )
        self._pid = command.pid
        server = await asyncio.start_unix_server(self._hold, sock=self._listener)
        loop.call_later(UNCLAIMED_S, self._stop_if_unused)
        tidying = asyncio.create_task(self._keep_log_short())
        waiting = [asyncio.create_task(command.wait()), asyncio.create_task(self._over.wait())]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if command.returncode is not None:
            self._say(f"exited {command.returncode}")
        server.close()
        tidying.cancel()
        # Leases stay open meanwhile: a holder sees the end of its lease when all is gone.
        vllm_remains.end(self._task.folder, self.ours)
        _remove_sockets(self._task)
        await command.wait()
        _reap()
        for writer in self._leases.values():
            writer.close()
        if self._leases:
            await asyncio.wait(self._leases)

    async def _keep_log_short(self) -> None:
        while True:
            vllm_log.keep_short(Path(self._task.log))
            await asyncio.sleep(LOG_EVERY)

    def _before_command(self) -> None:
        # In the child: it is asked to end when this process dies, however that happens.
        _control_process(_PR_SET_PDEATHSIG, signal.SIGTERM)
        os.nice(self._task.niceness)
        make_session_polite()

    def ours(self) -> list[psutil.Process]:
        """Return the living processes of the command, wherever they have gone."""
        descendants = psutil.Process().children(recursive=True)
        strays = vllm_remains.working_in(self._task.folder)
        return vllm_remains.living({*descendants, *strays})

    async def _hold(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one lease until its holder is gone."""
        if self._over.is_set():
            writer.close()
            return
        holding = asyncio.current_task()
        assert holding
        self._leases[holding] = writer
        try:
            writer.write(f"pid {self._pid}\n".encode())
            while line := await reader.readline():
                if line != b"stop\n":
                    continue
                if len(self._leases) > 1:
                    break
                self._over.set()
        except (ConnectionError, ValueError):
            pass
        finally:
            del self._leases[holding]
            writer.close()
            self._stop_if_unused()

    def _stop_if_unused(self) -> None:
        if not self._leases:
            self._over.set()

    def _say(self, line: str) -> None:
        for writer in self._leases.values():
            writer.write(f"{line}\n".encode())


def _remove_sockets(task: Task) -> None:
    for path in (task.socket, task.lease):
        path.unlink(missing_ok=True)


def _reap() -> None:
    """Take leave of orphans that became our children, so that no zombie is passed on."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _control_process(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def main() -> int:
    """Take the task from standard input; return once it is supervised by a detached process."""
    os.umask(0o077)
    task = Task(**json.load(sys.stdin))
    lock = task.lock.open("w")  # held for life
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return BUSY
    if not vllm_remains.end(task.folder):
        print("processes of an earlier vLLM cannot be ended", file=sys.stderr)
        return 1
    _remove_sockets(task)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(task.lease))
    listener.listen()
    _detach(Path(task.log))
    _control_process(_PR_SET_CHILD_SUBREAPER, 1)
    supervisor = Supervisor(task, listener)
    try:
        task.folder.mkdir(mode=0o700)
        asyncio.run(supervisor.run())
    finally:
        vllm_remains.end(task.folder, supervisor.ours)
        _remove_sockets(task)
        # The lock's file stays: removed, two supervisors could lock two files of one name.
        lock.close()
    return 0


def _detach(log: Path) -> None:
    """Go on in a child of its own session that writes to ``log``; the caller's process ends."""
    if os.fork():
        os._exit(0)
    os.setsid()
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    vllm_log.drop_old(log.parent)
    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for target, source in ((0, nothing), (1, written), (2, written)):
        os.dup2(source, target)
    os.close(written)
    os.close(nothing)


if __name__ == "__main__":
    sys.exit(main())
