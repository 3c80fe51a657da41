"""The page of the answer model: what it does, how fast it has answered, what its log says."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Sparkline, Static

from engine import figures
from engine.safe_text import clean_line
from tui.dialog import Page
from tui.hanging import HangingText, Line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.wire.api import LlmFigures, LlmState
    from tui.session import Speed

NAME_CELLS = 14
NO_ANSWERS = "No model has answered since the start."


class ModelPage(Page):
    """Tells everything of the answer model, as it was when the page was opened."""

    def __init__(self, llm: LlmState, speeds: Sequence[Speed]) -> None:
        super().__init__("answer model", _lines(_facts(llm)))
        self._llm, self._speeds = llm, speeds

    def compose(self) -> ComposeResult:
        """Lay out the facts, a curve for each measure of the last answers, and the log."""
        with VerticalScroll(classes="dialog page", can_focus=False) as box:
            box.border_title = Content(self._title)
            yield HangingText(self._lines)
            yield from self._curves()
            if self._llm.said:
                yield _heading("The last lines of its log")
                yield HangingText([("", clean_line(line)) for line in self._llm.said])

    def _curves(self) -> ComposeResult:
        counted = f"The last {len(self._speeds)} answers" if len(self._speeds) > 1 else "The answer"
        yield _heading(counted if self._speeds else "Answers")
        if not self._speeds:
            yield Static(Content.styled(NO_ANSWERS, "$quiet"), markup=False)
            return
        firsts = [speed.ttft_ms for speed in self._speeds]
        speeds = [speed.tokens_per_s for speed in self._speeds]
        last, usual = figures.milliseconds(firsts[-1]), figures.milliseconds(median(firsts))
        yield HangingText(_lines([("first token", f"after {last}; median {usual}")]))
        yield from self._curve(firsts, figures.milliseconds)
        told = f"{_speed(speeds[-1])}; median {median(speeds):.0f}"
        yield HangingText(_lines([("speed", told)]))
        yield from self._curve(speeds, _speed)

    def _curve(self, values: Sequence[float], told: Callable[[float], str]) -> ComposeResult:
        """The curve of a measure, and below it what its height and its length stand for."""
        if len(values) > 1:  # of one there is nothing to compare
            yield Sparkline(values)
            span = figures.seconds(self._speeds[-1].at - self._speeds[0].at)
            scale = f"lowest {told(min(values))}, highest {told(max(values))}, within {span}"
            yield Static(Content.styled(scale, "$quiet"), markup=False, classes="scale")


def _speed(tokens: float) -> str:
    return f"{tokens:.0f}{figures.GAP}tokens/s"


def _heading(words: str) -> Static:
    return Static(Content.styled(f"\n{words}", "bold $heading"), markup=False)


def _lines(rows: Sequence[tuple[str, str]]) -> list[Line]:
    return [
        (Content.styled(f"{name:<{NAME_CELLS}}", "$quiet"), value) for name, value in rows if value
    ]


def _facts(llm: LlmState) -> list[tuple[str, str]]:
    detail = f": {clean_line(llm.detail)}" if llm.detail else ""
    context = f"{figures.count(llm.context)} tokens" if llm.context else ""
    served = " on ".join(clean_line(part) for part in (llm.dtype, llm.device) if part)
    demonstration = " (a demonstration)" if llm.demonstration else ""
    return [
        ("model", f"{clean_line(llm.model)}{demonstration}"),
        ("state", f"{llm.state}{detail}"),
        ("what to do", clean_line(llm.next_step)),
        ("context", context),
        ("runs in", served),
        *(_counted(llm.figures) if llm.figures else []),
        *(("why it ended", clean_line(line)) for line in llm.log),
    ]


def _counted(told: LlmFigures) -> list[tuple[str, str]]:
    """What its server counts, of all its clients, since it started."""
    running, waiting, rate = told.running, told.waiting, told.prefix_cache_hit_rate
    parts = [f"{running} at work" if running is not None else ""]
    parts.append(f"{waiting} waiting" if waiting is not None else "")
    known = "" if rate is None else f"{rate:.0%} of the prompts' tokens were known"
    first = "" if told.ttft_ms is None else f"first token {figures.milliseconds(told.ttft_ms)}"
    speed = "" if told.tokens_per_s is None else _speed(told.tokens_per_s)
    return [
        ("queue", ", ".join(part for part in parts if part)),
        ("prefix cache", known.replace("%", f"{figures.GAP}%")),
        ("on average", ", ".join(part for part in (first, speed) if part)),
    ]
