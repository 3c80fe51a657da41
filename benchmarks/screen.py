"""How long the first frame takes, from the start of the process to the painted hint of the query.

``python -m benchmarks.screen [ROUNDS] [--quick] [--json]``: the screen runs in a pseudo-terminal.
The ratio is against ``import textual.app`` alone, measured in the same run and in turns, so that a
busy machine slows both.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

from benchmarks import _report

ROOT = Path(__file__).resolve().parent.parent
PAINTED = b"sk your documents"
"""Part of the placeholder; its first letter stands under the cursor, in another style."""

BASELINE = "import textual.app"
LIMIT_SECONDS = 30.0


def first_frame(environment: dict[str, str], docs: Path) -> float:
    """Seconds from starting ``hoverkite DOCS`` until the query pane has been painted."""
    screen_end, program_end = pty.openpty()
    fcntl.ioctl(program_end, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    started = time.perf_counter()
    program = subprocess.Popen(
        [sys.executable, "-m", "tui.command", str(docs)],
        stdin=program_end,
        stdout=program_end,
        stderr=program_end,
        cwd=ROOT,
        env=environment,
        start_new_session=True,
    )
    os.close(program_end)
    try:
        return _wait_for(screen_end, PAINTED, started) - started
    finally:
        os.killpg(program.pid, signal.SIGKILL)
        program.wait()
        os.close(screen_end)


def _wait_for(screen_end: int, wanted: bytes, started: float) -> float:
    seen = b""
    while wanted not in seen:
        left = started + LIMIT_SECONDS - time.perf_counter()
        if left <= 0 or not select.select([screen_end], [], [], left)[0]:
            raise SystemExit(f"no frame within {LIMIT_SECONDS:.0f} s")
        try:
            seen += os.read(screen_end, 65536)
        except OSError as error:  # Linux says EIO once the program has gone
            raise SystemExit(f"the program ended before its first frame: {seen!r}") from error
    return time.perf_counter()


def baseline(environment: dict[str, str]) -> float:
    """Seconds a bare import of Textual takes in a fresh process."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", BASELINE], check=True, cwd=ROOT, env=environment)
    return time.perf_counter() - started


def measure(rounds: int) -> tuple[list[float], list[float]]:
    """Return the seconds of first frames and of bare imports, taken in turns."""
    with tempfile.TemporaryDirectory() as home:
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("XDG_")},
            "HOME": home,
            "XDG_RUNTIME_DIR": home,
            "TERM": "xterm-256color",
            "COLUMNS": "100",
            "LINES": "30",
            # An engine of its own would outlive the benchmark: the first frame needs none.
            "HOVERKITE_ENGINE_LINGER_MINUTES": "0",
            "HOVERKITE_LLM_START": "never",
        }
        # Installed packages are compiled; a checkout's own files are on their first run.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        docs = Path(home) / "docs"
        docs.mkdir()
        first_frame(environment, docs)
        baseline(environment)
        frames, imports = [], []
        for _ in range(rounds):
            frames.append(first_frame(environment, docs))
            imports.append(baseline(environment))
    return frames, imports


def main() -> None:
    """Measure, and print the medians and their ratio."""
    parser = _report.options("From the start of the process to the first frame.")
    parser.add_argument("rounds", nargs="?", type=int, default=9)
    options = parser.parse_args()
    frames, imports = measure(min(options.rounds, 3) if options.quick else options.rounds)
    frame, bare = statistics.median(frames), statistics.median(imports)
    result = {
        "first_frame_s": frame,
        "slowest_s": max(frames),
        "import_textual_s": bare,
        "ratio": frame / bare,
    }
    _report.show(result, as_json=options.json)


if __name__ == "__main__":
    main()
