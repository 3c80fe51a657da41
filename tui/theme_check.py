"""Whether a theme can be used: each of its variables is tried in the ways in which styles use it.

A value that some style can't take ends the program, or leaves the terminal blank. To parse all
styles of all widgets would take longer than the start does; a test holds that this finds as much.
"""

from __future__ import annotations

import re
from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING

from textual.color import ColorParseError
from textual.css.errors import StylesheetError
from textual.css.stylesheet import Stylesheet, StylesheetParseError
from textual.css.tokenizer import TokenError
from textual.markup import parse_style
from textual.theme import Theme

from tui.themes import LONGEST_NAME, OWN_VARIABLES

if TYPE_CHECKING:
    from collections.abc import Mapping

USABLE_NAME = re.compile(r"\w(?:[\w .+-]*[\w.+-])?")

REFUSED = (
    *(ColorParseError, StylesheetError, StylesheetParseError, TokenError),
    *(TypeError, ValueError, ArithmeticError, AttributeError),
)
"""What Textual 8.2.8 raises for one value or another that it can't use."""

TEXT_STYLE = "text-style: $x;"
TEXT_COLOUR = "color: $x; color: $x 50%;"
GROUND = "background: $x; background: $x 50%;"
COLOUR = f"{TEXT_COLOUR} {GROUND} border: tall $x; border: tall $x !important; hatch: right $x;"
MIXED_COLOUR = f"{COLOUR} keyline: thin $x 20%;"
"""How styles use a variable, by its kind."""


def fault_of(theme: Theme) -> str:
    """Return what is wrong with a theme, in words; empty if it can be used."""
    if len(theme.name) > LONGEST_NAME or not USABLE_NAME.fullmatch(theme.name):
        return "name must be of letters, digits, spaces and . + - _"
    if theme.ansi:
        return "ansi can't be true: the terminal's own colours can't be mixed"
    try:
        made = theme.to_color_system().generate()
        faulty = faulty_variables(theme.variables)
        if not faulty and _is_seen_through({**OWN_VARIABLES, **made, **theme.variables}):
            return "page or background must be a colour that is not transparent"
    except ColorParseError as error:
        return str(error)
    except REFUSED:
        return "a value is no colour"
    return f"{', '.join(faulty)}: that is no colour, or no style, of use there" if faulty else ""


def faulty_variables(variables: Mapping[str, str]) -> list[str]:
    """Return the names of those that some style would stumble over."""
    usual = {**_usual(), **OWN_VARIABLES}
    uses = {name: _use_of(name, usual.get(name, "")) for name in variables}
    if _are_taken(variables, uses):
        return []
    return [name for name in variables if not _are_taken({name: variables[name]}, uses)]


def _is_seen_through(variables: Mapping[str, str]) -> bool:
    """Whether nothing has a colour below the query, which Textual 8.2.8 can't paint then."""
    grounds = [parse_style(f"on {variables[name]}").background for name in ("page", "background")]
    return all(ground is not None and ground.a == 0 for ground in grounds)


@cache
def _usual() -> dict[str, str]:
    """Textual's variables, with the values of a theme that sets nothing."""
    return Theme(name="usual", primary="#ffffff").to_color_system().generate()


def _use_of(name: str, usual: str) -> str:
    """Declarations for ``$x`` that stand for all those with a variable; empty where none uses it.

    Which they are tells the value that it has in most themes.
    """
    if not usual or name == "match":
        return ""
    if "style" in name:
        return TEXT_STYLE
    if usual.startswith("auto"):
        return TEXT_COLOUR
    if usual == "initial":
        return GROUND
    return MIXED_COLOUR if name in {field.name for field in fields(Theme)} else COLOUR


def _are_taken(variables: Mapping[str, str], uses: Mapping[str, str]) -> bool:
    try:
        styles = Stylesheet(variables=dict(variables))
        styles.add_source(
            "\n".join(f"* {{ {uses[name].replace('$x', f'${name}')} }}" for name in variables)
        )
        styles.parse()
        if "match" in variables:
            parse_style("$match", dict(variables))  # it is used in texts alone
    except REFUSED:
        return False
    return True
