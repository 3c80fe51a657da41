"""Text that is painted without a layout: its scrolling, its selection, and what stays as it was."""

from __future__ import annotations

import pytest
from textual.app import App, ComposeResult
from textual.content import Content
from textual.geometry import Offset
from textual.selection import Selection

from tests.hits import hit
from tests.tui.driver import Driver, driving
from tests.tui.scripted import ScriptedEngine, found
from tui.text_view import TextView


class Shown(App[None]):
    """A view alone."""

    def compose(self) -> ComposeResult:
        yield TextView()

    @property
    def view(self) -> TextView:
        return self.query_one(TextView)

    def rows(self) -> list[str]:
        """The rows in view, as they are painted."""
        return [self.view.render_line(y).text.rstrip() for y in range(self.view.size.height)]


def lines(count: int) -> Content:
    return Content("\n".join(f"line {number}" for number in range(count)))


async def test_the_rows_in_view_follow_the_scrolling_and_what_is_shown() -> None:
    app = Shown()
    async with app.run_test(size=(20, 5)) as pilot:
        app.view.show(lines(9))
        assert app.rows() == ["line 0", "line 1", "line 2", "line 3", "line 4"]
        app.view.scroll_end(animate=False)
        await pilot.pause()
        assert app.rows() == ["line 4", "line 5", "line 6", "line 7", "line 8"]
        app.view.show(lines(2))
        assert app.rows() == ["line 0", "line 1", "", "", ""]


async def test_what_is_too_wide_is_wrapped_for_each_width() -> None:
    app = Shown()
    async with app.run_test(size=(15, 4)) as pilot:
        app.view.show(Content("one two three four\n\nfive"))
        assert app.rows() == ["one two three", "four", "", "five"]
        await pilot.resize_terminal(30, 4)
        await pilot.pause()
        assert app.rows() == ["one two three four", "", "five", ""]


async def test_where_there_is_no_room_for_text_nothing_is_painted() -> None:
    app = Shown()
    async with app.run_test(size=(20, 4)) as pilot:
        app.view.show(lines(9))
        app.view.styles.width = app.view.scrollbar_size_vertical
        await pilot.pause()
        assert app.view.scrollable_content_region.width == 0
        assert set(app.rows()) == {""}


async def test_rows_are_selected_with_the_mouse_below_the_fold_too() -> None:
    app = Shown()
    async with app.run_test(size=(20, 3)) as pilot:
        app.view.show(lines(9))
        app.view.scroll_to(y=4, animate=False)
        await pilot.pause()
        plain = app.view.render_line(1)
        await pilot.mouse_down(app.view, Offset(0, 1))
        await pilot.hover(app.view, Offset(4, 2))
        await pilot.mouse_up(app.view, Offset(4, 2))
        assert app.screen.get_selected_text() == "line 5\nline "
        assert app.view.render_line(1) != plain, "it is seen to be selected"
        app.screen.clear_selection()
        assert app.view.get_selection(Selection(Offset(0, 8), None)) == ("line 8", "\n")


@pytest.mark.parametrize("other", ["other\n" * 9, "short", "two\nrows", ""])
async def test_a_selection_ends_where_another_text_is_shown_in_its_place(other: str) -> None:
    app = Shown()
    async with app.run_test(size=(20, 5)) as pilot:
        app.view.show(lines(9))
        await pilot.pause()
        plain = app.view.render_line(1)
        await pilot.mouse_down(app.view, Offset(0, 1))
        await pilot.hover(app.view, Offset(4, 2))
        await pilot.mouse_up(app.view, Offset(4, 2))
        app.view.show(lines(12))
        assert app.screen.get_selected_text() == "line 1\nline ", "the same text"
        app.view.show(Content(other))
        assert not app.screen.get_selected_text()
        app.view.show(lines(9))
        await pilot.pause()
        assert not app.screen.get_selected_text()
        assert app.view.render_line(1) == plain


async def layouts_of_typing(driver: Driver, letters: str) -> int:
    """How often the screen was laid out while letters were typed, each with its own hits."""
    laid_out: list[object] = []
    driver.main.screen_layout_refresh_signal.subscribe(driver.main.results, laid_out.append)
    for letter in letters:
        await driver.press(letter)
        text = driver.main.query_pane.input.text
        await driver.until(lambda: driver.main._shown_query == text, "its hits")  # noqa: B023
        await driver.until(lambda: text in driver.previewed, "its text")  # noqa: B023
    return len(laid_out)


async def test_other_hits_of_what_is_typed_are_shown_without_a_layout_of_the_screen() -> None:
    engine = ScriptedEngine()
    typed = ["kit", "kite", "kites"]
    for words in typed:
        engine.finds[words] = [found(words, [hit(1, text=f"{words}\n" * 40), hit(2)])]
    async with driving(engine) as driver:
        await driver.press(*"ki")
        await layouts_of_typing(driver, "t")
        assert await layouts_of_typing(driver, "es") == 0
