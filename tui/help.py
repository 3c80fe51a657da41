"""The help page: every key there is, from the bindings themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.binding import Binding, BindingType
from textual.content import Content

from tui.dialog import Page
from tui.hanging import Line
from tui.keys import APP_KEYS, SCREEN_KEYS

if TYPE_CHECKING:
    from textual.app import App

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


def help_page(app: App[object]) -> Page:
    """A page with the keys of every pane, in the order they are declared."""
    from tui.filter_line import FilterLine
    from tui.preview import SCROLL_KEYS
    from tui.query import QueryInput
    from tui.results import HitList
    from tui.streamed import CITATION_KEYS

    sections: list[tuple[str, list[BindingType]]] = [
        ("In the query", QueryInput.BINDINGS),
        ("Everywhere else", SCREEN_KEYS),
        ("In the results", [*HitList.BINDINGS, *FilterLine.BINDINGS]),
        ("In the answer", CITATION_KEYS),
        ("In the preview and the answer", SCROLL_KEYS),
        ("At any time", APP_KEYS),
    ]
    lines: list[Line] = []
    for title, bindings in sections:
        lines.append(("", Content.styled(title, "bold $heading")))
        for binding in own_bindings(bindings):
            parts = Binding.make_bindings([binding])
            keys = ", ".join(app.get_key_display(part) for part in parts)
            lines.append((Content.styled(f"  {keys:<{KEY_CELLS}}", "$cite"), binding.tooltip))
        lines.append(("", ""))
    lines.append(("", Content.styled("What a question can hold", "bold $heading")))
    for part, words in IN_THE_QUESTION:
        lines.append((Content.styled(f"  {part:<{KEY_CELLS}}", "$cite"), words))
    lines.append(("", ""))
    lines += [("", Content.styled(remark, "$quiet")) for remark in REMARKS]
    return Page("keys", lines)


def own_bindings(bindings: list[BindingType]) -> list[Binding]:
    """The bindings to show; a run of digits counts once."""
    return [binding for binding in bindings if isinstance(binding, Binding) and not binding.system]
