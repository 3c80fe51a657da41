"""Every key, where it works and where it must not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.errors import UsageError
from engine.part import Part
from tests.hits import hit
from tests.tui import content
from tests.tui.driver import Driver, driving
from tests.tui.scripted import ScriptedEngine, ScriptedSource, whole_answer
from tui.app import HoverkiteApp
from tui.desk import Desk
from tui.extract import Extract
from tui.filter_line import FilterLine
from tui.help import own_bindings
from tui.hit_list import HitList
from tui.messages import HitOpened
from tui.preview import PreviewPane
from tui.query import QueryInput


def answering(hits: Any = content.HITS) -> ScriptedEngine:
    engine = ScriptedEngine()
    engine.answer = whole_answer(hits, content.ANSWER, content.EXTRACTS)
    return engine


async def asked(driver: Driver) -> None:
    await driver.ask_to_the_end("How do I rest it?")


@pytest.mark.parametrize("size", [(100, 30), (60, 20)])
async def test_tab_visits_every_pane_and_shows_it(size: tuple[int, int]) -> None:
    async with driving(answering(), size=size) as driver:
        await asked(driver)
        visited = []
        for _ in range(4):
            await driver.press("tab")
            assert driver.app.focused is not None
            assert driver.app.focused.region.area > 0, "the pane with the cursor is on the screen"
            visited.append(driver.main.pane)
        assert visited == ["results", "preview", "answer", "query"]
        await driver.press("shift+tab")
        assert driver.main.pane == "answer"


@pytest.mark.parametrize("key", ["e", "y", "j", "k", "i", "1", "9", "slash", "question_mark", "g"])
async def test_printable_keys_are_only_text_in_the_query(key: str) -> None:
    async with driving(answering()) as driver:
        await asked(driver)
        driver.main.query_pane.input.text = ""
        before = driver.main.results.selected
        await driver.press(key)
        typed = {"slash": "/", "question_mark": "?"}.get(key, key)
        assert driver.main.query_pane.input.text == typed
        assert driver.main.results.selected == before
        assert len(driver.app.screen_stack) == 1
        assert not driver.toasts and not driver.seen(HitOpened)


async def test_j_k_and_arrows_move_in_the_results_and_the_preview_follows() -> None:
    async with driving(answering()) as driver:
        await asked(driver)
        await driver.press("tab", "j", "down", "k")
        assert driver.main.results.selected == content.HITS[1]
        await driver.until(lambda: driver.main.preview.hit == content.HITS[1], "the preview")
        assert "bread/drying.md:8-17" in driver.title("preview")
        assert "Crumbled into a jar" in driver.previewed


async def test_digits_jump_to_the_hit() -> None:
    async with driving(answering()) as driver:
        await asked(driver)
        await driver.press("tab", "5")
        assert driver.main.results.selected == content.HITS[4]
        assert "p.64" in driver.title("preview")
        driver.main.go_to("answer")
        await driver.pilot.pause()
        await driver.press("2")
        assert driver.main.results.selected == content.HITS[1]
        assert driver.main.pane == "results"
        await driver.press("9")
        assert driver.main.results.selected == content.HITS[1], "there is no hit 9"


async def test_a_click_on_an_extract_goes_to_its_hit() -> None:
    async with driving(answering()) as driver:
        await asked(driver)
        driver.main.answer.model.scroll_home(animate=False)
        await driver.pilot.pause()
        await driver.pilot.click(driver.main.query(Extract).last())
        await driver.until(lambda: driver.main.results.selected == content.HITS[1])


async def test_alt_enter_is_a_new_line_and_the_pane_grows() -> None:
    engine = answering()
    async with driving(engine) as driver:
        height = driver.main.query_pane.size.height
        await driver.press("a", "alt+enter", "b", "ctrl+j", "c")
        assert driver.main.query_pane.input.text == "a\nb\nc"
        await driver.until(lambda: driver.main.query_pane.size.height == height + 2, "growing")
        await driver.press("enter")
        await driver.until(lambda: engine.questions == ["a\nb\nc"])


async def test_down_leaves_the_query_and_up_brings_questions_back() -> None:
    async with driving(answering()) as driver:
        await driver.ask_to_the_end("first")
        await driver.ask_to_the_end("second")
        await driver.press("up")
        assert driver.main.query_pane.input.text == "first"
        await driver.press("down")
        await driver.press("down", "down")
        assert driver.main.pane == "results"
        await driver.press("slash")
        assert driver.main.pane == "query"


async def test_y_copies_the_hit_and_in_the_answer_pane_the_answer() -> None:
    async with driving(answering()) as driver:
        await driver.press("tab", "y")
        assert "nothing to copy" in driver.toasts[-1].message
        await asked(driver)
        await driver.press("tab", "j", "y")
        assert driver.app.clipboard == content.HITS[1].text
        driver.main.go_to("answer")
        await driver.pilot.pause()
        await driver.press("y")
        assert "three weeks.” [1]" in driver.app.clipboard
        assert driver.app.clipboard.endswith(content.ANSWER)


async def test_ctrl_c_copies_the_selection_and_twice_quits() -> None:
    clock = [100.0]
    async with driving(answering(), now=lambda: clock[0]) as driver:
        await driver.press(*"kite")
        driver.main.query_pane.input.select_all()
        await driver.press("ctrl+c")
        assert driver.app.clipboard == "kite"
        clock[0] += 10
        await driver.press("ctrl+c")
        assert driver.app.is_running, "slow presses never quit"
        clock[0] += 0.4
        await driver.press("ctrl+c")
        await driver.until(lambda: not driver.app.is_running, "quitting")


async def test_the_hints_say_what_esc_does_here() -> None:
    from tui.hints import HintLine

    engine = answering()
    engine.answer = [asyncio.Event()]
    async with driving(engine) as driver:

        def hints() -> str:
            return str(driver.main.query_one(HintLine).content)

        await driver.until(lambda: "esc clear" in hints())
        await driver.ask("q")
        await driver.until(lambda: "esc stop" in hints())
        await driver.press("tab", "tab")
        await driver.until(lambda: "esc stop" in hints() and "enter ask" not in hints())
        await driver.press("escape")
        await driver.until(lambda: "esc" not in hints())


async def test_help_lists_every_key_and_closes() -> None:
    async with driving(answering()) as driver:
        await driver.press("f1")
        page = driver.page()
        owners: list[Any] = [QueryInput, Desk, HitList, FilterLine, PreviewPane, HoverkiteApp]
        for owner in owners:
            for binding in own_bindings(owner.BINDINGS):
                assert binding.tooltip in page
        await driver.press("escape")
        assert len(driver.app.screen_stack) == 1
        await driver.press("tab", "question_mark")
        assert len(driver.app.screen_stack) == 2


@pytest.mark.parametrize("typed", [":q", "quit"])
async def test_the_palette_quits(typed: str) -> None:
    async with driving(answering()) as driver:
        await driver.press("ctrl+p")
        await driver.until(lambda: len(driver.app.screen_stack) == 2)
        await driver.press(*typed)
        await driver.until(lambda: _highlighted(driver) == "Quit  :q", "the command")
        await driver.press("enter")
        await driver.until(lambda: not driver.app.is_running, "quitting")


async def test_the_palette_offers_every_theme_and_switches() -> None:
    async with driving(answering()) as driver:
        commands = {c.title: c for c in driver.app.get_system_commands(driver.app.screen)}
        assert {"Theme: kite", "Theme: paper", "Theme: contrast"} <= set(commands)
        commands["Theme: paper"].callback()
        await driver.pilot.pause()
        assert driver.app.theme == "paper"
        assert not driver.toasts


def _highlighted(driver: Driver) -> str:
    from textual.command import CommandList

    lists = driver.app.screen.query(CommandList)
    if not lists or lists.first().highlighted_option is None:
        return ""
    return str(lists.first().highlighted_option.hit.text)  # type: ignore[union-attr]


async def test_the_hints_tell_the_keys_of_the_pane() -> None:
    engine = answering()
    async with driving(engine) as driver:
        hints = driver.main.query_one("HintLine")
        await driver.until(lambda: "enter ask" in str(hints.content))  # type: ignore[attr-defined]
        assert "e edit" not in str(hints.content)  # type: ignore[attr-defined]
        await driver.press("tab")
        await driver.until(lambda: "e edit" in str(hints.content))  # type: ignore[attr-defined]
        assert "? keys" in str(hints.content)  # type: ignore[attr-defined]
        engine.answer = [asyncio.Event()]
        await driver.ask("q")
        await driver.until(lambda: "esc stop" in str(hints.content))  # type: ignore[attr-defined]


async def test_no_width_hides_the_way_to_the_keys() -> None:
    async with driving(answering(), size=(60, 20)) as driver:
        hints = driver.main.query_one("HintLine")
        await driver.until(lambda: "f1 keys" in str(hints.content))  # type: ignore[attr-defined]
        await asked(driver)
        for pane in ("results", "preview", "answer"):
            driver.main.go_to(pane)
            await driver.until(lambda: "? keys" in str(hints.content), pane)  # type: ignore[attr-defined]
            assert hints.content.cell_length <= 58  # type: ignore[attr-defined]


async def test_keys_are_called_as_in_the_manual() -> None:
    async with driving(answering()) as driver:
        await driver.press("f1")
        page = driver.page()
        assert "alt+enter, ctrl+j" in page and "ctrl+r" in page
        assert "^" not in page


async def test_a_page_of_a_pdf_goes_to_the_desktop_and_the_editor_is_left_alone(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF-")
    terminal = Terminal()
    shown: list[str] = []

    def show(target: str, environment: object, tell_failure: Callable[[str], object]) -> None:
        shown.append(target)
        tell_failure("xdg-open ended with status 3")

    there = hit(1, path="a.pdf", part=Part("page", 7), location="page 7, lines 10-18")
    async with driving(
        answering([there]), folder=tmp_path, run_editor=terminal.run, show=show
    ) as driver:
        await asked(driver)
        await driver.press("tab", "e")
        await driver.until(lambda: len(driver.toasts) == 2, "the toasts")
        assert shown == [str(tmp_path / "a.pdf")]
        said = [toast.message for toast in driver.toasts]
        assert said == ["The hit is at page 7, lines 10-18", "xdg-open ended with status 3"]
        assert terminal.commands == []


async def test_a_pdf_without_a_desktop_says_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "a.pdf").write_bytes(b"%PDF-")
    async with driving(
        answering([hit(1, path="a.pdf", part=Part("page", 7))]), folder=tmp_path
    ) as driver:
        await asked(driver)
        await driver.press("tab", "e")
        await driver.until(lambda: driver.toasts, "the toast")
        assert "no desktop" in driver.toasts[-1].message
        assert str(tmp_path / "a.pdf") in driver.toasts[-1].message
        assert len(driver.toasts) == 1


class Terminal:
    """Stands for an editor: remembers its command."""

    def __init__(self, error: UsageError | None = None) -> None:
        self.commands: list[list[str]] = []
        self.error = error

    def run(self, command: list[str]) -> int:
        self.commands.append(command)
        if self.error:
            raise self.error
        return 0


async def test_e_without_the_file_says_so(tmp_path: Path) -> None:
    terminal = Terminal()
    async with driving(answering(), folder=tmp_path, run_editor=terminal.run) as driver:
        await asked(driver)
        await driver.press("tab", "e")
        await driver.until(lambda: driver.toasts, "the toast")
        assert "bread/starter.md is not there any more" in driver.toasts[-1].message
        assert "the results follow" in driver.toasts[-1].message
        assert terminal.commands == []


async def test_e_where_the_screen_cannot_step_aside_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("x")
    engine = answering([hit(1, path="a.md")])
    terminal = Terminal()
    source = ScriptedSource(engine, editor="nvim")
    async with driving(source=source, folder=tmp_path, run_editor=terminal.run) as driver:
        await asked(driver)
        await driver.press("tab", "enter")
        await driver.until(lambda: driver.toasts, "the toast")
        assert driver.seen(HitOpened) == 1
        assert "can't hand over to an editor" in driver.toasts[-1].message


@pytest.mark.parametrize("size", [(100, 30), (60, 20), (40, 12), (20, 6), (5, 3), (200, 60)])
async def test_any_size_of_terminal_works(size: tuple[int, int]) -> None:
    async with driving(answering(), size=size) as driver:
        await asked(driver)
        for _ in range(4):
            await driver.press("tab", "j")
        await driver.pilot.resize_terminal(100, 30)
        await driver.pilot.pause()
        assert driver.main.preview.display and driver.main.answer.display
