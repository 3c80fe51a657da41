"""The help page: every key there is, from the bindings themselves."""

from __future__ import annotations

from collections.abc import Sequence

from textual.binding import Binding, BindingType
from textual.content import Content

from tui import key_names
from tui.dialog import Page
from tui.hanging import Line

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


def help_page() -> Page:
    """A page with what a question can hold, and the keys of every pane as they are declared."""
    lines: list[Line] = [("", Content.styled("What a question can hold", "bold $heading"))]
    for part, words in IN_THE_QUESTION:
        lines.append((Content.styled(f"  {part:<{KEY_CELLS}}", "$cite"), words))
    lines.append(("", ""))
    for title, bindings in key_names.catalogue():
        lines.append(("", Content.styled(title, "bold $heading")))
        for binding in own_bindings(bindings):
            keys = key_names.all_keys_of(binding)
            lines.append((Content.styled(f"  {keys:<{KEY_CELLS}}", "$cite"), binding.tooltip))
        lines.append(("", ""))
    lines += [("", Content.styled(remark, "$quiet")) for remark in REMARKS]
    return Page("keys", lines)


def own_bindings(bindings: Sequence[BindingType]) -> list[Binding]:
    """The bindings to show; a run of digits counts once."""
    return [binding for binding in bindings if isinstance(binding, Binding) and not binding.system]
