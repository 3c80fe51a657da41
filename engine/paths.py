"""Where things live: config, data, caches, logs and sockets. Folders 0700, nothing elsewhere."""

import hashlib
import os
import stat
from pathlib import Path

import platformdirs

from engine.errors import EngineError

APP = "hoverkite"

LONGEST_SOCKET_PATH = 103
"""Bytes a unix socket's path may have on every platform (macOS: 104 with the final zero)."""


def config_dir() -> Path:
    """Folder of ``config.toml`` and the user's own themes."""
    return Path(platformdirs.user_config_dir(APP, appauthor=False))


def data_dir() -> Path:
    """Folder of the indexes: one manifest and one Milvus Lite file a folder."""
    return Path(platformdirs.user_data_dir(APP, appauthor=False))


def cache_dir() -> Path:
    """Folder of what can be made again: converted and compiled models."""
    return Path(platformdirs.user_cache_dir(APP, appauthor=False))


def state_dir() -> Path:
    """Folder of what is remembered from one run to the next and nobody would miss."""
    return Path(platformdirs.user_state_dir(APP, appauthor=False))


def log_dir() -> Path:
    """Folder of the engine's and vLLM's logs."""
    return state_dir()


def short_hash(text: str | bytes, length: int = 16) -> str:
    """Hexadecimal name for ``text``: the first ``length`` digits of its BLAKE2b."""
    raw = text if isinstance(text, bytes) else os.fsencode(text)
    return hashlib.blake2b(raw, digest_size=32).hexdigest()[:length]


def runtime_dir() -> Path:
    """Private folder of sockets and locks, made on demand; one per data folder.

    Raises:
        EngineError: the folder belongs to someone else or is open to others.
    """
    name = short_hash(str(data_dir()), 8)
    # Not tempfile.gettempdir(), which is set to this very folder while Milvus Lite starts.
    mine, temporary = os.environ.get("XDG_RUNTIME_DIR", ""), os.environ.get("TMPDIR", "")
    usable = [Path(mine) / APP] if _is_usable(mine) and _is_own(mine) else []
    usable += [Path(temporary) / f"{APP}-{os.getuid()}"] if _is_usable(temporary) else []
    last = Path("/tmp") / f"{APP}-{os.getuid()}"  # noqa: S108  owner and mode are checked
    longest_name = len(f"/{name}/vllm-0123456789abcdef.sock")
    chosen = (
        next((p for p in usable if len(os.fsencode(p)) + longest_name <= LONGEST_SOCKET_PATH), last)
        / name
    )
    make_private(chosen.parent)
    make_private(chosen)
    return chosen


def _is_usable(folder: str) -> bool:
    """Whether files can be made in ``folder``; the specification wants relative ones ignored."""
    path = Path(folder)
    return path.is_absolute() and os.access(path, os.W_OK | os.X_OK) and path.is_dir()


def _is_own(folder: str) -> bool:
    """Whether ``folder`` is ours: ``su`` and ``sudo`` may leave us the name of another user's."""
    return Path(folder).stat().st_uid == os.getuid()


def make_private(folder: Path) -> Path:
    """Make ``folder`` (and its parents) and see that it is ours and closed to others."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            raise EngineError(
                f"{folder} belongs to another user or is a link",
                "Remove it, or set XDG_RUNTIME_DIR to a folder of your own",
            )
        if stat.S_IMODE(found.st_mode) & 0o077:
            folder.chmod(0o700)
    except OSError as error:
        raise EngineError(
            f"{folder} can't be made or entered: {error.strerror}",
            "Check its owner and permissions, and that the disk is not full",
        ) from error
    return folder


def engine_socket() -> Path:
    """The socket on which the engine of this user and data folder listens."""
    return runtime_dir() / "engine.sock"


def engine_lock() -> Path:
    """The file whose lock, held for life, decides which process is the engine.

    It lies beside the indexes that it guards: the runtime folder may be another one for cron, in a
    container or after ``su``.
    """
    return make_private(data_dir()) / "engine.lock"


def index_dir(folder: Path) -> Path:
    """Where the index of ``folder`` (an absolute path, links resolved) is kept."""
    return data_dir() / "indexes" / short_hash(str(folder))


def from_home(path: str) -> str:
    """Return ``path`` as a person writes it: ``~/notes`` for what is in their home folder."""
    home = str(Path.home())
    return f"~{path[len(home) :]}" if path.startswith(home + "/") else path
