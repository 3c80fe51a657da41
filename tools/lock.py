"""``make lock``: the locks in requirements/, from pyproject.toml and requirements/*.in.

Each lock is the complete closure for its machines, every file hashed, for Python 3.11 to 3.13,
and names no registry. ``make lock UPGRADE=1`` takes newer versions; without it, those that still
fit stay.
"""

import os
import re
import sys
from pathlib import Path

from tools.setup import LOCKS, UV, lock_file, run

HEADER = "# {what} Made by `make lock`; do not edit.\n"
FOREIGN = re.compile(r"(?m)^(--|.*(://|@ file)).*$")
"""Lines that would tie a lock to one registry."""


def compile_lock(kind: str, left_out: str, what: str) -> None:
    """Write the lock of a kind of machine."""
    lock = lock_file(kind)
    command = [str(UV), "pip", "compile", "pyproject.toml", f"requirements/{kind}.in"]
    command += ["--extra", "office", "--group", "dev", "--excludes", f"requirements/{left_out}"]
    command += ["--universal", "--python-version", "3.11"]
    _compile(command, lock, what)


def compile_uv() -> None:
    """Write the file that pip installs uv from."""
    command = [str(UV), "pip", "compile", "requirements/uv.in"]
    _compile(command, LOCKS / "uv.txt", "The installer that everything else is installed with.")


def _compile(command: list[str], lock: Path, what: str) -> None:
    shape = ["--generate-hashes", "--no-build", "--no-annotate", "--no-header", "--quiet"]
    upgrade = ["--upgrade"] if os.environ.get("UPGRADE") else []
    run(f"resolving {lock.name}", [*command, *shape, *upgrade, "-o", str(lock)])
    resolved = lock.read_text("utf-8")
    if FOREIGN.search(resolved):
        raise SystemExit(f"{lock.name} names a registry; see: git diff {lock}")
    lock.write_text(HEADER.format(what=what) + resolved, "utf-8")


def main() -> int:
    """Make all locks again."""
    compile_uv()
    compile_lock("cpu", "left-out.txt", "Every machine without an NVIDIA GPU.")
    compile_lock("gpu", "left-out-gpu.txt", "Linux on x86-64 with an NVIDIA GPU.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
