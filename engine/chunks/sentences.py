"""Where sentences end in prose, and which line breaks are mere wrapping."""

import re
from collections.abc import Iterator
from functools import lru_cache

SENTENCE_END = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’»)\]*_`]*+(\s+)|(?<=[。！？])[”’」』）]*()")
"""What may end a sentence; group 1 is the space behind it, group 2 stands where there is none."""
ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|cf|vs|al|ca|approx|resp|Dr|Mr|Mrs|Ms|Prof|St|Jr|Sr|Fig|Figs|Eq|Sec|"
    r"No|Nos|Vol|pp?|Inc|Ltd|Co|Corp|Gen|Col|Lt|Sgt|Rev|Hon|Jan|Feb|Mar|Apr|Aug|Sept?|Oct|Nov|Dec"
    r"|[A-Za-zА-Яа-яЁё]|[a-z]\.[a-z]|[A-Z]\.[A-Z]|др|см|рис|стр|табл|им|ул|тыс|млн|млрд|руб|проф|"
    r"акад|гл|напр|ср|bzw|usw|ggf|Nr|Abs|Art))\.$"
)
"""The end of a text that ends in a point, and no sentence with it."""

_UNSPACED_END = re.compile("[。！？][”’」』）]*")
_FENCE = re.compile(r"[ \t>]*(?:```|~~~)")
_NUMBER = re.compile(r"(?:^|\n)[ \t>]*\d{1,3}[.)]$")
_LONGEST_ABBREVIATION = 12
_LEAST_WRAPPED = 40
"""Characters of a line that may have been wrapped: shorter ones are meant as lines."""


def gaps(text: str) -> Iterator[int]:
    """Yield where a space follows the end of a sentence, whatever letter comes next."""
    for match in SENTENCE_END.finditer(text):
        at = match.start(1)
        if at > 0 and "\n" not in match[1] and not _goes_on(text, at):
            yield at


def first_whole(text: str) -> int:
    """Return where the first whole sentence or line of ``text`` begins, or at least a word."""
    ends = [text.find("\n"), next(gaps(text), -1)]
    if dense := _UNSPACED_END.search(text):
        ends.append(dense.end())
    found = [end for end in ends if 0 < end < len(text)]
    return min(found) if found else max(0, text.find(" "))


def _goes_on(text: str, at: int) -> bool:
    """Whether the point before ``at`` belongs to an abbreviation, or to the number of an item."""
    least = max(0, at - _LONGEST_ABBREVIATION)
    begin = max(text.rfind(" ", least, at), text.rfind("\n", least, at)) + 1
    if begin < least:
        return False
    return _is_abbreviated(text[begin:at]) or bool(_NUMBER.search(text, least, at))


@lru_cache(10_000)
def _is_abbreviated(word: str) -> bool:
    return bool(ABBREVIATION.search(word))


def wraps(text: str) -> Iterator[int]:
    """Yield the line breaks inside a sentence of prose: those that only keep lines short."""
    in_code = False
    begin = 0
    while (end := text.find("\n", begin)) >= 0:
        if _FENCE.match(text, begin, end):
            in_code = not in_code
        elif not in_code and end - begin >= _LEAST_WRAPPED and _runs_on(text, begin, end):
            yield end
        begin = end + 1


def _runs_on(text: str, begin: int, end: int) -> bool:
    """Whether the line ``text[begin:end]`` ends in a sentence that the next line takes up."""
    first = _first_of_line(text, end + 1)
    own = _first_of_line(text, begin)
    return first.islower() and own not in "|" and text[begin:end].rstrip()[-1:] not in ".!?…:|"


def _first_of_line(text: str, begin: int) -> str:
    """Return the first character of a line; a space where the line is set in by four or more."""
    for at in range(begin, min(begin + 4, len(text))):
        if text[at] != " ":
            return text[at]
    return " "
