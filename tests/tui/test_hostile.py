"""Text from outside is shown as text: no markup, no escape sequences, no hidden characters.

Rows 18, 19 and 20 of the hazards.
"""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console
from rich.segment import Segment
from textual.events import Paste

from engine.errors import EngineError
from engine.wire import api, api_answer
from tests.hits import hit
from tests.tui.driver import Driver, driving
from tests.tui.scripted import (
    ScriptedEngine,
    ScriptedSource,
    failed,
    finished,
    llm,
    status,
)
from tui import confirm
from tui.errand import tell_error
from tui.messages import EngineFailed, LinkChosen
from tui.model_text import ModelText, literal_parser
from tui.query import QueryInput

MARKUP = [
    "[/]",
    "[@click=app.quit]x[/]",
    "[link=http://evil.example]x[/link]",
    "a[i]",
    "[bold]b[/bold]",
    "[$primary]x",
    "{x} %s $x \\[",
]
ESCAPES = [
    "\x1b]52;c;ZXZpbA==\x07",
    "\x1b]0;title\x07",
    "\x1b[2J\x1b[31m",
    "\x9b31m",
    "\x08\x08\x7f",
    "a\u202eb\u2066c\u200bd\ufeff",
    "x\U000e0041y",
    "\ud800",
]
HOSTILE = MARKUP + ESCAPES

FORBIDDEN = {
    *(chr(code) for code in range(0x20) if code not in (0x09, 0x0A)),
    *(chr(code) for code in range(0x7F, 0xA0)),
    *"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\u200e\u200f\ufeff\U000e0041\ud800",
}


def segments(driver: Driver) -> list[Segment]:
    """What is on the screen, piece by piece with its style."""
    width, height = driver.app.size
    console = Console(width=width, height=height, file=io.StringIO())
    return list(console.render(driver.app.screen._compositor))


def painted(driver: Driver) -> str:
    """What is on the screen, without the styling."""
    return "".join(segment.text for segment in segments(driver) if not segment.control)


def actions(driver: Driver) -> set[str]:
    """Every action a click anywhere on the screen would run."""
    styles = [segment.style for segment in segments(driver) if segment.style is not None]
    return {str(style.meta["@click"]) for style in styles if "@click" in style.meta}


def whole_attack(text: str) -> ScriptedEngine:
    """An engine whose every string is ``text``."""
    engine = ScriptedEngine()
    attack: dict[str, Any] = {"path": f"{text}.md", "heading": f"{text} > {text}", "text": text * 3}
    engine.answer = [
        api_answer.HitsFound(query=text, took_ms=1, hits=[hit(1, **attack), hit(2, **attack)]),
        api_answer.ExtractsFound(extracts=[api_answer.Extract(text=text, hit=1)]),
        llm(model=text, detail=text, next_step=text),
        api_answer.PromptMade(model=text, hits=[1], notice=text),
        # Split between any two characters, as a stream may be.
        *(api_answer.Token(text=character) for character in text),
        finished(text, model=text, finish_reason=text, sources=[text]),
    ]
    broken = llm("starting", model=text, detail=text, next_step=text)
    engine.statuses.put_nowait(
        status(docs=f"/x/{text}", detail=text, state="partial watch", unread={text: 2}, llm=broken)
    )
    return engine


@pytest.mark.parametrize("size", [(100, 30), (60, 20)])
@pytest.mark.parametrize("text", HOSTILE)
async def test_no_pane_obeys_its_text(text: str, size: tuple[int, int]) -> None:
    # JSON cannot carry a lone surrogate, but a scripted engine can.
    async with driving(whole_attack(text), size=size) as driver:
        await driver.until(lambda: driver.main.status is not None)
        await driver.ask_to_the_end("q")
        for _ in range(4):
            await driver.press("tab")
            assert not FORBIDDEN & set(painted(driver))
            assert all(
                action.startswith(("app.simulate_key(", "link(")) for action in actions(driver)
            )
        await driver.press("tab", "i")
        assert not FORBIDDEN & set(painted(driver))
        await driver.press("escape", "y")
        assert not FORBIDDEN & set(driver.app.clipboard)
        assert driver.app.is_running


@pytest.mark.parametrize("text", MARKUP)
async def test_markup_is_shown_letter_by_letter(text: str) -> None:
    async with driving(whole_attack(text), size=(160, 40)) as driver:
        await driver.until(lambda: driver.main.status is not None)
        await driver.ask_to_the_end("q")
        shown = painted(driver)
        assert f"{text}.md" in shown, "in the results"
        assert f"“{text}”" in shown, "in the extracts"
        assert f"1 {text}" in shown.replace("  ", " ") or text in driver.previewed
        assert f"/x/{text}" in shown, "in a title"
        assert f" {text} ─" in shown, "in the model's name"


@pytest.mark.parametrize("text", HOSTILE)
async def test_toasts_are_text(text: str) -> None:
    async with driving(size=(100, 40)) as driver:
        driver.app.notify(text + "|", title=text + "|", markup=True)
        await driver.until(lambda: driver.app.screen.query("Toast"), "the toast")
        await driver.pilot.pause()
        assert not FORBIDDEN & set(painted(driver))
        assert not driver.toasts[-1].markup
        if text in MARKUP:
            assert painted(driver).count(f"{text}|") == 2


@pytest.mark.parametrize("text", HOSTILE)
async def test_errors_are_text(text: str) -> None:
    source = ScriptedSource(ScriptedEngine())
    source.faults = [EngineError(text, text)]
    async with driving(source=source, ready=False) as driver:
        await driver.until(lambda: driver.seen(EngineFailed))
        await driver.pilot.pause()
        assert not FORBIDDEN & set(painted(driver))
        tell_error(driver.app, EngineError(text, text))
        await driver.pilot.pause()
        assert not FORBIDDEN & set(painted(driver))


@pytest.mark.parametrize("text", HOSTILE)
async def test_the_problem_of_an_answer_is_text(text: str) -> None:
    engine = ScriptedEngine()
    engine.answer = [
        llm("unavailable", detail=text, next_step=text),
        failed(text, title=text, detail=text),
    ]
    async with driving(engine) as driver:
        await driver.ask_to_the_end("q")
        assert not FORBIDDEN & set(painted(driver))
        assert all(action.startswith(("app.simulate_key(", "link(")) for action in actions(driver))


@pytest.mark.parametrize("text", HOSTILE)
async def test_the_first_question_about_a_folder_is_text(text: str) -> None:
    engine = ScriptedEngine()
    engine.survey = api.FolderSurvey(
        files=1, bytes=1, seconds=1, ignored=0, unread={text: 1}, reason=text
    )
    async with driving(engine, ready=False) as driver:
        await driver.until(lambda: len(driver.app.screen_stack) == 2)
        await driver.pilot.pause()
        assert not FORBIDDEN & set(painted(driver))
        assert not actions(driver)


@pytest.mark.parametrize(
    "answer",
    [
        "# [/] heading\n\ntext",
        "```[/]\ncode [@click=app.quit]x[/]\n```",
        "```\x1b[31m\nx\n```",
        "| a[i] | [/] |\n|---|---|\n| [/] | [@click=app.quit]x[/] |",
        "> [/]\n\n- [@click=app.quit]x[/]\n1. a[i]",
        "`[/]` and **[bold]** &#x202e;&#27;&#x9b; &lt;b&gt;",
        "<script>alert(1)</script>\n\n<b>bold</b> text",
        "![alt [/]](javascript:alert(1)) [a]: http://x",
        ">" * 3000 + " deep",
        "[" * 3000,
        "*" * 3000 + "a",
        "\u202e# backwards \x1b]52;c;AA==\x07",
    ],
)
async def test_hostile_markdown_is_only_text(answer: str) -> None:
    engine = ScriptedEngine()
    engine.answer = [
        llm(),
        *(api_answer.Token(text=answer[i : i + 7]) for i in range(0, len(answer), 7)),
        finished(answer),
    ]
    async with driving(engine, size=(100, 40)) as driver:
        await driver.ask_to_the_end("q")
        await driver.pilot.pause()
        assert "finished: stop" in driver.said("outcome")
        assert not FORBIDDEN & set(painted(driver))
        assert all(action.startswith(("link(", "app.simulate_key(")) for action in actions(driver))


def test_raw_html_is_not_swallowed() -> None:
    tokens = literal_parser().parse("Use <b>bold</b>.\n\n<div>x</div>")
    assert {token.type for token in tokens} == {"paragraph_open", "inline", "paragraph_close"}
    assert "<b>" in tokens[1].content


@pytest.mark.parametrize("text", ["see index.md now", "mail ada@example.org", "www.example.org"])
def test_file_names_and_bare_hosts_are_not_links(text: str) -> None:
    inline = literal_parser().parse(text)[1]
    assert all(child.type != "link_open" for child in inline.children or [])


async def test_a_link_is_inert_until_a_person_has_seen_all_of_it() -> None:
    url = "https://example.org/a/very/long/path?with=query&and=" + "x" * 120
    engine = ScriptedEngine()
    text = f"[the manual]({url})"
    engine.answer = [llm(), api_answer.Token(text=text), finished(text)]
    opened: list[str] = []
    async with driving(engine, show=lambda target, *_: opened.append(target)) as driver:
        await driver.ask_to_the_end("q")
        await driver.pilot.click(ModelText, offset=(3, 0))
        await driver.until(lambda: len(driver.app.screen_stack) == 2, "the question")
        await driver.pilot.pause()
        assert driver.seen(LinkChosen) == 1
        assert url in driver.page().replace("\n", ""), "all of it, on as many lines as it takes"
        assert opened == []
        await driver.press("n")
        assert opened == []
        await driver.pilot.click(ModelText, offset=(3, 0))
        await driver.until(lambda: len(driver.app.screen_stack) == 2)
        await driver.press("y")
        await driver.until(lambda: opened == [url], "opening")


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://example.org", True),
        ("https://example.org/a?b=c#d", True),
        ("javascript:alert(1)", False),
        ("file:///etc/passwd", False),
        ("mailto:ada@example.org", False),
        ("//example.org", False),
        ("http://", False),
        ("http://[broken", False),
        ("https://example.org/\u202egpj.exe", False),
        ("https://example.org/ x", False),
        ("https://example.org/\x1b[31m", False),
    ],
)
def test_only_plain_web_addresses_may_be_opened(url: str, allowed: bool) -> None:
    assert confirm.may_be_opened(url) is allowed


async def test_another_kind_of_link_is_left_alone() -> None:
    async with driving() as driver:
        driver.app.post_message(LinkChosen("file:///etc/passwd"))
        await driver.until(lambda: driver.toasts, "the toast")
        assert "file:///etc/passwd" in driver.toasts[-1].message
        assert len(driver.app.screen_stack) == 1


@pytest.mark.parametrize("text", ESCAPES)
async def test_a_question_that_is_brought_back_or_pasted_is_text(text: str) -> None:
    async with driving(ScriptedEngine()) as driver:
        query = driver.app.screen.query_one(QueryInput)
        query.show_asked(f"who {text} tests?")
        await driver.pilot.pause()
        assert not FORBIDDEN & set(painted(driver))
        query.text = ""
        query.post_message(Paste(f"one\r{text}\r\ntwo"))
        await driver.pilot.pause()
        assert not FORBIDDEN & set(painted(driver))
