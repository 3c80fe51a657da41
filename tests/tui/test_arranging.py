"""Order, groups and the filter of the results: nothing is searched again for them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from textual.content import Content
from textual.events import Paste
from textual.widgets import Input, Static

from engine.wire.api_search import Hit
from tests.hits import hit
from tests.tui import content
from tests.tui.driver import Driver, driving
from tests.tui.rows import row_of, rows_of
from tests.tui.scripted import ScriptedEngine, ScriptedSource, found, status, whole_answer
from tests.tui.test_typed_ahead import typed_at_once
from tui import hit_row, line_row
from tui.arranging import Order, arranged, matching, next_order
from tui.filter_line import LONGEST, FilterLine
from tui.hints import HintLine
from tui.live_marks import Fate, Row
from tui.notes import none_left_note

ATTACK = "[/] [@click=app.quit]x[/] \x1b]52;c;AA==\x07 \u202eevil"


def numbers(rows: Sequence[Row]) -> list[int]:
    return [row.number for row in rows]


HITS = [
    hit(1, path="a.md", start_line=40, distance=0.5),
    hit(2, path="b.md", start_line=1, distance=0.7),
    hit(3, path="a.md", start_line=10, distance=None),
    hit(4, path="a.md", start_line=20, distance=0.9),
]


@pytest.mark.parametrize(
    ("order", "wanted"),
    [
        (Order.RANKED, [1, 2, 3, 4]),
        (Order.DISTANCE, [4, 2, 1, 3]),
        (Order.FILE, [3, 4, 1, 2]),
    ],
)
def test_hits_are_put_in_order_and_keep_their_numbers(order: Order, wanted: list[int]) -> None:
    assert numbers(arranged(rows_of(HITS), order)) == wanted


def test_hits_of_one_file_stand_below_each_other_without_its_name() -> None:
    rows = arranged(rows_of(HITS), Order.FILE)
    places = [hit_row.shown_place(row) for row in rows]
    assert places == ["a.md:10-38", "  ├:20-48", "  └:40", "b.md:1-28"]


@pytest.mark.parametrize("width", range(0, 130, 3))
def test_grouped_rows_fit(width: int) -> None:
    rows = arranged([row_of(each, fate=Fate.MOVED) for each in content.HITS], Order.FILE)
    columns = hit_row.fit_columns(rows, width)
    for shown in [
        *(hit_row.row(row, 0.8, columns) for row in rows),
        *line_row.rows(rows, "'starter", width),
    ]:
        if width >= 26:
            assert shown.cell_length <= width


def test_the_order_by_distance_is_left_out_where_there_are_none() -> None:
    rows = rows_of(HITS)
    assert next_order(Order.RANKED, rows) is Order.DISTANCE
    assert next_order(Order.DISTANCE, rows) is Order.FILE
    assert next_order(Order.FILE, rows) is Order.RANKED
    assert next_order(Order.RANKED, rows_of([hit(1, distance=None)])) is Order.FILE


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("", [1, 2]),
        ("  ", [1, 2]),
        ("PAGE1", [1]),
        ("section text", [1, 2]),
        ("section hit 2.", [2]),
        ("straße", [2]),
        ("STRASSE", [2]),
        ("nowhere", []),
        ("[/]", []),
    ],
)
def test_a_filter_keeps_the_hits_that_hold_all_its_words(typed: str, wanted: list[int]) -> None:
    hits = [hit(1), hit(2, text="Text of hit 2. Straße")]
    assert numbers(matching(rows_of(hits), typed)) == wanted


# --- on the screen ------------------------------------------------------------------------------


def shown(driver: Driver) -> list[int]:
    return numbers(driver.main.results.list.rows)


def told(driver: Driver) -> str:
    markup = driver.main.results.border_subtitle or ""
    return Content.from_markup(markup).plain.replace("\u00a0", " ")


def line(driver: Driver) -> FilterLine:
    return driver.main.query_one(FilterLine)


def answering(hits: Sequence[Hit] = content.HITS) -> ScriptedEngine:
    engine = ScriptedEngine()
    engine.answer = whole_answer(hits, "Answer.")
    return engine


async def asked(driver: Driver, engine: ScriptedEngine) -> None:
    engine.statuses.put_nowait(status(revision=1))
    await driver.until(lambda: driver.main.status is not None)
    await driver.ask_to_the_end("q")
    driver.main.go_to("results")
    await driver.pilot.pause()


async def test_s_goes_through_the_orders_and_the_cursor_stays_on_its_hit() -> None:
    engine = answering([hit(1, distance=0.3), hit(2, path="b.md"), hit(3, path="docs/page1.md")])
    async with driving(engine) as driver:
        await asked(driver, engine)
        await driver.press("2", "s")
        await driver.until(lambda: told(driver) == "by distance")
        assert shown(driver) == [2, 3, 1]
        assert driver.main.results.selected == driver.main.results.hits[1]
        await driver.press("s")
        await driver.until(lambda: told(driver) == "by file")
        assert shown(driver) == [1, 3, 2]
        assert driver.main.results.selected == driver.main.results.hits[1]
        await driver.press("3")
        assert driver.main.results.selected == driver.main.results.hits[2]
        await driver.press("s")
        await driver.until(lambda: told(driver) == "")
        assert shown(driver) == [1, 2, 3]
        assert not engine.searches, "the engine is not asked again"


async def test_f_filters_what_is_shown_and_esc_brings_all_back() -> None:
    engine = answering()
    async with driving(engine) as driver:
        await asked(driver, engine)
        await driver.press("f", *"STARTER fe")
        await driver.until(lambda: told(driver) == "5 of 8")
        assert shown(driver) == [1, 2, 3, 4, 7]
        assert driver.main.pane == "results"
        await driver.press("enter")
        assert driver.app.focused is driver.main.results.list
        assert line(driver).display, "what is filtered by stays in view"
        await driver.press("j")
        assert driver.main.results.selected == content.HITS[1]
        await driver.press("escape")
        await driver.until(lambda: len(shown(driver)) == 8)
        assert driver.main.results.selected == content.HITS[1]
        assert driver.main.pane == "results" and not line(driver).display
        assert told(driver) == ""
        await driver.press("f", "z", "q")
        await driver.until(lambda: told(driver) == "0 of 8")
        await driver.press("escape")
        await driver.until(lambda: len(shown(driver)) == 8)
        assert driver.app.focused is driver.main.results.list
        assert not engine.searches
        await driver.press("escape")
        await driver.until(lambda: driver.main.pane == "query")


async def test_keys_pressed_right_after_f_are_words_and_no_commands() -> None:
    engine = answering()
    async with driving(engine) as driver:
        await asked(driver, engine)
        from textual.events import Key

        for key in "fd1":
            driver.app.post_message(Key(key, key))
        await driver.until(lambda: line(driver).value == "d1", "the words")
        assert not driver.main.tray


async def test_what_is_typed_while_earlier_words_are_looked_for_stays() -> None:
    engine = answering()
    async with driving(engine) as driver:
        await asked(driver, engine)
        await driver.press("f")
        typed = line(driver)
        typed.value = "st"
        typed.value = "starter"  # before the pane heard of the first
        await driver.until(lambda: told(driver) == "6 of 8")
        assert typed.value == "starter"
        typed.value = "frozen"
        typed.action_clear()
        await driver.until(lambda: len(shown(driver)) == 8)
        await driver.pilot.pause()
        assert typed.value == "" and not typed.display


async def test_the_hints_tell_no_more_of_a_filter_that_is_over() -> None:
    async with driving(answering()) as driver:
        await driver.ask_to_the_end("q")
        driver.main.go_to("results")
        await driver.press("f", "a", "enter")
        await driver.until(lambda: "all hits" in str(driver.main.query_one(HintLine).content))
        await driver.press("escape")
        await driver.until(lambda: not driver.main.results.list.words)
        assert "all hits" not in str(driver.main.query_one(HintLine).content)


async def test_a_number_that_the_filter_hides_is_shown_all_the_same() -> None:
    engine = answering()
    async with driving(engine) as driver:
        await asked(driver, engine)
        await driver.press("f", *"frozen", "enter")
        await driver.until(lambda: shown(driver) == [8])
        await driver.press("2")
        assert driver.main.results.selected == content.HITS[1]
        assert len(shown(driver)) == 8


async def test_order_and_filter_outlast_a_refresh_and_end_with_another_query() -> None:
    engine = answering()
    engine.finds["other"] = [found("other", content.HITS[:2])]
    async with driving(engine) as driver:
        await asked(driver, engine)
        await driver.press("s", "f", *"starter", "enter")
        await driver.until(lambda: told(driver) == "6 of 8 · by distance")
        engine.refreshed = [
            content.HITS[0].model_copy(update={"distance": 0.1}),
            *content.HITS[1:],
        ]
        engine.statuses.put_nowait(status(revision=2))
        await driver.until(lambda: driver.main.results.hits[0].distance == 0.1, "the refresh")
        assert told(driver) == "6 of 8 · by distance"
        assert shown(driver)[-1] == 1
        driver.main.query_pane.input.text = "other"
        await driver.until(lambda: len(shown(driver)) == 2, "the other hits")
        assert told(driver) == "" and not line(driver).display
        assert driver.main.results.list.order is Order.RANKED


async def test_a_question_that_is_asked_meanwhile_takes_the_filter_and_gives_the_list() -> None:
    engine = answering()
    async with driving(engine) as driver:
        await asked(driver, engine)
        await driver.press("f", "x")
        await driver.until(lambda: told(driver).endswith("of 8"))
        await driver.press("ctrl+r")
        await driver.until(lambda: len(engine.questions) == 2 and not driver.main.answering)
        await driver.until(lambda: driver.app.focused is driver.main.results.list)
        assert len(shown(driver)) == 8 and not line(driver).display


@pytest.mark.parametrize("size", [(100, 30), (60, 20)])
async def test_the_filter_is_in_view(size: tuple[int, int]) -> None:
    engine = answering(content.HITS * 4)
    async with driving(engine, size=size) as driver:
        await asked(driver, engine)
        await driver.press("f", "a")
        pane, shown_line = driver.main.results, line(driver)
        await driver.until(lambda: shown_line.region.height == 1)
        assert pane.region.contains_region(shown_line.region)
        assert not pane.list.region.overlaps(shown_line.region)
        assert pane.list.region.height > 0


async def test_what_is_pasted_into_the_filter_is_one_line_of_text() -> None:
    engine = answering()
    async with driving(engine) as driver:
        await asked(driver, engine)
        await driver.press("f")
        driver.app.post_message(Paste(f"{ATTACK}\n{'x' * 2 * LONGEST}"))
        await driver.until(lambda: line(driver).value)
        assert not set(line(driver).value) & set("\x1b\x07\u202e\n")
        await driver.until(lambda: told(driver) == "0 of 8")
        assert driver.app.is_running
        assert isinstance(driver.app.focused, Input)


# --- a filter that leaves nothing ------------------------------------------------------------


async def test_a_filter_that_leaves_nothing_says_so_and_how_to_end_it() -> None:
    engine = answering()
    async with driving(engine) as driver:
        await asked(driver, engine)
        note = driver.main.query_one("#results-note", Static)
        await driver.press("f", *"zq")
        await driver.until(lambda: driver.said("results-note"), "the note")
        await driver.until(lambda: note.region.area > 0)
        assert driver.said("results-note") == "no hit here holds “zq” · esc shows all"
        await driver.press("enter")
        assert driver.app.focused is driver.main.results.list
        assert note.display, "the filter is kept"
        await driver.press("escape")
        await driver.until(lambda: len(shown(driver)) == 8 and not note.display)
        await driver.press("f", *"  ")
        await driver.pilot.pause()
        assert not note.display, "these are no words"


async def test_the_note_of_a_filter_names_changed_keys_and_lines_and_goes_with_the_query() -> None:
    engine = ScriptedEngine()
    lines = [hit(number, text=f"a kite, {number}") for number in range(1, 4)]
    engine.finds["'kite"] = [found("'kite", lines, mode="exact", matches=3, files=["a.md"])]
    engine.finds["other"] = [found("other", content.HITS[:2])]
    keys = {"filter.clear": "f9", "results.unfilter": "f10"}
    async with driving(source=ScriptedSource(engine, keys=keys)) as driver:
        await driver.until(lambda: driver.app.key_of("filter.clear") == "f9", "the keys")
        driver.main.query_pane.input.text = "'kite"
        await driver.until(lambda: len(shown(driver)) == 3, "the lines")
        driver.main.go_to("results")
        await driver.press("f", *"zq")
        await driver.until(lambda: "f9 shows all" in driver.said("results-note"), "the note")
        assert driver.said("results-note").startswith("no line here holds “zq”")
        await driver.press("enter")
        await driver.until(lambda: "f10 shows all" in driver.said("results-note"), "the list's key")
        driver.main.query_pane.input.text = "other"
        await driver.until(lambda: len(shown(driver)) == 2, "the other hits")
        assert not driver.main.query_one("#results-note", Static).display


def test_the_note_of_a_filter_is_short_and_safe() -> None:
    note = none_left_note(f"{ATTACK} {'x' * 100}", of="hit", key="esc").plain
    assert note.startswith("no hit here holds “[/] [@click=app.quit]x[/]")
    assert note.isprintable() and "\u202e" not in note and len(note) < 80


# --- keys that are sent together -------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "words", "cursor"),
    [
        ("fstarter\rj", "starter", 1),
        ("fstarterx\x7f\rjjk", "starter", 1),
        ("fxyz\x1bjj", "", 2),
        ("fone\x15starter\rjjj", "starter", 3),
        ("fstarter\r\x1bj", "", 1),
    ],
)
async def test_keys_sent_with_enter_into_the_filter_all_count_in_order(
    keys: str, words: str, cursor: int
) -> None:
    engine = answering()
    async with driving(engine) as driver:
        await asked(driver, engine)
        typed_at_once(driver, *keys)
        listed = driver.main.results.list
        await driver.until(lambda: driver.app.focused is listed, "leaving the filter")
        await driver.until(lambda: (listed.words, listed.highlighted) == (words, cursor))
        assert line(driver).value == words
