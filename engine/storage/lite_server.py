"""Milvus Lite's server process, started without delay.

milvus-lite 2.5.1 waits half a second for a server that is up after 20 ms, and a client that comes
before the socket is there waits another. Here a server is ready as soon as it can be connected to.
"""

import fcntl
import os
import secrets
import socket
import subprocess
import time
from pathlib import Path

from milvus_lite.server import Server
from milvus_lite.server_manager import server_manager_instance

from engine import paths
from engine.errors import StoreError

NO_LOG_FILES = {"GLOG_logtostderr": "1", "GLOG_minloglevel": "2"}
"""It would leave a log of every start in the temporary folder."""
START_SECONDS = 20.0
"""Longest wait for a server, on however busy a machine."""
_POLL = 0.005


def start(target: Path) -> None:
    """Start the server of the file ``target``, whose address pymilvus then finds by itself.

    Raises:
        StoreError: it ended at once, or another process has the file.
    """
    name = _name(target)
    with server_manager_instance._lock:
        if name not in server_manager_instance._servers:
            server = _Server(name)
            # Its own choice would lie in the temporary folder, open to others.
            server._uds_path = str(paths.runtime_dir() / f"milvus-{secrets.token_hex(6)}.sock")
            if not server.init():
                raise StoreError("milvus-lite is not installed whole", "Run: make setup")
            server_manager_instance._servers[name] = server
            try:
                server.start()
            except BaseException:
                del server_manager_instance._servers[name]
                server.stop()
                raise


def release(target: Path) -> None:
    """End the server of ``target``, if one runs."""
    if _name(target) in server_manager_instance._servers:
        server_manager_instance.release_server(str(target))


def pid(target: Path) -> int | None:
    """Return the process id of the server of ``target``, if one runs."""
    server = server_manager_instance._servers.get(_name(target))
    return server._p.pid if server and server._p else None


def has_ended(target: Path) -> bool:
    """Return whether the server of ``target`` was started and has ended since, by itself."""
    server = server_manager_instance._servers.get(_name(target))
    return bool(server and server._p and server._p.poll() is not None)


def _name(target: Path) -> str:
    return str(target.absolute().resolve())


class _Server(Server):  # type: ignore[misc]  # milvus_lite has no types
    def start(self) -> bool:
        """Start the process and wait until it listens.

        It ends when the lock that is taken here is free again, however this process ends.
        """
        deadline = time.monotonic() + START_SECONDS
        self._lock(deadline)
        libraries = [str(self._bin_path), *os.environ.get("LD_LIBRARY_PATH", "").split(":")]
        names = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
        self._p = subprocess.Popen(
            self.args,
            env=os.environ | NO_LOG_FILES | dict.fromkeys(names, ":".join(filter(None, libraries))),
            cwd=self._work_dir,
        )
        while not self._listens():
            if self._p.poll() is not None:
                raise self._failure(f"Milvus Lite ended with status {self._p.returncode}")
            if time.monotonic() > deadline:
                raise self._failure(f"Milvus Lite did not listen within {START_SECONDS:.0f} s")
            time.sleep(_POLL)
        return True

    def _lock(self, deadline: float) -> None:
        """Take the lock; the server of an engine that was killed holds it until it has ended."""
        file = Path(self._lock_path).open("a")  # noqa: SIM115  held until ``stop``
        while True:
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    file.close()
                    raise self._failure("it is in use by another process") from error
                time.sleep(_POLL)
            else:
                self._lock_fd = file
                return

    def stop(self) -> None:
        """End the process. Without the lock there is none: the lock's file is another's then."""
        if self._lock_fd:
            super().stop()

    def _failure(self, why: str) -> StoreError:
        return StoreError(f"{self._db_file} can't be opened: {why}")

    def _listens(self) -> bool:
        with socket.socket(socket.AF_UNIX) as caller:
            try:
                caller.connect(self._uds_path)
            except (FileNotFoundError, ConnectionRefusedError):
                return False
        return True
