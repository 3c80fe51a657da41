"""The settings on the screen: the list of them, and what is saved in the config file."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from textual import work

from engine.errors import ConfigError, HoverkiteError
from tui.errand import tell_error
from tui.messages import SettingsLoaded
from tui.outside import Outside

if TYPE_CHECKING:
    from engine.config import Settings
    from engine.settings_told import Told

LOOK_EVERY = 1.0
"""Seconds between two looks at the config file: when it was written, not what is in it."""


class Configured(Outside):
    """Takes what is saved in the config file as soon as it is right and no answer is written."""

    _is_looking = False
    _saved: Settings | None = None
    """What was saved and waits for the end of an answer."""

    def keep_settings(self) -> None:
        """From now on take what is saved in the config file."""
        self.set_interval(LOOK_EVERY, self._look_at_config)

    @work(group="config", exit_on_error=False)
    async def _look_at_config(self) -> None:
        if self._is_looking:  # the disk may take its time
            return
        self._is_looking = True
        try:
            if await self._in_force.was_saved():
                await self._read_saved()
            if self._saved is not None and not self._is_answering:
                saved, self._saved = self._saved, None
                await self._use(saved)
        finally:
            self._is_looking = False

    @property
    def _is_answering(self) -> bool:
        return any(folder.screen and folder.screen.answering for folder in self.folders)

    async def _read_saved(self) -> None:
        """Take the saved settings where they are right; else tell what is wrong, and keep those."""
        before = self._in_force.settings_now
        if before is None:
            self._renew_links()  # each tells for itself what is still wrong
            return
        try:
            saved = await self._in_force.saved()
        except ConfigError as error:
            self._saved = None
            self.notify(
                f"{error}\n→ {error.next_step}\nThe settings from before stay in force",
                title=error.title,
                severity="error",
            )
            return
        self._saved = saved
        if self._is_answering and not _same_engine(before, saved):
            self.notify("The saved settings come into force once the answer has ended")

    async def _use(self, saved: Settings) -> None:
        """Have ``saved`` in force everywhere; the engine is reached anew where it depends on it."""
        before, self._in_force.settings_now = self._in_force.settings_now, saved
        if before is None or not _same_engine(before, saved):
            # An engine that one of them still used would not be replaced for the others.
            with self._in_force.withheld():
                self._renew_links()
                await asyncio.gather(*(folder.link.left() for folder in self.folders))
            return
        for folder in self.folders:
            if before != saved:
                self._tell(folder, SettingsLoaded(saved))
            if folder.link.fault is not None:  # the engine reads the file, too
                folder.link.retry()

    def _renew_links(self) -> None:
        for folder in self.folders:
            folder.link.renew()

    # --- the list ----------------------------------------------------------------------------

    def action_settings(self) -> None:
        """List the settings, to change one in the config file."""
        from engine.settings_told import told
        from tui.settings_page import SettingsPage

        if self.settings is None:
            self.notify("The settings are not read yet", severity="warning")
            return
        self.push_screen(SettingsPage(told(self.settings)), self._change_setting)

    def _change_setting(self, chosen: Told | None) -> None:
        """Open the config file where the setting stands; what is saved there is used at once.

        One that does not stand there yet is put there as a comment.
        """
        from engine import config_file, settings_told
        from engine.config import KEY_NAME

        if chosen is None:
            return
        if chosen.name == "llm_api_key":
            self.notify(f"A key never stands in a file: set {KEY_NAME} in the environment")
            return
        try:
            file = config_file.prepared()
            if chosen.origin in (settings_told.IN_ENVIRONMENT, settings_told.ON_COMMAND_LINE):
                self.notify(
                    f"{chosen.name} comes from the {chosen.origin}, which wins over the file"
                )
            elif chosen.origin != settings_told.IN_FILE:
                with suppress(ConfigError):  # a wrong file is opened all the same, to be mended
                    config_file.offer(chosen.name, chosen.value, chosen.about)
            self._open_in_editor(file, settings_told.line_of(chosen.name))
        except HoverkiteError as error:
            tell_error(self, error)
        else:
            self._look_at_config()  # an editor with a window of its own is still open


def _same_engine(one: Settings, other: Settings) -> bool:
    """Whether the engine, and what it is asked for, is the same with both."""
    from engine.fingerprint import fingerprint

    return fingerprint(one) == fingerprint(other) and one.hits == other.hits
