"""Modes of search, why a hit is there, and the lines of exact searches."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from rich.cells import cell_len

from engine.wire.api_search import Cut, Hit, Place, SearchReply
from tests.hits import hit
from tests.tui import content
from tests.tui.driver import Driver, driving
from tests.tui.rows import row_of, rows_of
from tests.tui.scripted import ScriptedEngine, found, status, whole_answer
from tests.tui.test_typing import OTHER, paths, quiet, type_text, typed
from tui import hit_row, line_row, typed_query
from tui.results_title import results_title
from tui.search import mode_after
from tui.why import explanation

BOTH: dict[str, Any] = {
    "score": 0.91,
    "dense_rank": 3,
    "bm25_rank": 1,
    "bm25_score": 11.42,
    "template": 0.4,
}
ATTACK = "[/] [@click=app.quit]x[/] \x1b]52;c;AA==\x07 \u202eevil"


def rows(driver: Driver) -> list[str]:
    return [str(row.prompt) for row in driver.main.results.list.options]


def lines(number: int) -> list[Hit]:
    return [
        hit(n, path=f"notes/{n}.md", text=f"  the {n}. line says needle", distance=None, heading="")
        for n in range(1, number + 1)
    ]


# --- modes -----------------------------------------------------------------------------------


def test_a_key_goes_through_the_modes() -> None:
    assert [mode_after(m) for m in ("hybrid", "dense", "bm25", "?")] == [
        *("dense", "bm25", "hybrid", "hybrid")
    ]


async def test_the_mode_is_changed_while_typing_and_what_is_typed_is_searched_in_it() -> None:
    engine = ScriptedEngine()
    engine.finds["rest"] = [found("rest", OTHER)]
    async with driving(engine) as driver:
        await typed(driver, "rest", "other.md")
        assert [request.mode for request in engine.requests] == [None], "as the settings say"
        engine.finds["rest"] = [found("rest", content.HITS, mode="dense")]
        await driver.press("ctrl+t")
        await driver.until(lambda: len(driver.main.results.hits) == 8)
        assert engine.requests[-1].mode == "dense"
        assert "dense" in driver.title("results")
        assert "dense" in driver.title("query_pane")
        assert driver.main.query_pane.input.text == "rest"
        await driver.press("enter")
        await driver.until(lambda: engine.modes == ["dense"], "asking in that mode")


async def test_the_shown_question_is_searched_in_the_new_mode_and_its_answer_stays() -> None:
    engine = ScriptedEngine()
    engine.answer = whole_answer(content.HITS, "Done [2].")
    async with driving(engine) as driver:
        await driver.ask_to_the_end("q!")
        new = [hit(1, path="new.md"), content.HITS[1]]
        engine.finds["q!"] = [found("q!", new, mode="bm25")]
        driver.main.action_mode("bm25")
        await driver.until(lambda: paths(driver)[:1] == ["new.md"], "the other mode's hits")
        assert [row[0] for row in rows(driver)] == ["+", "2"], "as the answer cites them"
        assert engine.questions == ["q!"]
        assert not driver.main.answer.border_subtitle, "no document has changed"
        await driver.press("ctrl+r")
        await driver.until(lambda: engine.modes == [None, "bm25"])


async def test_the_palette_names_every_mode() -> None:
    async with driving() as driver:
        names = [c.title for c in driver.app.get_system_commands(driver.app.screen)]
        assert {"Mode: hybrid", "Mode: dense", "Mode: bm25", "Why"} <= set(names)


# --- how hits were found ---------------------------------------------------------------------


def test_a_row_shows_how_its_hit_was_found_and_how_many_were_folded_into_it() -> None:
    place = Place(path="x.md", start_line=1, end_line=2)
    hits = [
        hit(1, **BOTH, folded=[place, place]),
        hit(2, score=0.8, dense_rank=1),
        hit(3, score=0.4, bm25_rank=2),
    ]
    columns = hit_row.fit_columns(rows_of(hits), 54)
    shown = [hit_row.row(row_of(each), 0.91, columns).plain for each in hits]
    assert " ~= docs/page1.md:10-18 +2  Section 1" in shown[0]
    assert " ~  docs/page2.md" in shown[1]
    assert "  = docs/page3.md" in shown[2]
    bars = [line.count("━") for line in shown]
    assert bars == sorted(bars, reverse=True), "the bar is the score by which they are ranked"
    narrow = hit_row.row(row_of(hits[0]), 0.91, hit_row.fit_columns(rows_of(hits), 36)).plain
    assert "~=" not in narrow


def test_ranks_and_score_take_the_place_of_the_signs_where_all_else_fits() -> None:
    hits = [
        hit(1, **BOTH),
        hit(2, score=0.8, dense_rank=12, path="a/much/longer/path.md"),
        hit(3, score=None, bm25_rank=2),
    ]
    rows = rows_of(hits)

    def shown(width: int) -> list[str]:
        columns = hit_row.fit_columns(rows, width)
        lines = [hit_row.row(row, 0.91, columns) for row in rows]
        assert all(line.cell_length <= width for line in lines)
        return [line.plain.rstrip() for line in lines]

    wide = shown(80)
    assert [line[10:].partition("page")[0].partition("/longer")[0] for line in wide] == [
        "0.750 d3  b1 0.91 docs/",
        "0.700 d12    0.80 a/much",
        "0.650     b2      docs/",
    ]
    narrowest = next(width for width in range(40, 80) if " d3 " in shown(width)[0])
    assert all(line.endswith(f"Section {n}") for n, line in enumerate(shown(narrowest), 1))
    assert "a/much/longer/path.md:20-28" in shown(narrowest)[1], "nothing was cut for it"
    assert " ~= docs" in shown(narrowest - 1)[0]


def test_one_arm_alone_needs_no_sign() -> None:
    hits = [hit(1, dense_rank=1), hit(2, dense_rank=2)]
    assert "~" not in hit_row.row(row_of(hits[0]), 1, hit_row.fit_columns(rows_of(hits), 90)).plain


@pytest.mark.parametrize("width", [20, 44, 96])
def test_an_explanation_tells_everything_and_fits(width: int) -> None:
    folded = [Place(path=f"copy{ATTACK}.md", start_line=4, end_line=9)]
    explained = hit(1, **BOTH, named=["ERR_42", ATTACK], folded=folded)
    cut = [
        Cut(place=Place(path=f"cut{n}.md", start_line=1, end_line=2), score=0.2, reason="too many")
        for n in range(20)
    ]
    reply = found("q", [explained], notices=[f"BM25 is off {ATTACK}"], cut=cut)
    told = explanation(explained, reply, width).plain
    flat = " ".join(told.split())
    assert max(map(cell_len, told.split("\n"))) <= max(width, 23)
    for wanted in (
        "0.7500",
        "3 among",
        "1 among",
        "11.42",
        "0.910",
        "40%",
        "ERR_42",
        "BM25 is off",
    ):
        assert wanted in flat
    if width > 40:
        for wanted in ("copy", "cut0.md:1-2 0.200 too many", "and 12 more"):
            assert wanted in flat
    assert "\x1b" not in told and "\u202e" not in told and "[/]" in told


def test_an_explanation_tells_by_what_hits_are_ranked() -> None:
    told = explanation(hit(1, **BOTH), None, 96).plain
    assert "reranked" not in told
    assert "0.910 of 1; by this hits are ranked" in told
    told = explanation(hit(1, **BOTH, rerank_score=-3.5), None, 96).plain
    assert "0.910 of 1\n" in told
    assert "-3.500; by this the best hits are ranked" in told


def test_a_ranked_hit_whose_vector_is_missing_is_not_told_as_one_of_filters() -> None:
    told = explanation(hit(1, distance=None, score=0.4, bm25_rank=1), None, 96).plain
    assert "0.400 of 1; by this hits are ranked" in told
    assert "newest files" not in told


async def test_x_tells_why_and_what_was_cut_and_again_the_text() -> None:
    engine = ScriptedEngine()
    first = hit(1, **BOTH)
    engine.finds["rest"] = [found("rest", [first, hit(2, dense_rank=1)])]
    async with driving(engine) as driver:
        await typed(driver, "rest", first.path)
        driver.main.go_to("results")
        cut = [
            Cut(place=Place(path="c.md", start_line=1, end_line=2), score=0.1, reason="4th of it")
        ]
        engine.finds["rest"] = [found("rest", [first, hit(2, dense_rank=1)], cut=cut)]
        await driver.press("x")
        await driver.until(lambda: "4th of it" in driver.previewed, "what was cut")
        assert engine.requests[-1].explain and not engine.requests[0].explain
        assert "BM25 rank" in driver.previewed
        assert "why" in driver.title("preview")
        await driver.press("j")
        await driver.until(lambda: "none: it is not" in driver.previewed)
        await driver.press("x")
        assert "Text of hit 2." in driver.previewed


# --- notices ---------------------------------------------------------------------------------


async def test_notices_stand_quietly_on_the_border_or_in_the_note() -> None:
    engine = ScriptedEngine()
    engine.finds["one"] = [found("one", OTHER, notices=[f"BM25 is off {ATTACK}"])]
    engine.finds["two"] = [found("two", [], notices=["no file matches path:guide/**"])]
    async with driving(engine) as driver:
        await typed(driver, "one", "other.md")
        said = driver.main.results.border_subtitle or ""
        assert "BM25 is off" in said and "\x1b" not in said
        type_text(driver, "two")
        await driver.until(lambda: "no file matches" in driver.said("results-note"))
        assert not driver.toasts


# --- exact searches --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("'x", True),
        ("/x/", True),
        ("type:md 'x", True),
        ("'", True),
        ("it's", False),
        ("a/b", False),
    ],
)
def test_which_queries_ask_for_lines(query: str, wanted: bool) -> None:
    assert typed_query.asks_for_lines(query) is wanted


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("'x", True),
        ("path:guide/**", True),
        ("-draft type:md", True),
        ("path:a x", False),
        ("q", False),
    ],
)
def test_which_queries_ask_no_model(query: str, wanted: bool) -> None:
    assert typed_query.asks_no_model(query) is wanted


async def test_filters_alone_list_what_they_let_in() -> None:
    engine = ScriptedEngine()
    engine.finds["path:notes"] = [found("path:notes", lines(3))]
    async with driving(engine) as driver:
        await driver.ask("path:notes")
        await driver.until(lambda: len(driver.main.results.hits) == 3)
        assert engine.questions == []
        await driver.until(lambda: driver.main.preview.hit is not None)
        await driver.press("down", "x")
        await driver.until(lambda: "newest files first" in flat(driver.previewed))


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("'needle", ["needle", "Needle"]),
        ("'Needle", ["Needle"]),
        ("/n[e]+dle/", ["needle", "Needle"]),
        ("/(/", []),
        ("path:guide/** needle", ["needle", "Needle"]),
    ],
)
def test_what_answers_to_a_query_stands_out(query: str, wanted: list[str]) -> None:
    text = "ä needle, guide and Needle"
    assert [text[a:b] for a, b in typed_query.spans(text, query)] == wanted


@pytest.mark.parametrize("width", range(0, 120, 7))
def test_rows_of_lines_fit_and_show_the_match(width: int) -> None:
    long = hit(3, text="x " * 200 + "needle" + " y" * 200, distance=None)
    shown = line_row.rows(rows_of([*lines(2), long]), "'needle", width)
    for row in shown:
        assert "\n" not in row.plain
        if width >= 24:
            assert row.cell_length <= width
    if width > 30:
        assert all("needle" in row.plain for row in shown)
        assert all("$match" in [span.style for span in row.spans] for row in shown)


@pytest.mark.parametrize(
    ("number", "matches", "files", "wanted"),
    [
        (2, 2, ["a.md"], "2 matches in 1 file"),
        (1, 1, ["a.md"], "1 match in 1 file"),
        (2, 1234, ["a.md", "b.md"], "first 2 of 1 234 matches in 2 files"),
    ],
)
def test_the_title_counts_matches(number: int, matches: int, files: list[str], wanted: str) -> None:
    reply = found("'x", lines(number), mode="exact", matches=matches, files=files)
    assert wanted in results_title(reply, 99, "").plain.replace("\u00a0", " ")


def exact_reply(query: str) -> SearchReply:
    return found(query, lines(3), mode="exact", matches=3, files=["a", "b", "c"])


@pytest.mark.parametrize("as_you_type", [True, False])
@pytest.mark.parametrize("size", [(100, 30), (60, 20)])
async def test_enter_on_an_exact_query_shows_lines_and_asks_no_model(
    as_you_type: bool, size: tuple[int, int]
) -> None:
    engine = ScriptedEngine()
    engine.finds["'needle"] = [exact_reply("'needle")]
    async with driving(engine, size=size) as driver:
        driver.main._as_you_type = as_you_type
        await driver.ask("'needle")
        await driver.until(lambda: len(driver.main.results.hits) == 3, "the lines")
        assert engine.questions == []
        assert engine.requests[-1].hits == 200
        assert not driver.main.answering
        await driver.until(lambda: "asks no model" in driver.said("answer-note"))
        assert "3 matches in 3 files" in driver.title("results")
        await driver.until(lambda: all("needle" in row for row in rows(driver)), "the rows")
        await driver.until(lambda: driver.main.preview.hit is not None)
        await driver.press("down", "x")
        await driver.until(lambda: "no distance" in driver.previewed)
        type_text(driver, "")
        await driver.until(lambda: "Ask a question" in driver.said("answer-note"))


async def test_an_exact_query_leaves_the_answer_of_before_alone() -> None:
    engine = ScriptedEngine()
    engine.answer = whole_answer(content.HITS, "Done.")
    engine.finds["'needle"] = [exact_reply("'needle")]
    async with driving(engine) as driver:
        await driver.ask_to_the_end("q!")
        await driver.ask("'needle")
        await driver.until(lambda: len(driver.main.results.hits) == 3)
        await quiet(driver, 0.2)
        assert engine.searches == ["'needle"], "once"
        assert driver.main.answer.answer_text == "Done."
        assert "to “q!”" in driver.title("answer")


async def test_hostile_lines_and_names_are_text() -> None:
    engine = ScriptedEngine()
    bad = [hit(1, path=f"{ATTACK}.md", text=f"needle {ATTACK}\nmore", distance=None)]
    engine.finds["'needle"] = [found("'needle", bad, mode="exact", matches=1, files=[ATTACK])]
    async with driving(engine) as driver:
        engine.statuses.put_nowait(status())
        await driver.ask("'needle")
        await driver.until(lambda: driver.main.results.hits)
        await driver.until(lambda: "needle" in rows(driver)[0], "the row")
        (row,) = rows(driver)
        assert "\x1b" not in row and "\u202e" not in row and "\n" not in row
        assert "needle [/]" in row


async def test_a_mode_of_before_does_not_hold_up_a_question() -> None:
    engine, never = ScriptedEngine(), asyncio.Event()
    engine.finds["rest"] = [never]
    async with driving(engine) as driver:
        type_text(driver, "rest")
        await driver.until(lambda: engine.searches)
        await driver.press("enter")
        await driver.until(lambda: not driver.main.answering and engine.questions)
        await driver.until(lambda: engine.left == ["rest"], "cancelling")
