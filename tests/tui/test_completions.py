"""Values of filters, offered while a filter is typed in the query."""

from __future__ import annotations

import asyncio

import pytest
from textual.containers import Container
from textual.geometry import Offset

from engine.errors import EngineError
from engine.wire.api_complete import CompleteReply, FilterValue
from tests.hits import hit
from tests.tui.driver import Driver, driving
from tests.tui.scripted import ScriptedEngine
from tui.completions import Completions
from tui.messages import FilterTyped, QueryAsked

ESCAPE, EVIL = "\x1b]52;c;AA==\x07", "\u202eevil [/] [@click=app.quit]x"


def reply(**files: int) -> CompleteReply:
    return CompleteReply(
        values=[FilterValue(value=value, files=number) for value, number in files.items()]
    )


def offering() -> ScriptedEngine:
    engine = ScriptedEngine()
    engine.refreshed = []
    top = {"docs/": 53, "my notes/": 1200, "README.md": 1}
    engine.values = {
        "": [reply(**top)],
        "d": [reply(**{"docs/": 53})],
        "docs/": [reply(**{"docs/guide/": 2, "docs/index.md": 1})],
        "my": [reply(**{"my notes/": 1200})],
        "my notes/": [reply(**{"my notes/all of it.md": 1})],
        "x": [EngineError("no answer")],
    }
    return engine


def offered(driver: Driver) -> list[str]:
    shown = driver.main.query_one(Completions)
    if not shown.display:
        return []
    lines = [str(option.prompt) for option in shown.options]
    return [line.replace("\u00a0", " ") for line in lines]


def text(driver: Driver) -> str:
    return driver.main.query_pane.input.text


async def type_and_see(driver: Driver, typed: str, first: str) -> None:
    await driver.press(*typed)
    await driver.until(lambda: first in "".join(offered(driver)[:1]), f"{first} being offered")


async def test_values_are_offered_while_a_filter_is_typed_and_narrow() -> None:
    engine = offering()
    async with driving(engine) as driver:
        await type_and_see(driver, "kite path:", "docs/")
        plain = [" ".join(row.split()) for row in offered(driver)]
        assert plain == ["docs/ 53 files", "my notes/ 1 200 files", "README.md 1 file"]
        await driver.press("d")
        await driver.until(lambda: len(offered(driver)) == 1, "narrowing")
        assert engine.values_asked[-1] == ("path", "d")
        await driver.press("q")
        await driver.until(lambda: not offered(driver), "the end of the offer")
        await driver.press("backspace")
        await driver.until(lambda: offered(driver), "the offer again")


async def test_tab_takes_the_first_and_a_folder_leads_on() -> None:
    async with driving(offering()) as driver:
        await type_and_see(driver, "path:", "docs/")
        await driver.press("tab")
        assert text(driver) == "path:docs/"
        assert driver.main.pane == "query"
        await driver.until(lambda: "guide/  " in offered(driver)[0], "what is in it")
        await driver.press("down", "down", "enter")
        assert text(driver) == "path:docs/index.md "
        assert not driver.seen(QueryAsked), "Enter took the value"
        await driver.press(*"kite", "enter")
        assert driver.main.question == "path:docs/index.md kite"


async def test_enter_asks_where_no_value_was_chosen() -> None:
    async with driving(offering()) as driver:
        await type_and_see(driver, "kite path:docs/", "guide/")
        await driver.press("enter")
        assert driver.main.question == "kite path:docs/"
        assert not offered(driver)
        await driver.press("tab")
        assert driver.main.pane == "results", "Tab is the screen's again"


async def test_the_cursor_goes_round_and_names_with_blanks_are_quoted() -> None:
    async with driving(offering()) as driver:
        await type_and_see(driver, "path:", "docs/")
        box = driver.main.query_one(Completions)
        assert "tab takes the first" in str(box.border_subtitle)
        await driver.press("up", "down", "down", "down", "up")
        assert "tab or enter takes it" in str(box.border_subtitle)
        await driver.press("enter")
        assert text(driver) == 'path:"my notes/"'
        await driver.until(lambda: "all of it.md" in "".join(offered(driver)), "what is in it")
        await driver.press("tab", *"kite")
        assert text(driver) == 'path:"my notes/all of it.md" kite'


@pytest.mark.parametrize(
    ("keys", "typed"),
    [
        (["quotation_mark", *" kite"], 'path:"my notes/" kite'),
        (["escape", *" kite"], 'path:"my notes/" kite'),
        (["escape", "quotation_mark", *" kite"], 'path:"my notes/" kite'),
        (list("all of"), 'path:"my notes/all of"'),
        ([*"all of", "quotation_mark", *" kite"], 'path:"my notes/all of" kite'),
        (["escape", *"all of"], 'path:"my notes/all" of'),
        (["left", "quotation_mark"], 'path:"my notes"/"'),
        (["end", *" say ", "quotation_mark"], 'path:"my notes/" say "'),
    ],
)
async def test_the_closing_quote_that_was_put_there_is_stepped_over(
    keys: list[str], typed: str
) -> None:
    async with driving(offering()) as driver:
        await type_and_see(driver, "path:my", "my notes/")
        await driver.press("tab")
        assert text(driver) == 'path:"my notes/"'
        await driver.until(lambda: "all of it.md" in "".join(offered(driver)), "what is in it")
        await driver.press(*keys)
        assert text(driver) == typed


async def test_escape_closes_the_list_alone_and_for_this_filter() -> None:
    engine = offering()
    async with driving(engine) as driver:
        await type_and_see(driver, "kite path:", "docs/")
        await driver.press("escape")
        assert not offered(driver) and text(driver) == "kite path:"
        await driver.press("d")
        await driver.pilot.pause(0.1)
        assert ("path", "d") not in engine.values_asked and not offered(driver)
        await driver.press("backspace")
        await type_and_see(driver, "z path:", "docs/")
        await driver.press("escape", "escape")
        assert text(driver) == "", "the second is the screen's"


async def test_a_click_takes_a_value_and_moves_no_border() -> None:
    async with driving(offering()) as driver:
        await type_and_see(driver, "path:", "docs/")
        region = driver.main.query_one(Completions).region
        for row in range(3):
            assert driver.main._border_at(region.offset + Offset(4, row)) is None
        await driver.pilot.click(Completions, offset=(4, 2))
        await driver.pilot.pause()
        assert text(driver) == 'path:"my notes/"'
        assert driver.main.pane == "query"


async def test_the_list_takes_no_room_from_the_panes() -> None:
    async with driving(offering()) as driver:
        before = driver.main.query_one("#desk", Container).region
        await type_and_see(driver, "path:", "docs/")
        assert driver.main.query_one("#desk", Container).region == before
        assert driver.main.query_one(Completions).region.y == before.y


async def test_only_what_is_typed_is_offered_for() -> None:
    """A question that is recalled, asked or edited elsewhere keeps its arrow keys."""
    engine = offering()
    async with driving(engine) as driver:
        for question in ("kite path:", "owl tag:"):
            await driver.ask_to_the_end(question)
        await driver.press("up", "up")
        assert text(driver) == "kite path:"
        await driver.press("left", "right")
        await driver.pilot.pause(0.1)
        assert not engine.values_asked and not offered(driver)
        await driver.press("escape", *"'path:")
        await driver.press("escape", *"/a path:")
        await driver.press("escape", *"note: x")
        await driver.pilot.pause(0.1)
        assert not engine.values_asked, "an exact search has no filters within"


async def test_the_list_closes_when_the_cursor_leaves_the_filter() -> None:
    async with driving(offering()) as driver:
        await type_and_see(driver, "kite path:", "docs/")
        await driver.press("home")
        assert not offered(driver)
        await driver.press("end", "backspace", ":")
        await driver.until(lambda: offered(driver), "the offer")
        driver.main.go_to("results")
        await driver.pilot.pause()
        assert not offered(driver)


async def test_the_last_answer_wins_and_keys_pressed_before_it_count() -> None:
    engine = offering()
    slow = asyncio.Event()
    engine.values["d"] = [slow, reply(**{"docs/": 53})]
    async with driving(engine) as driver:
        await type_and_see(driver, "path:", "docs/")
        await driver.press("down", "d")
        await driver.until(lambda: ("path", "d") in engine.values_asked, "the question")
        await driver.press("tab")
        assert text(driver) == "path:d", "what is offered may not be meant"
        slow.set()
        await driver.until(lambda: text(driver) == "path:docs/", "taking it")
        engine.values["docs/g"] = [asyncio.Event()]
        await driver.press("g")
        await driver.until(lambda: engine.values_asked[-1] == ("path", "docs/g"), "the question")
        await driver.press("backspace", "backspace")
        await driver.press("q")
        await driver.until(lambda: not offered(driver), "nothing")


async def test_an_engine_that_does_not_know_is_no_trouble() -> None:
    async with driving(offering()) as driver:
        await type_and_see(driver, "path:", "docs/")
        await driver.press("x")
        await driver.until(lambda: not offered(driver), "the end of the offer")
        assert not driver.toasts


@pytest.mark.parametrize("name", ["path", "tag", "type"])
async def test_hostile_names_are_shown_clean(name: str) -> None:
    engine = offering()
    engine.values[""] = [reply(**{ESCAPE: 1, EVIL: 2, "x" * 300: 3})]
    async with driving(engine) as driver:
        await type_and_see(driver, f"-{name}:", "52;c")
        assert all(row.isprintable() for row in offered(driver))
        shown = "[@click=app.quit]x" if name == "path" else "evil [/] [@click=app.quit]x"
        assert shown in offered(driver)[1]
        assert driver.main.query_one(Completions).region.right < 100
        assert driver.seen(FilterTyped)


# --- what is searched meanwhile ---------------------------------------------------------------


@pytest.mark.parametrize("begun", ["type:", "-path:", 'tag:"'])
async def test_a_filter_without_a_value_is_not_searched_for_by_its_letters(begun: str) -> None:
    engine = offering()
    async with driving(engine) as driver:
        await type_and_see(driver, f"rye {begun}", "docs/")
        await driver.until(lambda: engine.searches[-1:] == ["rye"], "the search without it")
        await driver.press("d")
        await driver.until(lambda: engine.searches[-1:] == [f"rye {begun}d"], "the search with it")
        assert f"rye {begun}" not in engine.searches


async def test_a_filter_alone_without_a_value_brings_back_what_was_there() -> None:
    engine = offering()
    engine.refreshed = [hit(1)]
    async with driving(engine) as driver:
        await driver.press(*"type")
        await driver.until(lambda: driver.main.results.hits, "hits of the word")
        await driver.press(":")
        await driver.until(lambda: not driver.main.results.hits, "no hits")
        await driver.press(*" rye")
        await driver.until(lambda: engine.searches[-1:] == ["type: rye"], "it is a word now")


@pytest.mark.parametrize(
    ("typed", "back", "wanted"),
    [
        ("a type: b", 2, "a  b"),
        ("a type: b", 0, "a type: b"),
        ("type:md,", 0, "type:md,"),
        ("a type:md", 0, "a type:md"),
        ("a\npath:", 0, "a\n"),
        ('a path:"', 0, "a "),
    ],
)
async def test_only_the_filter_at_the_cursor_is_left_out(
    typed: str, back: int, wanted: str
) -> None:
    async with driving(offering()) as driver:
        field = driver.main.query_pane.input
        field.text = typed
        field.move_cursor(field.document.end)
        field.move_cursor_relative(columns=-back)
        assert field.without_begun == wanted
