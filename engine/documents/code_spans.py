"""Where code stands in Markdown: there, marks are no markup."""

import re
from collections.abc import Iterator

_LINE = re.compile(r"[^\n]*\n?")
_FENCE = re.compile(r"[ \t>]*(`{3,}(?=[^`\n]*$)|~{3,})", re.MULTILINE)
_ITEM = re.compile(r" {0,3}(?:[-*+]|\d{1,9}[.)])[ \t]")
_RUN = re.compile(r"(?<!\\)`+|\n(?=[ \t\r]*\n)")

HIDDEN = "\0"
"""What stands for each character of code in ``without_code``; no document holds it."""


def without_code(text: str, begin: int = 0) -> str:
    """Return ``text`` with every character of code, and of what is before ``begin``, hidden."""
    pieces, done = [HIDDEN * begin], begin
    for start, end in [*code_spans(text, begin)]:
        pieces += text[done:start], HIDDEN * (end - start)
        done = end
    return "".join([*pieces, text[done:]])


def code_spans(text: str, begin: int = 0) -> Iterator[tuple[int, int]]:
    """Yield where code stands, from ``begin`` on: in fences, indented, or between backticks."""
    done = begin
    for start, end in _blocks(text, begin):
        yield from _inline(text, done, start)
        yield start, end
        done = end
    yield from _inline(text, done, len(text))


def _blocks(text: str, begin: int) -> Iterator[tuple[int, int]]:
    """Yield blocks of code; one that is indented stands outside lists, after a blank line."""
    if not re.search(r"```|~~~|^(?: {4}|\t)", text[begin:], re.MULTILINE):
        return
    opened, fence = begin, ""
    may_be_code, in_list = True, False
    for match in _LINE.finditer(text, begin):
        start, end, line = match.start(), match.end(), match[0]
        mark = _FENCE.match(line)
        if fence:
            if mark and mark[1].startswith(fence) and not line[mark.end() :].strip(" \t\r\n`~"):
                yield opened, end
                fence = ""
        elif mark:
            opened, fence, may_be_code = start, mark[1], False
        elif not line.strip():
            may_be_code = True
        elif line.startswith(("    ", "\t")) and may_be_code and not in_list:
            yield start, end
        else:
            may_be_code = False
            if not line.startswith((" ", "\t")) or _ITEM.match(line):
                in_list = bool(_ITEM.match(line))
    if fence:
        yield opened, len(text)


def _inline(text: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield spans between runs of as many backticks, inside one paragraph."""
    runs = [(match.start(), match.end()) for match in _RUN.finditer(text, begin, end)]
    partner: dict[int, int] = {}
    following: dict[int, int] = {}
    for at in range(len(runs) - 1, -1, -1):
        start, stop = runs[at]
        if text[start] == "\n":
            following.clear()
            continue
        if stop - start in following:
            partner[at] = following[stop - start]
        following[stop - start] = at
    at = 0
    while at < len(runs):
        if at in partner:
            yield runs[at][0], runs[partner[at]][1]
            at = partner[at]
        at += 1
