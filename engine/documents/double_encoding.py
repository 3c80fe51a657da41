"""UTF-8 that was read as another encoding and saved again, such as ``CafÃ©``: noticed, repaired.

ftfy repairs, line by line, so that lines keep their numbers. Whether a file is repaired is decided
by what it holds all through: a text about the fault, which quotes some of it, stays as it is.
"""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

SAMPLE_LINES = 400
"""Lines by which it is decided …"""
SAMPLE_LINE = 2000
"""… of so many characters each, at most."""
FIXED = 0.8
"""The share of the characters beyond ASCII that must belong to the fault."""
QUOTED = 0.2
"""The share of faults between quotes or backticks from which a text is about them."""
BETTER = 0.25
"""What may be left of the sequences that nobody writes."""
MOST_SLOW = 5000
"""Lines that ftfy looks at one by one: at most 2 s of them."""


class Repaired(NamedTuple):
    """The text as it was meant, and the encoding as which it had been read."""

    text: str
    read_as: str


def _faults(encoding: str) -> str:
    """Return a pattern of what characters of two to four bytes become when read so."""

    def those(first: int, last: int) -> str:
        letters = (bytes([byte]).decode(encoding, "ignore") for byte in range(first, last + 1))
        undefined = (chr(byte) for byte in range(first, last + 1))
        return re.escape(
            "".join(dict.fromkeys([*letters, *undefined] if first < 0xA0 else letters))
        )

    more = f"[{those(0x80, 0xBF)} ]"  # a space is what many programs make of a no-break space
    long = rf"[{those(0xE0, 0xEF)}]{more}{{2}}|[{those(0xF0, 0xF4)}]{more}{{3}}"
    return rf"[{those(0xC2, 0xDF)}][{those(0x80, 0xBF)}]|{long}"


_FAULT = re.compile("|".join(map(_faults, ("cp1252", "mac_roman", "cp1251"))))
_SPLIT = re.compile(r"[^\0-\x7f]{1,4}\Z")
_QUOTED = re.compile(rf"[\"'`“‘«(](?:{_FAULT.pattern})+[\"'`”’»)]")


def repair(text: str) -> Repaired | None:
    """Return what ``text`` was meant to be; None where nothing, or too little, speaks for it."""
    if text.isascii() or not _FAULT.search(text):
        return None
    sample = [*islice(_telling_lines(text), SAMPLE_LINES)]
    read_as = _read_as(sample)
    return Repaired(_fixed(text, read_as), _name(read_as)) if read_as else None


def _telling_lines(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        if not line.isascii():
            beginning = line[:SAMPLE_LINE]
            # A fault that is cut in two could not be repaired.
            yield line if beginning == line else _SPLIT.sub("", beginning)


def _read_as(sample: list[str]) -> str | None:
    """Return the encoding as which most of the lines were read, as ftfy calls it."""
    whole = "\n".join(sample)
    faults = len(_FAULT.findall(whole))
    if len(_QUOTED.findall(whole)) > QUOTED * faults:
        return None
    from ftfy import fix_encoding_and_explain  # 40 ms, and most texts are sound
    from ftfy.badness import badness

    fixed, seen = [], Counter[str]()
    foreign = 0
    for line in sample:
        made = fix_encoding_and_explain(line)
        steps = made.explanation or []
        seen.update(step.parameter for step in steps[:1] if step.action == "encode")
        if made.text == line:
            foreign += _beyond_ascii(line)
        fixed.append(made.text)
    if not seen or foreign > (1 - FIXED) * _beyond_ascii(whole):
        return None
    if badness("\n".join(fixed)) > BETTER * badness(whole):
        return None
    (best, lines), *_ = seen.most_common(1)
    return best if lines * 2 >= len(sample) else None


def _beyond_ascii(text: str) -> int:
    return len(text) - len(text.encode("ascii", "ignore"))


def _fixed(text: str, read_as: str) -> str:
    """Return ``text`` with each line repaired: at once where it goes, else by ftfy."""
    from ftfy import fix_encoding

    lines = text.split("\n")
    slow = 0
    for at, line in enumerate(lines):
        if line.isascii() or not _FAULT.search(line):
            continue
        try:
            lines[at] = line.encode(read_as).decode("utf-8")
        except UnicodeError:
            slow += 1 + len(line) // SAMPLE_LINE
            if slow <= MOST_SLOW:
                lines[at] = fix_encoding(line)
    return "\n".join(line.replace("\n", " ") for line in lines)


def _name(encoding: str) -> str:
    return encoding.replace("sloppy-windows-", "cp").replace("macroman", "mac_roman")
