"""What of the answer stands on the hit under the cursor: it has a background of its own."""

from __future__ import annotations

import asyncio

import pytest
from textual.content import Content
from textual.widgets import Static

from engine.wire import api_answer
from tests.tui import content
from tests.tui.driver import Driver, driving
from tests.tui.scripted import ScriptedEngine, cited_in, found, llm, tokens
from tests.tui.test_citations import HITS, answering
from tui import citations
from tui.extract import Extract
from tui.long_text import LongText

EXTRACTED = api_answer.ExtractsFound(extracts=content.EXTRACTS)


def marked(driver: Driver) -> list[str]:
    """The texts that stand out in the answer, as they are shown."""
    return [
        part.content.plain[span.start : span.end]
        for part in driver.main.query_one(LongText).query(Static)
        if isinstance(part.content, Content)
        for span in part.content.spans
        if span.style == citations.SELECTED_STYLE
    ]


def marked_extracts(driver: Driver) -> list[int]:
    return [each.rank for each in driver.main.query(Extract) if each.has_class("-marked")]


async def test_what_stands_on_the_hit_under_the_cursor_stands_out() -> None:
    text = "Rest it. [1] Then **dry** it. [2] Nobody knows. [?]\n\n- Rest it again. [1]"
    engine = answering(text)
    engine.answer = [HITS, EXTRACTED, *engine.answer[1:]]
    async with driving(engine) as driver:
        await driver.ask_to_the_end("q")
        assert marked(driver) == [] and marked_extracts(driver) == [], "the cursor is in the query"
        await driver.press("tab")
        await driver.until(lambda: marked(driver) == ["Rest it. [1]", "Rest it again. [1]"])
        assert marked_extracts(driver) == [1]
        await driver.press("j")
        await driver.until(lambda: marked(driver) == ["Then dry it. [2]"], "the next")
        assert marked_extracts(driver) == [2]
        await driver.press("G")
        await driver.until(lambda: not (marked(driver) or marked_extracts(driver)), "none")
        await driver.press("1")
        await driver.until(lambda: marked(driver), "the first again")
        await driver.press("slash")
        await driver.until(lambda: not marked(driver), "nothing, back in the query")


async def test_a_citation_that_was_gone_to_stays_seen_among_those_of_its_hit() -> None:
    async with driving(answering("Rest it. [1] Dry it. [2] Rest it. [1]")) as driver:
        await driver.ask_to_the_end("q")
        driver.main.go_to("answer")
        await driver.press("n")
        await driver.until(lambda: marked(driver) == ["Rest it. [1]"] * 2)
        part = next(iter(driver.main.query_one(LongText).query(Static)))
        assert isinstance(part.content, Content)
        chosen = [span for span in part.content.spans if span.style == citations.CHOSEN_STYLE]
        assert [span.start for span in chosen] == [9]


async def test_what_is_still_being_written_stands_out_too() -> None:
    engine, more = ScriptedEngine(), asyncio.Event()
    said = tokens("Rest it. [1] Dry it. [2] Rest again. [1] Then")
    engine.answer = [HITS, llm(), *said[:2], more, *said[2:], asyncio.Event()]
    async with driving(engine) as driver:
        await driver.ask("q")
        await driver.until(lambda: driver.main.results.hits, "the hits")
        driver.main.go_to("results")
        await driver.until(lambda: driver.main.query(LongText), "the text")
        more.set()
        await driver.until(lambda: marked(driver) == ["Rest it. [1]", "Rest again. [1]"])


async def test_hits_of_another_query_mark_nothing() -> None:
    engine = answering("Rest it. [1]")
    engine.finds["other"] = [found("other", content.HITS[:2])]
    async with driving(engine) as driver:
        await driver.ask_to_the_end("q")
        await driver.press("tab")
        await driver.until(lambda: marked(driver) == ["Rest it. [1]"], "the mark")
        driver.main.query_pane.input.text = "other"
        await driver.until(lambda: len(driver.main.results.hits) == 2, "the other hits")
        await driver.until(lambda: not marked(driver), "no mark")


@pytest.mark.parametrize(
    ("shown", "lengths", "wanted"),
    [
        ("It rests. [1]", [9], ["It rests. [1]"]),
        ("A list: it rests. [1]", [9], ["it rests. [1]"]),
        ("It rests. [2] It dries. [1]", [9, 99], ["It dries. [1]"]),
        ("Nobody knows. [?] It dries. [1]", [13, 99], ["It dries. [1]"]),
        ("A list: it rests. [1]", [len("*it* rests.")], ["it rests. [1]"]),
        ("It rests. [1]", [-1], ["[1]"]),
        ("It rests. [1]", [], []),
    ],
)
def test_a_sentence_is_found_in_what_is_shown(
    shown: str, lengths: list[int], wanted: list[str]
) -> None:
    text = citations.as_it_came(citations.signed(shown, cited_in(shown)))
    found = citations.sentences_of(text, 1, lengths)
    assert [shown[each.start : each.end] for each in found] == wanted
