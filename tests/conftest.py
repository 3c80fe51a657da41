"""Fixtures for every test: a home of its own, so that no test meets another's or a person's."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty HOME with its XDG folders; sockets get a short path of their own."""
    place = tmp_path / "home"
    place.mkdir(mode=0o700)
    runtime = tempfile.mkdtemp(prefix="hk-")
    for name in [name for name in os.environ if name.startswith(("HOVERKITE_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(place))
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
    yield place
    shutil.rmtree(runtime, ignore_errors=True)
