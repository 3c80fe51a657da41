"""The exact prompt: every message as it was sent, what each passage takes, and what was cut."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.content import Content

from engine import figures
from engine.safe_text import clean, clean_line
from tui import hit_row
from tui.dialog import Page
from tui.page_keys import PROMPT_KEYS

if TYPE_CHECKING:
    from engine.wire.api_answer import PromptMade, ShownPassage
    from tui.hanging import Line

LONGEST_TITLE = 48
"""Cells of a passage's path and heading."""


class PromptView(Page):
    """Shows a prompt, word for word; ``y`` copies it."""

    BINDINGS: ClassVar[list[BindingType]] = PROMPT_KEYS

    def __init__(self, prompt: PromptMade) -> None:
        super().__init__("the prompt", lines_of(prompt))
        self.told = {"page.up page.down": "scroll", "prompt.copy": "copies", "page.close": "closes"}
        self._prompt = prompt

    def action_copy(self) -> None:
        """Copy every message of the prompt."""
        self.app.copy_to_clipboard(
            "\n\n".join(f"{each.role}:\n{each.content}" for each in self._prompt.messages)
        )
        self.notify("The prompt is on the clipboard", markup=False)


def lines_of(prompt: PromptMade) -> list[Line]:
    """What a person reads of a prompt: first its length and its passages, then every message."""
    counted = "counted by the server" if prompt.counted else "an estimate"
    tokens = f"{figures.counted(prompt.tokens, 'token')}, {counted}"
    lines: list[Line] = [
        ("", Content.assemble((tokens, "bold"), (f" · {clean_line(prompt.model)}", "$quiet"))),
    ]
    if not prompt.documents:
        lines.append(("", Content.styled("▲ no passage: without documents", "$text-warning")))
    lines += [_passage(each) for each in prompt.passages]
    if prompt.notice:
        lines.append(("", Content.styled(f"cut: {clean_line(prompt.notice)}", "$text-warning")))
    for message in prompt.messages:
        lines += [("", ""), ("", Content.styled(f"── {message.role} ──", "bold $heading"))]
        lines += [("", Content(line)) for line in clean(message.content).split("\n")]
    return lines


def _passage(passage: ShownPassage) -> Line:
    hits = "".join(f"[{rank}]" for rank in passage.hits)
    length = (
        figures.count(passage.tokens) if passage.counted else f"~{figures.count(passage.tokens)}"
    )
    title = hit_row.elide_middle(clean_line(passage.title), LONGEST_TITLE)
    label = Content.assemble((f"{length:>6} ", "$distance"), (f"{hits} ", "bold $cite"))
    more = f"-{passage.end_line}" if passage.end_line > passage.start_line else ""
    lines = f":{passage.start_line}{more}"
    return label, Content.assemble((title, "$foreground"), (lines, "$quiet"))
