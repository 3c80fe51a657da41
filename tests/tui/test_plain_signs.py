"""Terminals that can't show every sign get others, of the same width."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color

import tui
from tests.hits import hit
from tests.tui import content
from tests.tui.driver import Driver, driving
from tests.tui.scripted import ScriptedEngine, whole_answer
from tui import early_config
from tui.plain_signs import PlainSigns, filter_for

BLACK = Color(0, 0, 0)


def plain(text: str, encoding: str = "") -> str:
    return "".join(part.text for part in PlainSigns(encoding).apply([Segment(text)], BLACK))


@pytest.mark.parametrize(
    ("text", "encoding", "shown"),
    [
        ("╭─ query ─╮", "", "+- query -+"),
        ("│❯ ask│", "", "|> ask|"),
        ("━━━╸──", "", "===---"),
        ("● ready · 3 files …", "", "* ready . 3 files ."),
        ("“Grüße” › 漢字 🎉", "", '"Grüße" > 漢字 🎉'),
        ("“Grüße” › 漢字 🎉", "ascii", '"Gr??e" > ???? ??'),
        ("“Grüße” · 漢", "latin-1", '"Grüße" · ??'),
        ("▌▇▁█ ⠋", "ascii", "|### *"),
        ("a\u0301\u200b", "ascii", "a"),
        ("plain", "ascii", "plain"),
        ("x", "no such encoding", "x"),
        ("é", "no such encoding", "?"),
    ],
)
def test_signs_become_plain_and_keep_their_width(text: str, encoding: str, shown: str) -> None:
    assert plain(text, encoding) == shown
    assert cell_len(shown) == cell_len(text)


def test_every_sign_of_the_screen_has_a_plain_one() -> None:
    modules = list(Path(tui.__file__).parent.glob("*.py"))
    signs = {sign for path in modules for sign in path.read_text("utf-8")} - {"⏎"}
    assert [sign for sign in sorted(signs) if not plain(sign).isascii()] == []


@pytest.mark.parametrize(
    ("names", "is_plain"),
    [
        ({}, False),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, True),  # as Python leaves it
        ({"LC_ALL": "C"}, True),
        ({"LC_ALL": "POSIX", "LANG": "de_DE.UTF-8"}, True),
        ({"LC_ALL": "", "LANG": "C"}, True),
        ({"LANG": "C", "LC_CTYPE": "en_US.UTF-8"}, False),
        ({"LANG": "C", "LC_ALL": "C.UTF-8"}, False),
        ({"LC_CTYPE": "C.UTF-8"}, False),
        ({"LANG": "en_US.UTF-8"}, False),
    ],
)
def test_a_locale_that_is_named_c_has_plain_signs(
    names: dict[str, str], is_plain: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "__stderr__", io.TextIOWrapper(io.BytesIO(), encoding="utf-8"))
    for name in ("LANG", "LC_ALL", "LC_CTYPE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in names.items():
        monkeypatch.setenv(name, value)
    assert (filter_for("auto") is not None) is is_plain
    assert filter_for("unicode") is None


@pytest.mark.parametrize(
    ("wish", "encoding", "is_plain"),
    [
        ("", "utf-8", False),
        ("auto", "UTF-8", False),
        ("auto", "utf_8", False),
        ("", "ascii", True),
        ("auto", "iso8859-1", True),
        ("nonsense", "ascii", True),
        ("ascii", "utf-8", True),
        ("unicode", "ascii", False),
    ],
)
def test_the_locale_decides_unless_a_person_does(
    wish: str, encoding: str, is_plain: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "__stderr__", stream)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert (filter_for(wish) is not None) is is_plain


def test_without_a_stream_nothing_is_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "__stderr__", None)
    assert filter_for("auto") is None


def test_the_setting_is_found_early(monkeypatch: pytest.MonkeyPatch) -> None:
    assert early_config.setting("signs", {}) == ""
    monkeypatch.setenv("HOVERKITE_SIGNS", "ascii")
    assert early_config.setting("signs", {}) == "ascii"
    assert early_config.setting("signs", {"signs": "unicode"}) == "unicode"


def screen_text(driver: Driver) -> str:
    return "\n".join(
        "".join(segment.text for segment in strip)
        for strip in driver.app.screen._compositor.render_strips()
    )


@pytest.mark.parametrize("key", ["tab", "f1"])
async def test_all_of_the_screen_is_plain(key: str) -> None:
    engine = ScriptedEngine()
    hits = [hit(1, path="日本/naïve.md", text="Größe → 1 µm", heading="A › B")]
    engine.answer = whole_answer([*hits, *content.HITS[1:]], content.ANSWER, content.EXTRACTS)

    async with driving(engine, ready=False) as driver:
        driver.app.plain_signs = PlainSigns("ascii")
        await driver.ask_to_the_end("Größe?")
        await driver.press(key)
        driver.app.refresh(layout=True)
        await driver.until(lambda: screen_text(driver).isascii(), "plain signs")
        assert "+-" in screen_text(driver)
