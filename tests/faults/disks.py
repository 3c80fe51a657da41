"""Disks that are small, read-only or taken away: mounted where the machine lets us."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

_AS_ROOT = [] if os.getuid() == 0 else ["sudo", "-n"]


def mount_small(place: Path, megabytes: int) -> None:
    """Mount an empty disk of so many megabytes on ``place``, or skip the test."""
    owner = f"uid={os.getuid()},gid={os.getgid()},mode=700"
    _run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m,{owner}", "none", place)


@contextlib.contextmanager
def read_only(place: Path) -> Iterator[None]:
    """Make ``place`` a folder that cannot be written for a while, or skip the test."""
    if os.getuid():
        place.chmod(0o500)
        yield
        place.chmod(0o700)
        return
    _run("mount", "--bind", place, place)  # root may write wherever it is not the disk that refuses
    try:
        _run("mount", "-o", "remount,bind,ro", place)
        yield
    finally:
        unmount(place)


def unmount(place: Path) -> None:
    """Take the disk on ``place`` away, whoever uses it."""
    subprocess.run([*_AS_ROOT, "umount", "-l", str(place)], check=True, capture_output=True)


def _run(*command: str | Path) -> None:
    words = [*_AS_ROOT, *map(str, command)]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip(f"there is no {words[0]} here")
    if done.returncode:
        pytest.skip(f"nothing may be mounted here: {done.stderr.strip()}")
