"""``python -m engine``: the engine process. Clients start it; nobody has to.

Its standard input holds a JSON object of the settings given as flags, and the key for ``llm_url``.
"""

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from engine import config, paths
from engine.errors import HoverkiteError
from engine.politeness import make_session_polite
from engine.quick_start import hold_garbage_collection, resume_garbage_collection, spare_imports
from engine.server import engine_lock
from engine.serving import vllm_remains

log = logging.getLogger("engine")

LOG_BYTES = 1_000_000
STARTED = 5.0
"""Seconds after which all is imported that a first search needs."""
LOCK_EVERY = 5.0
"""Seconds between two looks at the lock's file: without it, another engine may begin."""


def main() -> int:
    """Run the engine until it is asked to stop or nobody has used it for a while."""
    spare_imports()
    hold_garbage_collection()
    os.umask(0o077)
    make_session_polite()
    _log_to_file(paths.make_private(paths.log_dir()) / "engine.log")
    try:
        settings = config.load(json.loads(sys.stdin.read() or "{}"))
        with engine_lock.held() as alone:
            if alone:
                asyncio.run(_serve(settings))
    except HoverkiteError as error:
        log.error("%s: %s. %s", error.title, error, error.next_step)
        return 1
    except Exception as error:
        log.exception("the engine failed: %s: %s", type(error).__name__, error)
        return 1
    return 0


async def _serve(settings: config.Settings) -> None:
    import uvicorn

    from engine.server.routes import create_app
    from engine.server.service import Engine

    class _Server(uvicorn.Server):
        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            """Leave signals to us: uvicorn would end the process before the engine is closed."""
            yield

    def stop() -> None:
        server.should_exit = True

    engine = Engine(settings, stop)
    server = _Server(
        uvicorn.Config(
            create_app(engine),
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=2,
        )
    )
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, engine.stop)
    asyncio.get_running_loop().call_later(STARTED, resume_garbage_collection)
    path = paths.engine_socket()
    listener = _listen(path)
    ours = path.stat().st_ino
    lingering = asyncio.create_task(engine.leave_when_unused())
    guarding = asyncio.create_task(_leave_without_lock(paths.engine_lock(), engine.stop))
    sweeping = asyncio.create_task(asyncio.to_thread(vllm_remains.sweep, paths.runtime_dir()))
    log.info("engine %s listens on %s", os.getpid(), path)
    try:
        await server.serve(sockets=[listener])
    finally:
        guarding.cancel()
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_ino == ours:  # another engine may have begun
                path.unlink()
        engine.stop()
        await sweeping
        await lingering
        await engine.close()
        log.info("engine %s stopped", os.getpid())


async def _leave_without_lock(lock: Path, leave: Callable[[], None]) -> None:
    """Leave once the lock's file was removed or replaced, since it keeps no other engine out."""
    mine = engine_lock.identity(lock)
    while True:
        await asyncio.sleep(LOCK_EVERY)
        with contextlib.suppress(OSError):  # it can't be told just now
            if engine_lock.identity(lock) != mine:
                log.error("%s was removed: this engine leaves", lock)
                leave()
                return


def _listen(path: Path) -> socket.socket:
    """Return a listening socket at ``path``, mode 0600; a stale one is replaced.

    The caller holds the engine's lock, so a socket that is there belongs to nobody.
    """
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    path.chmod(0o600)
    listener.listen()
    return listener


class _EngineLog(RotatingFileHandler):
    """A log that what libraries print follows from file to file."""

    def _open(self) -> TextIOWrapper:
        stream = super()._open()
        for printed in (1, 2):
            os.dup2(stream.fileno(), printed)
        return stream


def _log_to_file(path: Path) -> None:
    """Send our log, and whatever libraries print, to ``path``."""
    handler = _EngineLog(path, maxBytes=LOG_BYTES, backupCount=2, encoding="utf-8")
    handler.setFormatter(
        logging.Formatter("%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s")
    )
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.captureWarnings(True)
    for noisy in ("httpx", "httpcore", "pymilvus", "watchdog"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


if __name__ == "__main__":
    sys.exit(main())
