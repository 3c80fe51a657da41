"""Themes are data: shipped ones are readable, faulty ones are refused with a reason."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from textual.color import Color
from textual.css import parse as css_parse
from textual.css import stylesheet
from textual.css.model import RuleSet

from engine import paths
from engine.errors import ConfigError, EngineError
from tests.tui.driver import driving
from tests.tui.scripted import ScriptedEngine, ScriptedSource
from tui import themes
from tui.messages import FolderReady, SettingsLoaded

SHIPPED = sorted(path.stem for path in themes.shipped_folder().glob("*.toml"))

BASE = 'name = "mine"\nprimary = "#ffffff"\n'

TEXT = ["foreground", "quiet", "distance", "heading", "match", "cite"]
TEXT += ["text-success", "text-warning", "text-error"]
GROUNDS = ["page", "selected", "selected-blurred", "panel"]


def luminance(colour: Color) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    parts = [part / 255 for part in colour.rgb]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast_ratio(one: Color, other: Color) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def user_theme(name: str, text: str) -> Path:
    folder = themes.user_folder()
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.toml"
    file.write_text(text)
    return file


def test_there_is_a_handful() -> None:
    assert {"kite", "paper", "contrast", "harbour", "moor"} <= set(SHIPPED)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_theme_is_complete_and_named_after_its_file(name: str) -> None:
    theme = themes.checked(themes.shipped_folder() / f"{name}.toml")  # left out at the start
    assert theme.name == name
    assert set(themes.OWN_VARIABLES) <= set(theme.variables)


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("name", SHIPPED)
def test_all_text_is_readable_on_every_ground(name: str, ground: str) -> None:
    """WCAG 2.2, success criterion 1.4.3: a contrast of at least 4.5 to 1."""
    theme = themes.read(themes.shipped_folder() / f"{name}.toml")
    colours = {**theme.to_color_system().generate(), **theme.variables}
    below = Color.parse(colours[ground])
    # Line numbers stand on the page only.
    for text in [*TEXT, *(["gutter"] if ground == "page" else [])]:
        colour = Color.parse(colours[text].split()[-1])
        contrast = contrast_ratio(below, colour)
        assert contrast >= 4.5, f"{text} on {ground}: {contrast:.2f}"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("not toml [", "mine.toml"),
        ("a = " + "[" * 100_000, "mine.toml: it is nested too deeply"),
        ("#" * 1_000_001, "mine.toml: it is larger"),
        ('name = "mine"', "must be given"),
        ('name = "mine"\nprimary = "nocolour"', "nocolour"),
        ('name = "mine"\nprimary = "#fff"\nshiny = true', "unknown key shiny"),
        ('name = "mine"\nprimary = "#fff"\n[variables]\nquiet = "[/]"', "no colour"),
        ('name = "mine"\nprimary = "#fff"\nvariables = 3', "no colour"),
        ('name = 3\nprimary = "#fff"', "must be given"),
        (f'{BASE}[variables]\nborder-blurred = "nocolour"', "border-blurred: that is no colour"),
        (f'{BASE}[variables]\nblock-cursor-text-style = "zz yy"', "block-cursor-text-style: "),
        (f'{BASE}[variables]\nscrollbar = "x"', "scrollbar: that is no colour"),
        (f'{BASE}[variables]\nmatch = "zz"', "match: that is no colour"),
        (f'{BASE}background = "transparent"\n[variables]\npage = "red 0%"', "page or background"),
        (f"{BASE}ansi = true", "ansi can't be true"),
        (f"{BASE}luminosity_spread = inf", "no colour"),
        ('name = ""\nprimary = "#fff"', "name must be"),
        (f'name = "{"x" * 101}"\nprimary = "#fff"', "name must be"),
        ('name = "[/]\\u001b]0;x\\u0007"\nprimary = "#fff"', "name must be"),
    ],
)
async def test_a_faulty_theme_is_told_once_and_the_screen_goes_on(text: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        themes.checked(user_theme("mine", text))
    user_theme("worse", "[")
    assert themes.load_named("mine").name == themes.FALLBACK
    async with driving(theme=themes.load_named("mine")) as driver:
        await driver.until(lambda: driver.toasts, "the toast")
        assert len(driver.toasts) == 1
        assert "mine.toml" in driver.toasts[0].message
        assert "worse.toml" in driver.toasts[0].message
        assert driver.app.theme == themes.FALLBACK


def test_a_theme_that_is_a_pipe_does_not_hang() -> None:
    themes.user_folder().mkdir(parents=True)
    os.mkfifo(themes.user_folder() / "mine.toml")
    assert themes.load_named("mine").name == themes.FALLBACK
    assert themes.load_all()[1] == ["mine.toml: it is no regular file"]


@pytest.mark.parametrize("content", [None, "a = " + "[" * 100_000])
def test_a_hostile_config_file_leaves_the_first_frame_its_colours(content: str | None) -> None:
    file = paths.config_dir() / "config.toml"
    file.parent.mkdir(parents=True)
    os.mkfifo(file) if content is None else file.write_text(content)
    assert themes.early_choice({}) == "kite"


def test_a_config_file_in_nobodys_home_leaves_the_first_frame_its_colours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOVERKITE_CONFIG", "~nosuchuser/x")
    assert themes.early_choice({}) == "kite"


async def test_a_theme_of_ones_own_wins_and_may_leave_variables_out() -> None:
    user_theme("kite", 'name = "kite"\nprimary = "#abcdef"')
    theme = themes.load_named("kite")
    assert theme.primary == "#abcdef"
    async with driving(theme=theme) as driver:
        await driver.pilot.pause()
        assert driver.app.current_theme.primary == "#abcdef"
        assert not driver.toasts


async def test_a_theme_that_is_edited_is_shown_at_once() -> None:
    user_theme("mine", 'name = "mine"\nprimary = "#abcdef"')
    async with driving(theme=themes.load_named("mine")) as driver:
        await driver.until(lambda: driver.app.theme_names)
        user_theme("mine", 'name = "mine"\nprimary = "#abcdef"\n[variables]\ncite = "#fedcba"')
        sign = driver.main.query_one("#prompt-sign")
        await driver.until(lambda: sign.styles.color.hex == "#FEDCBA", "the new colour")
        user_theme("mine", 'name = "mine"\nprimary = "nocolour"')
        await driver.until(lambda: driver.toasts, "the fault")
        assert "mine.toml" in driver.toasts[0].message
        assert driver.app.current_theme.variables["cite"] == "#fedcba", "the last good one stays"
        user_theme("other", 'name = "other"\nprimary = "#123456"')
        await driver.until(lambda: "other" in driver.app.theme_names)
        assert driver.app.theme == "mine"


async def test_an_edit_that_styles_stumble_over_leaves_the_last_good_theme() -> None:
    user_theme("mine", BASE)
    async with driving(theme=themes.load_named("mine")) as driver:
        await driver.until(lambda: driver.app.theme_names)
        user_theme("mine", f"{BASE}ansi = true")
        await driver.until(lambda: driver.toasts, "the fault")
        assert "ansi can't be true" in driver.toasts[0].message
        assert (driver.app.theme, driver.app.current_theme.ansi) == ("mine", False)


async def test_the_setting_chooses_the_theme_and_an_unknown_one_is_told() -> None:
    async with driving(source=ScriptedSource(ScriptedEngine(), theme="paper")) as driver:
        await driver.until(lambda: driver.app.theme == "paper")
    async with driving(source=ScriptedSource(ScriptedEngine(), theme="none")) as driver:
        await driver.until(lambda: driver.toasts)
        assert "There is no theme none" in driver.toasts[0].message
        assert driver.app.theme == "kite"


async def test_a_theme_chosen_on_the_screen_outlives_a_lost_engine() -> None:
    source = ScriptedSource(ScriptedEngine(), theme="paper")
    async with driving(source=source) as driver:
        await driver.until(lambda: driver.app.theme == "paper")
        driver.app.use_theme("moor")
        source.engine.statuses.put_nowait(EngineError("reset"))
        await driver.until(lambda: driver.seen(FolderReady) == 2)
        assert driver.app.theme == "moor"


async def test_a_theme_chosen_on_the_screen_is_there_again_after_a_restart() -> None:
    async with driving() as driver:
        driver.app.use_theme("paper")
        driver.app.use_theme("moor")
        assert not driver.toasts
    assert themes.early_choice({}) == "moor"
    (kept,) = paths.state_dir().iterdir()
    assert (kept.name, stat.S_IMODE(kept.stat().st_mode)) == ("theme", 0o600)
    async with driving(theme=themes.load_named(themes.early_choice({}))) as driver:
        await driver.until(lambda: driver.seen(SettingsLoaded))
        assert driver.app.theme == "moor"


async def test_a_theme_in_the_settings_wins_over_the_one_chosen_on_the_screen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with driving(source=ScriptedSource(ScriptedEngine(), theme="paper")) as driver:
        await driver.until(lambda: driver.app.theme == "paper")
        driver.app.use_theme("moor")
        await driver.until(lambda: driver.toasts, "the toast")
        assert "theme = paper" in driver.toasts[-1].message
    monkeypatch.setenv("HOVERKITE_THEME", "paper")
    assert themes.early_choice({}) == "paper"
    source = ScriptedSource(ScriptedEngine(), theme="paper")
    async with driving(source=source, theme=themes.load_named("moor")) as driver:
        await driver.until(lambda: driver.app.theme == "paper")


async def test_a_choice_that_cannot_be_kept_is_told(home: Path) -> None:
    (home / ".local").write_text("a file where a folder is wanted")
    async with driving() as driver:
        driver.app.use_theme("moor")
        await driver.until(lambda: driver.toasts, "the toast")
        assert "can't be kept" in driver.toasts[-1].message
        assert driver.app.theme == "moor"


@pytest.mark.parametrize("kept", [b"", b"\n\n", b"\xff\xfe", b"\0", b"../x", b"x" * 999, b"none\n"])
def test_whatever_was_kept_the_screen_has_a_theme(kept: bytes) -> None:
    themes.keep_choice("paper")
    (paths.state_dir() / "theme").write_bytes(kept)
    assert themes.load_named(themes.early_choice({})).name == themes.FALLBACK


@pytest.mark.parametrize("name", ["kite", "paper"])
async def test_the_first_frame_is_painted_in_the_given_theme(name: str) -> None:
    theme = themes.load_named(name)
    async with driving(theme=theme, ready=False) as driver:
        await driver.pilot.pause()
        page = Color.parse(theme.variables["page"])
        assert driver.main.styles.background == page
        assert driver.app.theme == name


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "nope", "/abs", "x" * 300])
def test_a_strange_name_gives_the_fallback(name: str) -> None:
    assert themes.load_named(name).name == themes.FALLBACK


def test_the_first_frame_has_the_chosen_colours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert themes.early_choice({}) == "kite"
    file = tmp_path / "own.toml"
    file.write_text('theme = "moor"')
    monkeypatch.setenv("HOVERKITE_CONFIG", str(file))
    assert themes.early_choice({}) == "moor"
    monkeypatch.setenv("HOVERKITE_THEME", "paper")
    assert themes.early_choice({}) == "paper"
    assert themes.early_choice({"theme": "contrast"}) == "contrast"
    monkeypatch.delenv("HOVERKITE_THEME")
    file.write_text("theme = 3")
    assert themes.early_choice({}) == "kite"
    file.write_bytes(b"\xff\xfe broken")
    assert themes.early_choice({}) == "kite"


async def test_switching_the_theme_repaints_the_rows() -> None:
    async with driving() as driver:
        await driver.ask_to_the_end("q")
        hits = driver.main.results.list
        before = [str(segment.style) for segment in hits.render_line(0)]
        driver.app.use_theme("paper")
        await driver.until(
            lambda: [str(segment.style) for segment in hits.render_line(0)] != before, "new colours"
        )
        styles = " ".join(str(segment.style) for segment in hits.render_line(0))
        assert "#3b7fbd" in styles


async def test_styles_are_parsed_once_until_the_first_frame(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parsed: list[str] = []
    parse = css_parse.parse

    def counting(scope: str, css: str, *given: Any, **named: Any) -> Iterable[RuleSet]:
        parsed.append(css)
        return parse(scope, css, *given, **named)

    monkeypatch.setattr(stylesheet, "parse", counting)
    own = (Path(themes.__file__).parent / "screen.tcss").read_text()
    async with driving() as driver:
        assert parsed.count(own) == 1
        driver.app.theme = next(name for name in SHIPPED if name != driver.app.theme)
        await driver.until(lambda: parsed.count(own) == 2)
