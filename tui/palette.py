"""The palette: every action by its name."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from textual.app import SystemCommand

from tui.search import MODE_WORDS, MODES

if TYPE_CHECKING:
    from tui.app import HoverkiteApp


def actions(app: HoverkiteApp, themes: Iterable[str]) -> Iterable[SystemCommand]:
    """What can be done, the most useful first; ``themes`` are those to choose from."""
    main = app.main
    yield SystemCommand("Ask again", "Ask the shown question again", main.action_again)
    yield SystemCommand("Stop or clear", "Stop the answer, or clear the query", main.action_back)
    yield SystemCommand("Query", "Go to the query", main.action_go_to_query)
    for pane in ("results", "preview", "answer"):
        yield SystemCommand(pane.capitalize(), f"Go to the {pane}", partial(main.go_to, pane))
    yield SystemCommand("Edit", "Open the hit in your editor at its line", main.action_edit)
    yield SystemCommand("Copy", "Copy the hit's text or the answer", main.action_copy)
    yield SystemCommand("Why", "Why the hit is there, or its text again", main.action_why)
    yield SystemCommand("Around", "The hit in its surroundings, or alone", main.action_around)
    yield SystemCommand("Links", "The links of the hit, to follow one", main.action_follow)
    for mode in MODES:
        choose = partial(main.action_mode, mode)
        yield SystemCommand(f"Mode: {mode}", f"Search: {MODE_WORDS[mode].lower()}", choose)
    yield SystemCommand("Folder", "What is in the index, and what is not", main.action_report)
    yield SystemCommand("Keys", "Show all keys", main.action_help)
    for name in themes:
        yield SystemCommand(f"Theme: {name}", "Change the colours", partial(app.use_theme, name))
    yield SystemCommand("Quit  :q", "Leave hoverkite", app.exit)
