"""A file of the folder as one line, and in full: what became of it, why, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from engine import figures
from engine.safe_text import clean_line
from tui import hit_row

if TYPE_CHECKING:
    from engine.wire.api_files import FileState, ListedFile

SIGNS: dict[FileState, tuple[str, str]] = {
    "indexed": ("✓", "$quiet"),
    "stale": ("◆", "$text-warning"),
    "waiting": ("○", "$quiet"),
    "reading": ("●", "$cite"),
    "skipped": ("–", "$quiet"),
    "failed": ("✗", "$text-error"),
}
"""What stands before a file, and in which colour."""

WORDS: dict[FileState, str] = {
    "indexed": "in the index",
    "stale": "changed, and waits to be read again; its text of before is found",
    "waiting": "waits to be read",
    "reading": "is being read",
    "skipped": "left out",
    "failed": "could not be read",
}
_BRIEFLY: dict[FileState, str] = {
    "stale": "changed, waits",
    "waiting": "waits",
    "reading": "is being read",
}
SHORTEST_PATH = 12
"""Cells that a path has at least, unless it is shorter."""
CHUNKS_CELLS, SIZE_CELLS = 13, 9
COLUMN_GAP = "  "


def row(file: ListedFile, width: int) -> Content:
    """``file`` on one line of ``width`` cells: its sign, its path, and what is known of it."""
    sign, colour = SIGNS[file.state]
    room = max(width - 2, SHORTEST_PATH)
    path = clean_line(file.path)
    told, told_colour = _told(file), "$quiet"
    if file.reason:
        most = max(room - Content(path).cell_length - 2, room // 2)
        told, told_colour = hit_row.elide_end(clean_line(file.reason), most), "$text-warning"
    if room - Content(told).cell_length - 2 < min(Content(path).cell_length, SHORTEST_PATH):
        told = ""
    left = room - Content(told).cell_length - (2 if told else 0)
    shown = hit_row.elide_path(path, left)
    gap = " " * (room - Content(shown).cell_length - Content(told).cell_length)
    return Content.assemble((f"{sign} ", colour), (shown, "$foreground"), gap, (told, told_colour))


def _told(file: ListedFile) -> str:
    if file.state in _BRIEFLY:
        return _BRIEFLY[file.state]
    size = "" if file.bytes is None else figures.size(file.bytes)
    chunks = figures.counted(file.chunks, "chunk")
    return f"{chunks:>{CHUNKS_CELLS}}{COLUMN_GAP}{size:>{SIZE_CELLS}}"


def about(file: ListedFile) -> Content:
    """What became of ``file``: where it is a problem with what to do, else with its figures."""
    words = WORDS[file.state]
    if file.reason:
        told = Content.styled(f"{words}: {clean_line(file.reason)}", "$foreground")
        step = Content.styled(f"→ {clean_line(file.next_step)}", "$cite")
        return Content("\n").join([told, step]) if file.next_step else told
    facts = [
        words,
        figures.counted(file.chunks, "chunk") if file.chunks else "",
        "" if file.characters is None else figures.counted(file.characters, "character"),
        "" if file.bytes is None else figures.size(file.bytes),
        "" if file.modified is None else clean_line(file.modified[:16].replace("T", " ")),
    ]
    return Content.styled(" · ".join(fact for fact in facts if fact), "$foreground")
