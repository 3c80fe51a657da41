"""Garbage is collected in full where no key would have to wait for it."""

import gc
from collections.abc import Iterator

import pytest

from tests.tui.driver import driving
from tui import idle_garbage
from tui.idle_garbage import DUE, IDLE_SECONDS, OVERDUE, collect_if_idle


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    thresholds, enabled = gc.get_threshold(), gc.isenabled()
    yield
    gc.set_threshold(*thresholds)
    gc.enable() if enabled else gc.disable()


@pytest.fixture
def collections(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Each time that garbage is collected while a test runs; none by itself."""
    took: list[int] = []
    monkeypatch.setattr(gc, "collect", lambda: took.append(2))
    return took


@pytest.mark.parametrize(
    ("since", "idle", "collects"),
    [
        (DUE - 1, IDLE_SECONDS * 100, False),
        (DUE, IDLE_SECONDS, True),
        (DUE, IDLE_SECONDS - 0.1, False),
        (OVERDUE - 1, 0.0, False),
        (OVERDUE, 0.0, True),
    ],
)
def test_a_full_collection_waits_for_an_idle_moment_but_not_for_ever(
    since: int, idle: float, collects: bool, collections: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gc, "get_count", lambda: (3, 2, since))
    collect_if_idle(idle)
    assert bool(collections) is collects


async def test_after_the_start_no_full_collection_comes_by_itself() -> None:
    async with driving() as driver:
        idle_garbage.leave_full_collections_to_idle_moments()
        assert gc.isenabled()
        assert gc.get_threshold()[2] >= 10**6
        driver.app._collect_garbage()


async def test_a_key_puts_the_collection_off(
    collections: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gc, "get_count", lambda: (3, 2, DUE))
    async with driving() as driver:
        await driver.press("x")
        driver.app._collect_garbage()
        assert not collections
        driver.app._typed_at -= IDLE_SECONDS
        driver.app._collect_garbage()
        assert collections
