"""What happened since the start: problems, so that they can be read again, and answers' speeds."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from tui import messages

if TYPE_CHECKING:
    from textual.message import Message

    from engine.wire.api import FolderStatus

MOST_PROBLEMS = 100
MOST_ANSWERS = 60

_TROUBLES = {
    "failed": (
        "The folder can't be followed",
        "Mend what is named, then try again from the screen; hoverkite doctor looks for more",
    ),
    "missing": (
        "The folder is missing",
        "Bring it back, or mount its disk: its index is kept, and searched meanwhile",
    ),
    "partial watch": (
        "Some changes come late",
        "A regular comparison finds them; the troubleshooting page of the manual tells how to "
        "raise the system's limits",
    ),
}
"""What a state of the folder is called among the problems, and what can be done."""


@dataclass(frozen=True)
class Problem:
    """Something that went wrong; its texts are as they came."""

    at: float
    """Seconds since 1970, of the last time."""
    title: str
    text: str
    step: str = ""
    """What can be done."""
    is_error: bool = False
    folder: str = ""
    """Where it went wrong; empty for what concerns all folders."""
    times: int = 1


@dataclass(frozen=True)
class Speed:
    """How fast an answer was."""

    at: float
    """When it ended, in seconds since 1970."""
    model: str
    ttft_ms: float
    tokens_per_s: float


class Session:
    """The problems and the answers since the start, the latest last."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        """``now`` returns the seconds since 1970."""
        self._now = now
        self.problems: deque[Problem] = deque(maxlen=MOST_PROBLEMS)
        self.speeds: deque[Speed] = deque(maxlen=MOST_ANSWERS)
        self._told: dict[str, tuple[str, str]] = {}
        """What was told last of each folder and of its model; empty for nothing."""

    def add(
        self, title: str, text: str, step: str = "", *, is_error: bool = False, folder: str = ""
    ) -> None:
        """Remember a problem; one that comes again at once counts as the same."""
        new = Problem(self._now(), title, text, step, is_error, folder)
        last = self.problems[-1] if self.problems else None
        if last and replace(last, at=0, times=1) == replace(new, at=0):
            self.problems[-1] = replace(new, times=last.times + 1)
        else:
            self.problems.append(new)

    def hear(self, message: Message, folder: str = "") -> None:
        """Remember what ``message`` tells of ``folder``, if it is something of the kind."""
        add = partial(self.add, folder=folder)
        match message:
            case messages.EngineFailed(error=error) | messages.AnswerBroke(error=error):
                add(error.title, str(error), error.next_step, is_error=True)
            case messages.EngineLost(attempt=attempt):
                add("The engine was lost", f"It was reached for again: attempt {attempt}")
            case messages.AnswerAdvanced(event=event):
                if event.type == "failed":
                    told = event.problem
                    add(told.title, told.detail, told.next_step, is_error=True)
                elif event.type == "finished" and event.completion_tokens:
                    speed = Speed(self._now(), event.model, event.ttft_ms, event.tokens_per_s)
                    self.speeds.append(speed)
            case messages.StatusArrived(status=status):
                self._hear_status(status, folder)

    def _hear_status(self, status: FolderStatus, name: str) -> None:
        """A state is told with every status; that it came is remembered once."""
        llm = status.llm
        without = llm.state == "unavailable" and not llm.on_purpose
        trouble = _TROUBLES.get(status.state)
        folder = f"{status.state} {status.detail}" if trouble else ""
        model = llm.detail or "none" if without else ""
        before = self._told.get(status.docs, ("", ""))
        if trouble and folder != before[0]:
            title, step = trouble
            self.add(title, status.detail, step, is_error=status.state == "failed", folder=name)
        if without and model != before[1]:
            self.add("No answer model", llm.detail, llm.next_step, folder=name)
        self._told[status.docs] = (folder, model)
