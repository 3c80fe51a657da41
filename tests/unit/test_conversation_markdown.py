"""A conversation as Markdown: whole, and contained whatever stands in it."""

from typing import Any

import pytest
from markdown_it import MarkdownIt

from engine.front.conversation_markdown import contained, markdown
from engine.wire.api_answer import Citation, Extract
from engine.wire.api_conversations import Conversation, Turn
from tests.hits import hit

HOSTILE = (
    "<script>alert(1)</script>\n\n# Not a heading\n\nNeither\n===\n\nnor this\n---\n\n"
    "![tracker](http://example.org/x.png) [click](javascript:alert(1)) <b onclick=x>b</b>\n\n"
    "[1]: http://example.org/\n\n&lt;i&gt; \x1b[2J\u202e <!-- never closed\n\n```python\n<b>open"
)


def told(**values: Any) -> Conversation:
    turn = {
        "number": 1,
        "asked": "2026-05-01T09:30:00+02:00",
        "question": "What is M?",
        "hits": [hit(1), hit(2), hit(3)],
        "shown": [2],
        "extracts": [Extract(text="M is the\n\n# degree", hit=1)],
        "answer": "The maximum degree [2].",
        "citations": [Citation(n=2, supported=True, start=0, end=18)],
        "model": "tiny",
        "finish_reason": "stop",
    }
    turns = [Turn.model_validate(turn | values), Turn.model_validate(turn | {"number": 2})]
    date = "2026-05-01T09:30:00+02:00"
    return Conversation(id="ab", title=turns[0].question, began=date, last=date, turns=turns)


def kinds(text: str) -> list[str]:
    tokens = MarkdownIt("commonmark").parse(text)
    return [
        *(f"{token.type} {token.tag}" for token in tokens if token.type == "heading_open"),
        *(token.type for token in tokens if token.type == "html_block"),
        *(
            child.type
            for token in tokens
            for child in token.children or ()
            if child.type in ("html_inline", "image", "link_open")
        ),
    ]


HEADINGS = ["heading_open h1", "heading_open h2", "heading_open h2"]


def test_an_export_tells_questions_quotations_answers_and_sources() -> None:
    text = markdown(told(rewritten="What is the M of HNSW?"), "/home/ann/notes")
    first, second, third = hit(1), hit(2), hit(3)
    assert kinds(text) == HEADINGS
    assert text.startswith("# What is M?\n\n2026-05-01 09:30 · `/home/ann/notes` · 2 questions\n")
    assert "## 1\\. What is M?\n\n*Searched for:* What is the M of HNSW?\n" in text
    assert "> M is the # degree \\[1\\]\n" in text
    assert "*tiny*:\n\nThe maximum degree [2].\n" in text
    for each in (first, second):
        assert f"- \\[{each.rank}\\] `{each.path}:{each.start_line}-{each.end_line}`" in text
    assert f"\\[{third.rank}\\]" not in text, "it was neither shown nor cited"
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


@pytest.mark.parametrize("field", ["question", "rewritten", "answer", "model"])
def test_outside_text_stays_in_its_place(field: str) -> None:
    text = markdown(told(**{field: HOSTILE}), "/home/a`b<i>/\n# notes")
    assert kinds(text) == HEADINGS
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert MarkdownIt("commonmark").render(text).count("Sources") == 2


def test_hostile_sources_and_quotations_stay_in_their_place() -> None:
    bad = hit(1).model_copy(update={"path": "a`](x)\n# b``.md", "heading": HOSTILE})
    text = markdown(told(hits=[bad], extracts=[Extract(text=HOSTILE, hit=1)]), "/")
    assert kinds(text) == HEADINGS


@pytest.mark.parametrize(
    "text", ["# a", "123. # a", "- a", "+ a", "1. a", "12) a", "> a", "=== a", "---"]
)
def test_a_quotation_that_begins_like_a_block_is_none(text: str) -> None:
    tokens = MarkdownIt("commonmark").parse(
        markdown(told(extracts=[Extract(text=text, hit=1)]), "/")
    )
    blocks = {token.type for token in tokens if token.level > 0 and token.map}
    assert blocks <= {"paragraph_open", "inline", "list_item_open"}


def test_code_in_an_answer_stays_as_it_is() -> None:
    answer = "Use `List<int>`:\n\n```html\n<b>&amp;</b>\n# no heading\n```\n\nThat is all."
    assert contained(answer) == answer


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"finish_reason": ""}, "*The answer was interrupted.*"),
        ({"documents": False}, "*tiny*, without documents:"),
        ({"not_found": True, "answer": ""}, "*No passage was near enough to hold an answer.*"),
    ],
)
def test_what_is_no_usual_answer_is_said(values: dict[str, Any], said: str) -> None:
    assert said in markdown(told(**values), "/")


def test_what_looks_like_a_character_reference_is_shown_as_it_is() -> None:
    told = MarkdownIt("commonmark").render(contained("Write &lt;b&gt; & <b>, or `&lt;`."))
    assert told.strip() == (
        "<p>Write &amp;lt;b&amp;gt; &amp; &lt;b&gt;, or <code>&amp;lt;</code>.</p>"
    )


@pytest.mark.parametrize(
    "answer",
    [
        "\\<img src=x>",
        "\\` [x](http://a) `",
        "a ` b\nc ` [x](http://a) `d`",
        "- a\n  ```\nx <img src=x>",
        "- [1]: http://a\n\nSo. [1]",
        "[\n1\n]: http://a\n\nSo. [1]",
        "- # a",
        "> a\n> ---",
    ],
)
def test_an_answer_that_hides_what_it_does_is_shown_as_it_is_written(answer: str) -> None:
    text = markdown(told(answer=answer), "/")
    assert kinds(text) == HEADINGS
    env: dict[str, Any] = {}
    MarkdownIt("commonmark").parse(text, env)
    assert not env.get("references")
