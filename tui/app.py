"""The program on the screen: dialogs, the clipboard, the editor and the way out."""

from __future__ import annotations

import logging
import math
import os
import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import SystemCommand
from textual.binding import BindingType
from textual.events import Event, Key, MouseDown, Paste, Resize
from textual.geometry import Size
from textual.widgets import Input, TextArea

from engine.safe_text import clean, clean_line
from tui import editor, messages, themes, viewer
from tui.configured import Configured
from tui.idle_garbage import (
    LOOK_SECONDS,
    collect_if_idle,
    leave_full_collections_to_idle_moments,
)
from tui.key_names import keys_of
from tui.keys import APP_KEYS
from tui.link import MENDING_PAUSES
from tui.session import Session
from tui.terminal_keys import teach_alt_enter

if TYPE_CHECKING:
    from textual.await_complete import AwaitComplete
    from textual.command import Provider
    from textual.notifications import SeverityLevel
    from textual.screen import Screen
    from textual.theme import Theme

    from tui.engine_port import EngineSource
    from tui.palette import Action

log = logging.getLogger(__name__)

TWICE_SECONDS = 1.5
"""How soon the second ctrl+c must come to quit."""

CLOSING_SECONDS = 1.0
"""Seconds after which what was below a closed page can be seen in any case."""


STARTED = 3.0
"""Seconds after the first frame in which what talks to the engine is loaded too."""


def palette_provider() -> type[Provider]:
    """What the palette offers, imported when it is first opened."""
    from tui.palette import Actions

    return Actions


class HoverkiteApp(Configured):
    """hoverkite in the terminal, on one folder or several."""

    TITLE = "hoverkite"
    CSS_PATH = "screen.tcss"
    BINDINGS: ClassVar[list[BindingType]] = APP_KEYS
    COMMANDS = {palette_provider}  # noqa: RUF012  Textual declares it as a plain set

    def __init__(
        self,
        folder: Path,
        source: EngineSource,
        *,
        agreed: bool = False,
        theme: Theme | None = None,
        pauses: tuple[float, ...] = MENDING_PAUSES,
        now: Callable[[], float] = time.monotonic,
        run_editor: Callable[[list[str]], int] = editor.run,
        show: viewer.Show = viewer.show,
    ) -> None:
        super().__init__(
            folder,
            source,
            agreed=agreed,
            pauses=pauses,
            now=now,
            run_editor=run_editor,
            show=show,
        )
        teach_alt_enter()
        self.used_actions: list[str] = []
        """Names of the actions that were chosen in the palette, the latest first."""
        self.session = Session()
        self._told: dict[tuple[str, str], float] = {}
        self._closed_at = -math.inf
        self._interrupted_at = -TWICE_SECONDS
        self._typed_at = -math.inf
        self.pressed = 0
        """How often a person pressed a key or a button of the mouse, or pasted something."""
        self.begin_with(theme or themes.load_named(themes.FALLBACK))

    def on_ready(self) -> None:
        """Once the first frame is up: load the other themes and reach for the engine."""
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self.set_timer(STARTED, leave_full_collections_to_idle_moments)
        self.set_interval(LOOK_SECONDS, self._collect_garbage)
        self._begin_links()
        self.keep_themes()
        self.keep_settings()

    def _collect_garbage(self) -> None:
        collect_if_idle(time.monotonic() - self._typed_at)

    @on(messages.SettingsLoaded)
    def _apply_settings(self, message: messages.SettingsLoaded) -> None:
        self.settings = message.settings
        self.take_keys(message.settings.keys)
        self.tell_key_faults()
        is_set = "theme" in message.settings.model_fields_set
        self.take_theme_setting(message.settings.theme if is_set else "")

    def on_resize(self, event: Resize) -> None:
        """Take the size that the terminal has now, if this is another.

        The handler of a signal may be interrupted by the next one: of sizes that come fast, Textual
        8.2.8 may tell an earlier one last.
        """
        told_by_terminal = getattr(self._driver, "_in_band_window_resize", True)
        if not (self.is_headless or told_by_terminal):
            size = Size(*shutil.get_terminal_size())
            if size != event.size:
                self.post_message(Resize(size, size))

    # --- toasts and clipboard ----------------------------------------------------------------

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Show a toast. Its text is never markup and never reaches the terminal raw.

        One that says the same as one still to be seen is not shown again.
        """
        now, said = self._now(), (title, message)
        if now < self._told.get(said, -math.inf):
            return
        if severity != "information":
            folder = self.shown.link.name
            self.session.add(title, message, is_error=severity == "error", folder=folder)
        self._told[said] = now + (self.NOTIFICATION_TIMEOUT if timeout is None else timeout)
        super().notify(
            clean(message),
            title=clean_line(title),
            severity=severity,
            timeout=timeout,
            markup=False,
        )

    def copy_to_clipboard(self, text: str) -> None:
        """Put ``text`` on the clipboard of the terminal, through tmux too."""
        text = clean(text)
        super().copy_to_clipboard(text)
        self._copy_through_tmux(text)

    @work(thread=True, group="clipboard", exit_on_error=False)
    def _copy_through_tmux(self, text: str) -> None:
        from tui.clipboard import hand_to_tmux

        hand_to_tmux(text, os.environ)

    # --- dialogs -----------------------------------------------------------------------------

    def pop_screen(self) -> AwaitComplete:
        """Close what is on top. Keys pressed before what is below can be seen are not for it."""
        closed = super().pop_screen()
        # A screen that is left at once, for another folder, may never say that it was painted.
        self._closed_at = time.monotonic() + CLOSING_SECONDS
        self.call_after_refresh(self._see_below)
        return closed

    def _see_below(self) -> None:
        # The clock of key events, which tell when they were pressed.
        self._closed_at = time.monotonic()

    async def on_event(self, event: Event) -> None:
        """Leave out keys that were typed ahead into a dialog, and would run as commands now."""
        if isinstance(event, Key):
            self._typed_at = event.time
            if self._waits(event):
                return
        if isinstance(event, Key | MouseDown | Paste) and not event.is_forwarded:
            self.pressed += 1
        if not self._is_typed_ahead(event):
            await super().on_event(event)

    def _waits(self, event: Key) -> bool:
        """Give a key back once the screen of a folder that is shown first can take it."""
        if not self.screen_stack or self.screen.is_mounted:
            return False
        return self.screen.call_later(self.post_message, event)

    def _is_typed_ahead(self, event: Event) -> bool:
        if not isinstance(event, Key) or isinstance(self.focused, TextArea | Input):
            return False
        return event.time < self._closed_at and event.key not in keys_of("app.quit")

    @on(messages.FolderReady)
    def _tell_note(self, message: messages.FolderReady) -> None:
        if message.note:
            self.notify(message.note, title="About the engine", severity="warning")

    @on(messages.ModelTaken)
    def _end_offers(self) -> None:
        for folder in self.folders:
            if folder.screen is not None:
                folder.screen.end_offer()

    # --- keys and palette --------------------------------------------------------------------

    def action_copy_or_quit(self) -> None:
        """Copy what is selected; a second press soon after quits."""
        now = self._now()
        if now - self._interrupted_at < TWICE_SECONDS:
            self.exit()
            return
        self._interrupted_at = now
        selected = self._selected_text()
        if selected:
            self.copy_to_clipboard(selected)
            self.notify("The selection is on the clipboard")
        else:
            self.notify(
                f"Press {self.key_of('app.copy_or_quit')} again to quit", timeout=TWICE_SECONDS
            )

    def action_command_palette(self) -> None:
        """Open the palette, behind what the keys before it do: its own key overtakes others."""
        asked = messages.PaletteAsked()
        if not (self.focused or self.screen).post_message(asked):
            self.post_message(asked)

    @on(messages.PaletteAsked)
    async def _open_palette(self) -> None:
        from tui.palette import Palette

        async with self.switching:
            if not isinstance(self.screen, Palette):
                await self.push_screen(Palette())

    def action_help(self) -> None:
        """Show all keys, those that work now first; again: close them."""
        from tui.help import HelpPage

        if isinstance(self.screen, HelpPage):
            self.screen.action_close()
        else:
            active = self.screen.active_bindings.values()
            self.push_screen(HelpPage({found.binding.id or "" for found in active}))

    def _selected_text(self) -> str:
        focused = self.focused
        typed = getattr(focused, "selected_text", "") if focused is not None else ""
        return typed or self.screen.get_selected_text() or ""

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Every action, as Textual knows them."""
        from tui.palette import commands

        return commands(self.actions())

    def actions(self) -> Iterable[Action]:
        """Every action, the most useful first."""
        from tui.palette import actions

        return actions(self, self.theme_names)
