"""The program on the screen: dialogs, the clipboard, the editor and the way out."""

from __future__ import annotations

import logging
import math
import os
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import SuspendNotSupported, SystemCommand
from textual.binding import BindingType
from textual.events import Event, Key
from textual.widgets import Input, TextArea

from engine.errors import HoverkiteError
from engine.quick_start import resume_garbage_collection
from engine.safe_text import clean, clean_line
from tui import editor, messages, themes, viewer
from tui.keys import APP_KEYS
from tui.link import MENDING_PAUSES, EngineLink
from tui.main_screen import MainScreen
from tui.personal import Personal
from tui.terminal_keys import teach_alt_enter

if TYPE_CHECKING:
    from textual.await_complete import AwaitComplete
    from textual.command import Provider
    from textual.message import Message
    from textual.notifications import SeverityLevel
    from textual.screen import Screen
    from textual.theme import Theme

    from engine.config import Settings
    from engine.settings_told import Told
    from engine.wire.api_links import Link
    from tui.engine_port import EngineSource
    from tui.palette import Action

log = logging.getLogger(__name__)

TWICE_SECONDS = 1.5
"""How soon the second ctrl+c must come to quit."""

EDITOR_REST = 0.5
"""Seconds after the editor came back in which keys typed ahead open no further one."""


def palette_provider() -> type[Provider]:
    """What the palette offers, imported when it is first opened."""
    from tui.palette import Actions

    return Actions


class HoverkiteApp(Personal):
    """hoverkite in the terminal, on one folder."""

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
        super().__init__()
        teach_alt_enter()
        self._folder = folder
        self.link = EngineLink(source, folder, self._tell, agreed=agreed, pauses=pauses)
        self._now = now
        self._run_editor = run_editor
        self._show = show
        self.start_window = viewer.start
        """Starts an editor that has a window of its own."""
        self._settings: Settings | None = None
        self.used_actions: list[str] = []
        """Names of the actions that were chosen in the palette, the latest first."""
        self._told: dict[tuple[str, str], float] = {}
        self._is_closing, self._closed_at = False, -math.inf
        self._interrupted_at = -TWICE_SECONDS
        self._editor_back_at = -EDITOR_REST
        self.begin_with(theme or themes.load_named(themes.FALLBACK))

    def get_default_screen(self) -> Screen[None]:
        """The main screen."""
        screen = MainScreen(self.link)
        screen.layout_kept = self.kept_layout or screen.layout_kept
        return screen

    @property
    def main(self) -> MainScreen:
        """The main screen, whatever is on top of it."""
        screen = self.screen_stack[0]
        assert isinstance(screen, MainScreen)
        return screen

    def on_ready(self) -> None:
        """Once the first frame is up: load the other themes and reach for the engine."""
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        resume_garbage_collection()
        self._keep_link()
        self.keep_themes()

    @work(group="link", exit_on_error=False)
    async def _keep_link(self) -> None:
        await self.link.keep()

    def _tell(self, message: Message) -> None:
        if self.is_running and self.screen_stack:
            self.main.post_message(message)

    @on(messages.SettingsLoaded)
    def _apply_settings(self, message: messages.SettingsLoaded) -> None:
        self._settings = message.settings
        self.take_keys(message.settings.keys)
        self.tell_key_faults()
        is_set = "theme" in message.settings.model_fields_set
        self.take_theme_setting(message.settings.theme if is_set else "")

    # --- toasts, clipboard, editor -----------------------------------------------------------

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
        self._told[said] = now + (self.NOTIFICATION_TIMEOUT if timeout is None else timeout)
        super().notify(
            clean(message),
            title=clean_line(title),
            severity=severity,
            timeout=timeout,
            markup=False,
        )

    def tell_error(self, error: HoverkiteError) -> None:
        """Show what went wrong and what to do next."""
        self.notify(f"{error}\n→ {error.next_step}", title=error.title, severity="error")

    def copy_to_clipboard(self, text: str) -> None:
        """Put ``text`` on the clipboard of the terminal, through tmux too."""
        text = clean(text)
        super().copy_to_clipboard(text)
        self._copy_through_tmux(text)

    @work(thread=True, group="clipboard", exit_on_error=False)
    def _copy_through_tmux(self, text: str) -> None:
        from tui.clipboard import hand_to_tmux

        hand_to_tmux(text, os.environ)

    @on(messages.HitOpened)
    def _open_hit(self, message: messages.HitOpened) -> None:
        if self._now() - self._editor_back_at < EDITOR_REST:
            return
        hit = message.hit
        try:
            path = editor.file_of(self._folder, hit)
            if hit.page is not None:
                self._show_outside(str(path.absolute()))
                self.notify(f"The hit is on page {hit.page}", title=path.name)
                return
            self._open_in_editor(path, hit.start_line)
        except HoverkiteError as error:
            self.tell_error(error)

    def _open_in_editor(self, path: Path, line: int) -> None:
        """Open ``path`` in the person's editor, until that ends.

        Raises:
            UsageError: there is no such editor.
        """
        chosen = editor.chosen_editor(self._settings.editor if self._settings else "", os.environ)
        command = editor.command_for(chosen, str(path.absolute()), line)
        try:
            if editor.has_window(command):
                self._open_window(command, path.name)
            else:
                self._hand_over(command)
        except SuspendNotSupported:
            self.notify("This terminal can't hand over to an editor", severity="warning")

    def _open_window(self, command: list[str], name: str) -> None:
        """Have an editor with a window of its own open a file; the screen stays."""

        def tell_failure(status: int) -> None:
            self.post_message(messages.ViewerFailed(editor.ending(command, status)))

        try:
            self.start_window(command, tell_failure)
        except OSError as error:
            raise editor.not_started(command, error) from error
        self.notify(f"{name} opens in {Path(command[0]).name}")

    def _hand_over(self, command: list[str]) -> None:
        """Give the terminal to the editor until it ends.

        Textual 8.2.8 never resumes when an exception leaves ``suspend``: it is raised afterwards.
        """
        status, fault = 0, None
        with self.suspend():
            try:
                status = self._run_editor(command)
            except Exception as error:
                fault = error
        self._editor_back_at = self._now()
        if fault is not None:
            raise fault
        if status:
            self.notify(editor.ending(command, status), severity="warning")

    # --- settings ----------------------------------------------------------------------------

    def action_settings(self) -> None:
        """List the settings, to change one in the config file."""
        from engine.settings_told import told
        from tui.settings_page import SettingsPage

        if self._settings is None:
            self.notify("The settings are not read yet", severity="warning")
            return
        self.push_screen(SettingsPage(told(self._settings)), self._change_setting)

    def _change_setting(self, chosen: Told | None) -> None:
        """Open the config file where the setting stands; what is saved there is used at once."""
        from engine import config_file, settings_told

        if chosen is None:
            return
        try:
            file = config_file.prepared()
            before = config_file.text_of(file)
            if chosen.origin in (settings_told.IN_ENVIRONMENT, settings_told.ON_COMMAND_LINE):
                self.notify(
                    f"{chosen.name} comes from the {chosen.origin}, which wins over the file"
                )
            elif chosen.origin != settings_told.IN_FILE:
                line = f"{chosen.name} = {chosen.value}"
                self.copy_to_clipboard(line)
                self.notify(f"{line}\nis on the clipboard", title="To be put into the config file")
            self._open_in_editor(file, settings_told.line_of(chosen.name))
        except HoverkiteError as error:
            self.tell_error(error)
            return

        def use_what_was_saved() -> None:
            if config_file.text_of(file) != before:
                looking.stop()
                self.link.retry()

        # An editor with a window of its own is still open.
        looking = self.set_interval(1.0, use_what_was_saved)
        use_what_was_saved()

    @on(messages.LinksFound)
    def _list_links(self, message: messages.LinksFound) -> None:
        if not message.links:
            self.notify("This hit links to no other file of the folder")
            return
        from tui.links_page import LinksPage

        self.push_screen(LinksPage(message.links), self._follow_link)

    def _follow_link(self, link: Link | None) -> None:
        from tui.links_page import place_of

        if link is not None:
            self.main.post_message(messages.HitOpened(place_of(link)))

    # --- dialogs -----------------------------------------------------------------------------

    def pop_screen(self) -> AwaitComplete:
        """Close what is on top. Keys pressed before what is below can be seen are not for it."""
        closed = super().pop_screen()
        self._is_closing = True
        self.call_after_refresh(self._see_below)
        return closed

    def _see_below(self) -> None:
        # The clock of key events, which tell when they were pressed.
        self._is_closing, self._closed_at = False, time.monotonic()

    async def on_event(self, event: Event) -> None:
        """Leave out keys that were typed ahead into a dialog, and would run as commands now."""
        if isinstance(event, Key) and not isinstance(self.focused, TextArea | Input):
            typed_ahead = self._is_closing or event.time < self._closed_at
        else:
            typed_ahead = False
        if not typed_ahead:
            await super().on_event(event)

    @on(messages.FolderReady)
    def _tell_note(self, message: messages.FolderReady) -> None:
        if message.note:
            self.notify(message.note, title="About the engine", severity="warning")

    @on(messages.AgreementNeeded)
    def _ask_agreement(self, message: messages.AgreementNeeded) -> None:
        from tui.confirm import indexing_question

        self.push_screen(indexing_question(message.opened, self._settings), self._take_decision)

    def _take_decision(self, agreed: bool | None) -> None:
        if agreed:
            self.link.agree()
        else:
            declined = clean(f"Nothing was indexed: you declined {self._folder}")
            self.exit(message=f"{declined}\nTo open another folder: hoverkite FOLDER")

    @on(messages.LinkChosen)
    def _ask_about_link(self, message: messages.LinkChosen) -> None:
        from tui.confirm import link_question, may_be_opened

        if may_be_opened(message.url):
            self.push_screen(link_question(message.url), partial(self._open_link, message.url))
        else:
            self.notify(
                f"Only plain http and https links are opened. This one says: {message.url}",
                title="Link left alone",
                severity="warning",
            )

    def _open_link(self, url: str, agreed: bool | None) -> None:
        if agreed:
            try:
                self._show_outside(url)
            except HoverkiteError as error:
                self.tell_error(error)

    def _show_outside(self, target: str) -> None:
        self._show(target, os.environ, lambda why: self.post_message(messages.ViewerFailed(why)))

    @on(messages.ViewerFailed)
    def _tell_viewer_failure(self, message: messages.ViewerFailed) -> None:
        self.notify(message.reason, severity="warning")

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
