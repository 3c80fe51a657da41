"""The help page: every key there is, from the bindings themselves."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from textual.binding import Binding, BindingType
from textual.content import Content

from tui import key_names
from tui.dialog import Page
from tui.hanging import Line
from tui.keys import HELP_KEY

KEY_CELLS = 18

IN_THE_QUESTION = (
    ("path:guide/**", "only files there; also type:md, tag:draft, after:2026-01"),
    ('"some words"', "hits that hold them word for word"),
    ("-word -path:old/", "hits without the word; files that are elsewhere"),
    ("'text  /pattern/", "lines with that text or regular expression; no model"),
)
"""What a question can hold, and what it does."""

REMARKS = (
    "The mouse works too: click a hit, an extract, a hint.",
    "hoverkite models lists better answer models, and which of them fit this machine.",
)


ON_THE_PANES = "screen.query"
"""The id of a binding that works wherever no page is on top."""


class HelpPage(Page):
    """Tells what a question can hold, and the keys of every place as they are declared."""

    def __init__(self, active: Collection[str]) -> None:
        """``active`` are the ids of the bindings that work now: their places come first."""
        super().__init__("keys", _lines({*active} - {HELP_KEY.id}))


def _lines(active: Collection[str]) -> list[Line]:
    here: list[Line] = []
    elsewhere: list[Line] = []
    for title, bindings in key_names.catalogue():
        works_here = any(binding.id in active for binding in bindings)
        (here if works_here else elsewhere).extend(_keys_of_place(title, bindings))
    over_panes = ON_THE_PANES not in active
    question = _question()
    above = [*here, *question] if over_panes else [*question, *here]
    return [*above, *elsewhere, *(("", Content.styled(each, "$quiet")) for each in REMARKS)]


def _question() -> list[Line]:
    lines: list[Line] = [("", Content.styled("What a question can hold", "bold $heading"))]
    for part, words in IN_THE_QUESTION:
        lines.append((Content.styled(f"  {part:<{KEY_CELLS}}", "$cite"), words))
    return [*lines, ("", "")]


def _keys_of_place(title: str, bindings: Sequence[Binding]) -> list[Line]:
    lines: list[Line] = [("", Content.styled(title, "bold $heading"))]
    for binding in own_bindings(bindings):
        keys = key_names.all_keys_of(binding)
        lines.append((Content.styled(f"  {keys:<{KEY_CELLS}}", "$cite"), binding.tooltip))
    return [*lines, ("", "")]


def own_bindings(bindings: Sequence[BindingType]) -> list[Binding]:
    """The bindings to show; a run of digits counts once."""
    return [binding for binding in bindings if isinstance(binding, Binding) and not binding.system]
