"""Frames of a terminal in one SVG that plays them."""

import re
from xml.etree import ElementTree

import pytest
from textual.app import App, ComposeResult
from textual.widgets import Static

from tools.animation import Animation


class Words(App[None]):
    def __init__(self, words: str) -> None:
        super().__init__()
        self.words = words

    def compose(self) -> ComposeResult:
        yield Static(self.words, markup=False)


async def frame(words: str) -> str:
    app = Words(words)
    async with app.run_test(size=(30, 5)):
        return app.export_screenshot()


async def test_each_frame_is_shown_in_its_time_and_equal_rows_stand_once() -> None:
    film = Animation("a <film>")
    for words, seconds in (("same\none", 1.0), ("same\ntwo", 3.0)):
        film.add(await frame(words), seconds)
    drawn = str(film).replace("\u00a0", " ")
    texts = ["".join(part.itertext()) for part in ElementTree.fromstring(drawn).iter() if part.text]
    assert [texts.count(word) for word in ("same", "one", "two")] == [1, 1, 1]
    assert (
        "@keyframes k0 { 0.000% { visibility: visible } 25.000% { visibility: hidden } }" in drawn
    )
    assert re.search(r"k1 \{ 0.000% \{ visibility: hidden \} 25.000% \{ visibility: visible", drawn)
    assert "prefers-reduced-motion" in drawn and "a &lt;film&gt;" in drawn


def test_what_is_no_terminal_is_refused() -> None:
    with pytest.raises(ValueError, match="no SVG of a terminal"):
        Animation("a").add("<svg></svg>", 1.0)
