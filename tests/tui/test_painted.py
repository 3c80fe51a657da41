"""Rows made ready for the terminal by our own hands look as Textual would have them look."""

import pytest
from textual.content import Content
from textual.strip import Strip
from textual.visual import Visual

from tests.tui.driver import driving
from tui.painted import painted
from tui.text_view import TextView

ROWS = {
    "plain": Content("a hit of nothing in particular"),
    "styled": Content.assemble(("12", "$quiet"), " ", ("docs/a.md", "bold $cite"), ("end", "$bar")),
    "overlapping": Content("one two three").stylize("$quiet", 0, 9).stylize("strike", 4, 13),
    "wide": Content.assemble(("日本語", "$cite"), ("の文", "$quiet")),
    "combining": Content.styled("e\u0301tude \u200bx", "$heading"),
    "markup": Content("[bold]not[/] [@click=app.quit]quit[/]"),
    "empty": Content(""),
}


def told(strip: Strip) -> list[tuple[object, ...]]:
    """Each character with the looks that the terminal is told for it."""
    return [
        (
            letter,
            style.color,
            style.bgcolor,
            *map(bool, (style.bold, style.italic, style.underline, style.strike, style.reverse)),
        )
        for text, style, _ in strip
        for letter in text
        if style is not None
    ]


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
async def test_a_row_looks_as_textual_would_paint_it(row: Content) -> None:
    async with driving() as driver:
        widget = driver.main.preview
        style = widget.visual_style
        (wanted,) = Visual.to_strips(widget, row, 40, 1, style, pad=True)
        shown = painted(widget, row, 40, style)
        assert shown.cell_length == 40
        assert told(shown) == told(wanted)


async def test_a_row_that_is_too_wide_is_cut_to_the_cell() -> None:
    async with driving() as driver:
        widget = driver.main.preview
        for row in (Content("x" * 50), Content("日" * 30)):
            shown = painted(widget, row, 11, widget.visual_style)
            assert shown.cell_length == 11


async def test_lines_with_tabs_are_shown_to_their_end() -> None:
    async with driving() as driver:
        view: TextView = driver.main.preview
        line = "\t\t\tif x:" + " word" * ((view.width - 12) // 5)
        view.show(Content(line))
        text = "".join(row.plain for row in view._rows)
        assert "\t" not in text and text.count("word") == line.count("word")
        assert all(row.cell_length <= view.width for row in view._rows)
