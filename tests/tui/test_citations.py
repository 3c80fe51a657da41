"""Marks in the model's text: which lead to a hit, by mouse and by key, and which are only text."""

from __future__ import annotations

import asyncio

import pytest
from textual.content import Span
from textual.widgets import Static

from engine.wire import api_answer
from tests.hits import hit
from tests.tui import content
from tests.tui.driver import Driver, driving
from tests.tui.scripted import (
    ScriptedEngine,
    finished,
    llm,
    tokens,
    whole_answer,
)
from tui import citations
from tui.hints import HintLine
from tui.long_text import LongText
from tui.messages import CitationChosen
from tui.model_text import ModelText
from tui.streamed import NOTHING_CITED
from tui.text_view import TextView

HITS = api_answer.HitsFound(query="q", took_ms=14.2, hits=content.HITS)


def answering(text: str = content.CITED, **ending: object) -> ScriptedEngine:
    engine = ScriptedEngine()
    end = finished(text, **ending)
    engine.answer = [HITS, llm(), content.PROMPT, *tokens(text, end.citations), end]
    return engine


def marks(driver: Driver) -> list[int]:
    return [mark.hit for mark in driver.main.query_one(LongText).marks()]


async def test_every_supported_sentence_leads_to_its_hit() -> None:
    async with driving(answering()) as driver:
        await driver.ask_to_the_end("q")
        assert marks(driver) == [1, 2, 3]
        assert "[?] not found in the passages" in driver.said("outcome")


async def test_an_answer_without_unsupported_sentences_explains_nothing() -> None:
    text = "It rests. [1]"
    one = api_answer.Citation(n=1, supported=True, start=0, end=9)
    async with driving(answering(text, citations=[one])) as driver:
        await driver.ask_to_the_end("q")
        assert "[?]" not in driver.said("outcome")


async def test_a_click_on_a_mark_goes_to_the_hit() -> None:
    async with driving(answering("Rest it. [2] Then go.")) as driver:
        await driver.ask_to_the_end("q")
        block = next(part for part in driver.main.query_one(ModelText).query(Static))
        await driver.pilot.click(block, offset=(10, 0))
        await driver.until(lambda: driver.main.results.selected == content.HITS[1])
        assert driver.main.pane == "results"


async def test_marks_are_live_while_the_text_still_streams() -> None:
    engine = ScriptedEngine()
    engine.answer = [HITS, llm(), *tokens("Rest it. [2] And then [?]"), asyncio.Event()]
    async with driving(engine) as driver:
        await driver.ask("q")
        await driver.until(lambda: "then [?]" in driver.main.answer.model.words)
        await driver.until(lambda: driver.is_all_written, "writing")
        await driver.until(lambda: marks(driver) == [2], "the mark")


async def test_the_key_to_citations_is_named_once_there_is_one() -> None:
    engine, more = ScriptedEngine(), asyncio.Event()
    said = tokens("Nobody knows. [?] Rest it. [2] Then")
    engine.answer = [HITS, llm(), *said[:2], more, *said[2:], asyncio.Event()]
    async with driving(engine) as driver:
        await driver.ask("q")
        driver.main.go_to("answer")

        def hints() -> str:
            return str(driver.main.query_one(HintLine).content)

        await driver.until(lambda: "[?]" in driver.main.answer.model.words)
        assert "next citation" not in hints()
        more.set()
        await driver.until(lambda: "n next citation" in hints())


async def test_n_goes_through_the_citations_and_the_passage_stands_beside_them() -> None:
    async with driving(answering()) as driver:
        await driver.ask_to_the_end("q")
        driver.main.go_to("answer")
        await driver.press("n", "n")
        await driver.until(lambda: driver.main.preview.hit == content.HITS[1], "the passage")
        assert driver.main.pane == "answer", "the cursor stays"
        assert driver.main.results.selected == content.HITS[1]
        await driver.press("N")
        await driver.until(lambda: driver.main.preview.hit == content.HITS[0])
        await driver.press("N")
        await driver.until(lambda: driver.main.preview.hit == content.HITS[2], "around the end")


async def test_a_key_may_come_while_a_whole_text_is_put_in_its_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with driving() as driver:
        await driver.ask_to_the_end("q")
        pane = driver.main.answer.model
        await pane.empty()
        append = ModelText.append

        async def pressed_meanwhile(text: ModelText, markdown: str) -> None:
            await append(text, markdown)
            if pane.query_one(LongText).marks():  # none in the empty one, as it is mounted
                pane.action_next_citation(1)

        monkeypatch.setattr(ModelText, "append", pressed_meanwhile)
        await pane.show_text(content.CITED, content.CITATIONS)
        await driver.until(lambda: driver.seen(CitationChosen) == 1)


async def test_the_words_of_the_sentence_stand_out_in_its_passage() -> None:
    async with driving(answering()) as driver:
        await driver.ask_to_the_end("q")
        driver.main.go_to("answer")
        await driver.press("n", "n", "enter")
        await driver.until(lambda: driver.main.pane == "preview", "the passage")
        assert {"days", "jar"} <= words_that_stand_out(driver)


def words_that_stand_out(driver: Driver) -> set[str]:
    """The marked words of the preview."""
    shown = driver.main.preview
    marked = [span for span in _spans(shown) if span.style == "$match"]
    found = {str(shown.content)[span.start : span.end] for span in marked}
    return {word.strip(",.").casefold() for word in found}


async def test_a_sentence_is_found_behind_what_a_terminal_must_not_see() -> None:
    sentence = "\u200b" * 30 + "It rests in the fridge."
    text = f"{sentence} [1]"
    one = api_answer.Citation(n=1, supported=True, start=0, end=len(sentence))
    async with driving(answering(text, citations=[one])) as driver:
        await driver.ask_to_the_end("q")
        driver.main.go_to("answer")
        await driver.press("n", "enter")
        await driver.until(lambda: "fridge" in words_that_stand_out(driver), "its words")


async def test_the_chosen_mark_stands_out_and_no_other() -> None:
    async with driving(answering()) as driver:
        await driver.ask_to_the_end("q")
        driver.main.go_to("answer")
        await driver.press("n", "n", "n")
        styles = [str(span.style) for span in _shown_spans(driver)]
        assert styles.count(citations.CHOSEN_STYLE) == 1
        assert styles.count(citations.SUPPORTED_STYLE) == 2
        assert styles.count(citations.UNSUPPORTED_STYLE) == 1


def _shown_spans(driver: Driver) -> list[Span]:
    parts = driver.main.query_one(ModelText).query(Static)
    return [span for part in parts for span in _spans(part)]


def _spans(part: Static | TextView) -> list[Span]:
    return list(getattr(part.content, "spans", []))


@pytest.mark.parametrize("counted", [1, 0])
async def test_an_answer_without_a_word_says_so(counted: int) -> None:
    """A kept one too, whose tokens nobody counted."""
    engine = ScriptedEngine()
    engine.answer = [HITS, llm(), content.PROMPT, finished("", completion_tokens=counted)]
    async with driving(engine) as driver:
        await driver.ask_to_the_end("q")
        assert "the model wrote nothing" in driver.said("outcome")


@pytest.mark.parametrize("key", ["n", "N", "enter"])
async def test_without_citations_their_keys_say_so_and_do_nothing(key: str) -> None:
    async with driving(answering("Nothing to see.")) as driver:
        driver.main.go_to("answer")
        await driver.press(key)
        await driver.ask_to_the_end("q")
        driver.main.go_to("answer")
        await driver.press(key)
        assert driver.main.pane == "answer"
        await driver.until(lambda: driver.toasts)
        assert driver.toasts[-1].message == NOTHING_CITED


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("**Bold. [1]** and *more. [2]*\n\n- Item. [3]\n\n# Head. [1]", [1, 2, 3, 1]),
        ("| a | b |\n| - | - |\n| x [1] | y [?] |", [1]),
        ("[/] [@click=app.quit]x[/] [link=http://e] a[i] [1]", [1]),
        ("> Quoted. [2]", [2]),
        ("See [here [2]](http://evil.example).", [2]),
        ("Rest. [1](http://evil.example) Feed. [2]: it", [1, 2]),
        ("An open ` and an end. [1]\n\nAnd ` another. [2]", [1, 2]),
    ],
)
async def test_marks_are_links_wherever_they_stand(text: str, wanted: list[int]) -> None:
    async with driving(answering(text)) as driver:
        await driver.ask_to_the_end("q")
        assert marks(driver) == wanted


async def test_a_mark_that_turns_out_to_stand_in_code_is_only_text() -> None:
    async with driving(answering("    a = b. [1]\n\nThen `c. [2] d`.")) as driver:
        await driver.ask_to_the_end("q")
        assert marks(driver) == []
        shown = "".join(
            str(part.content) for part in driver.main.query_one(ModelText).query(Static)
        )
        assert "a = b. [1]" in shown and "c. [2] d" in shown


@pytest.mark.parametrize(
    "text",
    [
        "Rest it. [1] Then go. [?]",
        "`x [1]` and ` [2]",
        "```\na [1] = b [2]\n```",
        "[x](cite-1-1) [y](cite-00-2)",
        "[1](http://evil.example) is one, and [2](http://evil.example)",
        "[1]: http://evil.example\n\nsee [1]",
        "Rest it. [\ufdd00\ufdd01] And [\ufdd0\ufdd00\ufdd0\ufdd01]",
        "Rest it. [\u200b1]",
    ],
)
async def test_what_the_model_writes_is_no_mark(text: str) -> None:
    async with driving(answering(text, citations=[])) as driver:
        await driver.ask_to_the_end("q")
        assert marks(driver) == []
        styles = {str(span.style) for span in _shown_spans(driver)}
        assert not styles & {citations.SUPPORTED_STYLE, citations.UNSUPPORTED_STYLE}


async def test_citations_that_do_not_belong_to_the_text_mark_nothing() -> None:
    cited = [
        api_answer.Citation(n=n, supported=True, start=0, end=end)
        for n, end in ((1, -1), (2, 0), (3, 8), (3, 8), (1, 8), (2, 10**9))
    ]
    async with driving(answering("Rest it. [3] On.", citations=cited)) as driver:
        await driver.ask_to_the_end("q")
        assert marks(driver) == [3]
        assert driver.main.answer.model.words == "Rest it. [3] On."


async def test_a_mark_beyond_the_hits_leads_nowhere() -> None:
    async with driving(answering("Odd. [99] Or [0].")) as driver:
        await driver.ask_to_the_end("q")
        driver.main.go_to("answer")
        before = driver.main.results.selected
        await driver.press("n", "enter", "n", "enter")
        assert driver.main.results.selected == before
        assert driver.main.pane == "answer"


async def test_a_passage_that_is_no_longer_found_is_shown_as_it_was() -> None:
    from tests.tui.scripted import status

    engine = answering()
    async with driving(engine) as driver:
        engine.statuses.put_nowait(status(revision=1))
        await driver.ask_to_the_end("q")
        engine.refreshed = [hit(1)]
        engine.statuses.put_nowait(status(revision=2))
        await driver.until(lambda: len(driver.main.results.hits) == 1, "the new hits")
        driver.main.go_to("answer")
        await driver.press("n", "n")
        await driver.until(lambda: driver.main.preview.hit == content.HITS[1])
        assert "as it was when you asked" in (driver.main.preview.border_subtitle or "")


async def test_extracts_stay_in_view_however_long_the_answer_is() -> None:
    engine = ScriptedEngine()
    engine.answer = whole_answer(
        content.HITS, "\n\n".join(f"Paragraph {n}. [1]" for n in range(60)), content.EXTRACTS
    )
    async with driving(engine) as driver:
        await driver.ask_to_the_end("q")
        pane = driver.main.answer.model
        await driver.until(lambda: pane.scroll_offset.y == pane.max_scroll_y > 0, "the end in view")
        extracts = driver.main.query_one("#extracts")
        assert extracts.region.y > driver.main.answer.region.y
        assert extracts.region.height >= 5
        assert extracts.region.bottom <= pane.region.y


async def test_long_lines_of_code_wrap() -> None:
    code = "x = " + " + ".join(f"value_{n}" for n in range(40))
    async with driving(answering(f"So:\n\n```python\n{code}\n```")) as driver:
        await driver.ask_to_the_end("q")
        label = driver.main.query_one("#code-content")
        assert label.size.height > 3
        assert label.size.width <= driver.main.answer.size.width
