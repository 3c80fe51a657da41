"""Nobody but the user who started it gets in: every socket refuses another user."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import paths
from tests.engine.test_lifecycle import Running

pytestmark = [
    pytest.mark.real,
    pytest.mark.timeout(180),
    pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user"),
]

NOBODY = 65_534
CONNECT = """
import socket, sys
for path in sys.argv[1:]:
    try:
        socket.socket(socket.AF_UNIX).connect(path)
        print("connected")
    except OSError as error:
        print(type(error).__name__)
"""


def as_nobody(*sockets: Path) -> list[str]:
    """Return what another user meets who connects to each of ``sockets``."""
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin") or sys.executable
    done = subprocess.run(
        [python, "-I", "-c", CONNECT, *map(str, sockets)],
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return done.stdout.split()


@pytest.fixture
def open_door() -> Iterator[Path]:
    """A socket of ours that anybody may connect to, beside hoverkite's own folder."""
    base = Path(os.environ["XDG_RUNTIME_DIR"])
    base.chmod(0o755)  # so that hoverkite's own folders and sockets have to refuse
    path = base / "anybody.sock"
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as listener:
        listener.bind(str(path))
        path.chmod(0o666)
        listener.listen()
        yield path


@pytest.mark.parametrize("folders", ["closed", "opened by somebody"])
async def test_another_user_connects_to_no_socket(
    open_door: Path, running: Running, folders: str
) -> None:
    own = paths.runtime_dir()
    sockets = [path for path in own.rglob("*") if path.is_socket()]
    assert len(sockets) >= 4, "the engine's, Milvus's, the lease's and vLLM's"
    if folders != "closed":
        for folder in [own.parent, own, *(path for path in own.rglob("*") if path.is_dir())]:
            folder.chmod(0o755)
    met = dict(zip([open_door, *sockets], as_nobody(open_door, *sockets), strict=True))
    assert met.pop(open_door) == "connected", "the test itself works"
    assert set(met.values()) == {"PermissionError"}, met
