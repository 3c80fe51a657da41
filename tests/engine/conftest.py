"""Fixtures for tests with real parts: the encoder's cache is made once for all of them."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.config import Settings
from engine.encoding import embedding
from tests.models import PREPARED_CACHE


@pytest.fixture(scope="session")
def encoder_cache() -> Path:
    """hoverkite's cache folder with the compiled embedded model; XDG_CACHE_HOME is its parent.

    It is the one that set-up made, so that the model is compiled once a machine.
    """
    cache = PREPARED_CACHE / "hoverkite"
    embedding.load(Settings(), cache=cache).close()
    return cache


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> Iterator[list["subprocess.Popen[bytes]"]]:
    """The engines that were launched; they stay zombies until the end."""
    found: list[subprocess.Popen[bytes]] = []
    popen = subprocess.Popen

    def remember(*args: Any, **options: Any) -> "subprocess.Popen[bytes]":
        found.append(popen(*args, **options))
        return found[-1]

    monkeypatch.setattr(subprocess, "Popen", remember)
    yield found
    for process in found:
        process.terminate()
        process.wait(30)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whichever test is the first to need the compiled model waits for torch's import."""
    for item in items:
        if "encoder_cache" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(300))
