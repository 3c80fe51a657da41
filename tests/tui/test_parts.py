"""The parts of the screen that need no screen: rows, figures, the status bar."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from rich.cells import cell_len
from textual.content import Content

from engine import figures
from engine.errors import EngineError
from engine.part import Part
from engine.wire import api
from engine.wire.api_conversations import Evidence
from tests.hits import hit
from tests.tui import content
from tests.tui.rows import row_of, rows_of
from tests.tui.scripted import llm, status
from tui import highlight, hit_row, notes, outcome, preview, status_bar
from tui.extract import quoted
from tui.hanging import hang
from tui.live_marks import same_hit


@pytest.mark.parametrize(
    ("given", "wanted"),
    [(0, "0"), (999, "999"), (6848, "6 848"), (1_234_567, "1 234 567")],
)
def test_counts(given: int, wanted: str) -> None:
    assert figures.count(given).replace("\u00a0", " ") == wanted


@pytest.mark.parametrize(
    ("given", "wanted"),
    [(0.214, "0.21 s"), (4.25, "4.2 s"), (48.3, "48 s"), (180, "3 min"), (3900, "1 h 5 min")],
)
def test_seconds(given: float, wanted: str) -> None:
    assert figures.seconds(given).replace("\u00a0", " ") == wanted


@pytest.mark.parametrize(
    ("given", "wanted"), [(0, "0 bytes"), (2_800_000, "2.8 MB"), (12_345, "12 kB")]
)
def test_sizes(given: int, wanted: str) -> None:
    assert figures.size(given).replace("\u00a0", " ") == wanted


@pytest.mark.parametrize("width", range(0, 130))
def test_a_row_never_exceeds_its_width(width: int) -> None:
    hits = [*content.HITS, hit(9, path="文書/" * 9 + "長い名前の文書.md", heading="見出し" * 9)]
    columns = hit_row.fit_columns(rows_of(hits), width)
    for each in hits:
        line = hit_row.row(row_of(each), 0.8, columns)
        assert "\n" not in line.plain
        if width >= 24:
            assert line.cell_length <= width


def test_columns_are_aligned_and_the_distance_has_three_digits() -> None:
    columns = hit_row.fit_columns(rows_of(content.HITS), 60)
    lines = [hit_row.row(row_of(each), 0.7412, columns).plain for each in content.HITS]
    assert len({line.index("0.") for line in lines}) == 1
    assert lines[0].startswith("1 ━━━━━━━ 0.741 ")
    assert all("starter.md:" in lines[index] for index in (0, 2))
    assert "flour-and-water.pdf p.64" in lines[4]


@pytest.mark.parametrize(
    ("distance", "best", "wanted"),
    [
        (0.8, 0.8, "━━━━"),
        (0.4, 0.8, "━━"),
        (0.5, 0.8, "━━╸"),
        (-1, 0.8, ""),
        (1, 0, ""),
        (-1, -1, ""),
    ],
)
def test_the_bar_is_relative_to_the_best_hit(distance: float, best: float, wanted: str) -> None:
    assert hit_row.strength_bar(distance, best, 4) == wanted


@pytest.mark.parametrize(
    ("text", "width", "wanted"),
    [
        ("docs/guide/index.md:1-9", 30, "docs/guide/index.md:1-9"),
        ("docs/guide/index.md:1-9", 20, "docs/…/index.md:1-9"),
        ("docs/guide/index.md:1-9", 16, "…/index.md:1-9"),
        ("docs/guide/index.md:1-9", 9, "inde…:1-9"),
        ("x", 0, ""),
    ],
)
def test_paths_are_elided_in_the_middle(text: str, width: int, wanted: str) -> None:
    assert hit_row.elide_path(text, width) == wanted
    assert cell_len(hit_row.elide_path(text, width)) <= width


def test_the_preview_numbers_the_lines_and_wraps_within_its_width() -> None:
    shown = preview.numbered_text(content.HITS[0], content.QUESTION, 44)
    lines = shown.plain.split("\n")
    assert lines[0] == "Sourdough › The starter › Resting it"
    assert lines[2] == "41  ## Resting it"
    assert lines[4].startswith("43  A starter rests")
    assert lines[5].startswith("    ")
    assert max(map(cell_len, lines)) <= 44
    marked = {shown.plain[span.start : span.end] for span in shown.spans if span.style == "$match"}
    assert {"starter", "travel"} <= marked <= {"starter", "travel", "sourdough"}


@pytest.mark.parametrize(
    ("label", "text", "wanted"),
    [
        ("key  ", "one two three", ["key  one two", "     three"]),
        ("", "one two three", ["one two three"]),
        ("key  ", "", ["key  "]),
        ("a-label-wider-than-all", "one two three", None),
        ("k ", "x" * 30, ["k " + "x" * 12, "  " + "x" * 12, "  " + "x" * 6]),
    ],
)
def test_a_long_text_goes_on_beside_its_label(
    label: str, text: str, wanted: list[str] | None
) -> None:
    lines = hang(label, text, 14).plain.split("\n")
    assert "".join(line[len(label) :] for line in lines).replace(" ", "") == text.replace(" ", "")
    assert wanted is None or [line.rstrip() for line in lines] == [w.rstrip() for w in wanted]


def test_a_failure_keeps_its_way_out_on_a_narrow_screen() -> None:
    bar = status_bar.StatusBar()
    bar.show_failure("The engine does not answer", "it ended " * 9, "ctrl+r tries again")
    line = status_bar.fit(bar.parts, Content(), 58).plain
    assert line.rstrip() == "✕ The engine does not answer · ctrl+r tries again"


@pytest.mark.parametrize(
    "changes",
    [{"path": "a.html"}, {"path": "B.HTM"}, {"path": "c.xhtml"}, {"part": Part("page", 3)}],
)
def test_converted_documents_have_no_line_numbers(changes: dict[str, Any]) -> None:
    converted = hit(1, start_line=417, heading="", text="first\nsecond", **changes)
    assert preview.numbered_text(converted, "", 44).plain == "first\nsecond"


def test_rows_of_a_sheet_are_numbered() -> None:
    rows = hit(1, path="a.pdf", start_line=41, text="a\nb", heading="", part=Part("sheet", 2, "A"))
    assert preview.numbered_text(rows, "", 44).plain == "41  a\n42  b"


def test_a_negative_distance_moves_no_column() -> None:
    hits = [hit(1, distance=0.412), hit(2, distance=-0.039)]
    columns = hit_row.fit_columns(rows_of(hits), 60)
    lines = [hit_row.row(row_of(each), 0.412, columns).plain for each in hits]
    assert [line.index("docs/page") for line in lines] == [lines[0].index("docs/page")] * 2


def test_headings_stand_in_a_column_where_all_words_fit_and_else_follow_their_place() -> None:
    hits = [hit(1, path="a.md"), hit(2, path="longer.md")]
    for width, column in ((60, True), (46, True), (38, False)):
        columns = hit_row.fit_columns(rows_of(hits), width)
        lines = [hit_row.row(row_of(each), 0.8, columns).plain for each in hits]
        assert (lines[0].index("Sec") == lines[1].index("Sec")) is column
    assert "a.md:10-18  Section 1" in lines[0]
    assert "longer.md:20-28  Sect" in lines[1]


def test_a_long_name_takes_the_room_of_its_own_heading_only() -> None:
    long = hit(1, path="a-very-long-name-of-a-file-that-fills-the-whole-row.md")
    other = hit(2, path="p2.md")
    columns = hit_row.fit_columns(rows_of([long, other]), 46)
    assert "…" in hit_row.row(row_of(long), 0.8, columns).plain
    assert hit_row.row(row_of(other), 0.8, columns).plain.endswith("p2.md:20-28  Section 2")


def test_folders_give_way_to_a_heading_and_file_names_do_not() -> None:
    deep = hit(1, path="some/folder/of/mine/page.md", heading="A heading")
    columns = hit_row.fit_columns(rows_of([deep]), 48)
    assert hit_row.row(row_of(deep), 0.8, columns).plain.endswith("…/page.md:10-18  A heading")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Two lines\nof a sentence. ", "Two lines of a sentence."),
        ("| Enter | asks |", "Enter │ asks"),
        ("|", "|"),
        ("||", "||"),
        ("a | b", "a | b"),
        ("x \x1b[2J y", "x \ufffd[2J y"),
    ],
)
def test_a_quotation_reads_on_one_line(text: str, wanted: str) -> None:
    assert quoted(text) == wanted


def test_refreshed_hits_keep_the_numbers_the_answer_uses() -> None:
    cited = [hit(1), hit(2), hit(3, path="docs/page2.md", text="Text of hit 2.")]
    new = hit(1, path="new.md")
    moved = [new, cited[1], cited[2], hit(9, path=cited[0].path, text=cited[0].text), cited[1]]
    assert hit_row.numbers_of(moved, cited) == [hit_row.NEW, 2, 3, 1, hit_row.NEW]
    assert hit_row.numbers_of(moved, ()) == [1, 2, 3, 9, 2]


def test_a_hit_whose_file_was_renamed_keeps_its_number() -> None:
    cited = [hit(1), hit(2), hit(3, text="the same"), hit(4, text="the same")]
    renamed = [hit(1, path="new.md", text=cited[1].text), cited[0]]
    assert hit_row.numbers_of(renamed, cited) == [2, 1]
    copied = [cited[1], hit(2, path="copy.md", text=cited[1].text)]
    assert hit_row.numbers_of(copied, cited) == [2, hit_row.NEW]
    for place in (2, 3):
        unclear = [hit(place, path="new.md", text=cited[place - 1].text)] * 2
        assert hit_row.numbers_of(unclear, cited) == [hit_row.NEW] * 2
    either = [hit(1, path="new.md", text="the same")]
    assert hit_row.numbers_of(either, cited) == [hit_row.NEW]


@pytest.mark.parametrize(
    ("text", "query", "wanted"),
    [
        ("Parameters of HNSW", "What do the parameters for HNSW mean?", ["Parameters", "HNSW"]),
        ("the and of", "the and of", []),
        ("a[i] (x", "a[i] (x", []),
        ("検索の距離", "距離", ["距離"]),
        ("unparameterised", "parameter", []),
        ("indexing of indexes", "index", ["indexing", "indexes"]),
        ("go to gold", "go", ["go"]),
        ("not a node, now", "why does no node not mean it", ["node"]),
        ("C++ and c++", "c++", []),
        ("ef_construction", "ef_construction", ["ef_construction"]),
    ],
)
def test_telling_words_are_found_again(text: str, query: str, wanted: list[str]) -> None:
    assert [text[start:end] for start, end in highlight.matches(text, query)] == wanted


def plain(line: Content) -> str:
    return line.plain.replace("\u00a0", " ")


@pytest.mark.parametrize("width", [1, 10, 40, 60, 100, 200])
@pytest.mark.parametrize(
    "shown",
    [
        status(last_edit_ms=210.0, pending=3, skipped_total=4),
        status(state="indexing", progress=api.Progress(files_done=1, files_total=9)),
        status(state="failed", detail="the disk is full " * 9),
        status(state="partial watch", detail="too many folders"),
        status(llm=llm("unavailable")),
    ],
)
def test_the_status_fits_its_line(shown: api.FolderStatus, width: int) -> None:
    parts, model = status_bar.folder_parts(shown), status_bar.model_part(shown.llm)
    line = status_bar.fit(parts, model, width)
    assert "\n" not in line.plain
    if width >= 40:
        assert line.cell_length == width
        assert line.plain.endswith(model.plain), "the model's state is never dropped"


def test_a_model_that_no_question_starts_is_not_asleep() -> None:
    assert status_bar.model_part(llm("off")).plain == "vLLM asleep"
    turned_off = llm("off").model_copy(update={"detail": "turned off by llm_start"})
    assert status_bar.model_part(turned_off).plain == "vLLM off"


def test_the_least_of_the_status_goes_first() -> None:
    shown = status(last_edit_ms=210.0, pending=3)
    parts, model = status_bar.folder_parts(shown), status_bar.model_part(shown.llm)
    assert "last edit" in plain(status_bar.fit(parts, model, 120))
    narrow = plain(status_bar.fit(parts, model, 60))
    assert "last edit" not in narrow
    assert "watching 274 files" in narrow and "3 changes on the way" in narrow


@pytest.mark.parametrize(
    ("pending", "words"),
    [
        (0, "‖ paused · p goes on"),
        (1, "‖ paused · 1 file waits · p goes on"),
        (12_345, "‖ paused · 12 345 files wait · p goes on"),
    ],
)
@pytest.mark.parametrize("width", [58, 98, 200])
def test_a_pause_says_what_waits_and_how_it_ends(pending: int, words: str, width: int) -> None:
    shown = status(state="paused", watch="paused", pending=pending, llm=llm("answering"))
    line = status_bar.fit(status_bar.folder_parts(shown), status_bar.model_part(shown.llm), width)
    assert plain(line).startswith(words)


def test_a_folder_that_is_paused_while_it_opens_says_that_it_is_paused() -> None:
    shown = status(state="loading", watch="paused", files=0, chunks=0)
    line = status_bar.fit(status_bar.folder_parts(shown), status_bar.model_part(shown.llm), 58)
    assert plain(line).startswith("‖ paused · p goes on ")
    assert "Indexing is paused" in notes.results_note(shown).plain


@pytest.mark.parametrize("state", ["failed", "missing"])
def test_a_folder_that_cannot_be_read_is_not_told_to_be_empty(state: Any) -> None:
    shown = status(state=state, files=0, chunks=0, detail="the disk is \x1b[31mfull")
    note = notes.results_note(shown).plain
    assert f"The folder is {state}." in note and "the disk is" in note and "\x1b" not in note
    assert "nothing to read" not in note.lower()


@pytest.mark.parametrize("model", ["off", "ready", "unavailable"])
def test_a_missing_folder_says_that_its_index_is_kept(model: api.LlmStateName) -> None:
    shown = status(state="missing", detail=f"/{'deep/' * 40} is gone", llm=llm(model))
    line = status_bar.fit(status_bar.folder_parts(shown), status_bar.model_part(shown.llm), 58)
    assert plain(line).startswith("✕ missing · its index is kept · i tells more ")


@pytest.mark.parametrize(
    ("next_step", "wanted"),
    [
        ("Try again", "→ ctrl+r asks again"),
        ("Ask again: it is started anew", "→ ctrl+r asks again: it is started anew"),
        (
            "Run: hoverkite stop, then try again",
            "→ Run: hoverkite stop, then try again · ctrl+r asks again",
        ),
        ("Run: make setup", "→ Run: make setup"),
    ],
)
def test_an_answer_that_broke_off_names_the_key_that_asks_again(
    next_step: str, wanted: str
) -> None:
    error = EngineError("the connection to the engine broke", next_step)
    assert outcome.interrupted(error, has_text=True).plain.splitlines()[-1] == wanted
    broken = llm("unavailable", detail="it ended", next_step=next_step)
    assert outcome.unavailable(broken).plain.splitlines()[-1] == wanted


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("loading", "opening"),
        ("watching", "watching"),
        ("partial watch", "partly watching"),
        ("missing", "missing"),
        ("failed", "failed"),
    ],
)
def test_every_state_has_words(state: api.FolderState, words: str) -> None:
    parts = status_bar.folder_parts(status(state=state))
    assert words in plain(status_bar.fit(parts, Content(), 100))


def test_the_same_hit_is_found_by_text_then_by_place() -> None:
    hits = [hit(1), hit(2), hit(3, path="docs/page2.md", start_line=90, text="other")]
    assert same_hit(hits, hit(7, path=hits[1].path, text=hits[1].text)) == 1
    assert same_hit(hits, hit(7, path="docs/page2.md", start_line=80, text="changed")) == 2
    assert same_hit(hits, hit(1, path="renamed.md", text="other")) == 2
    assert same_hit([*hits, hits[2]], hit(1, path="renamed.md", text="other")) is None
    assert same_hit(hits, hit(3, path="gone.md", text="gone")) is None


@pytest.mark.parametrize("count", [1, 2, 9])
@pytest.mark.parametrize("state", ["changed", "gone"])
def test_the_mark_of_a_stale_answer_fits_the_narrowest_pane(
    state: Literal["changed", "gone"], count: int
) -> None:
    hits = [hit(n, path=f"manual/troubleshooting-{n}.md") for n in range(1, count + 1)]
    changed = [(each, Evidence(rank=each.rank, state=state)) for each in hits]
    said = outcome.stale(changed, room=43)
    assert said.cell_length <= 43
    assert said.plain.startswith("▲ stale: tr") and said.plain.endswith("asks again")
    assert ("gone" in said.plain) is (state == "gone")
