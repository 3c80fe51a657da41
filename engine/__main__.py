"""``python -m engine``: the engine process. Clients start it; nobody has to.

Its standard input holds a JSON object of the settings given as flags, and the key for ``llm_url``.
"""

import asyncio
import contextlib
import fcntl
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING

from engine import config, paths
from engine.errors import HoverkiteError

if TYPE_CHECKING:
    from engine.service import Engine

log = logging.getLogger("engine")

LOG_BYTES = 1_000_000


def main() -> int:
    """Run the engine until it is asked to stop or nobody has used it for a while."""
    os.umask(0o077)
    _log_to_file(paths.make_private(paths.log_dir()) / "engine.log")
    try:
        settings = config.load(json.loads(sys.stdin.read() or "{}"))
        with _the_only_one() as alone:
            if alone:
                asyncio.run(_serve(settings))
    except HoverkiteError as error:
        log.error("%s: %s. %s", error.title, error, error.next_step)
        return 1
    except Exception:
        log.exception("the engine failed")
        return 1
    return 0


async def _serve(settings: config.Settings) -> None:
    import uvicorn

    from engine.service import Engine, create_app

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
    path = paths.engine_socket()
    listener = _listen(path)
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, engine.stop)
    lingering = asyncio.create_task(_leave_when_unused(engine, settings.engine_linger_minutes))
    log.info("engine %s listens on %s", os.getpid(), path)
    try:
        await server.serve(sockets=[listener])
    finally:
        lingering.cancel()
        path.unlink(missing_ok=True)
        await engine.close()
        log.info("engine %s stopped", os.getpid())


async def _leave_when_unused(engine: "Engine", minutes: float) -> None:
    while True:
        left = engine.seconds_until_unused(minutes * 60)
        if left <= 0:
            break
        await asyncio.sleep(left)
    log.info("nobody has used the engine for %s minutes", minutes)
    engine.stop()


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


@contextlib.contextmanager
def _the_only_one() -> Iterator[bool]:
    """Hold the lock that decides who is the engine; False when another process has it."""
    with paths.engine_lock().open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def _log_to_file(path: Path) -> None:
    """Send our log, and whatever libraries print, to ``path``."""
    handler = RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=2, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.captureWarnings(True)
    for noisy in ("httpx", "httpcore", "pymilvus", "watchdog"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    with path.open("ab") as log_file:
        for stream in (1, 2):
            os.dup2(log_file.fileno(), stream)


if __name__ == "__main__":
    sys.exit(main())
