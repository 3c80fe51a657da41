"""Tokens that are put together before they are shown."""

from __future__ import annotations

import pytest

from engine.wire.api_answer import AskEvent, Citation, Token
from tests.supervised import until
from tests.tui.scripted import finished
from tui import gathering
from tui.gathering import Gathering

CITED = Citation(n=1, supported=True, start=0, end=2)


@pytest.fixture
def handed_on(monkeypatch: pytest.MonkeyPatch) -> list[AskEvent]:
    monkeypatch.setattr(gathering, "PULSE", 0.01)
    return []


def texts(events: list[AskEvent]) -> list[str]:
    return [event.text for event in events if event.type == "token"]


async def test_the_first_token_is_shown_at_once_and_the_next_ones_together(
    handed_on: list[AskEvent],
) -> None:
    gathered = Gathering(handed_on.append)
    for word in ("one ", "two ", "three "):
        gathered.take(Token(text=word))
    assert texts(handed_on) == ["one "]
    await until(lambda: len(handed_on) == 2, 5)
    assert texts(handed_on) == ["one ", "two three "]


async def test_after_a_pause_a_token_is_shown_at_once_again(handed_on: list[AskEvent]) -> None:
    gathered = Gathering(handed_on.append)
    gathered.take(Token(text="one "))
    await until(lambda: not gathered.waits, 5)
    gathered.take(Token(text="two "))
    assert texts(handed_on) == ["one ", "two "]


async def test_other_events_keep_their_place_and_citations_theirs(
    handed_on: list[AskEvent],
) -> None:
    gathered = Gathering(handed_on.append)
    first, *others = [Token(text=f"{number}. [1]", citations=[CITED]) for number in range(3)]
    for token in (first, *others):
        gathered.take(token)
    gathered.take(end := finished("the end"))
    assert handed_on == [first, Token(text="1. [1]2. [1]", citations=[CITED] * 2), end]


async def test_what_was_kept_is_handed_on_at_the_end(handed_on: list[AskEvent]) -> None:
    gathered = Gathering(handed_on.append)
    gathered.take(Token(text="one "))
    gathered.take(Token(text="two"))
    gathered.close()
    assert texts(handed_on) == ["one ", "two"]
