"""Sheets of Excel and OpenDocument: one part a sheet, one line a row."""

import io
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from engine.documents.parts import LONGEST_TEXT, Parts, PartText, one_line

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook

Cell = int | float | str | bool | time | date | datetime | timedelta

BETWEEN = " | "
"""Between the cells of a row."""
MOST_CELLS = 5_000_000
"""Cells of one sheet, counting empty ones between others: no person wrote more."""
MOST_COLUMNS = 2_000
"""Columns of one sheet that are read."""
NEEDS_EXTRA = "spreadsheets are read after `uv sync --extra office`"


def read(raw: bytes, name: str) -> Parts:
    """Return the sheets of a workbook, hidden ones too: line N of a part is row N of its sheet.

    Raises:
        ValueError: it is none, damaged, encrypted or too large, in a person's words.
    """
    try:
        from python_calamine import CalamineError, CalamineWorkbook
    except ImportError as error:
        raise ValueError(NEEDS_EXTRA) from error
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(raw)) as workbook:
            return Parts("sheet", _sheets(workbook))
    except CalamineError as error:
        if "assword" in type(error).__name__ + str(error):
            raise ValueError("the workbook is encrypted: it asks for a password") from error
        raise ValueError("the workbook is damaged") from error


def _sheets(workbook: "CalamineWorkbook") -> list[PartText]:
    parts: list[PartText] = []
    length = 0
    for name in workbook.sheet_names:
        sheet = workbook.get_sheet_by_name(name)
        if sheet.total_height * sheet.total_width > MOST_CELLS:
            raise ValueError(f"a sheet has more than {MOST_CELLS:,} cells")
        rows = [row_line(row) for row in sheet.to_python(skip_empty_area=False)]
        parts.append(PartText("\n".join(rows).rstrip(), one_line(name)))
        length += len(parts[-1].text)
        if length > LONGEST_TEXT:
            raise ValueError("it holds too much text")
    return parts


def row_line(row: Sequence[Cell]) -> str:
    """Return the cells of a row as one line, without empty ones at its end."""
    cells = [cell_text(cell) for cell in row[:MOST_COLUMNS]]
    while cells and not cells[-1]:
        cells.pop()
    return BETWEEN.join(cells)


def cell_text(cell: Cell) -> str:
    """Return a value as a person writes it: whole numbers without a point, dates as ISO 8601."""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else f"{cell:.15g}"
    if isinstance(cell, datetime):
        return cell.isoformat(" ", "minutes" if not cell.second else "seconds")
    if isinstance(cell, date | time):
        return cell.isoformat()
    return one_line(str(cell))
