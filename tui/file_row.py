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
    "skipped": ("✗", "$text-warning"),
}
"""What stands before a file, and in which colour."""

WORDS: dict[FileState, str] = {
    "indexed": "in the index",
    "stale": "changed, and waits to be read again; its text of before is found",
    "waiting": "waits to be read",
    "reading": "is being read",
    "skipped": "skipped",
}
_BRIEFLY: dict[FileState, str] = {
    "stale": "changed, waits",
    "waiting": "waits",
    "reading": "is being read",
}
SHORTEST_PATH = 12
"""Cells that a path has at least, unless it is shorter."""
COLUMN_GAP = "  "
NARROW, WIDE = 82, 100
"""Cells of a row below which there is room for few columns, and from which for all of them."""
LOADER_CELLS = 26
"""Of the column that tells what read a file."""


def row(file: ListedFile, width: int) -> Content:
    """``file`` on one line of ``width`` cells: its sign, its path, and what is known of it."""
    sign, colour = SIGNS[file.state]
    room = max(width - 2, SHORTEST_PATH)
    path = clean_line(file.path)
    told, told_colour = _told(file, width), "$quiet"
    if file.reason:
        most = max(room - Content(path).cell_length - 2, room // 2)
        told, told_colour = hit_row.elide_end(clean_line(file.reason), most), "$text-warning"
    if room - Content(told).cell_length - 2 < min(Content(path).cell_length, SHORTEST_PATH):
        told = ""
    left = room - Content(told).cell_length - (2 if told else 0)
    shown = hit_row.elide_path(path, left)
    gap = " " * (room - Content(shown).cell_length - Content(told).cell_length)
    return Content.assemble((f"{sign} ", colour), (shown, "$foreground"), gap, (told, told_colour))


def _told(file: ListedFile, width: int) -> str:
    """What is known of a file that was read, in columns that stand below those of other files."""
    if file.state in _BRIEFLY:
        return _BRIEFLY[file.state]
    loader = hit_row.elide_end(clean_line(file.loader), LOADER_CELLS)
    columns = {
        "loader": " " * (LOADER_CELLS - Content(loader).cell_length) + loader,
        "chunks": f"{figures.counted(file.chunks, 'chunk'):>12}",
        "characters": f"{_characters(file, 'char'):>15}",
        "bytes": f"{_size(file):>9}",
        "seconds": f"{_seconds(file):>7}",
    }
    left_out = {"bytes"} if width < WIDE else set[str]()
    if width < NARROW:
        left_out = {"loader", "characters", "seconds"}
    told = COLUMN_GAP.join(text for name, text in columns.items() if name not in left_out)
    return told.lstrip()  # a long path may stand where the first column is empty


def _characters(file: ListedFile, noun: str) -> str:
    return "" if file.characters is None else figures.counted(file.characters, noun)


def _size(file: ListedFile) -> str:
    return "" if file.bytes is None else figures.size(file.bytes)


def _seconds(file: ListedFile) -> str:
    return "" if file.seconds is None else figures.seconds(file.seconds)


def about(file: ListedFile) -> Content:
    """What became of ``file``: where it is a problem with what to do, else with its figures."""
    words = WORDS[file.state]
    loader, seconds = clean_line(file.loader), _seconds(file)
    if file.reason:
        read = ", ".join(filter(None, (loader, seconds)))
        words += f" ({read})" if read else ""
        told = Content.styled(f"{words}: {clean_line(file.reason)}", "$foreground")
        step = Content.styled(f"→ {clean_line(file.next_step)}", "$cite")
        return Content("\n").join([told, step]) if file.next_step else told
    facts = [
        words,
        loader,
        figures.counted(file.chunks, "chunk") if file.chunks else "",
        _characters(file, "character"),
        _size(file),
        f"read in {seconds}" if seconds else "",
        "" if file.modified is None else clean_line(file.modified[:16].replace("T", " ")),
    ]
    return Content.styled(" · ".join(fact for fact in facts if fact), "$foreground")
