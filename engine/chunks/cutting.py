"""Where a text is cut: the splitter's cuts, as offsets.

langchain-text-splitters decides where to cut. Its own search for where a piece stands can find an
earlier copy of the same words, so each character that is no separator is replaced by one that
tells its position: the cuts stay the same, and every piece says where it stands. Where a cut is
better or worse than the characters there tell, they are replaced by marks of ours.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.chunks import sentences

if TYPE_CHECKING:
    from langchain_text_splitters import RecursiveCharacterTextSplitter

_GAP, _WRAP = "\x1f", "\x1e"
"""Stand for the space behind a sentence, and for a line break inside one. Both are whitespace."""
PROSE = (r"\n\n", r"\r\n\r\n", r"\n", "(?<=[。！？])", " ", "")
"""Where prose may be cut, best first: the splitter's own list, with the paragraphs of files from
Windows and the sentences of languages without spaces."""
SENTENCES = (
    *(r"\n\n", r"\r\n\r\n", r"\n"),
    rf"{_GAP}|(?<=[。！？])(?![。！？”’」』）])|(?<=[。！？][”’」』）])",
    *(_WRAP, "(?<=[；，、])|(?<=[;,]) ", " ", ""),
)
"""Where prose may be cut if sentences are to be kept whole, and then clauses."""
STRETCH = 500_000
"""Characters that are split at a time: no more than there are code points to mark them with."""

_FIRST_MARK = 0x20000
_MARKED = re.compile(f"[{chr(_FIRST_MARK)}-{chr(_FIRST_MARK + STRETCH)}]")
_KEPT = "。！？”’」』）；，、;,"


@lru_cache(32)
def separators(language: str | None, at_sentences: bool) -> tuple[str, ...]:
    """Return the regular expressions at which a text may be cut, best first."""
    if not language:
        return SENTENCES if at_sentences else PROSE
    from langchain_text_splitters import Language, RecursiveCharacterTextSplitter

    return tuple(RecursiveCharacterTextSplitter.get_separators_for_language(Language(language)))


@lru_cache(32)
def _splitter(places: tuple[str, ...], size: int, overlap: int) -> "RecursiveCharacterTextSplitter":
    from langchain_text_splitters import RecursiveCharacterTextSplitter  # takes a second

    return RecursiveCharacterTextSplitter(
        separators=list(places),
        is_separator_regex=True,
        chunk_size=size,
        chunk_overlap=overlap,
    )


def spans(
    text: str,
    places: tuple[str, ...],
    size: int,
    overlap: int,
    joints: Sequence[tuple[int, int]] = (),
) -> Iterator[tuple[int, int]]:
    """Yield where the splitter's pieces stand in ``text``, each at most ``size`` characters long.

    ``text`` is no longer than ``STRETCH``. At ``joints`` no lines are parted.
    """
    marked = _mark(text, places, joints)
    start = end = 0
    for piece in _splitter(places, size, overlap).split_text(marked):
        mark = _MARKED.search(piece)
        if mark:
            start = ord(mark[0]) - _FIRST_MARK - mark.start()
        else:  # nothing but separators: at or before its place, so no later one is missed
            start = marked.index(piece, max(start, end - overlap))
        end = start + len(piece)
        if text[start:end].strip():
            yield start, end


def _mark(text: str, places: tuple[str, ...], joints: Sequence[tuple[int, int]]) -> str:
    """Replace each character that no cut depends on by the one that tells its position."""
    points = _points(text).copy()
    kept = np.isin(points, _always_kept())
    if places == SENTENCES:
        points[[*sentences.gaps(text)]] = ord(_GAP)
        points[[*sentences.wraps(text)]] = ord(_WRAP)
    elif places != PROSE:
        for separator in places:
            for match in re.finditer(separator, text):
                kept[match.start() : match.end()] = True
    for first, last in joints:
        kept[first:last] &= points[first:last] == ord(" ")
    marks = np.arange(_FIRST_MARK, _FIRST_MARK + len(points), dtype="<u4")
    return np.where(kept, points, marks).tobytes().decode("utf-32-le", "surrogatepass")


def _points(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


@lru_cache(1)
def _always_kept() -> NDArray[np.uint32]:
    """Return the code points of whitespace and of what ends sentences and clauses."""
    spaces = [point for point in range(0x3001) if chr(point).isspace()]
    return np.array([*spaces, *map(ord, _KEPT)], dtype=np.uint32)
