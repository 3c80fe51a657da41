"""What went wrong since the start, with time and next step: a toast may have gone too fast."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from textual.content import Content

from engine import figures
from engine.safe_text import clean, clean_line
from tui.dialog import Page
from tui.hanging import Line
from tui.key_names import key_of

if TYPE_CHECKING:
    from engine.wire.api import FolderStatus
    from tui.session import Problem, Session

NOTHING = "Nothing has gone wrong since the start."


def problems_page(session: Session, status: FolderStatus | None = None) -> Page:
    """A page with the problems of ``session``, the latest first.

    Above them stands how many files of the shown folder, whose ``status`` it is, were not read.
    """
    lines: list[Line] = []
    if status is not None and status.skipped_total:
        files = figures.counted(status.skipped_total, "file")
        where = f"{key_of('screen.report')} tells which, and why"
        unread = Content.assemble((f"{files} skipped", "bold $text-warning"), f"  {where}")
        lines += [("", unread), ("", "")]
    several = len({problem.folder for problem in session.problems}) > 1
    for problem in reversed(session.problems):
        lines += [*_lines(problem, tells_folder=several), ("", "")]
    return Page("problems", lines[:-1] or [("", Content.styled(NOTHING, "$quiet"))])


def _lines(problem: Problem, *, tells_folder: bool) -> list[Line]:
    label = Content.styled(time.strftime("%H:%M:%S  ", time.localtime(problem.at)), "$quiet")
    under = Content(" " * label.cell_length)
    style = "$text-error" if problem.is_error else "$text-warning"
    times = f"  {problem.times} times" if problem.times > 1 else ""
    where = f"  {clean_line(problem.folder)}" if tells_folder and problem.folder else ""
    title = Content.assemble(
        (clean_line(problem.title), f"bold {style}"), (f"{where}{times}", "$quiet")
    )
    told: list[Line] = [(label, title)] if problem.title else []
    for line in clean(problem.text).splitlines():
        told.append((under if told else label, line))
    if problem.step:
        told.append((under, Content.styled(f"→ {clean_line(problem.step)}", "$cite")))
    return told
