"""What is said to be good in a theme can be taken by every style of every widget."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
import textual.widgets
from textual.app import App
from textual.css.stylesheet import Stylesheet
from textual.dom import DOMNode
from textual.theme import Theme

import tui
from tui.theme_check import fault_of, faulty_variables
from tui.themes import OWN_VARIABLES

USUAL = {**Theme(name="a", primary="#fff").to_color_system().generate(), **OWN_VARIABLES}

GOOD = ["red", "#123", "#12345678", "ansi_red", "transparent", "hsla(0, 0%, 0%, 0.5)", "red 50%"]
BAD = ["zz", "zz yy", "$primary", "red;", "[/]", "} * {", "10", "solid red", "-1"]
ODD = [
    "auto",
    "auto 50%",
    "initial",
    "bold",
    "none",
    "not bold",
    "bold red",
    "red blue",
    "",
    "50%",
    "red 0%",
]
ODD += ["red !important", "red 50% 10%", "auto 50% 30%", "red, blue", "inherit", "ansi_default"]


def kinds(base: type[DOMNode]) -> Iterator[type[DOMNode]]:
    for kind in base.__subclasses__():
        yield kind
        yield from kinds(kind)


@pytest.fixture(scope="module")
def uses() -> dict[str, set[str]]:
    """The declarations of all styles that use a variable, by its name."""
    for package in (textual.widgets, tui):
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{package.__name__}.{module.name}")
    sheets = [str(kind.__dict__.get("DEFAULT_CSS", "")) for kind in {App, *kinds(DOMNode)}]
    sheets.append((Path(tui.__file__).parent / "screen.tcss").read_text())
    found: dict[str, set[str]] = defaultdict(set)
    for sheet in sheets:
        for use in re.findall(r"[a-z-]+\s*:[^;{}]*\$[^;{}]*;", re.sub(r"(?s)/\*.*?\*/", "", sheet)):
            for name in re.findall(r"\$([a-z0-9-]+)", use):
                found[name].add(" ".join(use.split()))
    return found


def parse(uses: set[str], variables: dict[str, str]) -> None:
    styles = Stylesheet(variables=variables)
    styles.add_source("\n".join(f"* {{ {use} }}" for use in uses))
    styles.parse()


def test_the_styles_are_found(uses: dict[str, set[str]]) -> None:
    assert "keyline: thin $foreground 20%;" in uses["foreground"]
    assert {"border-blurred", "block-cursor-text-style", "quiet"} <= set(uses) <= set(USUAL)


@pytest.mark.parametrize("value", [*GOOD, *BAD, *ODD])
def test_no_style_stumbles_over_a_value_that_is_let_through(
    uses: dict[str, set[str]], value: str
) -> None:
    faulty = faulty_variables(dict.fromkeys(USUAL, value))
    good = {name: value for name in USUAL if name not in faulty}
    parse(set().union(*(uses[name] for name in good)), {**USUAL, **good})
    if value in BAD:
        assert not good.keys() - {"match"}  # which texts alone use
    if value in GOOD:
        assert {"border-blurred", "page", "scrollbar", "text", "match"} <= set(good)


@pytest.mark.parametrize("name", ["match", "border-blurred", "block-cursor-text-style"])
def test_each_kind_of_variable_takes_its_usual_value(name: str) -> None:
    assert not faulty_variables({name: USUAL[name]})


@pytest.mark.parametrize("field", ["primary", "background", "foreground", "surface", "panel"])
@pytest.mark.parametrize("value", [value for value in GOOD if value != "red 50%"])
def test_colours_that_are_made_from_a_themes_own_are_good(
    uses: dict[str, set[str]], field: str, value: str
) -> None:
    theme = Theme(name="a", primary="#fff")
    setattr(theme, field, value)
    assert not fault_of(theme)
    made = theme.to_color_system().generate()
    parse(set().union(*uses.values()), {**OWN_VARIABLES, **made})
