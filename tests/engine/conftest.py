"""Fixtures for tests with real parts: the encoder's cache is made once for all of them."""

from pathlib import Path

import pytest

from engine import embedding
from engine.config import Settings


@pytest.fixture(scope="session")
def encoder_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder holding the compiled embedded model; XDG_CACHE_HOME is its parent."""
    cache = tmp_path_factory.mktemp("cache") / "hoverkite"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        embedding.load(Settings(), cache=cache).close()
    return cache


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whichever test is the first to need the compiled model waits for torch's import."""
    for item in items:
        if "encoder_cache" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(300))
