"""The page of folders: those that are open, those that are known, and any other by its path."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual import on, work
from textual.binding import BindingType
from textual.widgets import Input, OptionList

from engine import figures, paths
from engine.safe_text import clean_line
from tui import directories
from tui.filter_page import FilterPage
from tui.fuzzy import Match
from tui.hit_row import elide_path
from tui.page_keys import FOLDERS_KEYS
from tui.page_messages import DirectoriesFound

if TYPE_CHECKING:
    from engine.wire.api_kept import KeptIndex
    from tui.engine_port import EngineSource
    from tui.folders import OpenFolder

Row = tuple[str, str]
"""A line, and the path of the folder it stands for; empty for any other folder."""

ANOTHER: Row = ("+ another folder …", "")
PATH_CELLS = 44


class FoldersPage(FilterPage[str]):
    """Lists folders; its result is the path of the one that shall be shown."""

    BINDINGS: ClassVar[list[BindingType]] = FOLDERS_KEYS

    def __init__(
        self, opened: Sequence[OpenFolder], shown: OpenFolder, source: EngineSource
    ) -> None:
        self._open = [of_open(folder, is_shown=folder is shown) for folder in opened]
        self._listed: list[Row] = [*rows(self._open), ANOTHER]
        self._source = source
        self._awaits_directories = False
        self._then: Callable[[], None] | None = None
        """What a key does to the folders of the path that was typed, once they are known."""
        keys = {"pick.choose": "opens", "folders.complete": "into it"}
        super().__init__("folders", self._listed, keys=keys, hint="a name, or a path: ~/ or /")

    def on_mount(self) -> None:
        """Look for the folders that are known, while those that are open are listed already."""
        self._look_for_known()

    @work(exclusive=True, group="known", exit_on_error=False)
    async def _look_for_known(self) -> None:
        known = await self._source.known_folders()
        opened = {each.path for each in self._open}
        others = [of_known(index) for index in known if index.docs not in opened]
        self._listed = [*rows([*self._open, *others]), ANOTHER]
        if not directories.is_path(self._typed):
            listed = self.query_one(OptionList)
            under = None if listed.highlighted is None else self._found[listed.highlighted]
            self._narrow(self._typed)
            if under in self._found:
                listed.highlighted = self._found.index(under)

    @property
    def _typed(self) -> str:
        return self.query_one(Input).value

    def _narrow(self, typed: str) -> None:
        self._then = None
        self._awaits_directories = directories.is_path(typed)
        if self._awaits_directories:
            self._look_for_directories(typed)
        else:
            self.workers.cancel_group(self, "directories")
            self._rows = self._listed
            super()._narrow(typed)

    @work(exclusive=True, group="directories", exit_on_error=False)
    async def _look_for_directories(self, typed: str) -> None:
        found = await asyncio.to_thread(directories.matching, typed)
        self.post_message(DirectoriesFound(typed, found))

    @on(DirectoriesFound)
    def _list_directories(self, message: DirectoriesFound) -> None:
        if message.typed == self._typed:
            self._rows = [(clean_line(path), path) for path in message.paths]
            self._show([(Match(0, ()), row) for row in self._rows])
            self._awaits_directories = False
            if self._then is not None:
                self._then()

    def _is_counted(self, row: Row) -> bool:
        return row != ANOTHER

    def _once_found(self, do: Callable[[], None]) -> None:
        """Do it to the list that goes with what is typed: a key may be faster than the disk."""
        if self._awaits_directories:
            self._then = do
        else:
            do()

    def _take_highlighted(self) -> None:
        self._once_found(super()._take_highlighted)

    def _take(self, chosen: str) -> None:
        if chosen:
            super()._take(chosen)
        else:
            self._type_path("~/")

    def action_complete(self) -> None:
        """Put the folder under the cursor into the field, to see what is in it."""
        self._once_found(self._complete)

    def _complete(self) -> None:
        index = self.query_one(OptionList).highlighted
        if index is not None:
            self._type_path(f"{(self._found[index] or '~').rstrip('/')}/")

    def _type_path(self, path: str) -> None:
        field = self.query_one(Input)
        field.value = path
        field.cursor_position = len(path)
        field.focus()


@dataclass(frozen=True)
class Listed:
    """A folder in the list."""

    sign: str
    path: str
    facts: str
    """What it does, or when it was used."""


def of_open(folder: OpenFolder, *, is_shown: bool) -> Listed:
    """A folder that is open, with what it does."""
    status, screen = folder.status, folder.screen
    if folder.asks is not None:
        does = "asks whether it may be indexed"
    elif screen is not None and screen.answering:
        does = "an answer is being written"
    elif status is None:
        does = "opening"
    else:
        does = f"{status.state}, {figures.counted(status.files, 'file')}"
    return Listed("▸" if is_shown else "•", str(folder.root), does)


def of_known(index: KeptIndex) -> Listed:
    """A folder that has an index, with when that was used last."""
    files = figures.counted(index.files, "file")
    return Listed(" ", index.docs, f"{files}, {clean_line(index.last_used[:10])}")


def rows(listed: Sequence[Listed]) -> list[Row]:
    """Lines of which the facts stand below each other."""
    shown = [elide_path(clean_line(paths.from_home(each.path)), PATH_CELLS) for each in listed]
    width = max(map(cell_len, shown))
    return [
        (f"{each.sign} {path}{' ' * (width - cell_len(path))}  {each.facts}", each.path)
        for each, path in zip(listed, shown, strict=True)
    ]
