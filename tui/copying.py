"""What a key copies: a hit's text or place, a cited sentence, the answer, a block of its code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.part import short
from engine.safe_text import clean, clean_line
from tui.pages import Pages

if TYPE_CHECKING:
    from engine.wire.api_search import Hit
    from tui.code_blocks import CodeBlock


class Copying(Pages):
    """Puts what is shown on the clipboard."""

    _copied = ""
    """What was copied last of the answer, or of a hit."""

    def action_copy(self) -> None:
        """Copy the hit's text; in the answer pane the sentence of a citation, or the answer."""
        hit = self.preview.hit or self.results.selected
        sentence = self._cited_sentence if self.pane == "answer" else ""
        if sentence and sentence != self._copied:
            what, text = "The sentence with its source", sentence
        elif self.pane == "answer":
            what, text = "The answer", self.answer.answer_text
        else:
            what, text = "The hit's text", clean(hit.text) if hit is not None else ""
        if not text:
            self.notify("There is nothing to copy yet", severity="warning", markup=False)
            return
        self._copied = text
        self.app.copy_to_clipboard(text)
        self.notify(f"{what} is on the clipboard", markup=False)

    @property
    def _cited_sentence(self) -> str:
        """The sentence whose citation was gone to, and where its passage stands; empty for none."""
        rank, sentence = self.answer.model.chosen or (0, "")
        hit = next((hit for hit in self._evidence if hit.rank == rank), None)
        return f"{sentence.strip()} ({_place_of(hit)})" if hit is not None else ""

    def action_copy_place(self) -> None:
        """Copy where the shown hit stands: its file, and its line or part."""
        hit = self.preview.hit or self.results.selected
        if hit is None:
            self.notify("There is nothing to copy yet", severity="warning", markup=False)
            return
        place = _place_of(hit)
        self.app.copy_to_clipboard(place)
        self.notify(f"{place} is on the clipboard", markup=False)

    def action_copy_code(self) -> None:
        """Copy the code block of the answer; of several the one that is chosen."""
        from tui.code_blocks import CodePage, code_blocks

        blocks = code_blocks(self.answer.model.words)
        if not blocks:
            self.notify("There is no code block in this answer", markup=False)
        elif len(blocks) == 1:
            self._copy_code(blocks[0])
        else:
            self.app.push_screen(CodePage(blocks), self._copy_code)

    def _copy_code(self, block: CodeBlock | None) -> None:
        if block is not None:
            self.app.copy_to_clipboard(block.text)
            self.notify("The code is on the clipboard", markup=False)


def _place_of(hit: Hit) -> str:
    """Where a hit stands: its file, and its line or part."""
    return clean_line(hit.path + short(hit.part, hit.start_line, hit.start_line))
