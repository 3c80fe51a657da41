"""How an answer is printed as it comes: extracts, the model's words, sources."""

import sys
from pathlib import PurePath

from engine.front.printing import narrate, plain_line, with_detail, wrapped
from engine.part import short
from engine.safe_text import clean, clean_line
from engine.wire import api, api_answer, api_search
from engine.wire.problems import error_of

FENCES = ("```", "~~~")
"""What a line begins with before and behind a block of code."""


def place(docs: str, hit: api_search.Hit, quoted: str = "") -> str:
    """Return where a hit stands, or what is quoted from it, as ``path:line``, ``path p.4``.

    Like grep's, the path begins as the folder was typed, so that it leads there from here.
    """
    before = hit.text.partition(quoted)[0] if quoted else ""
    line = min(hit.start_line + before.count("\n"), hit.end_line)
    return clean_line(f"{PurePath(docs, hit.path)}{short(hit.part, line, line)}")


class AnswerPrinter:
    """Prints an answer as it comes: extracts, tokens, sources."""

    def __init__(
        self,
        docs: str,
        *,
        whole_lines: bool = False,
        width: int = 0,
        anyway: str = "--anyway has it answer",
    ) -> None:
        """``whole_lines``: the model's text comes a line at a time, not as its words do.

        Such lines have at most ``width`` characters, those of code any number; 0: all have.
        ``anyway`` is what tells a person how to have a model asked all the same.
        """
        self._docs = docs
        self._whole_lines = whole_lines
        self._width = width
        self._is_code = False
        """Whether what is written stands in a fenced block."""
        self._anyway = anyway
        self._line = ""
        """What of the model's text is not printed yet."""
        self._is_amid_line = False
        self._found: list[api_search.Hit] = []
        self.state = ""
        """What the model was last told to do; told again only if it changes."""

    def show(self, event: api_answer.AskEvent) -> None:
        """Print one event of the answer."""
        match event:
            case api_answer.QuestionRewritten():
                self._narrate(f"searched for: {event.question}")
            case api_answer.HitsFound():
                self._found = event.hits
                for notice in event.notices:
                    self._narrate(notice)
            case api_answer.ExtractsFound():
                self._extracts(event)
            case api.LlmState():
                self._llm(event)
            case api_answer.PromptMade():
                self._prompt(event)
            case api_answer.Token():
                self._write(clean(event.text))
            case api_answer.AnswerFinished():
                self._finished(event)
            case api_answer.AnswerFailed():
                self._failed(event)
        sys.stdout.flush()

    def end(self) -> None:
        """Print what is left of an answer that ended early, and end its line; again, nothing."""
        print(self._fitted(self._line), end="")
        if self._line or self._is_amid_line:
            print(flush=True)
        self._line, self._is_amid_line = "", False

    def _write(self, text: str) -> None:
        if self._whole_lines:
            whole, newline, self._line = (self._line + text).rpartition("\n")
            text = "\n".join(map(self._fitted, whole.split("\n"))) + newline
        else:
            self._is_amid_line = not text.endswith("\n") if text else self._is_amid_line
        print(text, end="")

    def _fitted(self, line: str) -> str:
        is_fence = line.lstrip().startswith(FENCES)
        self._is_code ^= is_fence
        return line if is_fence or self._is_code else wrapped(line, self._width)

    def _say(self, text: str) -> None:
        print(wrapped(text, self._width))

    def _narrate(self, text: str) -> None:
        narrate(text, self._width)

    def _extracts(self, event: api_answer.ExtractsFound) -> None:
        if event.not_found:
            self._say(f"Not found in {plain_line(event.searched)}. What comes nearest:")
        for extract in event.extracts:
            quoted = " ".join(clean(extract.text).split())
            hit = self._found[extract.hit - 1]
            self._say(f"“{quoted}” [{extract.hit}] {place(self._docs, hit, extract.text)}")

    def _llm(self, event: api.LlmState) -> None:
        if event.on_purpose:
            self._narrate(f"No model answers: {event.detail}")
        elif event.state != self.state:
            self.state = event.state
            self._narrate(f"{event.model or 'answers'}: {with_detail(event.state, event.detail)}")

    def _prompt(self, event: api_answer.PromptMade) -> None:
        without = "" if event.documents else ", without documents"
        print(f"\n— {clean_line(event.model)}{without} —")
        if event.notice:
            self._narrate(event.notice)

    def _finished(self, event: api_answer.AnswerFinished) -> None:
        if event.not_kept:
            self._narrate(event.not_kept)
        if event.finish_reason == api_answer.TURNED_OFF:
            return
        if event.finish_reason == api_answer.NOT_FOUND:
            self._narrate(f"No model was asked; {self._anyway}.")
            return
        self._close()
        if event.completion_tokens and not event.answer.strip():
            self._narrate("The model wrote nothing.")
        if event.finish_reason == "length":
            self._narrate("The answer was cut off at its length limit")
        for source in event.sources:
            self._say(f"source: {clean_line(str(PurePath(self._docs, source)))}")
        if not all(citation.supported for citation in event.citations):
            self._narrate("[?] stands after what was found in no passage.")

    def _close(self) -> None:
        """End the answer's last line, and leave one empty."""
        print(self._fitted(self._line), end="\n\n")
        self._line, self._is_amid_line = "", False

    def _failed(self, event: api_answer.AnswerFailed) -> None:
        if event.not_kept:
            self._narrate(event.not_kept)
        if event.answer:
            self.end()
            print("[the answer was cut off here]")
        error = error_of(event.problem)
        self._narrate(f"{error.title}: {error}. {error.next_step}")
