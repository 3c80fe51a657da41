"""The whole file of a hit: it opens at the hit, and comes part by part as it is scrolled."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from engine.errors import EngineError
from engine.part import Part
from engine.wire.api_around import AroundLine
from engine.wire.api_parts import PartReply, PartRequest
from engine.wire.api_search import Hit
from tests.hits import hit
from tests.tui.driver import Driver, driving
from tests.tui.scripted import ScriptedEngine, status, whole_answer
from tui.messages import HitOpened
from tui.whole_page import KEPT, LOADING, WholePage
from tui.whole_text import MOST_PARTS, WholeText

ATTACK = "[/] [@click=app.quit]x[/] \x1b]52;c;AA==\x07 \u202eevil"


def text(lines: int) -> list[str]:
    return [f"line {number} of kites" for number in range(1, lines + 1)]


@asynccontextmanager
async def reading(
    lines: list[str], at: int = 1, *, path: str = "a.md", **options: Any
) -> AsyncIterator[tuple[Driver, ScriptedEngine, WholeText]]:
    """The whole file of a hit that stands in the line ``at``, once some of it is shown."""
    engine = ScriptedEngine()
    found = hit(1, path=path, start_line=at, end_line=at, text=f"line {at} of kites")
    engine.answer = whole_answer([found], "Done.")
    engine.whole_texts = {path: lines}
    async with driving(engine, **options) as driver:
        await driver.ask_to_the_end("kites")
        driver.main.go_to("results")
        await driver.until(lambda: driver.main.preview.hit is not None)
        await driver.press("A")
        await driver.until(lambda: driver.app.screen.query(WholeText), "the page")
        shown = driver.app.screen.query_one(WholeText)
        await driver.until(lambda: shown.reply or not lines, "its text")
        await driver.pilot.pause()
        yield driver, engine, shown


def rows(shown: WholeText) -> list[str]:
    return [shown.render_line(y).text.rstrip() for y in range(shown.size.height)]


def title(driver: Driver) -> str:
    words = driver.app.screen.query_one(Vertical).border_title or ""
    return Content.from_markup(words).plain.replace("\u00a0", " ")


def note(driver: Driver) -> str:
    return str(driver.app.screen.query_one("#note", Static).content)


@pytest.mark.parametrize("size", [(100, 30), (60, 20)])
async def test_the_file_opens_at_the_hit_which_has_a_bar(size: tuple[int, int]) -> None:
    async with reading(text(1000), 550, size=size) as (driver, _, shown):
        assert " 550 ▎ line 550 of kites" in rows(shown)
        assert 0 < rows(shown).index(" 550 ▎ line 550 of kites") < shown.size.height / 2
        assert sum("▎" in row for row in rows(shown)) == 1
        assert title(driver).startswith("file · a.md · line 5")
        assert title(driver).endswith(" of 1 000")


async def test_it_opens_at_a_hit_far_inside_a_long_line() -> None:
    own = "here it stands"
    line = AroundLine(line=1, text="before " * 500 + own + " after" * 500, is_hit=True)

    class LongLine(ScriptedEngine):
        async def part(self, folder: str, request: PartRequest) -> PartReply:
            return PartReply(lines=[line], parts=1, first=1, total=1, version="1", has_hit=True)

    engine = LongLine()
    engine.answer = whole_answer([hit(1, path="a.md", text=f"…{own}\nmore…")], "Done.")
    async with driving(engine, size=(60, 20)) as driver:
        await driver.ask_to_the_end("kites")
        driver.main.go_to("results")
        await driver.press("A")
        await driver.until(lambda: driver.app.screen.query(WholeText), "the page")
        shown = driver.app.screen.query_one(WholeText)
        await driver.until(lambda: any("here" in row for row in rows(shown)), "the hit")
        assert 1 <= sum("▎" in row for row in rows(shown)) <= 2
        assert all("here" in row or "stands" in row for row in rows(shown) if "▎" in row)


async def test_words_of_the_query_stand_out_and_code_is_coloured() -> None:
    lines = ["def kites():", "    return 'a string'"]
    async with reading(lines, path="a.py") as (_, _, shown):
        strips = [shown.render_line(y) for y in range(2)]
        colours = {
            segment.text.strip(): segment.style.color
            for strip in strips
            for segment in strip
            if segment.style is not None
        }
        assert colours["def"] != colours["():"]
        assert colours["return"] == colours["def"]
        assert "kites" in colours
        found = [text for text in colours if "string" in text]
        assert {colours[text] for text in found}.isdisjoint({colours["return"], colours["():"]})


async def test_of_a_long_file_only_what_is_near_the_view_is_loaded() -> None:
    async with reading(text(100_000), 50_050) as (driver, engine, shown):
        assert len(engine.parts_asked) == 1
        await driver.press(*["pagedown"] * 4)
        await driver.until(lambda: 501 in engine.parts_asked, "the part below")
        await driver.press("G")
        await driver.until(lambda: rows(shown)[-1].endswith("line 100000 of kites"), "the end")
        await driver.press("g")
        await driver.until(lambda: rows(shown)[0].endswith("line 1 of kites"), "the top")
        await driver.press("h")
        await driver.until(lambda: any("▎" in row for row in rows(shown)), "the hit")
        assert len(engine.parts_asked) < 12


async def test_what_was_in_view_stays_there_when_the_part_above_comes() -> None:
    async with reading(text(1000), 505) as (driver, engine, shown):
        await driver.until(lambda: 4 in engine.parts_asked, "the part above")
        await driver.pilot.pause()
        assert any("▎ line 505" in row for row in rows(shown))
        before = rows(shown)
        await driver.press("k", "j")
        assert rows(shown) == before
        await driver.press(*["pageup"] * 4)
        numbers = [int(row.split()[0]) for row in rows(shown)]
        assert numbers == [*range(numbers[0], numbers[0] + len(numbers))]


async def test_parts_far_from_the_view_are_let_go_of_and_come_back() -> None:
    async with reading(text(9000)) as (driver, _, shown):
        while shown._parts[-1].reply.part < MOST_PARTS + 5:
            await driver.press("pagedown")
        assert len(shown._parts) == MOST_PARTS
        while shown._parts[0].reply.part:
            await driver.press("pageup")
        numbers = [int(row.split()[0]) for row in rows(shown)]
        assert numbers == [*range(numbers[0], numbers[0] + len(numbers))]


async def test_long_lines_are_wrapped_and_the_view_keeps_its_line_at_another_width() -> None:
    lines = [f"line {number} of kites " + "word " * 60 for number in range(1, 200)]
    async with reading(lines, 150) as (driver, _, shown):
        top = shown.at_top()
        await driver.pilot.resize_terminal(60, 30)
        await driver.until(lambda: shown.size.width < 60, "the new width")
        await driver.pilot.pause()
        assert top is not None
        assert shown.at_top() == top
        assert all(len(row) <= shown.size.width for row in rows(shown))


async def test_hostile_text_stays_text() -> None:
    async with reading([ATTACK] * 3, path=f"{ATTACK}.md") as (driver, _, shown):
        drawn = "\n".join([*rows(shown), title(driver)])
        assert driver.app.is_running
    assert not {"\x1b", "\x07", "\u202e"} & set(drawn)
    assert "[@click=app.quit]x[/]" in drawn


async def test_a_file_that_is_not_known_and_a_hit_that_is_gone_are_told() -> None:
    async with reading([]) as (driver, _, _):
        await driver.until(lambda: "not known any more" in note(driver), "the words")
    async with reading(text(3), 9) as (driver, _, shown):
        await driver.until(lambda: "no longer in this file" in note(driver), "the words")
        assert rows(shown)[0].endswith("line 1 of kites")


async def test_a_file_that_turns_out_to_have_changed_is_shown_anew_at_the_same_line() -> None:
    async with reading(text(300)) as (driver, engine, shown):
        engine.whole_texts["a.md"] = [f"new {line}" for line in text(300)]
        while 1 not in engine.parts_asked:
            await driver.press("pagedown")
        number = rows(shown)[0].split()[0]
        await driver.until(
            lambda: rows(shown)[0].endswith(f"new line {number} of kites"), "the new text"
        )
        assert title(driver).endswith(" · changed")


ABOVE = [f"new {line}" for line in text(250)]


@pytest.mark.parametrize(
    ("now", "at"),
    [
        ([*ABOVE, *text(300)], 1),
        ([*text(300), "more"], 1),
        ([*text(300)[:200], *ABOVE, *text(300)[200:]], 195),
        (text(300)[120:], 190),
    ],
)
async def test_an_edit_shows_while_the_line_at_the_top_stays(now: list[str], at: int) -> None:
    async with reading(text(300), at) as (driver, engine, shown):
        await driver.press("j")
        top = shown.at_top()
        assert top is not None
        engine.whole_texts["a.md"] = now
        engine.statuses.put_nowait(status(revision=2))
        await driver.until(lambda: title(driver).endswith(" · changed"), "the words")
        await driver.until(lambda: (shown.at_top() or top)[0] == 1 + now.index(top[1].text))
        assert rows(shown)[0].endswith(top[1].text)
        number = shown.at_top()
        assert number is not None
        assert [row.split()[-4:] for row in rows(shown)[:9]] == [
            line.split()[-4:] for line in now[number[0] - 1 : number[0] + 8]
        ]


async def test_an_edited_line_at_the_top_leaves_the_view_at_its_number() -> None:
    async with reading(text(300)) as (driver, engine, shown):
        await driver.press("pagedown")
        top = shown.at_top()
        assert top is not None
        engine.whole_texts["a.md"] = ["entirely other words"] * 300
        engine.statuses.put_nowait(status(revision=2))
        await driver.until(lambda: rows(shown)[0].endswith("other words"), "the new text")
        assert (shown.at_top() or top)[0] == top[0]


async def test_an_edit_elsewhere_changes_nothing() -> None:
    async with reading(text(300), 150) as (driver, engine, shown):
        await driver.press("G")
        await driver.until(lambda: rows(shown)[-1].endswith("line 300 of kites"), "the end")
        before, asked = rows(shown), len(engine.parts_asked)
        engine.statuses.put_nowait(status(revision=2))
        await driver.until(lambda: len(engine.parts_asked) > asked + 1, "a look at the text")
        await driver.pilot.pause()
        assert rows(shown) == before
        assert "changed" not in title(driver) and not note(driver)


async def test_a_file_that_is_gone_says_so_and_its_text_stays_until_it_is_back() -> None:
    async with reading(text(300), 150) as (driver, engine, shown):
        before = rows(shown)
        engine.whole_texts.clear()
        engine.statuses.put_nowait(status(revision=2))
        await driver.until(lambda: title(driver).endswith(" · gone"), "the words")
        assert note(driver) == KEPT
        engine.whole_texts["a.md"] = text(300)
        engine.statuses.put_nowait(status(revision=3))
        await driver.until(lambda: "gone" not in title(driver), "its return")
        assert not note(driver)
        await driver.until(lambda: rows(shown) == before)
        engine.whole_texts["a.md"] = text(299)
        engine.statuses.put_nowait(status(revision=4))
        await driver.until(lambda: title(driver).endswith(" · changed"), "an edit")
        engine.whole_texts.clear()
        engine.statuses.put_nowait(status(revision=5))
        await driver.until(lambda: title(driver).endswith(" · gone"), "it goes again")
        engine.whole_texts["a.md"] = text(299)
        engine.statuses.put_nowait(status(revision=6))
        await driver.until(lambda: title(driver).endswith(" · changed"), "what it was before")


async def test_a_text_that_takes_longer_than_a_moment_is_said_to_be_on_its_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tui.whole_page.MOMENT", 0.01)
    async with reading(text(300)) as (driver, engine, shown):
        engine.parts_gate.clear()
        await driver.press("G")
        await driver.until(lambda: title(driver).endswith(f" · {LOADING}"), "the words")
        engine.parts_gate.set()
        await driver.until(lambda: rows(shown)[-1].endswith("line 300 of kites"), "the end")
        await driver.until(lambda: LOADING not in title(driver))


async def test_an_engine_that_fails_is_told_of_and_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tui.whole_page.REST_AFTER_FAULT", 0.05)
    engine_error = EngineError(f"it broke {ATTACK}", "Try again")

    class Broken(ScriptedEngine):
        is_broken = True

        async def part(self, folder: str, request: PartRequest) -> PartReply:
            if self.is_broken:
                raise engine_error
            return await super().part(folder, request)

    engine = Broken()
    found = hit(1, path="a.md", start_line=150, end_line=150, text="line 150 of kites")
    engine.answer = whole_answer([found], "Done.")
    engine.whole_texts = {"a.md": text(500)}
    async with driving(engine) as driver:
        await driver.ask_to_the_end("kites")
        driver.main.go_to("results")
        await driver.press("A")
        await driver.until(lambda: driver.app.screen.query("#note"), "the page")
        await driver.until(lambda: "it broke" in note(driver), "the words")
        assert "\x1b" not in note(driver)
        engine.is_broken = False
        shown = driver.app.screen.query_one(WholeText)
        await driver.until(lambda: any("▎ line 150" in row for row in rows(shown)), "the hit")
        assert not note(driver)
        engine.is_broken = True
        await driver.press("G")
        await driver.until(lambda: "it broke" in note(driver), "the words")
        engine.is_broken = False
        await driver.until(lambda: rows(shown)[-1].endswith("line 500 of kites"), "the end")
        assert not note(driver)


@pytest.mark.parametrize("key", ["escape", "q", "A"])
async def test_the_page_closes_and_the_hit_is_there_again(key: str) -> None:
    async with reading(text(300), 150) as (driver, _, _):
        await driver.press(key)
        await driver.until(lambda: len(driver.app.screen_stack) == 1, "closing")
        assert driver.main.pane == "results"


async def test_e_edits_the_file_at_the_line_in_view() -> None:
    async with reading(text(300)) as (driver, _, shown):
        await driver.press("pagedown", "e")
        await driver.until(lambda: driver.seen(HitOpened), "opening")
        opened = next(m.hit for m in driver.messages if isinstance(m, HitOpened))
        top = shown.at_top()
        assert top is not None
        assert (opened.path, opened.start_line) == ("a.md", top[1].line)
        assert opened.start_line > 1


async def test_without_a_hit_there_is_no_file() -> None:
    async with driving() as driver:
        driver.main.go_to("answer")
        await driver.press("A")
        assert driver.toasts[-1].message == "Select a hit first: its file is shown"


async def test_pages_of_a_pdf_are_told() -> None:
    found: Hit = hit(1, path="a.pdf", start_line=1, end_line=1, page=2)
    lines = [
        AroundLine(
            line=line, part=Part("page", page), text=f"page {page} line {line}", is_hit=(page == 2)
        )
        for page in (1, 2)
        for line in (1, 2)
    ]

    class Paged(ScriptedEngine):
        async def part(self, folder: str, request: object) -> PartReply:
            return PartReply(lines=lines, parts=1, first=1, total=4, version="1", has_hit=True)

    engine = Paged()
    engine.answer = whole_answer([found], "Done.")
    async with driving(engine) as driver:
        await driver.ask_to_the_end("kites")
        driver.main.go_to("results")
        await driver.press("A")
        await driver.until(lambda: isinstance(driver.app.screen, WholePage))
        await driver.until(lambda: "page 1" in title(driver), "the page's number")
        shown = driver.app.screen.query_one(WholeText)
        assert [row.strip() for row in rows(shown)[:4]] == [
            "─── page 1",
            "page 1 line 1",
            "page 1 line 2",
            "─── page 2",
        ]
