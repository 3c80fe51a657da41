"""The hits of a file in one row: nothing is searched again for it."""

from __future__ import annotations

import pytest

from tests.hits import hit
from tests.tui.driver import driving
from tests.tui.rows import rows_of
from tests.tui.scripted import found, status
from tests.tui.test_arranging import HITS, answering, asked, numbers, shown, told
from tui import hit_row
from tui.arranging import Order, arranged, folded


@pytest.mark.parametrize(
    ("order", "files", "wanted", "more"),
    [
        (Order.RANKED, ["a.md"], [1, 2], [2, 0]),
        (Order.DISTANCE, ["a.md", "b.md"], [4, 2], [2, 0]),
        (Order.FILE, ["a.md"], [3, 2], [2, 0]),
        (Order.FILE, ["b.md"], [3, 4, 1, 2], [0, 0, 0, 0]),
        (Order.RANKED, [], [1, 2, 3, 4], [0, 0, 0, 0]),
    ],
)
def test_a_file_is_folded_into_its_first_row(
    order: Order, files: list[str], wanted: list[int], more: list[int]
) -> None:
    rows = rows_of(HITS)
    names = {row.file for row in rows if row.hit.path in files}
    kept = folded(arranged(rows, order), names)
    assert (numbers(kept), [row.more for row in kept]) == (wanted, more)


def test_a_folded_row_tells_how_many_more_there_are() -> None:
    (row,) = folded(rows_of(HITS[2:]), {rows_of(HITS)[0].file})
    assert hit_row.shown_place(row) == "a.md:10-38 ▸1"


async def test_a_file_is_folded_into_one_row_and_opened_again() -> None:
    names = ["a.md", "b.md", "a.md", "b.md", "a.md"]
    engine = answering([hit(number, path=name) for number, name in enumerate(names, 1)])
    async with driving(engine) as driver:
        await asked(driver, engine)
        assert driver.main.results.list.check_action("unfold", ()) is False
        await driver.press("3", "left")
        await driver.until(lambda: shown(driver) == [1, 2, 4])
        assert driver.main.results.selected == driver.main.results.hits[0], "its file's row"
        assert told(driver) == "3 of 5"
        await driver.press("minus")
        await driver.until(lambda: shown(driver) == [1, 2])
        await driver.press("right")
        await driver.until(lambda: shown(driver) == [1, 2, 3, 5])
        await driver.press("4")
        assert shown(driver) == [1, 2, 3, 4, 5], "a hit that is wanted by its number is shown"
        assert driver.main.results.selected == driver.main.results.hits[3]
        assert told(driver) == ""
        await driver.press("minus", "minus")
        await driver.until(lambda: told(driver) == "")
        assert shown(driver) == [1, 2, 3, 4, 5] and not engine.searches


async def test_what_is_folded_stays_so_in_another_order_and_after_a_refresh() -> None:
    hits = [hit(1, path="a.md"), hit(2, path="b.md"), hit(3, path="a.md", start_line=90)]
    engine = answering(hits)
    engine.finds["other"] = [found("other", hits)]
    async with driving(engine) as driver:
        await asked(driver, engine)
        await driver.press("left", "s")
        await driver.until(lambda: told(driver) == "2 of 3 · by distance")
        engine.refreshed = [*hits, hit(4, path="a.md", start_line=200)]
        engine.statuses.put_nowait(status(revision=2))
        await driver.until(lambda: told(driver) == "2 of 4 · by distance")
        driver.main.query_pane.input.take("other")
        await driver.until(lambda: shown(driver) == [1, 2, 3], "another query")
