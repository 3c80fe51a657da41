"""What is opened outside the screen: a hit or another file in the editor, a link."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textual import on
from textual.app import SuspendNotSupported

from engine.errors import HoverkiteError
from engine.safe_text import clean_line
from tui import editor, messages, viewer
from tui.errand import tell_error
from tui.folders import Folders

if TYPE_CHECKING:
    from tui.engine_port import EngineSource

EDITOR_REST = 0.5
"""Seconds after the editor came back in which keys typed ahead open no further one."""


class Outside(Folders):
    """Hands files and addresses to other programs."""

    def __init__(
        self,
        folder: Path,
        source: EngineSource,
        *,
        agreed: bool,
        pauses: tuple[float, ...],
        now: Callable[[], float],
        run_editor: Callable[[list[str]], int],
        show: viewer.Show,
    ) -> None:
        super().__init__(folder, source, agreed=agreed, pauses=pauses)
        self._now = now
        self._run_editor = run_editor
        self._show = show
        self.start_window = viewer.start
        """Starts an editor that has a window of its own."""
        self._editor_back_at = -EDITOR_REST

    @on(messages.HitOpened)
    def _open_hit(self, message: messages.HitOpened) -> None:
        if self._now() - self._editor_back_at < EDITOR_REST:
            return
        hit, root = message.hit, message.root
        assert root is not None
        try:
            path = editor.file_of(root, hit)
            if not editor.edits(path):
                self._show_outside(str(path.absolute()))
                if hit.part is not None:
                    where = clean_line(f"The hit is at {hit.location}")
                    self.notify(where, title=clean_line(path.name), markup=False)
                return
            self._open_in_editor(path, hit.start_line)
        except HoverkiteError as error:
            tell_error(self, error)

    def _open_in_editor(self, path: Path, line: int) -> None:
        """Open ``path`` in the person's editor, until that ends.

        Raises:
            UsageError: there is no such editor.
        """
        chosen = editor.chosen_editor(self.settings.editor if self.settings else "", os.environ)
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
                tell_error(self, error)

    def _show_outside(self, target: str) -> None:
        self._show(target, os.environ, lambda why: self.post_message(messages.ViewerFailed(why)))

    @on(messages.ViewerFailed)
    def _tell_viewer_failure(self, message: messages.ViewerFailed) -> None:
        self.notify(message.reason, severity="warning")
