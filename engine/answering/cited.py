"""An answer as it streams: its text with the program's marks, and what its sentences stand on."""

import asyncio
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from engine import wanted
from engine.answering.claims import plain
from engine.answering.passages import Stretch
from engine.answering.spoken import LONGEST_SENTENCE, Said, Spoken
from engine.answering.support import Found, Passage, Support
from engine.safe_text import visible
from engine.wire.api_answer import Citation
from engine.wire.api_search import Hit

if TYPE_CHECKING:
    from engine.encoding.embedding import Encoder

Check = Callable[[str, Sequence[int]], Found | None]
"""Returns what passages have for a sentence, given the ranks that the model named; blocking. So is
what makes it, since it reads all passages."""

UNSUPPORTED = " [?]"
"""Stands after a sentence that no passage supports."""
AT_ONCE = 1000
"""Characters looked at in one go: more than a model sends at once, fewer than a hostile server."""
LARGEST_RANK = 100
"""Numbers in brackets from here on are no ranks, unless there is such a hit."""

_MARK = re.compile(r" \[(?:\d{1,3}|\?)\]")
_COURTESY = re.compile(
    r"\W*(?:sure|certainly|of course|okay|ok|yes|no|hello|hi|thanks|thank you|great question"
    r"|да|нет|конечно|ja|nein|是的?|不是?|好的?)\W*",
    re.IGNORECASE,
)
_ABOUT_THE_ANSWER = re.compile(
    r"^\W*(?:here (?:is|are)\b[^:：]*$|i hope\b|let me know\b|feel free\b|please (?:let|see)\b"
    r"|according to (?:the )?(?:passages?|documents?|context)\W*$)",
    re.IGNORECASE,
)
_SHOWN = r"(?:passages?|documents?|documentation|context|texts?|sources?|information|excerpts?)"
_SAY = r"(?:say|mention|contain|hold|provide|include|specify|state|answer|give|describe|tell|cover)"
_DOES_NOT_KNOW = re.compile(
    r"\bi (?:do not|don['’]t|cannot|can['’]t|could not|couldn['’]t|am unable to|am not sure)\b"
    rf"|\b{_SHOWN}(?: \w+){{0,4}} (?:do(?:es)? not|don['’]t|doesn['’]t|did not|didn['’]t)"
    rf"(?: \w+){{0,2}} {_SAY}"
    rf"|\bnot (?:\w+ ){{0,2}}(?:mentioned|specified|stated|given|provided|described|found|covered)"
    rf"(?: \w+){{0,3}} {_SHOWN}\b"
    rf"|\bno (?:\w+ )?(?:information|mention|answer)\b"
    r"|\bне знаю\b|\bне (?:сказано|указано|упомина)|\bweiß (?:es |ich )?nicht\b"
    r"|不知道|没有(?:提到|说明)",
    re.IGNORECASE,
)
_SAYS_MORE = re.compile(
    r"\w\W+(?:but|however|although|though|но|aber)\b\W+\w|^\W*(?:al)?though\b|[;；]\s*\w|但\w",
    re.IGNORECASE,
)
"""In a sentence that does not know: it knows something else."""


class Cited:
    """The text of one answer as it grows; append-only, however it is cut into pieces."""

    def __init__(
        self, hits: Sequence[Hit] = (), made: Callable[[], Check] | None = None, *, shown: str = ""
    ) -> None:
        """Without a check to make there are no marks, and what the model cites is only taken out.

        ``shown`` is the text of all passages: a list of numbers that stands there is no citation.
        """
        self.text = ""
        self.citations: list[Citation] = []
        self._hits = {hit.rank: hit for hit in hits}
        self._made = made
        self._making: asyncio.Task[Check] | None = None
        self._shown = shown
        self._spoken = Spoken(self._cites)
        self._marked = 0
        """Characters of all marks so far."""

    async def take(self, piece: str) -> str:
        """Return what a piece of the model's answer adds to the text.

        What nobody sees is left out: with it, a bracket would look like a mark and be none.
        """
        self._prepare()
        seen = visible(piece).replace("\r", "")
        added = []
        for begin in range(0, len(seen), AT_ONCE):
            added.append(await self._add(self._spoken.take(seen[begin : begin + AT_ONCE])))
            await asyncio.sleep(0)
        return "".join(added)

    async def rest(self, *, cut_off: bool = False) -> str:
        """Return what is left, at the end of the answer; half a sentence of it gets no mark."""
        return await self._add(self._spoken.rest(cut_off=cut_off))

    def _prepare(self) -> None:
        """Begin to read the passages: with the first word, so that the first sentence need not wait
        for it, and no sooner, since the model needs the processor for that word."""
        if self._made and self._making is None:
            self._making = asyncio.create_task(asyncio.to_thread(self._made))

    async def _add(self, parts: Iterator[str | Said]) -> str:
        added = [part if isinstance(part, str) else await self._mark(part) for part in parts]
        new = "".join(added)
        self.text += new
        return new

    async def _mark(self, said: Said) -> str:
        """Return the mark of a sentence; nothing for one that claims nothing."""
        self._prepare()
        if self._making is None or not claims_something(said.text):
            return ""
        check = await asyncio.shield(self._making)
        found = await wanted.in_thread(lambda: check(said.text, said.hints))
        if found is None:
            return ""
        whole = said.end - said.start <= LONGEST_SENTENCE  # of a longer one the rest is unknown
        place = self._hits.get(found.rank) if found.supported and whole else None
        begin, end = said.start + self._marked, said.end + self._marked
        self.citations.append(_citation(place, begin, end))
        mark = f" [{place.rank}]" if place else UNSUPPORTED
        self._marked += len(mark)
        return mark

    def _cites(self, word: str, text: str, numbers: Sequence[int]) -> bool:
        """Whether a bracket is a citation; ``[1, 5]`` or ``rows[1]`` in a passage is data."""
        if not all(0 < number < LARGEST_RANK or number in self._hits for number in numbers):
            return False
        if len(numbers) > 1 and text in self._shown:
            return False
        return not (word and word + text in self._shown)


def unmarked(answer: str) -> str:
    """Return an answer as the model wrote it, without the program's marks.

    >>> unmarked("Kites hover. [1] They sing. [?]")
    'Kites hover. They sing.'
    >>> unmarked("端口是 19530。 [1]它很快。 [?]")
    '端口是 19530。它很快。'
    """
    return _MARK.sub("", answer)


def claims_something(sentence: str) -> bool:
    """Whether a sentence says anything that a passage could support.

    >>> claims_something("The default port is 19530.")
    True
    >>> any(map(claims_something, ["Sure!", "Here is the answer:", "I don't know."]))
    False
    """
    said = sentence.strip().rstrip("*_` ")
    if not plain(said).strip() or said.endswith((":", "?", "：", "？")):
        return False
    if _COURTESY.fullmatch(said) or _ABOUT_THE_ANSWER.search(said):
        return False
    return not _DOES_NOT_KNOW.search(said) or bool(_SAYS_MORE.search(said))


def citing(
    question: str,
    hits: Sequence[Hit],
    around: Sequence[Stretch | None],
    encoder: "Encoder",
    _index: object = None,
) -> Cited:
    """Return an answer that begins, and is checked against ``hits`` and what stands around them.

    ``around`` is for the best of them, in their order.
    """
    passages = list(_passages(hits, around))
    shown = "\n".join(passage.text for passage in passages)
    return Cited(hits, lambda: Support(passages, question, encoder).find, shown=shown)


def _passages(hits: Sequence[Hit], around: Sequence[Stretch | None]) -> Iterator[Passage]:
    """Yield what may support an answer: the hits, then what the model saw beside them."""
    for hit in hits:
        yield Passage(hit.rank, hit.heading, hit.text)
    for hit, stretch in zip(hits, around, strict=False):
        for part in stretch.text.split(hit.text, 1) if stretch and hit.text else ():
            if part.strip():
                yield Passage(hit.rank, hit.heading, part)


def _citation(place: Hit | None, start: int, end: int) -> Citation:
    if place is None:
        return Citation(n=None, supported=False, start=start, end=end)
    return Citation(
        n=place.rank,
        path=place.path,
        start_line=place.start_line,
        end_line=place.end_line,
        location=place.location,
        supported=True,
        start=start,
        end=end,
    )
