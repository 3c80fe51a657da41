"""The folders that are open on the screen: one is shown, the others go on with their work.

Each has a screen of its own, as a mode of the app: with its dialogs it stays what it is while
another one is shown.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textual import work

from engine.errors import HoverkiteError
from engine.safe_text import clean, clean_line
from tui import messages
from tui.errand import tell_error
from tui.in_force import InForce
from tui.link import EngineLink
from tui.main_screen import MainScreen
from tui.personal import Personal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.message import Message
    from textual.worker import Worker

    from engine.config import Settings
    from engine.wire.api import FolderOpened, FolderStatus
    from tui.engine_port import EngineSource

FIRST_MODE = "folder 0"


@dataclass(eq=False)
class OpenFolder:
    """A folder with its link and its screen, which is made when it is first shown."""

    root: Path
    link: EngineLink
    mode: str
    screen: MainScreen | None = None
    status: FolderStatus | None = None
    heard: dict[type[Message], Message] = field(default_factory=dict)
    """What its screen is told first, once there is one: of each kind the latest."""
    keeping: Worker[None] | None = None
    asks: FolderOpened | None = None
    """What a person has to agree to before it is indexed."""
    is_asked: bool = False
    """Whether the question stands on its screen."""


class Folders(Personal):
    """Holds folders open, and shows one of them."""

    DEFAULT_MODE = FIRST_MODE

    def __init__(
        self,
        root: Path,
        source: EngineSource,
        *,
        agreed: bool,
        pauses: tuple[float, ...],
    ) -> None:
        super().__init__()
        self._in_force = InForce(source)
        self._make_link = partial(EngineLink, self._in_force, pauses=pauses)
        self._made = 0
        self.settings: Settings | None = None
        """The settings in force, once they are read."""
        self.folders: list[OpenFolder] = []
        """Those that are open, in the order in which they were opened."""
        self.switching = asyncio.Lock()
        """Held while another folder is shown, or what must be on top of one is put there."""
        self._agreed = agreed
        self.shown = self._add_folder(root, agreed=agreed)
        """The folder that is shown."""

    @property
    def link(self) -> EngineLink:
        """The link of the folder that is shown."""
        return self.shown.link

    @property
    def main(self) -> MainScreen:
        """The main screen, whatever is on top of it."""
        screen = self.screen_stack[0]
        assert isinstance(screen, MainScreen)
        return screen

    def also_open(self, roots: Iterable[Path]) -> None:
        """Have these folders open, too, from the start; the first one stays the one shown."""
        for root in roots:
            self._add_folder(root, agreed=self._agreed)

    def _add_folder(self, root: Path, *, agreed: bool = False) -> OpenFolder:
        def tell(message: Message) -> None:
            self._tell(folder, message)

        link = self._make_link(root, tell, agreed=agreed)
        folder = OpenFolder(root, link, f"folder {self._made}")
        self._made += 1
        self.folders.append(folder)
        self.add_mode(folder.mode, partial(self._make_screen, folder))
        return folder

    def _make_screen(self, folder: OpenFolder) -> MainScreen:
        folder.screen = screen = MainScreen(folder.link)
        screen.layout_kept = self.kept_layout or screen.layout_kept
        for message in folder.heard.values():  # before it is told anything newer
            screen.post_message(message)
        return screen

    def _begin_links(self) -> None:
        for folder in self.folders:
            folder.keeping = self._keep_link(folder)
        self._number_screens()

    @work(group="link", exit_on_error=False)
    async def _keep_link(self, folder: OpenFolder) -> None:
        await folder.link.keep()

    def _tell(self, folder: OpenFolder, message: Message) -> None:
        """Pass on what happened to a folder; what its screen can't take yet is kept for it."""
        if not self.is_running or folder not in self.folders:
            return
        if isinstance(message, messages.StatusArrived):
            folder.status = message.status
        if isinstance(message, messages.AgreementNeeded):
            folder.asks = message.opened
            # Behind the settings, which the question tells.
            first = self if folder.screen is None else folder.screen
            first.call_later(self.call_later, self._ask_agreement, folder)
        if folder.screen is not None:
            folder.screen.post_message(message)
        else:
            folder.heard.pop(type(message), None)
            folder.heard[type(message)] = message

    # --- showing one -------------------------------------------------------------------------

    async def show_folder(self, folder: OpenFolder) -> None:
        """Show a folder as it was left, with what happened to it meanwhile."""
        self.kept_layout = self.main.layout_kept  # one that is shown first begins with it
        async with self.switching:
            self.shown = folder
            await self.switch_mode(folder.mode)
        self._number_screens()
        self.call_later(self._ask_agreement, folder)

    def _number_screens(self) -> None:
        """Say on each screen which folder of how many it is; nothing of a single one."""
        several = len(self.folders) > 1
        for number, folder in enumerate(self.folders, 1):
            if folder.screen is not None:
                place = f"{number} of {len(self.folders)}" if several else ""
                folder.screen.query_pane.show_place(place)
                folder.screen.show_hints()

    async def action_next_folder(self, step: int = 1) -> None:
        """Show the next open folder, or the one before."""
        at = self.folders.index(self.shown)
        if len(self.folders) > 1:
            await self.show_folder(self.folders[(at + step) % len(self.folders)])
        else:
            self.notify(f"No other folder is open: {self.key_of('screen.folders')} opens one")

    # --- opening and closing -----------------------------------------------------------------

    async def action_folders(self) -> None:
        """List folders: those that are open, those that are known, and any other."""
        from tui.folders_page import FoldersPage

        page = FoldersPage(self.folders, self.shown, self._in_force)
        await self.push_screen(page, self._open_chosen)

    def _open_chosen(self, chosen: str | None) -> None:
        if chosen is not None:
            self.open_folder(chosen)

    @work(group="opening", exit_on_error=False)
    async def open_folder(self, name: str) -> None:
        """Open the folder of that path beside the others, and show it."""
        from engine.server.folders import resolve

        try:
            root = await asyncio.to_thread(resolve, name)
        except HoverkiteError as error:
            tell_error(self, error)
            return
        known = next((folder for folder in self.folders if folder.root == root), None)
        folder = known or self._add_folder(root)
        if folder.keeping is None:
            folder.keeping = self._keep_link(folder)
        await self.show_folder(folder)

    async def action_close_folder(self) -> None:
        """Close the shown folder; its index stays as it is, and the others stay open."""
        if len(self.folders) == 1:
            self.notify(f"This is the only open folder; {self.key_of('app.quit')} quits")
            return
        await self._close(self.shown)

    async def _close(self, folder: OpenFolder) -> None:
        at = self.folders.index(folder)
        self.folders.remove(folder)
        if folder is self.shown:
            await self.show_folder(self.folders[min(at, len(self.folders) - 1)])
        else:
            self._number_screens()
        self._leave(folder)

    @work(group="closing", exit_on_error=False)
    async def _leave(self, folder: OpenFolder) -> None:
        if folder.keeping is not None:
            folder.keeping.cancel()
        await self.remove_mode(folder.mode)
        self.notify(f"{folder.link.name} is closed; its index is kept")

    # --- being asked -------------------------------------------------------------------------

    def _ask_agreement(self, folder: OpenFolder) -> None:
        """Ask what a folder has to ask, on its own screen; of a hidden one say that it waits."""
        if folder.asks is None or folder.is_asked or folder not in self.folders:
            return
        if folder is not self.shown:
            self.notify(
                f"Before {clean_line(str(folder.root))} is indexed, you are asked",
                title=f"{folder.link.name} waits for you",
            )
            return
        from tui.confirm import indexing_question

        question = indexing_question(folder.asks, self.settings)
        folder.is_asked = True
        self.push_screen(question, partial(self._take_decision, folder))

    async def _take_decision(self, folder: OpenFolder, agreed: bool | None) -> None:
        folder.asks, folder.is_asked = None, False
        if agreed:
            self._tell(folder, messages.AgreementGiven())
            folder.link.agree()
        elif len(self.folders) > 1:
            await self._close(folder)
        else:
            declined = clean(f"Nothing was indexed: you declined {folder.root}")
            self.exit(message=f"{declined}\nTo open another folder: hoverkite FOLDER")
