"""The palette: every action by its name and with its key, the most useful first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, cast

from textual import on
from textual.app import SystemCommand
from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.widgets import Input, OptionList

from tui.dialog import OnTop
from tui.layout import WAYS
from tui.search import MODE_WORDS, MODES

if TYPE_CHECKING:
    from textual.message import Message

    from tui.app import HoverkiteApp

NAME_CELLS = 24
"""Cells of an action's name, behind which its key stands."""


class Action(NamedTuple):
    """Something that can be done."""

    name: str
    words: str
    """What it does."""
    do: Callable[[], object]
    binding: str = ""
    """Id of the binding of its key; empty where it has none."""


def actions(app: HoverkiteApp, themes: Iterable[str]) -> Iterable[Action]:
    """What can be done, the most useful first; ``themes`` are those to choose from."""
    main = app.main
    yield Action("Ask again", "Ask the shown question again", main.action_again, "screen.again")
    yield Action("Stop or clear", "Stop the answer, or clear the query", main.action_back, BACK)
    if main.offered:
        offered = main.offered.capitalize()
        yield Action(offered, "What the answer offers", main.action_offer, "screen.offer")
    yield Action("New conversation", "Begin anew", main.action_new_conversation, "screen.new")
    yield Action(
        "Conversations",
        "Open, delete or export a kept one",
        main.action_conversations,
        "screen.conversations",
    )
    yield Action(
        "Earlier questions", "Find one, to ask it again", main.action_earlier, "screen.earlier"
    )
    back, on = partial(main.action_turn, -1), partial(main.action_turn, 1)
    yield Action("Turn before", "The earlier question", back, "screen.turn_before")
    yield Action("Next turn", "The later question", on, "screen.turn_after")
    yield Action("Edit", "Open the hit in your editor at its line", main.action_edit, "screen.edit")
    yield Action("Copy", "Copy the hit's text or the answer", main.action_copy, "screen.copy")
    place = "Copy the hit's file and line"
    yield Action("Copy the place", place, main.action_copy_place, "screen.copy_place")
    yield Action("Copy the code block", "Copy code of the answer", main.action_copy_code)
    yield Action("Tray", "What is pinned and dropped", main.action_tray, "screen.tray")
    yield Action("Prompt", "What the model was shown", main.action_prompt, "screen.prompt")
    yield Action(
        "Searched words", "Edit what was searched for", main.action_rewrite, "screen.rewrite"
    )
    yield Action(
        "Follow-ups as typed", "Rewrite follow-ups no longer, or again", main.action_as_typed
    )
    yield Action("Why", "Why the hit is there, or its text again", main.action_why, "screen.why")
    yield Action(
        "Around", "The hit in its surroundings, or alone", main.action_around, "screen.around"
    )
    yield Action(
        "Whole file", "The whole file of the hit, to read on", main.action_whole, "screen.whole"
    )
    yield Action("Links", "The links of the hit, to follow one", main.action_follow, FOLLOW)
    for mode in MODES:
        choose = partial(main.action_mode, mode)
        yield Action(f"Mode: {mode}", f"Search: {MODE_WORDS[mode].lower()}", choose, "screen.mode")
    yield Action("Pause", "Pause indexing, or let it go on", main.action_pause, "screen.pause")
    yield Action(
        "Folder", "What is in the index, and what is not", main.action_report, "screen.report"
    )
    yield Action("Folders", "Show or open another one", app.action_folders, "screen.folders")
    yield Action("Next folder", "Show it", app.action_next_folder, "screen.next_folder")
    before = partial(app.action_next_folder, -1)
    yield Action("Folder before", "Show it", before, "screen.folder_before")
    close = app.action_close_folder
    yield Action("Close the folder", "The others stay open", close, "screen.close_folder")
    yield Action("Settings", "Every setting, to change it", app.action_settings, "screen.settings")
    yield Action("Zoom", "The pane alone, or all of them again", main.action_zoom, "screen.zoom")
    yield Action("Usual sizes", "Every border back", main.action_sizes_back, "screen.sizes_back")
    for way in WAYS:
        choose_way = partial(main.choose_way, way)
        yield Action(f"Layout: {way}", "How evidence and answer stand", choose_way)
    yield Action("Answer model", "Its state, speed and log", main.action_model, "screen.model")
    yield Action("Problems", "What went wrong lately", main.action_problems, "screen.problems")
    yield Action("Keys", "Show all keys", app.action_help, "screen.help")
    yield Action("Query", "Go to the query", main.action_go_to_query, "screen.query")
    for pane in ("results", "preview", "answer"):
        yield Action(pane.capitalize(), f"Go to the {pane}", partial(main.go_to, pane))
    for name in themes:
        words = "The colours in use" if name == app.theme else "Change the colours"
        yield Action(f"Theme: {name}", words, partial(app.use_theme, name))
    yield Action("Quit  :q", "Leave hoverkite", app.exit, "app.quit")


BACK, FOLLOW = "screen.back", "screen.follow"


def commands(found: Iterable[Action]) -> Iterable[SystemCommand]:
    """The actions as Textual knows them."""
    return [SystemCommand(action.name, action.words, action.do) for action in found]


class Palette(CommandPalette, OnTop[None]):
    """The palette, in which keys that arrive together do no harm.

    It has no id, since one that was closed may still be there when the next one opens.
    """

    @on(Input.Submitted)
    @on(OptionList.OptionSelected)
    def _choose_once(self, message: Message) -> None:
        """Leave out what is chosen after something was: Textual 8.2.8 would do that, too."""
        if not self.is_active:
            message.stop()
            message.prevent_default()

    def _action_command_list(self, action: str) -> None:
        """Move in the list; not by pages before its rows are laid out, which Textual can't."""
        with suppress(LookupError):
            super()._action_command_list(action)


class Actions(Provider):
    """Tells the palette the actions; those used since the start come first, the latest on top."""

    async def discover(self) -> Hits:
        """Every action, before anything is typed."""
        app, used = self._app, self._app.used_actions
        found = list(app.actions())
        found.sort(key=lambda action: used.index(action.name) if action.name in used else len(used))
        for action in found:
            yield DiscoveryHit(
                self._shown(action, Content(action.name)),
                partial(self._run, action),
                text=action.name,
                help=action.words,
            )

    async def search(self, query: str) -> Hits:
        """The actions whose names match what was typed."""
        matcher = self.matcher(query)
        for action in self._app.actions():
            if (score := matcher.match(action.name)) > 0:
                name = matcher.highlight(action.name)
                shown = self._shown(action, name)
                run = partial(self._run, action)
                yield Hit(score, shown, run, text=action.name, help=action.words)

    @property
    def _app(self) -> HoverkiteApp:
        return cast("HoverkiteApp", self.app)

    def _shown(self, action: Action, name: Content) -> Content:
        key = self._app.key_of(action.binding)
        return name.pad_right(max(NAME_CELLS - name.cell_length, 2)) + Content.styled(key, "$cite")

    def _run(self, action: Action) -> object:
        app = self._app
        app.used_actions[:] = [action.name, *(u for u in app.used_actions if u != action.name)]
        return action.do()
