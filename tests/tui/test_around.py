"""A hit in its surroundings: asked for with a key, kept from hit to hit, marked, and safe."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from rich.cells import cell_len
from textual.content import Content

from engine.errors import EngineError
from engine.part import Part
from engine.wire.api_around import AroundLine, AroundReply
from engine.wire.api_search import Hit
from tests.hits import hit
from tests.tui.driver import Driver, driving
from tests.tui.scripted import ScriptedEngine, found, status, whole_answer
from tui.surroundings import BAR, in_surroundings

ATTACK = "[/] [@click=app.quit]x[/] \x1b]52;c;AA==\x07 \u202eevil"
ONE = hit(1, path="one.md", start_line=3, end_line=4, text="own first\nown last")
TWO = hit(2, path="two.md", start_line=3, end_line=3, text="own")


def reply(above: int, own: str, below: int, line: int = 1, other: str = "other") -> AroundReply:
    """So many other lines above and below the lines of ``own``, beginning at ``line``."""
    texts = [f"{other} {n}" for n in range(above)]
    first = len(texts)
    texts += own.split("\n")
    last = len(texts)
    texts += [f"{other} {n}" for n in range(last, last + below)]
    start = sum(len(text) + 1 for text in texts[:first])
    lines = [
        AroundLine(line=line + n, text=text, is_hit=first <= n < last)
        for n, text in enumerate(texts)
    ]
    return AroundReply(lines=lines, start=start, end=start + len(own))


def engine_with(*hits: Hit) -> ScriptedEngine:
    engine = ScriptedEngine()
    engine.answer = whole_answer(hits, "Done.")
    engine.surroundings = {
        ONE.path: [reply(2, ONE.text, 2)],
        TWO.path: [reply(2, TWO.text, 2)],
    }
    return engine


async def with_hits(driver: Driver) -> None:
    await driver.ask_to_the_end("own")
    driver.main.go_to("results")
    await driver.until(lambda: driver.main.preview.hit is not None)


def shown(driver: Driver) -> str:
    return driver.previewed


def note(driver: Driver) -> str:
    return Content.from_markup(driver.main.preview.border_subtitle or "").plain


def title(driver: Driver) -> str:
    return Content.from_markup(driver.title("preview")).plain


@pytest.mark.parametrize("size", [(100, 30), (60, 20)])
async def test_a_key_shows_the_hit_in_its_surroundings_and_alone_again(
    size: tuple[int, int],
) -> None:
    engine = engine_with(ONE)
    async with driving(engine, size=size) as driver:
        await with_hits(driver)
        assert "other" not in shown(driver) and not engine.around_asked
        await driver.press("a")
        await driver.until(lambda: "other 1" in shown(driver), "the surroundings")
        (asked,) = engine.around_asked
        assert (asked.path, asked.start_line, asked.end_line) == ("one.md", 3, 4)
        assert asked.text == ONE.text
        rows = shown(driver).split("\n")
        assert [row[:4] for row in rows if BAR in row] == [f"3 {BAR} ", f"4 {BAR} "]
        assert title(driver).startswith("around · one.md:3-4")
        await driver.press("a")
        assert "other" not in shown(driver) and BAR not in shown(driver)
        assert title(driver).startswith("preview")


async def test_another_hit_is_shown_in_its_surroundings_too_and_the_older_request_ends() -> None:
    engine = engine_with(ONE, TWO)
    never = asyncio.Event()
    async with driving(engine) as driver:
        await with_hits(driver)
        engine.surroundings[ONE.path] = [never, reply(1, ONE.text, 1)]
        await driver.press("a")
        await driver.until(lambda: engine.around_asked, "asking")
        assert "own first" in shown(driver), "until it is known the hit stands alone"
        await driver.press("j")
        await driver.until(lambda: title(driver).startswith("around · two.md"))
        assert engine.left == [ONE.path]
        await driver.press("x")
        assert title(driver).startswith("why")
        await driver.press("x")
        assert title(driver).startswith("around"), "it is still wanted"
        await driver.press("x", "a")
        await driver.until(lambda: title(driver).startswith("around · two.md"))


async def test_switched_off_while_waiting_nothing_comes() -> None:
    engine = engine_with(ONE)
    engine.surroundings[ONE.path] = [asyncio.Event(), reply(1, ONE.text, 1)]
    async with driving(engine) as driver:
        await with_hits(driver)
        await driver.press("a")
        await driver.until(lambda: engine.around_asked)
        await driver.press("a")
        await driver.until(lambda: engine.left == [ONE.path], "leaving")
        assert "other" not in shown(driver)


async def test_lines_of_an_exact_search_have_surroundings() -> None:
    engine = engine_with()
    lines = [hit(1, path="one.md", start_line=3, end_line=3, text="own first", distance=None)]
    engine.finds["'own"] = [found("'own", lines, mode="exact", matches=1, files=["one.md"])]
    async with driving(engine) as driver:
        await driver.ask("'own")
        await driver.until(lambda: driver.main.preview.hit is not None)
        driver.main.go_to("preview")
        await driver.press("a")
        await driver.until(lambda: "other 0" in shown(driver))
        assert engine.around_asked[0].start is None


async def test_the_hit_is_in_view_however_much_is_above_it() -> None:
    engine = engine_with(ONE)
    engine.surroundings[ONE.path] = [reply(80, ONE.text, 80)]
    async with driving(engine) as driver:
        await with_hits(driver)
        await driver.press("a")
        pane = driver.main.preview
        await driver.until(lambda: pane.scroll_offset.y > 70, "scrolling")
        row = next(n for n, row in enumerate(shown(driver).split("\n")) if BAR in row)
        assert pane.scroll_offset.y <= row < pane.scroll_offset.y + pane.size.height


async def test_the_hit_stays_in_view_when_the_pane_changes_its_width() -> None:
    engine = engine_with(ONE)
    engine.surroundings[ONE.path] = [reply(60, ONE.text, 60, other="many other words " * 6)]
    async with driving(engine) as driver:
        await with_hits(driver)
        await driver.press("a")
        await driver.until(lambda: "other" in shown(driver), "the surroundings")
        view = driver.main.preview

        def above() -> int:
            """Rows of the view above the hit."""
            rows = [row.plain for row in view._rows]
            return next(n for n, row in enumerate(rows) if BAR in row) - view.scroll_offset.y

        assert 0 < above() < view.size.height
        widths = set()
        for key in ("L", "L", "H", "H", "H", "0"):
            await driver.press(key)
            assert 0 <= above() < view.size.height
            widths.add(view.size.width)
        assert len(widths) > 2


@pytest.mark.parametrize("size", [(100, 30), (60, 20)])
async def test_a_hit_far_inside_a_long_line_is_in_view_at_once(size: tuple[int, int]) -> None:
    engine = engine_with(ONE)
    own = "here it stands"
    text = "before " * 1000 + own + " after" * 1000
    at = text.index(own)
    engine.answer = whole_answer([hit(1, path=ONE.path, text=own)], "Done.")
    line = AroundLine(line=1, text=text, is_hit=True)
    engine.surroundings[ONE.path] = [AroundReply(lines=[line], start=at, end=at + len(own))]
    async with driving(engine, size=size) as driver:
        await with_hits(driver)
        await driver.press("a")
        pane = driver.main.preview
        await driver.until(lambda: pane.scroll_offset.y > 50, "scrolling")
        await driver.pilot.pause()
        drawn = "\n".join(pane.render_line(y).text for y in range(pane.size.height))
        assert "here" in drawn


async def test_when_documents_change_the_surroundings_are_looked_for_again() -> None:
    engine = engine_with(ONE)
    engine.refreshed = [ONE]
    async with driving(engine) as driver:
        engine.statuses.put_nowait(status(revision=1))
        await with_hits(driver)
        await driver.press("a")
        await driver.until(lambda: "other 0" in shown(driver))
        engine.surroundings[ONE.path] = [reply(2, ONE.text, 2, other="edited")]
        engine.statuses.put_nowait(status(revision=2))
        await driver.until(lambda: "edited 0" in shown(driver), "the edit")


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ([AroundReply()], "its file has changed"),
        ([EngineError(ATTACK)], EngineError.title),
    ],
)
async def test_a_hit_that_is_gone_is_shown_alone(script: list[Any], said: str) -> None:
    engine = engine_with(ONE)
    engine.surroundings[ONE.path] = script
    async with driving(engine) as driver:
        await with_hits(driver)
        await driver.press("a")
        await driver.until(lambda: said in note(driver), "why")
        assert "own first" in shown(driver)
        assert "\x1b" not in note(driver)
        driver.main.preview.show_nothing()
        assert not note(driver)


async def test_without_a_hit_the_key_does_nothing() -> None:
    async with driving() as driver:
        await driver.press("tab", "a", "a")
        assert not driver.toasts


@pytest.mark.parametrize("width", [20, 44, 96])
@pytest.mark.parametrize(
    "changes", [{}, {"path": "a.html"}, {"path": "a.pdf", "part": Part("page", 3)}, {"heading": ""}]
)
def test_hostile_text_is_safe_and_fits(width: int, changes: dict[str, Any]) -> None:
    given = hit(1, **({"heading": ATTACK, "text": f"{ATTACK}\n{ATTACK}"} | changes))
    around = reply(3, given.text, 2, line=998, other=ATTACK * 3)
    content, row = in_surroundings(given, around, "evil [/]", width)
    assert isinstance(content, Content)
    rows = content.plain.split("\n")
    assert not {"\x1b", "\x07", "\u202e"} & set(content.plain)
    assert all(cell_len(line) <= max(width, 20) for line in rows)
    assert BAR in rows[row] and not any(BAR in line for line in rows[:row])
    assert ("1001 " in content.plain) == ("path" not in changes)


def test_in_a_long_line_only_the_rows_of_the_hit_have_the_bar() -> None:
    own, before = "here it stands", "before " * 90
    around = AroundReply(
        lines=[AroundLine(line=1, text=before + own + " after" * 90, is_hit=True)],
        start=len(before),
        end=len(before) + len(own),
    )
    content, row = in_surroundings(hit(1, text=own, heading=""), around, "kites", 60)
    barred = [line for line in content.plain.split("\n") if BAR in line]
    assert 1 <= len(barred) <= 2 and barred[0] == content.plain.split("\n")[row]
    assert all("here" in line or "stands" in line for line in barred)


@pytest.mark.parametrize("text", ["\u200b\u200bown", "a\r\r\nb", "own\x1b[0m", "日本語 own", ""])
def test_only_the_hit_is_marked_whatever_is_taken_out(text: str) -> None:
    given = hit(1, text=text, heading="")
    content, _ = in_surroundings(given, reply(1, text, 1, other="own\u200b"), "own", 60)
    spans = [content.plain[s.start : s.end] for s in content.spans if str(s.style) == "$match"]
    assert spans == (["own"] if "own" in text else [])
    quiet = "".join(
        content.plain[s.start : s.end] for s in content.spans if str(s.style) == "$quiet"
    )
    assert "own 0" in quiet and f"own {1 + text.count(chr(10)) + 1}" in quiet
    assert len(quiet) <= len("own 0\n\nown 0")
