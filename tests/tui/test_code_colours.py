"""The colours of code in the preview, and going through the hits from the answer."""

from __future__ import annotations

from functools import partial

import pytest
from textual.content import Content

from engine.wire.api_search import Hit
from tests.hits import hit
from tests.tui import content
from tests.tui.driver import Driver, driving
from tests.tui.scripted import ScriptedEngine, whole_answer
from tests.tui.test_themes import TEXT
from tui import code_colours, preview
from tui.code_colours import LONGEST, LONGEST_LINE, spans

ATTACK = "[/] [@click=app.quit]x[/] \x1b]52;c;AA==\x07 \u202eevil"
CODE = "def rest(days):\n\treturn 'ä' + days  # a week\n"


def coloured(text: str, path: str) -> list[tuple[str, str]]:
    return [(text[span.start : span.end], str(span.style)) for span in spans(text, path)]


def test_code_is_coloured_where_its_words_stand() -> None:
    found = coloured(CODE, "src/rest.py")
    assert ("def", "$heading") in found and ("return", "$heading") in found
    assert ("rest", "bold") in found and ("# a week", "$quiet italic") in found
    assert "".join(text for text, style in found if style == "$text-success") == "'ä'"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.rs", "fn main() { return 1; }"),
        ("a.ts", "const a: string = 'x'"),
        ("a.go", "func main() { return }"),
        ("a.tf", 'variable "x" { default = 1 }'),
        ("a.mli", "let rec f x = x"),
        ("a.toml", "a = 'b'"),
        ("Dockerfile", "FROM debian\nRUN true"),
        ("Makefile", "all: # x\n\techo 'x'"),
        ("A.PY", "def f(): pass"),
    ],
)
def test_the_name_of_a_file_tells_its_language(path: str, text: str) -> None:
    assert spans(text, path)


@pytest.mark.parametrize(
    "path", ["a.txt", "a.unknown", "a.rst", "a.pdf", "a.html", "README", "a.", "", ".."]
)
def test_what_is_no_code_has_no_colours(path: str) -> None:
    assert not spans("def f(): return 'x'", path)


def test_fenced_blocks_that_name_their_language_are_coloured() -> None:
    text = f"def prose\n\n```python\n{CODE}```\n\ndef\n\n```\ndef plain\n```\n\n~~~ sh\necho 'x'"
    found = coloured(text, "a.md")
    assert [each for each, style in found if each == "def"] == ["def"]
    assert ("# a week", "$quiet italic") in found
    assert "".join(each for each, style in found if style == "$text-success") == "'ä''x'"


def test_what_is_too_long_is_shown_without() -> None:
    assert not spans("def f(): pass\n" * (LONGEST // 10), "a.py")
    assert not spans(f"def f(): pass\n{'x' * (LONGEST_LINE + 1)}", "a.py")


def test_all_colours_are_ones_that_every_theme_shows_text_in() -> None:
    named = {word for style in code_colours._STYLES.values() for word in style.split()}
    assert {word[1:] for word in named if word.startswith("$")} <= set(TEXT)


def test_what_answers_to_the_query_stands_out_in_code_too() -> None:
    shown = preview.numbered_text(hit(1, path="a.py", text=CODE, start_line=1), "return days", 60)
    marked = [shown.plain[s.start : s.end] for s in shown.spans if s.style == "$match"]
    assert marked == ["days", "return", "days"]
    assert any(s.style == "$heading" for s in shown.spans)


@pytest.mark.parametrize("path", ["a.py", "a.md", "a.sh", f"{ATTACK}.py"])
def test_hostile_code_is_text(path: str) -> None:
    text = f"```python\n{ATTACK}\n'{ATTACK}'\n```\n"
    shown = preview.numbered_text(hit(1, path=path, text=text, start_line=1), ATTACK, 60)
    assert not set(shown.plain) & set("\x1b\x07\u202e")
    assert "[@click=app.quit]x[/]" in " ".join(shown.plain.split())
    assert not any("click" in str(span.style) for span in shown.spans)


def styles(driver_content: object) -> set[str]:
    assert isinstance(driver_content, Content)
    return {str(span.style) for span in driver_content.spans}


async def test_the_preview_shows_code_in_colours_alone_and_in_its_surroundings() -> None:
    from tests.tui.test_around import reply

    engine = ScriptedEngine()
    engine.answer = whole_answer([hit(1, path="a.py", text="def f(): pass")], "Answer.")
    engine.surroundings = {"a.py": [reply(1, "def f(): pass", 1)]}
    async with driving(engine) as driver:
        await driver.ask_to_the_end("q")
        driver.main.go_to("results")
        shown = driver.main.preview
        await driver.until(lambda: "$heading" in styles(shown.content))
        await driver.press("a")
        await driver.until(lambda: "other 0" in driver.previewed)
        assert "bold" in styles(shown.content)


async def test_the_answer_goes_through_the_hits_and_keeps_the_cursor() -> None:
    engine = ScriptedEngine()
    engine.answer = whole_answer(content.HITS[:3], "Answer.")
    async with driving(engine) as driver:
        await driver.ask_to_the_end("q")
        driver.main.go_to("answer")
        steps = [
            ("greater", 2),
            ("greater", 3),
            ("greater", 3),
            ("less", 2),
            ("less", 1),
            ("less", 1),
        ]
        for key, number in steps:
            await driver.press(f"{key}_than_sign")
            await driver.until(partial(shows, driver, content.HITS[number - 1]))
            assert driver.main.pane == "answer"


def shows(driver: Driver, wanted: Hit) -> bool:
    return driver.main.preview.hit == wanted


async def test_without_hits_there_is_none_to_go_to() -> None:
    engine = ScriptedEngine()
    engine.answer = whole_answer([], "Answer.")
    async with driving(engine) as driver:
        await driver.ask_to_the_end("q")
        driver.main.go_to("answer")
        await driver.press("greater_than_sign")
        assert driver.main.preview.hit is None and driver.app.is_running
