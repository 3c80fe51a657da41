"""Finding words in the whole file of a hit."""

import pytest

from tests.tui.driver import Driver
from tests.tui.test_whole_page import note, reading, rows, text
from tui.filter_line import FilterLine
from tui.whole_page import NOT_FOUND, WholePage
from tui.whole_text import WholeText


async def on_screen(driver: Driver, shown: WholeText, row: str) -> None:
    await driver.until(lambda: any(each.endswith(row) for each in rows(shown)), row)


def marked(shown: WholeText) -> list[str]:
    """What stands out as that which is looked for."""
    return [
        row.plain[span.start : span.end]
        for row in shown._rows
        for span in row.spans
        if "reverse" in str(span.style) or "underline" in str(span.style)
    ]


@pytest.mark.parametrize("size", [(100, 30), (60, 20)])
async def test_words_are_found_while_they_are_typed_and_from_line_to_line(
    size: tuple[int, int],
) -> None:
    lines = text(1000)
    for number in (120, 540, 900):
        lines[number - 1] = f"the buoy {number} lies here"
    async with reading(lines, 500, size=size) as (driver, _, shown):
        await driver.press("slash", *"buoy")
        await on_screen(driver, shown, "the buoy 540 lies here")
        assert set(marked(shown)) == {"buoy"}
        await driver.press("enter", "n")
        await on_screen(driver, shown, "the buoy 900 lies here")
        await driver.press("n")
        await on_screen(driver, shown, "the buoy 120 lies here")
        await driver.press("N")
        await on_screen(driver, shown, "the buoy 900 lies here")
        assert not note(driver)
        await driver.press("slash", "escape")
        await driver.pilot.pause()
        assert not driver.app.screen.query_one(FilterLine).display
        await driver.until(lambda: not marked(shown), "the end of the marks")
        await driver.press("escape")
        assert not isinstance(driver.app.screen, WholePage)


async def test_of_lines_in_view_the_one_that_was_gone_to_stands_out_most() -> None:
    async with reading([*text(8), "a buoy", "of", "another buoy"], 1) as (driver, _, shown):

        def reversed_rows() -> list[str]:
            return [
                row.plain.split("  ")[-1]
                for row in shown._rows
                if any("reverse" in str(span.style) for span in row.spans)
            ]

        await driver.press("slash", *"buoy", "enter")
        await driver.until(lambda: [*map(str.strip, reversed_rows())] == ["a buoy"])
        await driver.press("n")
        await driver.until(lambda: "another" in "".join(reversed_rows()))
        assert len(reversed_rows()) == 1 and marked(shown) == ["buoy", "buoy"]


async def test_words_that_stand_nowhere_are_told_and_the_text_stays() -> None:
    async with reading(text(300), 150) as (driver, _, shown):
        before = rows(shown)
        await driver.press("slash", *"zzz")
        await driver.until(lambda: note(driver) == NOT_FOUND, "the note")
        assert rows(shown)[: len(before) - 2] == before[: len(before) - 2]
        await driver.press("escape")
        assert not note(driver)


async def test_without_words_the_next_line_is_asked_for() -> None:
    async with reading(text(300), 150) as (driver, _, _text):
        await driver.press("n")
        line = driver.app.screen.query_one(FilterLine)
        assert line.display and driver.app.screen.focused is line
        await driver.press("x", "y")
        assert line.value == "xy"


async def test_hostile_words_are_only_words() -> None:
    attack = "[/](.*\\"
    lines = [*text(10), f"it says {attack} here"]
    async with reading(lines, 1) as (driver, _, shown):
        driver.app.screen.action_filter()  # type: ignore[attr-defined]
        driver.app.screen.query_one(FilterLine).value = attack
        await driver.until(lambda: marked(shown) == [attack], "the mark")
