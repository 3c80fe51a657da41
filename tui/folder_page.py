"""The folder panel: what the index holds in a few lines, and below it every file of the folder."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.style import Style
from textual.widgets import Input, Static

from engine import figures
from engine.errors import HoverkiteError
from engine.front.survey_text import left_out
from engine.paths import from_home
from engine.safe_text import clean_line
from engine.wire.api_files import CHOSEN, FileChoice, FilesRequest, NamedFile, ReadAgainRequest
from tui import errand, file_row, hit_row
from tui.dialog import Dialog
from tui.editor import place_of
from tui.file_list import FileList
from tui.filter_line import FilterLine
from tui.hanging import HangingText, Line
from tui.link import REST_AFTER_FAULT
from tui.messages import FilterLeft, HitOpened
from tui.page_keys import FOLDER_KEYS
from tui.page_messages import FileHighlighted, FilesMissed
from tui.status_bar import is_paused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.wire.api import FolderStatus
    from engine.wire.api_files import FilesReply, FileState
    from tui.link import EngineLink

CHOICES: tuple[FileChoice, ...] = ("all", "skipped", "waiting", "indexed")
"""What is listed, in the order in which a key goes through it."""
LEAD = 50
"""Rows above the view that are asked for with it."""
REST = 0.5
"""Seconds between two looks at an index that changes all the time."""
NAME_CELLS = 11
LONGEST_NAME = 40
"""Cells of the folder's name."""
SHORT = 26
"""Rows of a screen under which most of the page is the list."""
KEYS = {
    "folder.open": "opens",
    "folder.states": "states",
    "folder.filter": "filters",
    "folder.again": "reads it again",
    "folder.all_again": "all",
    "folder.copy": "path",
    "screen.help": "keys",
    "folder.back": "closes",
}
"""What the keys do, by the ids of their bindings."""


class FolderPage(Dialog[None]):
    """Tells what is in the index and what is not, and follows it while it changes."""

    AUTO_FOCUS = "FileList"
    BINDINGS: ClassVar[list[BindingType]] = FOLDER_KEYS

    def __init__(self, status: FolderStatus, link: EngineLink) -> None:
        super().__init__()
        self.told = KEYS
        self._status, self._link = status, link
        self._choice: FileChoice = "all"
        self._news = asyncio.Event()
        """Set when there is something to ask the engine for."""
        self._is_other = True
        """Whether another list is to be shown, from its top."""
        self._is_stale = False
        """Whether the list has changed in the index."""
        self._missed: int | None = None

    def compose(self) -> ComposeResult:
        """Lay out the summary, the choice of files, the list, and what is known of one file."""
        with Vertical(classes="dialog page") as box:
            folder = hit_row.elide_middle(clean_line(from_home(self._status.docs)), LONGEST_NAME)
            box.border_title = Content.assemble("folder", (f" · {folder}", "not bold $quiet"))
            yield HangingText(summary(self._status))
            yield Static(id="choices", markup=False)
            yield (listed := FileList())
            yield Static(id="file", markup=False)
            yield FilterLine(listed)

    def on_mount(self) -> None:
        """Begin to ask for files."""
        self._show_choices({})
        self._ask_anew()

    def on_resize(self) -> None:
        """Tell as much of the folder as there is room for."""
        self.set_class(self.size.height < SHORT, "-short")

    # --- following the index -----------------------------------------------------------------

    def take_status(self, status: FolderStatus) -> None:
        """Show what the folder's state is now; files are asked for again where they may differ."""
        before, self._status = self._status, status
        for shown in self.query(HangingText):  # there is none until the page is laid out
            shown.show(summary(status))
        if _figures(before) != _figures(status):
            self._is_stale = True
            self._news.set()

    @on(FilesMissed)
    def _ask_for_more(self, message: FilesMissed) -> None:
        self._missed = message.row
        self._news.set()

    def _ask_anew(self) -> None:
        """Ask for another list; what was asked for the one before is no longer waited for."""
        self._is_other, self._is_stale, self._missed = True, False, None
        self._news.set()
        self._keep_asking()

    @work(exclusive=True, group="files", exit_on_error=False)
    async def _keep_asking(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                rest = REST if await self._ask() else 0
            except HoverkiteError as error:
                words = clean_line(f"{error.title}: {error}. {error.next_step}")
                self.query_one("#file", Static).update(Content.styled(words, "$text-warning"))
                rest, self._is_stale = REST_AFTER_FAULT, True
                self._news.set()
            await asyncio.sleep(rest)

    async def _ask(self) -> bool:
        """Ask for what is wanted most; return whether only the index has changed."""
        listed = self.query_one(FileList)
        if self._is_other:
            listed.renew(await self._reply_from(0), from_top=True)
            self._is_other = self._is_stale = False
        elif self._is_stale:
            self._is_stale, self._missed = False, None
            listed.renew(await self._reply_from(max(listed.top - LEAD, 0)))
            return True
        elif self._missed is not None:
            row, self._missed = self._missed, None
            listed.add(await self._reply_from(max(row - LEAD, 0)))
        return False

    async def _reply_from(self, row: int) -> FilesReply:
        """Return files from ``row`` on: behind the file before it, where that is known."""
        engine, folder = await self._link.ready()
        anchor = self.query_one(FileList).held(row - 1)
        asked = FilesRequest(
            match=self.query_one(FilterLine).value,
            state=self._choice,
            after=anchor.cursor if anchor and not self._is_other else "",
            skip=0 if self._is_other or anchor else row,
        )
        reply = await engine.files(folder, asked)
        self._show_choices(reply.counts)
        return reply

    # --- what is listed ----------------------------------------------------------------------

    def _show_choices(self, counts: Mapping[FileState, int]) -> None:
        parts = []
        for choice in CHOICES:
            number = sum(counts.get(state, 0) for state in CHOSEN[choice])
            words = f"{choice} {figures.count(number)}"
            if choice == self._choice:
                parts.append(Content.styled(words, "bold $cite"))
            else:
                other = Style.from_meta({"@click": f"screen.list('{choice}')"})
                parts.append(Content.styled(words, "$quiet").stylize(other))
        self.query_one("#choices", Static).update(Content("  ").join(parts))

    @on(FileHighlighted)
    def _tell(self, message: FileHighlighted) -> None:
        listed = self.query_one(FileList)
        told = Content.styled("" if listed.total else "No file is so.", "$quiet")
        told = file_row.about(message.file) if message.file else told
        self.query_one("#file", Static).update(told)

    def action_choose(self) -> None:
        """List the files of the next states."""
        at = CHOICES.index(self._choice)
        self.action_list(CHOICES[(at + 1) % len(CHOICES)])

    def action_list(self, choice: FileChoice) -> None:
        """List the files of these states, which were clicked on."""
        self._choice = choice
        self._ask_anew()

    def action_filter(self) -> None:
        """Show the line in which words are typed that the files shall hold."""
        line = self.query_one(FilterLine)
        line.display = True
        self.set_focus(line)

    @on(Input.Changed)
    def _narrow(self, event: Input.Changed) -> None:
        event.stop()
        self._ask_anew()

    @on(FilterLeft)
    def _leave_filter(self, message: FilterLeft) -> None:
        message.stop()
        line = self.query_one(FilterLine)
        line.display = bool(line.value)

    def action_back(self) -> None:
        """End the filter; without one, close the page."""
        line = self.query_one(FilterLine)
        if line.display:
            line.action_clear()
        else:
            self.action_close()

    def action_close(self) -> None:
        """Close the page."""
        self.dismiss(None)

    # --- one file ----------------------------------------------------------------------------

    def action_open(self) -> None:
        """Open the file under the cursor in the editor."""
        if file := self.query_one(FileList).file:
            place = place_of(file.path, file.quoted_path)
            self.post_message(HitOpened(place, self._link.root))

    def action_copy(self) -> None:
        """Copy the path of the file under the cursor."""
        if file := self.query_one(FileList).file:
            path = clean_line(file.path)
            self.app.copy_to_clipboard(path)
            self.notify(f"{path} is on the clipboard", markup=False)

    def action_read_again(self) -> None:
        """Have the file under the cursor read again though it has not changed."""
        if file := self.query_one(FileList).file:
            named = NamedFile(path=file.path, quoted_path=file.quoted_path)
            self._read_again(ReadAgainRequest(files=[named]))

    def action_read_all_again(self) -> None:
        """Have all skipped files read again."""
        self._read_again(ReadAgainRequest(failed=True))

    @work(group="again", exit_on_error=False)
    async def _read_again(self, request: ReadAgainRequest) -> None:
        reply = await errand.reply(
            self, self._link, lambda engine, folder: engine.read_again(folder, request)
        )
        if reply is None:
            return
        if reply.files or not reply.unknown:
            files = figures.counted(reply.files, "file")
            waits = " once the folder is no longer paused" if is_paused(self._status) else ""
            verb = "is" if reply.files == 1 else "are"
            self.notify(f"{files} {verb} read again{waits}", markup=False)
        for file in reply.unknown:
            words = f"{clean_line(file.path)} is no longer a file of this folder"
            self.notify(words, severity="warning", markup=False)
        self._is_stale = True
        self._news.set()


def summary(status: FolderStatus) -> list[Line]:
    """What there is to say of the whole folder, the most important first."""
    waiting = f", {figures.count(status.pending)} waiting" if status.pending else ""
    index = f"{figures.counted(status.files, 'file')}, {figures.counted(status.chunks, 'chunk')}"
    detail = f": {clean_line(status.detail)}" if status.detail else ""
    encoder = status.embedding
    dimension = f", {encoder.dimension} dimensions" if encoder.dimension else ""
    pids = status.pids
    numbers = {"engine": pids.engine, "Milvus": pids.milvus, "vLLM": pids.vllm}
    rows = {
        "index": index + waiting,
        "state": f"{status.state}{detail}",
        "left out": left_out(status.ignored, status.unread),
        "encoder": f"{clean_line(encoder.model)} on {clean_line(encoder.device)}{dimension}",
        "processes": ", ".join(f"{name} {pid}" for name, pid in numbers.items() if pid is not None),
    }
    return [
        (Content.styled(f"{name:<{NAME_CELLS}}", "$quiet"), told)
        for name, told in rows.items()
        if told
    ]


def _figures(status: FolderStatus) -> tuple[object, ...]:
    """What differs whenever the list of files may."""
    return (
        *(status.state, status.files, status.chunks, status.pending, status.revision),
        *(status.skipped_total, status.progress.files_done),
    )
