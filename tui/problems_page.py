"""What went wrong since the start, with time and next step: a toast may have gone too fast."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from textual.content import Content

from engine.safe_text import clean, clean_line
from tui.dialog import Page
from tui.hanging import Line

if TYPE_CHECKING:
    from tui.session import Problem, Session

NOTHING = "Nothing has gone wrong since the start."


def problems_page(session: Session) -> Page:
    """A page with the problems of ``session``, the latest first."""
    lines: list[Line] = []
    for problem in reversed(session.problems):
        lines += [*_lines(problem), ("", "")]
    return Page("problems", lines[:-1] or [("", Content.styled(NOTHING, "$quiet"))])


def _lines(problem: Problem) -> list[Line]:
    label = Content.styled(time.strftime("%H:%M:%S  ", time.localtime(problem.at)), "$quiet")
    under = Content(" " * label.cell_length)
    style = "$text-error" if problem.is_error else "$text-warning"
    times = f"  {problem.times} times" if problem.times > 1 else ""
    title = Content.assemble((clean_line(problem.title), f"bold {style}"), (times, "$quiet"))
    told: list[Line] = [(label, title)] if problem.title else []
    for line in clean(problem.text).splitlines():
        told.append((under if told else label, line))
    if problem.step:
        told.append((under, Content.styled(f"→ {clean_line(problem.step)}", "$cite")))
    return told
