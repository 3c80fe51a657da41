"""Which of the chunks that were found are shown as hits: duplicates folded, files shared out."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from engine.chunks.lexical import UNSPACED
from engine.figures import counted
from engine.storage.index import Found

ALIKE = 0.85
"""Two chunks say the same where they share this much of all their different words."""
LOOKED_AT = 4
"""Chunks that are looked at, at most, for each that is shown."""

NO_WORDS: frozenset[str] = frozenset()
"""Of a chunk that is like no other."""

_WORD = re.compile(rf"[{UNSPACED}]|(?:(?![{UNSPACED}])\w)+")


@dataclass(slots=True)
class Kept:
    """A chunk that is shown, and those that say nearly the same."""

    found: Found
    folded: list[Found] = field(default_factory=list)
    words: frozenset[str] = NO_WORDS


@dataclass(frozen=True, slots=True)
class Left:
    """A chunk that is not shown, and why."""

    found: Found
    reason: str


def choose(
    found: Iterable[Found], limit: int, *, per_file: int, fold: bool = True, to_the_end: bool = True
) -> tuple[list[Kept], list[Left]]:
    """Return up to ``limit`` chunks to show of ``found``, in order, and what was left out.

    ``per_file`` is how many there may be of one file, 0 for any number. With ``fold``, chunks that
    say nearly the same as a better one are folded into it. Not ``to_the_end``, what comes after the
    last that is shown is neither folded nor told.
    """
    kept: list[Kept] = []
    left: list[Left] = []
    shown: Counter[bytes] = Counter()
    for looked_at, one in enumerate(found):
        is_full = len(kept) == limit and not to_the_end
        if is_full or looked_at >= LOOKED_AT * limit:
            break
        path, words = one.stored.path, _words(one.stored.chunk.text) if fold else NO_WORDS
        same = next((other for other in kept if _alike(words, other.words)), None)
        if same:
            same.folded.append(one)
        elif per_file and shown[path] >= per_file:
            left.append(Left(one, f"{_better(per_file)} in the same file"))
        elif len(kept) < limit:
            kept.append(Kept(one, words=words))
            shown[path] += 1
        else:
            left.append(Left(one, f"it is below the first {limit}"))
    return kept, left


def _better(hits: int) -> str:
    return f"{counted(hits, 'better hit')} {'is' if hits == 1 else 'are'}"


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.casefold())) or frozenset([text])


def _alike(some: frozenset[str], others: frozenset[str]) -> bool:
    if len(some) < ALIKE * len(others) or len(others) < ALIKE * len(some):
        return False
    shared = len(some & others)
    return shared > 0 and shared >= ALIKE * (len(some) + len(others) - shared)
