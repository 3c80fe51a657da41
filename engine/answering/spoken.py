"""A stream of text → the same text without the model's own citations, and where sentences end.

Text is taken character by character, so that it makes no difference how it was cut into pieces. A
space is held back until what follows it is known, a bracket only as long as it may be a citation.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from engine.answering.quotable import beyond_marker
from engine.chunks.sentences import ABBREVIATION, SENTENCE_END
from engine.safe_text import bare

LONGEST_SENTENCE = 2000
"""Characters of a sentence that are kept, and looked at; the rest of it is only passed on."""
LONGEST_GAP = 64
"""Characters of white space that are held back."""
LONGEST_CITATION = 40
LONGEST_LINK = 300
"""Characters of a link, or of code in a line, in which no sentence ends."""

_WORDS = ("passages", "passage", "sources", "source", "documents", "document", "hits", "hit")
_BEGINNINGS = "|".join(sorted({word[:end] for word in _WORDS for end in range(1, len(word))}))
_WORD = rf"(?:(?:{'|'.join(_WORDS)})\s?[:#]?\s?)?\^?"
_NUMBERS = r"\d{1,3}(?:\s?[,;&–-]\s?\d{1,3})*"
_CITATION = re.compile(
    rf"[\[［【]\s?(?:{_WORD}{_NUMBERS}\s?|\?)[\]］】]|【\d{{1,3}}†[^】\n]*】", re.IGNORECASE
)
_BEGUN_CITATION = re.compile(
    rf"[\[［【]\s?(?:(?:{_BEGINNINGS})|{_WORD}(?:{_NUMBERS}\s?(?:[,;&–-]\s?)?)?|\?)"
    r"|【\d{1,3}†[^】\n]*",
    re.IGNORECASE,
)
_LAST_WORD = re.compile(r"\w+$")
_OPENS = "[［【"
_MARK = re.compile(r"\[(?:\d{1,3}|\?)\]")
"""What would be taken for the program's own."""
_OPEN_MARK = re.compile(r"\[(?:\d{0,3}|\?)$")
_STICKS = ".,;:!?)…»”"
_HEADING = re.compile(r"#{1,6}(\s|$|[^#])")
_MOST_HINTS = 20
_UNSPACED_END = re.compile("[。！？][”’」』）]*$")
_CLOSES_UNSPACED = "。！？”’」』）"
_BEGIN_INSIDE = "[(`“‘«\"'"
"""What may begin a line in the middle of a sentence: a link, code, a bracket, a quotation."""
_ENDS = (".", "!", "?", ":", ";", "…", "。", "！", "？", "：", "；")
_CLOSES = "”’»\"')*_` "
_ITEM_NUMBER = re.compile(r"\s*\d{1,3}[.)]$")
_TAIL = 40
_LINE_START = 8
_FENCES = ("```", "~~~")


@dataclass(frozen=True)
class Said:
    """A sentence that ended where this comes among the text; its mark belongs there."""

    text: str
    hints: tuple[int, ...]
    """The numbers of the model's own citations in it."""
    start: int
    """Where it begins in the text that was passed on, in characters, without its list marker."""
    end: int


Part = str | Said


class Spoken:
    """Takes the pieces of an answer, and gives its text and its sentences in their order."""

    def __init__(
        self, cites: Callable[[str, str, Sequence[int]], bool] = lambda _word, _text, _found: True
    ):
        """``cites`` tells whether a bracket with these numbers is a citation, and no data.

        It is given the word that the bracket stands at without a space, empty for none.
        """
        self._cites = cites
        self._length = 0
        self._begin = 0
        self._sentence = self._tail = ""
        self._hints: list[int] = []
        self._next_hints: list[int] = []
        """Of citations that begin a line, which belong to what follows."""
        self._held = self._gap = ""
        self._before_cut: str | None = None
        """The space before a citation that was taken out; None where none was."""
        self._line = _Line()
        self._rows = 0
        """Rows of a table right above the line."""

    def take(self, piece: str) -> Iterator[Part]:
        """Yield what ``piece`` brings: text, and each sentence where it ends."""
        text: list[str] = []
        for part in chain.from_iterable(map(self._take, piece)):
            if isinstance(part, str):
                text.append(part)
                continue
            if text:
                yield "".join(text)
            yield part
            text.clear()
        if text:
            yield "".join(text)

    def rest(self, *, cut_off: bool = False) -> Iterator[Part]:
        """Yield what was held back, at the end of the answer.

        Where that was ``cut_off``, a sentence without its end is none.
        """
        held, self._held = self._held, ""
        if held and not self._cut(held):
            yield from self._plain_all(held)
        if self._sentence and not self._line.in_code and not (cut_off and self._is_half):
            yield from self._end()
        if self._gap and self._before_cut is None:
            yield self._gap
        self._gap = ""

    @property
    def _is_half(self) -> bool:
        """Whether the sentence that is being written would go on, whatever came next."""
        space = (self._before_cut or "") + self._gap
        return not any(self._line.ends(self._tail, each, "X") for each in {space, space or " "})

    def _take(self, char: str) -> Iterator[Part]:
        if self._held:
            if not bare(char):  # with it, a bracket would look like a mark and be none
                return
            begun = self._held + char
            if not _CITATION.fullmatch(self._held) and _may_be_citation(begun):
                self._held = begun
                return
            held, self._held = self._held, ""
            if self._is_link(char):
                yield from self._plain_all(f"{held[:-1]} ]" if _MARK.fullmatch(held) else held)
            elif not self._cut(held):
                yield from self._plain_all(held)
        if char in _OPENS and not self._line.is_literal:
            self._held = char
        else:
            yield from self._plain(char)

    def _is_link(self, following: str) -> bool:
        """Whether what stands in brackets before ``following`` is a link, or begins its target."""
        return following == "(" or (following == ":" and not self._sentence)

    def _cut(self, held: str) -> bool:
        """Take ``held`` out if it is a citation; return whether it is."""
        numbers = [int(number) for number in re.findall(r"\d+", held.partition("†")[0])]
        found = None if self._gap else _LAST_WORD.search(self._tail)
        word = found[0] if found else ""
        if not _CITATION.fullmatch(held) or not self._cites(word, held, numbers):
            return False
        hints = self._next_hints if "\n" in (self._before_cut or "") + self._gap else self._hints
        hints += numbers[: _MOST_HINTS - len(hints)]
        if self._before_cut is None or "\n" in self._gap:
            self._before_cut = (self._before_cut or "") + self._gap
        if not self._before_cut and _OPEN_MARK.search(self._tail):
            self._before_cut = " "  # what is left of brackets in brackets must be no mark
        self._gap = ""
        return True

    def _plain_all(self, text: str) -> Iterator[Part]:
        return chain.from_iterable(map(self._plain, text))

    def _plain(self, char: str) -> Iterator[Part]:
        if self._line.in_code:
            yield from self._code(char)
        elif char.isspace() or (char == "|" and self._line.is_row and "\n" not in self._gap):
            self._gap += char
            if len(self._gap) >= LONGEST_GAP:
                yield from self._settle("\n")
        else:
            yield from self._settle(char)
            self._add(char)
            self._line.take(char)
            yield char

    def _code(self, char: str) -> Iterator[Part]:
        """Pass code on as it is: it is no sentence."""
        self._line.take(char)
        self._length += 1
        self._sentence = self._tail = ""
        yield char

    def _settle(self, following: str) -> Iterator[Part]:
        """Let go of the space before ``following``, after the sentence if that has ended."""
        space = (self._before_cut or "") + self._gap
        if self._sentence and self._line.ends(self._tail, space, following):
            yield from self._end()
        gap = self._spaced(following)
        self._gap, self._before_cut = "", None
        self._hints += self._next_hints
        self._next_hints = []
        if "\n" in space:
            self._rows = self._rows + 1 if self._line.is_row else 0
            self._line = _Line()
        if gap:
            self._add(gap, is_gap=True)
            yield gap

    def _spaced(self, following: str) -> str:
        """Return the space to pass on: one, where a citation between two was taken out."""
        before, after = self._before_cut, self._gap
        if before is None:
            return after
        if self._line.is_empty or "\n" in before:
            return before
        return "" if not after and following in _STICKS else after or before

    def _add(self, text: str, *, is_gap: bool = False) -> None:
        if self._sentence or not is_gap:
            if not self._sentence:
                self._begin = self._length
            self._tail = (self._tail + text)[-_TAIL:]
            if len(self._sentence) < LONGEST_SENTENCE:
                self._sentence += text
        self._length += len(text)

    def _end(self) -> Iterator[Said]:
        """Yield the sentence that has ended; a heading, and the head of a table, is none."""
        text, hints = self._sentence, tuple(dict.fromkeys(self._hints))
        self._sentence, self._tail, self._hints = "", "", []
        if not self._line.is_heading and not (self._line.is_row and not self._rows):
            marker = beyond_marker(text)
            yield Said(text[marker:], hints, self._begin + marker, self._length)


class _Line:
    """What is known of the line that is being written, and of the code that began in it."""

    def __init__(self) -> None:
        self._start = self._fence = ""
        self._opening = False
        """Whether the line is the first of its code."""
        self._ticks = False
        self._brackets = 0
        self._last = ""
        self._in_target = False
        self._inside = 0
        """Characters since a link or code in the line began."""

    @property
    def is_empty(self) -> bool:
        return not self._start

    @property
    def in_code(self) -> bool:
        return bool(self._fence)

    @property
    def is_row(self) -> bool:
        return self._start.startswith("|")

    @property
    def is_heading(self) -> bool:
        return bool(_HEADING.match(self._start))

    @property
    def is_literal(self) -> bool:
        """Whether brackets are meant as they are written."""
        return self.in_code or self._ticks

    def take(self, char: str) -> None:
        """Take the next character; of white space only what stands in code."""
        if self.in_code:
            self._take_code(char)
            return
        self._start += char if len(self._start) < _LINE_START else ""
        if self._start in _FENCES:
            self._fence, self._opening = self._start, True
        self._nest(char)
        self._last = char

    def _take_code(self, char: str) -> None:
        if char == "\n":
            self._start, self._opening = "", False
        elif self._opening:
            if char == self._fence[0] == self._last:
                self._fence = (self._fence + char)[:_LINE_START]
            elif char == "`" == self._fence[0]:  # it is code in a line, and ends here
                self._fence, self._ticks = "", False
            self._last = char
        elif len(self._start) < _LINE_START and not (char.isspace() and not self._start):
            self._start += char
            if self._start == self._fence:
                self._fence = ""

    def _nest(self, char: str) -> None:
        """Note where links and code in the line begin and end."""
        if char == "`":
            self._ticks = not self._ticks
        elif not self._ticks:
            self._brackets = max(0, self._brackets + (char == "[") - (char == "]"))
            if self._in_target or char == "(":
                self._in_target = char != ")" and (self._in_target or self._last == "]")
        inside = self._ticks or self._brackets or self._in_target
        self._inside = self._inside + 1 if inside else 0
        if self._inside > LONGEST_LINK:
            self._ticks, self._brackets, self._in_target, self._inside = False, 0, False, 0

    def ends(self, tail: str, space: str, following: str) -> bool:
        """Whether a sentence that ends in ``tail`` does, between ``space`` and ``following``."""
        if "\n" in space or following == "\n":
            is_whole = self.is_row or self.is_heading or space.count("\n") != 1
            goes_on = following in _BEGIN_INSIDE and not tail.rstrip(_CLOSES).endswith(_ENDS)
            return is_whole or not (following.islower() or goes_on)
        if self.is_row or self.is_heading or self._inside:
            return False
        if not space:
            return following not in _CLOSES_UNSPACED and bool(_UNSPACED_END.search(tail))
        if following.islower() or _ITEM_NUMBER.fullmatch(tail) or ABBREVIATION.search(tail):
            return False
        found = [match.start(1) for match in SENTENCE_END.finditer(tail + " ")]
        return len(tail) in found


def _may_be_citation(begun: str) -> bool:
    return len(begun) <= LONGEST_CITATION and bool(
        _CITATION.fullmatch(begun) or _BEGUN_CITATION.fullmatch(begun)
    )
