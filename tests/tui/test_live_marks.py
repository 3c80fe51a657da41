"""What became of the hits since their query was first shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from rich.cells import cell_len

from engine.part import Part
from engine.wire.api_search import Hit
from tests.hits import hit
from tests.tui import content
from tests.tui.driver import Driver, driving
from tests.tui.rows import row_of, rows_of
from tests.tui.scripted import ScriptedEngine, ScriptedSource, found, status, whole_answer
from tui import hit_row, line_row
from tui.live_marks import Fate, Row, compare, index_of
from tui.live_results import NO_LONGER_FOUND
from tui.messages import HitsRefreshed

ATTACK = "[/] [@click=app.quit]x[/] \x1b]52;c;AA==\x07 \u202eevil"
LONG = "one two three four five six seven eight"


def at(path: str, line: int, text: str, **changes: Any) -> Hit:
    return hit(1, path=path, start_line=line, end_line=line + 2, text=text, **changes)


A, B, C = at("a.md", 1, "a"), at("b.md", 2, "b"), at("c.md", 3, "c")
SAME, NEW, CHANGED, MOVED, GONE = Fate


@pytest.mark.parametrize(
    ("before", "now", "wanted"),
    [
        ([A, B], [A, B], [(A, SAME), (B, SAME)]),
        ([A, B], [B, A], [(B, SAME), (A, SAME)]),
        ([], [A], [(A, NEW)]),
        ([A], [B, A], [(B, NEW), (A, SAME)]),
        ([A, B, C], [], [(A, GONE), (B, GONE), (C, GONE)]),
        ([A, B, C], [A, C], [(A, SAME), (B, GONE), (C, SAME)]),
        ([A, B, C], [C], [(A, GONE), (B, GONE), (C, SAME)]),
        ([A, B], [at("z.md", 9, "a")], [(at("z.md", 9, "a"), MOVED), (B, GONE)]),
        ([A], [at("a.md", 5, "a")], [(at("a.md", 5, "a"), MOVED)]),
        ([A], [at("a.md", 1, "other")], [(at("a.md", 1, "other"), CHANGED)]),
        (
            [at("a.md", 1, LONG)],
            [at("a.md", 30, f"{LONG} nine")],
            [(at("a.md", 30, f"{LONG} nine"), CHANGED)],
        ),
        (
            [at("a.md", 1, LONG)],
            [at("b.md", 30, f"{LONG} nine")],
            [(at("a.md", 1, LONG), GONE), (at("b.md", 30, f"{LONG} nine"), NEW)],
        ),
        (
            [at("a.md", 1, LONG)],
            [at("a.md", 30, "nothing in common")],
            [(at("a.md", 1, LONG), GONE), (at("a.md", 30, "nothing in common"), NEW)],
        ),
        (
            [at("a.md", 1, "x"), at("b.md", 1, "x")],
            [at("b.md", 1, "x"), at("a.md", 1, "x")],
            [(at("b.md", 1, "x"), SAME), (at("a.md", 1, "x"), SAME)],
        ),
        (
            [at("a.md", 1, "x"), at("a.md", 9, "x")],
            [at("a.md", 9, "x")],
            [(at("a.md", 1, "x"), GONE), (at("a.md", 9, "x"), SAME)],
        ),
        (
            [at("a.md", 1, " ")],
            [at("b.md", 1, " ")],
            [(at("a.md", 1, " "), GONE), (at("b.md", 1, " "), NEW)],
        ),
        (
            [at("a.pdf", 1, "x", part=Part("page", 1))],
            [at("a.pdf", 1, "x", part=Part("page", 2))],
            [(at("a.pdf", 1, "x", part=Part("page", 2)), MOVED)],
        ),
        (
            [at("a.md", 1, "x", quoted_path="%FFa.md")],
            [at("a.md", 1, "y", quoted_path="%FEa.md")],
            [
                (at("a.md", 1, "x", quoted_path="%FFa.md"), GONE),
                (at("a.md", 1, "y", quoted_path="%FEa.md"), NEW),
            ],
        ),
    ],
)
def test_two_lists_of_hits_are_compared(
    before: Sequence[Hit], now: Sequence[Hit], wanted: list[tuple[Hit, Fate]]
) -> None:
    assert [(row.hit, row.fate) for row in compare(before, now)] == wanted


def test_of_hits_that_are_not_found_only_those_that_are_wanted_are_gone() -> None:
    before = [hit(n) for n in (1, 2, 3, 4)]
    rows = compare(before, before[:1], most=3)
    assert [(row.hit.rank, row.fate) for row in rows] == [(1, SAME), (2, GONE), (3, GONE)]


def test_each_sign_is_one_cell_of_its_own() -> None:
    signs = [fate.value for fate in Fate]
    assert len(set(signs)) == len(signs) and all(cell_len(sign) == 1 for sign in signs)
    assert not set(signs) & set("~=◆✕+")


@pytest.mark.parametrize("width", range(0, 130, 3))
def test_rows_with_signs_fit(width: int) -> None:
    rows = [row_of(each, fate=fate) for each, fate in zip(content.HITS, Fate, strict=False)]
    columns = hit_row.fit_columns(rows, width)
    for shown in [
        *(hit_row.row(row, 0.8, columns) for row in rows),
        *line_row.rows(rows, "'starter", width),
    ]:
        assert "\n" not in shown.plain
        if width >= 26:
            assert shown.cell_length <= width


def test_no_column_is_spent_on_signs_before_anything_changed() -> None:
    columns = hit_row.fit_columns(rows_of(content.HITS), 60)
    assert columns.fate == 0
    assert not set(hit_row.row(row_of(content.HITS[0]), 1, columns).plain) & set("✦≠→∅")


def shown(driver: Driver) -> list[str]:
    return [str(option.prompt) for option in driver.main.results.list.options]


def fates(driver: Driver) -> list[Fate]:
    return [row.fate for row in driver.main.results.list.rows]


async def change(
    driver: Driver, engine: ScriptedEngine, hits: list[Hit], revision: int = 2
) -> None:
    engine.refreshed = hits
    engine.statuses.put_nowait(status(revision=revision))
    await driver.until(lambda: list(driver.main.results.hits) == hits, "the refresh")
    await driver.pilot.pause()


HITS = [hit(n) for n in (1, 2, 3, 4)]
LATER = [
    HITS[0].model_copy(update={"rank": 1}),
    hit(2, path="new.md", text="something new"),
    HITS[3].model_copy(update={"rank": 3, "start_line": 99, "end_line": 107}),
    HITS[1].model_copy(update={"rank": 4, "text": "Changed."}),
]


async def asked(driver: Driver, engine: ScriptedEngine) -> None:
    engine.statuses.put_nowait(status(revision=1))
    await driver.until(lambda: driver.main.status is not None)
    await driver.ask_to_the_end("q")
    driver.main.go_to("results")
    await driver.pilot.pause()


def answering(hits: Sequence[Hit] = HITS) -> ScriptedEngine:
    engine = ScriptedEngine()
    engine.answer = whole_answer(hits, "Answer.")
    return engine


async def test_each_row_says_what_became_of_its_hit() -> None:
    engine = answering()
    async with driving(engine) as driver:
        await asked(driver, engine)
        assert set(fates(driver)) == {SAME}
        await change(driver, engine, LATER)
        assert fates(driver) == [SAME, NEW, GONE, MOVED, CHANGED]
        signs = ["".join(sorted(set(row) & set("✦∅→≠"))) for row in shown(driver)]
        assert signs == ["", "✦", "∅", "→", "≠"]
        assert [row.lstrip()[0] for row in shown(driver)] == ["1", "+", "3", "4", "2"]
        gone = driver.main.results.list.options[2].prompt
        assert "strike" in str(getattr(gone, "spans", ""))
        await change(driver, engine, HITS, revision=3)
        assert set(fates(driver)) == {SAME}, "compared with what was shown first"


async def test_a_cited_hit_whose_text_changed_keeps_its_number() -> None:
    engine = answering()
    async with driving(engine) as driver:
        await asked(driver, engine)
        await change(driver, engine, LATER)
        await driver.press("2")
        assert driver.main.results.selected == LATER[3]
        assert "≠" in shown(driver)[4]


def test_no_number_is_given_twice_when_a_text_comes_back_elsewhere() -> None:
    rows = [
        Row(at("b.md", 1, "a changed"), Fate.CHANGED, A),
        Row(at("z.md", 9, "a"), Fate.NEW),
        Row(at("c.md", 3, "c changed"), Fate.CHANGED, C),
    ]
    assert [row.number for row in hit_row.numbered(rows, [A])] == [hit_row.NEW, 1, hit_row.NEW]


@pytest.mark.parametrize("rank", [1, 2, 3, 4])
def test_without_its_hit_the_cursor_goes_to_the_one_nearest_in_rank(rank: int) -> None:
    ranks = (4, 3, 1, 2)
    rows = [Row(hit(2, path="earlier.md"), Fate.GONE, hit(2, path="earlier.md"))]
    rows += [Row(hit(each, path=f"{each}.md")) for each in ranks]
    lost = Row(hit(rank, path="lost.md", text="lost"), Fate.NEW)
    assert index_of(rows, lost) == 1 + ranks.index(rank)
    assert index_of(rows[:1], lost) == 0
    assert index_of([*rows[:1], row_of(hit(9))], lost) == 1


async def test_the_cursor_is_beside_a_new_hit_that_goes_in_any_order() -> None:
    hits = [hit(n, distance=n / 10) for n in (1, 2, 3, 4)]
    engine = answering(hits)
    near = hit(1, path="near.md", text="near", distance=0.01)
    later = [near, *(each.model_copy(update={"rank": each.rank + 1}) for each in hits)]
    async with driving(engine) as driver:
        await asked(driver, engine)
        await change(driver, engine, later)
        await driver.press("s", "G")
        assert driver.main.results.selected == near
        await change(driver, engine, hits, revision=3)
        assert driver.main.results.selected == hits[0]


async def test_the_cursor_stays_on_a_hit_that_changes_and_on_one_that_goes() -> None:
    engine = answering()
    async with driving(engine) as driver:
        await asked(driver, engine)
        await driver.press("2")
        await change(driver, engine, LATER)
        assert driver.main.results.selected == LATER[3]
        await change(driver, engine, HITS[:1], revision=3)
        assert driver.main.results.selected == HITS[1]
        preview = driver.main.preview
        await driver.until(lambda: "as it was when you asked" in (preview.border_subtitle or ""))
        assert driver.main.preview.hit == HITS[1]


@pytest.mark.parametrize("key", ["enter", "e"])
async def test_a_hit_that_is_gone_opens_no_editor(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[object] = []
    monkeypatch.setattr("tui.app.HoverkiteApp._hand_over", lambda _app, what: opened.append(what))
    engine = answering()
    async with driving(engine) as driver:
        await asked(driver, engine)
        await driver.press("3")
        await change(driver, engine, HITS[:2])
        await driver.press(key)
        await driver.until(lambda: driver.toasts, "the words")
        assert [toast.message for toast in driver.toasts] == [NO_LONGER_FOUND]
        assert not opened


async def test_when_all_hits_are_gone_they_stay_until_the_question_is_asked_anew() -> None:
    engine = answering()
    async with driving(engine) as driver:
        await asked(driver, engine)
        await change(driver, engine, [])
        assert fates(driver) == [GONE] * 4
        assert driver.main.preview.hit == HITS[0]
        engine.answer = whole_answer(HITS[:1], "Again.")
        await driver.press("ctrl+r")
        await driver.until(lambda: len(fates(driver)) == 1, "the new hits")
        assert fates(driver) == [SAME]


async def test_what_is_typed_tells_it_until_it_is_typed_anew() -> None:
    engine = ScriptedEngine()
    engine.finds["kite"] = [found("kite", HITS)]
    engine.finds["kites"] = [found("kites", HITS[:1])]
    async with driving(engine) as driver:
        engine.statuses.put_nowait(status(revision=1))
        driver.main.query_pane.input.text = "kite"
        await driver.until(lambda: driver.main.results.hits, "the hits")
        engine.finds["kite"] = [found("kite", HITS[:2])]
        engine.statuses.put_nowait(status(revision=2))
        await driver.until(lambda: fates(driver) == [SAME, SAME, GONE, GONE], "the refresh")
        assert [row.lstrip()[0] for row in shown(driver)[:2]] == ["1", "2"]
        assert not any(row.lstrip()[0] in "34" for row in shown(driver)[2:]), "no number is twice"
        driver.main.go_to("results")
        await driver.press("x")
        await driver.until(lambda: engine.requests[-1].explain)
        await driver.pilot.pause()
        assert fates(driver) == [SAME, SAME, GONE, GONE], "why is no other query"
        driver.main.query_pane.input.text = "kites"
        await driver.until(lambda: fates(driver) == [SAME], "the other hits")


async def test_an_answer_shown_again_tells_what_became_of_its_hits() -> None:
    engine = answering()
    engine.finds["other"] = [found("other", [hit(1, path="other.md")])]
    async with driving(engine) as driver:
        await asked(driver, engine)
        await change(driver, engine, HITS[:2])
        driver.main.query_pane.input.text = "other"
        await driver.until(lambda: fates(driver) == [SAME], "the other hits")
        driver.main.query_pane.input.text = ""
        await driver.until(lambda: fates(driver) == [SAME, SAME, GONE, GONE], "its own")


async def test_hits_of_another_mode_are_compared_with_those_of_that_mode() -> None:
    engine = answering()
    engine.finds["other"] = [found("other", [hit(1, path="other.md")])]
    async with driving(engine) as driver:
        await asked(driver, engine)
        engine.refreshed = HITS[2:]
        await driver.press("ctrl+t")
        await driver.until(lambda: fates(driver) == [SAME, SAME], "the other mode")
        driver.main.query_pane.input.text = "other"
        await driver.until(lambda: fates(driver) == [SAME], "the other hits")
        driver.main.query_pane.input.text = ""
        await driver.until(lambda: len(fates(driver)) == 2, "its own")
        modes = len(engine.requests)
        engine.statuses.put_nowait(status(revision=3))
        await driver.until(lambda: len(engine.requests) > modes, "the refresh")
        await driver.pilot.pause()
        assert engine.requests[-1].mode == "dense"
        assert fates(driver) == [SAME, SAME]


async def test_hostile_hits_that_are_gone_are_text() -> None:
    engine = answering([hit(1, path=f"{ATTACK}.md", heading=ATTACK, text=ATTACK), hit(2)])
    async with driving(engine) as driver:
        await asked(driver, engine)
        await change(driver, engine, [hit(2)])
        assert fates(driver) == [GONE, SAME]
        assert not set(shown(driver)[0]) & set("\x1b\x07\u202e")
        await driver.press("enter")
        assert driver.app.is_running


async def test_the_text_of_a_hit_that_is_gone_stays_in_view_whatever_else_changes() -> None:
    engine = answering()
    async with driving(engine) as driver:
        await asked(driver, engine)
        await change(driver, engine, [])
        for revision in (3, 4):
            engine.statuses.put_nowait(status(revision=revision))
            await driver.until(lambda: driver.seen(HitsRefreshed) == revision - 1)  # noqa: B023
            await driver.pilot.pause()
            assert HITS[0].text in driver.previewed


async def test_of_lines_all_that_are_gone_are_told_of() -> None:
    engine, query = ScriptedEngine(), "'kite"
    lines = [hit(n, text=f"kite {n}") for n in range(1, 13)]
    engine.finds[query] = [found(query, lines, mode="exact")]
    async with driving(source=ScriptedSource(engine, hits=8)) as driver:
        engine.statuses.put_nowait(status(revision=1))
        driver.main.query_pane.input.text = query
        await driver.until(lambda: driver.main.results.hits, "the lines")
        engine.finds[query] = [found(query, lines[:10], mode="exact")]
        engine.statuses.put_nowait(status(revision=2))
        await driver.until(lambda: len(driver.main.results.hits) == 10, "the refresh")
        assert fates(driver) == [SAME] * 10 + [GONE] * 2


async def test_where_nothing_is_found_the_preview_is_empty() -> None:
    engine = ScriptedEngine()
    engine.finds["kite"] = [found("kite", HITS)]
    engine.finds["kites"] = [found("kites", [])]
    async with driving(engine) as driver:
        driver.main.query_pane.input.text = "kite"
        await driver.until(lambda: driver.main.preview.hit == HITS[0], "a hit")
        driver.main.query_pane.input.text = "kites"
        await driver.until(lambda: "Nothing was found" in driver.said("results-note"))
        assert driver.main.preview.hit is None
