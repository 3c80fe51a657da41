"""The status bar: what the folder and the model are doing, in one line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

from engine import figures
from engine.safe_text import clean_line
from tui.key_names import key_of

if TYPE_CHECKING:
    from textual.events import Resize

    from engine.wire.api import FolderStatus, LlmState

SEPARATOR = " · "
PROGRESS_CELLS = 12

_MODEL_WORDS = {
    "off": ("vLLM asleep", "$quiet"),
    "starting": ("vLLM starting", "$text-warning"),
    "ready": ("vLLM ready", "$text-success"),
    "answering": ("vLLM answering", "$text-success"),
    "unavailable": ("no vLLM", "$text-error"),
}

_STATES = {
    "loading": ("○", "$text-warning"),
    "indexing": ("◐", "$text-warning"),
    "watching": ("●", "$text-success"),
    "paused": ("‖", "$text-warning"),
    "partial watch": ("◑", "$text-warning"),
    "missing": ("✕", "$text-error"),
    "failed": ("✕", "$text-error"),
}


@dataclass(frozen=True)
class Part:
    """A piece of the line; the highest ``rank`` is the first to go when space is short."""

    text: Content
    rank: int


class StatusBar(Static):
    """Shows the latest status, shortened to the width of the screen."""

    def __init__(self) -> None:
        super().__init__(markup=False)
        self.parts = [Part(Content.styled("○ starting the engine …", "$quiet"), 0)]
        self._model = Content()

    def show(self, status: FolderStatus) -> None:
        """Show a status of the folder."""
        self.parts = folder_parts(status)
        self._model = model_part(status.llm)
        self._lay_out()

    def show_words(self, words: str, style: str = "$quiet") -> None:
        """Show a sentence about the engine instead."""
        self.parts = [Part(Content.styled(clean_line(words), style), 0)]
        self._model = Content()
        self._lay_out()

    def show_failure(self, title: str, detail: str, way_out: str) -> None:
        """Show what failed and what to do; the detail is the first to go."""
        words = (f"✕ {title}", 0), (detail, 2), (way_out, 1)
        self.parts = [
            Part(Content.styled(clean_line(said), "$text-error"), rank) for said, rank in words
        ]
        self._model = Content()
        self._lay_out()

    def on_mount(self) -> None:
        """Show the first words."""
        self._lay_out()

    def on_resize(self, event: Resize) -> None:
        """Fit the line into the new width."""
        self._lay_out()

    def _lay_out(self) -> None:
        self.update(fit(self.parts, self._model, self.content_size.width))


def fit(parts: list[Part], model: Content, width: int) -> Content:
    """Join ``parts`` on the left and ``model`` on the right in ``width`` cells."""
    kept = list(parts)
    room = width - model.cell_length - (2 if model else 0)
    while len(kept) > 1 and _length(kept) > room:
        kept.remove(max(kept, key=lambda part: part.rank))
    left = Content(SEPARATOR).stylize("$quiet").join(part.text for part in kept)
    left = left.truncate(max(room, 1), ellipsis=True)
    return left + Content(" " * max(width - left.cell_length - model.cell_length, 0)) + model


def _length(parts: list[Part]) -> int:
    return sum(part.text.cell_length for part in parts) + len(SEPARATOR) * (len(parts) - 1)


def model_part(llm: LlmState) -> Content:
    """The model's state in two words."""
    words, style = _MODEL_WORDS[llm.state]
    if llm.on_purpose or (llm.state == "off" and llm.detail):  # no question starts it
        words, style = "vLLM off", "$quiet"
    return Content.styled(words, style)


def folder_parts(status: FolderStatus) -> list[Part]:
    """What the folder is doing, in pieces ranked by how much they matter."""
    sign, colour = _STATES["paused" if is_paused(status) else status.state]
    detail = clean_line(status.detail)
    if status.state == "missing":
        more = f"{key_of('screen.report')} tells more"
        facts = (f"{sign} missing", 0), ("its index is kept", 2), (more, 1)
        return [Part(Content.styled(fact, colour), rank) for fact, rank in facts]
    if status.state == "failed":
        words = f"{sign} failed" + (f": {detail}" if detail else "")
        return [Part(Content.styled(words, colour), 0)]
    if status.state == "indexing":
        return _indexing_parts(status, sign, colour)
    if is_paused(status):
        return _paused_parts(status, sign, colour)
    if status.state == "loading":
        opening = Content.assemble((sign, colour), " opening the folder", (f" {detail}", "$quiet"))
        return [Part(opening, 0)]
    files = figures.counted(status.files, "file")
    verb = "partly watching" if status.state == "partial watch" else "watching"
    parts = [
        Part(Content.assemble((sign, colour), f" {verb} {files}"), 0),
        Part(Content(figures.counted(status.chunks, "chunk")), 2),
    ]
    if status.state == "partial watch" and detail:
        parts.append(Part(Content.styled(detail, colour), 1))
    return parts + _settled_parts(status)


def is_paused(status: FolderStatus) -> bool:
    """Whether work waits for a person: a folder that is paused as it opens stays at that."""
    return status.state == "paused" or (status.state == "loading" and status.watch == "paused")


def _paused_parts(status: FolderStatus, sign: str, colour: str) -> list[Part]:
    parts = [Part(Content.assemble((sign, colour), " paused"), 0)]
    if status.pending:
        wait = "waits" if status.pending == 1 else "wait"
        waiting = f"{figures.counted(status.pending, 'file')} {wait}"
        parts.append(Part(Content.styled(waiting, "$text-warning"), 2))
    return [
        *parts,
        Part(Content(f"{key_of('screen.pause')} goes on"), 1),
        Part(Content.styled(figures.counted(status.chunks, "chunk"), "$quiet"), 3),
    ]


def _settled_parts(status: FolderStatus) -> list[Part]:
    parts = []
    if status.pending:
        changed = figures.counted(status.pending, "change")
        parts.append(Part(Content.styled(f"{changed} on the way", "$text-warning"), 1))
    if status.skipped_total:
        skipped = f"{figures.count(status.skipped_total)} skipped"
        parts.append(Part(Content.styled(skipped, "$text-warning"), 4))
    if status.last_edit_ms is not None:
        edit = f"last edit searchable in {figures.seconds(status.last_edit_ms / 1000)}"
        parts.append(Part(Content.styled(edit, "$quiet"), 3))
    return parts


def _indexing_parts(status: FolderStatus, sign: str, colour: str) -> list[Part]:
    progress = status.progress
    share = progress.files_done / progress.files_total if progress.files_total else 0.0
    done = round(share * PROGRESS_CELLS)
    done_files, all_files = map(figures.count, (progress.files_done, progress.files_total))
    files = f" indexing {done_files} of {all_files} files"
    parts = [
        Part(Content.assemble((sign, colour), files), 0),
        Part(
            Content.assemble(("━" * done, colour), ("─" * (PROGRESS_CELLS - done), "$track")),
            2,
        ),
    ]
    if progress.seconds_left is not None:
        parts.append(Part(Content(f"{figures.seconds(progress.seconds_left)} left"), 1))
    if progress.chunks_per_s:
        parts.append(
            Part(Content.styled(f"{progress.chunks_per_s:.0f}{figures.GAP}chunks/s", "$quiet"), 3)
        )
    parts.append(Part(Content.styled(figures.counted(status.chunks, "chunk"), "$quiet"), 4))
    return parts
