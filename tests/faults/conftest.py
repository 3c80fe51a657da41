"""Fixtures of the fault tests: a folder's encoder that counts, and a real engine."""

from pathlib import Path

import pytest

from engine.files import watch
from tests.engine.conftest import encoder_cache, launched
from tests.engine.test_lifecycle import cache, running
from tests.engine.tiny_encoder import TinyEncoder
from tests.opened import write_notes

__all__ = ["cache", "encoder_cache", "launched", "running"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder of three notes."""
    write_notes(tmp_path / "docs", 3)
    return tmp_path / "docs"


@pytest.fixture
def encoder() -> TinyEncoder:
    """An encoder that remembers every text it embedded."""
    return TinyEncoder()


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look sooner whether the watch still lives."""
    monkeypatch.setattr(watch, "ALIVE_EVERY", 0.1)
    monkeypatch.setattr(watch, "BEGIN_AGAIN", 0.1)
