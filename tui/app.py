"""The program on the screen: themes, dialogs, the clipboard, the editor and the way out."""

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
from textual.app import App, SuspendNotSupported, SystemCommand
from textual.binding import Binding, BindingType
from textual.events import Event, Key
from textual.widgets import Input, TextArea

from engine.errors import HoverkiteError
from engine.quick_start import resume_garbage_collection
from engine.safe_text import clean, clean_line
from tui import editor, messages, themes, viewer
from tui.keys import APP_KEYS, SCREEN_KEYS
from tui.link import MENDING_PAUSES, EngineLink
from tui.main_screen import MainScreen
from tui.session import Session
from tui.terminal_keys import teach_alt_enter

if TYPE_CHECKING:
    from textual.await_complete import AwaitComplete
    from textual.command import Provider
    from textual.message import Message
    from textual.notifications import SeverityLevel
    from textual.screen import Screen
    from textual.theme import Theme

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


class HoverkiteApp(App[None]):
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
        self._editor_setting = ""
        self._theme_setting = ""
        self._own_themes: list[str] = []
        self.used_actions: list[str] = []
        """Names of the actions that were chosen in the palette, the latest first."""
        self.session = Session()
        self._told: dict[tuple[str, str], float] = {}
        self._is_closing, self._closed_at = False, -math.inf
        self._interrupted_at = -TWICE_SECONDS
        self._editor_back_at = -EDITOR_REST
        theme = theme or themes.load_named(themes.FALLBACK)
        self.register_theme(theme)
        # Textual 8.2.8 parses every style twice when a theme is set by assignment before the start.
        self.set_reactive(App.theme, theme.name)
        self.stylesheet.set_variables(self.get_css_variables())

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """The variables of hoverkite's own styles, for themes that leave some out."""
        return themes.OWN_VARIABLES

    def get_default_screen(self) -> Screen[None]:
        """The main screen."""
        return MainScreen(self.link)

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
        self._load_themes()

    @work(group="link", exit_on_error=False)
    async def _keep_link(self) -> None:
        await self.link.keep()

    def _tell(self, message: Message) -> None:
        if self.is_running and self.screen_stack:
            self.main.post_message(message)

    # --- themes ------------------------------------------------------------------------------

    def _load_themes(self) -> None:
        found, faults = themes.load_all()
        for theme in found:
            self.register_theme(theme)
        self._own_themes = sorted(theme.name for theme in found)
        if faults:
            self.notify("\n".join(faults), title="Some themes can't be used", severity="warning")

    def use_theme(self, name: str) -> None:
        """Switch to a theme and keep it for the next start."""
        self.theme = name
        try:
            themes.keep_choice(name)
        except OSError as error:
            reason = f"It can't be kept for the next start: {error.strerror}"
            self.notify(reason, title=f"Theme {name}", severity="warning")
            return
        if self._theme_setting:
            self.notify(
                f"The next start has the setting theme = {self._theme_setting} again",
                title=f"Theme {name}",
            )

    @on(messages.SettingsLoaded)
    def _apply_settings(self, message: messages.SettingsLoaded) -> None:
        self._editor_setting = message.settings.editor
        is_set = "theme" in message.settings.model_fields_set
        wanted = message.settings.theme if is_set else ""
        if wanted == self._theme_setting:
            return  # a theme chosen since then in the palette stays
        self._theme_setting = wanted
        if wanted in self.available_themes:
            self.theme = wanted
        elif wanted:
            self.notify(
                f"There is no theme {wanted}. There are: {', '.join(self._own_themes)}",
                title="Theme not found",
                severity="warning",
            )

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
        if severity != "information":
            self.session.add(title, message, is_error=severity == "error")
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
            chosen = editor.chosen_editor(self._editor_setting, os.environ)
            command = editor.command_for(chosen, str(path.absolute()), hit.start_line)
            self._hand_over(command)
        except HoverkiteError as error:
            self.tell_error(error)
        except SuspendNotSupported:
            self.notify("This terminal can't hand over to an editor", severity="warning")

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

        self.push_screen(indexing_question(message.opened), self._take_decision)

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

    def get_key_display(self, binding: Binding) -> str:
        """Keys by their names, as the manual has them: not every font has the sign for Enter."""
        shown = super().get_key_display(binding).replace("⏎", "enter")
        return f"ctrl+{shown[1:]}" if len(shown) > 1 and shown.startswith("^") else shown

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
            self.notify("Press ctrl+c again to quit", timeout=TWICE_SECONDS)

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

        return actions(self, self._own_themes)

    def key_of(self, binding_id: str) -> str:
        """The first key of the binding of that id, as it is called; empty for none."""
        for binding in Binding.make_bindings([*SCREEN_KEYS, *APP_KEYS]):
            if binding.id == binding_id:
                return self.get_key_display(binding)
        return ""
