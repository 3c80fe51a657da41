"""Filters → ids: which files may be found, and which of their chunks.

Names, tags and days are compared here, words by RE2 in the texts; what leaves is numbers alone, so
that nothing a person typed or named a file ever stands in a Milvus filter.
"""

import json
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import TYPE_CHECKING

from engine import wanted
from engine.chunks.lexical import is_unspaced
from engine.errors import UsageError
from engine.files import ignore
from engine.storage.manifest_file import ManifestFile
from engine.storage.patterns import NOT_AFTER_WORD, NOT_BEFORE_WORD, SPACE, SURROGATES
from engine.storage.texts import Texts
from engine.wire.api_search import Filters

if TYPE_CHECKING:
    from re2 import _Regexp as Pattern

Keeps = Callable[[bytes], bool]
"""Whether a text in UTF-8 has the phrases, and none of the words, that filters name."""
_File = tuple[int, bytes, int | None]
"""Id, path and time of change of a file; None for one that was not embedded yet."""
_LetsIn = Callable[[_File], bool]

FEW_ROWS = 1000
"""So many may be listed in a Milvus filter."""
FEW_FILES = 1000
"""Of more files it is looked whether all others are fewer, since Milvus takes long over lists."""

_ANY_TIME = range(-(2**63), 2**63)


@dataclass(frozen=True, slots=True)
class Selection:
    """What filters let in; None where they say nothing."""

    files: set[int] | None = None
    """Ids of the files that may be found …"""
    among: str = ""
    """… as a Milvus filter."""
    rows: set[int] | None = None
    """Milvus rows of the chunks that hold every phrase, in those files."""
    barred: set[int] = field(default_factory=set)
    """Milvus rows of chunks that hold a word to be without."""
    notices: tuple[str, ...] = ()
    """Filters that nothing meets, in a person's words."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing can be found."""
        return self.files == set() or self.rows == set()

    def ways(self, limit: int, rows: int) -> Iterator[tuple[int, str]]:
        """Yield how ``limit`` of ``rows`` rows may be asked for, the next if one finds too few.

        A way is how many are asked for and a Milvus filter. Milvus takes long over long lists of
        rows (0.3 s for 10 000), so more are asked for, and sorted out afterwards, before that.
        """
        among = self.among
        few = self.rows is not None and len(self.rows) <= FEW_ROWS
        if self.rows is None and not self.barred:
            yield limit, among
            return
        if not few:
            left = len(self.rows) if self.rows is not None else rows - len(self.barred)
            yield 4 * limit * rows // max(1, left), among
        rows_let_in = None if self.rows is None else self.rows - self.barred
        if rows_let_in is not None:
            yield limit, f"id in {sorted(rows_let_in)}"
        else:
            barred = f"id not in {sorted(self.barred)}"
            yield limit, f"{among} and {barred}" if among else barred

    def has_row(self, row: int) -> bool:
        """Whether the chunk of a Milvus row is let in by its words."""
        return (self.rows is None or row in self.rows) and row not in self.barred


class Narrowing:
    """Applies filters to what a manifest knows. Reads only, from any thread."""

    def __init__(self, file: ManifestFile, texts: Texts) -> None:
        self._file, self._texts = file, texts

    def select(self, filters: Filters) -> Selection:
        """Return what ``filters`` let in; blocking.

        Raises:
            UsageError: a path is no pattern.
            ManifestError: the manifest can't be read.
        """
        files, notices = self.files(filters)
        rows = self._rows_with_all(filters.phrases, files)
        barred = set().union(*(self.rows_with(word, files) for word in filters.without))
        if rows == set() and files != set():
            quoted = " and ".join(f'"{phrase}"' for phrase in filters.phrases)
            notices = (*notices, f"no chunk holds {quoted} word for word")
        return Selection(files, self._among(files), rows, barred, notices)

    def _among(self, files: set[int] | None) -> str:
        """Return the Milvus filter for ``files``, by their ids or, where that is shorter, others'.

        A file that is read from now on has a greater id than any.
        """
        if files is None:
            return ""
        if len(files) > FEW_FILES:
            ids = self._file.all("SELECT id FROM files UNION SELECT file FROM documents")
            known = {file for (file,) in ids}
            others = known - files
            if 0 < len(others) < len(files):
                return f"file not in {sorted(others)} and file <= {max(known)}"
        return f"file in {sorted(files)}"

    def files(self, filters: Filters) -> tuple[set[int] | None, tuple[str, ...]]:
        """Return the files that paths, types, tags and days let in, and what nothing meets."""
        asked = [
            *_by_name(filters),
            *((f"tagged {tag}", self._tagged([tag])) for tag in filters.tags),
        ]
        times = _times(filters)
        bars = filters.not_paths or filters.not_types or filters.not_tags
        if not (asked or bars or times != _ANY_TIME):
            return None, ()
        barring = _at(filters.not_paths), _of_types(filters.not_types)
        known = self._known()
        left, notices = known, []
        for what, let_in in asked:
            if not any(map(let_in, known)):
                notices.append(f"no file is {what}")
            left = [*filter(let_in, left)]
        if times != _ANY_TIME:
            left = [one for one in left if one[2] is not None and one[2] in times]
            if not left and not notices:
                notices.append("no such file was modified in that time")
        for barred in (*barring, self._tagged(filters.not_tags)):
            left = [one for one in left if not barred(one)]
        return {file for file, _, _ in left}, tuple(notices)

    def is_one_file(self, selection: Selection) -> bool:
        """Whether ``selection`` lets in no more than one file."""
        if selection.files is not None:
            return len(selection.files) <= 1
        some = self._file.all("SELECT id FROM files WHERE reason IS NULL LIMIT 2")
        return len(some) <= 1

    def newest_rows(self, selection: Selection, most: int, per_file: int = 0) -> list[int]:
        """Return Milvus rows that ``selection`` lets in, of the newest files first, in their order.

        ``per_file`` limits how many are of one file, unless it is 0.
        """
        found: dict[int, None] = {}
        newest = self._file.all(
            "SELECT id FROM files WHERE reason IS NULL ORDER BY mtime_ns DESC, path"
        )
        for (file,) in newest:
            left = most - len(found)
            if left <= 0:
                break
            if selection.files is None or file in selection.files:
                rows = self._file.all(
                    "SELECT row FROM chunks WHERE file = ? ORDER BY position", (file,)
                )
                let_in = dict.fromkeys(row for (row,) in rows if selection.has_row(row))
                found.update(dict.fromkeys([*let_in][: min(left, per_file or left)]))
        return [*found]

    def _known(self) -> list[_File]:
        return self._file.all(
            "SELECT id, path, mtime_ns FROM files UNION ALL SELECT file, path, NULL FROM documents "
            "WHERE file NOT IN (SELECT id FROM files)"
        )

    def _tagged(self, tags: Iterable[str]) -> _LetsIn:
        """Return the test for files that have one of ``tags``, or one below it."""
        found: set[int] = set()
        for tag in tags:
            name = tag.strip().lstrip("#").rstrip("/").casefold()
            rows = self._file.all(
                "SELECT file FROM tags WHERE tag = ?1 OR (tag > ?1 || '/' AND tag < ?1 || '0')",
                (name,),
            )
            found.update(file for (file,) in rows)
        return lambda one: one[0] in found

    def _rows_with_all(
        self, phrases: Collection[str], files: Collection[int] | None
    ) -> set[int] | None:
        rows = None
        for phrase in phrases:
            found = self.rows_with(phrase, files)
            rows = found if rows is None else rows & found
        return rows

    def rows_with(self, phrase: str, files: Collection[int] | None) -> set[int]:
        """Return the rows of ``files``, or of all, whose chunks hold ``phrase``."""
        held = holding(phrase)
        in_files = []
        for stored in self._texts.all() if files is None else self._texts.of(files):
            wanted.check()
            if held.search(stored.text):
                in_files.append(stored.file)
        rows = self._file.all(
            "SELECT row, CAST(text AS BLOB) FROM chunks "
            "WHERE file IN (SELECT value FROM json_each(?))",
            (json.dumps(in_files),),
        )
        return {row for row, text in rows if held.search(text)}


def keeps(filters: Filters) -> Keeps | None:
    """Return the test of a text for phrases and words to be without; None if there are none."""
    if not (filters.phrases or filters.without):
        return None
    wanted = [*map(holding, filters.phrases)]
    barred = [*map(holding, filters.without)]

    def test(text: bytes) -> bool:
        return all(phrase.search(text) for phrase in wanted) and not any(
            word.search(text) for word in barred
        )

    return test


@lru_cache(64)
def holding(phrase: str) -> "Pattern":
    """Return the expression that finds ``phrase``: whole words, whatever their case and blanks.

    Where scripts have no blanks between words, it finds the phrase in the middle of others.
    """
    import re2

    words = SURROGATES.sub("\ufffd", phrase).split()
    between = f"[{SPACE}]+".join(re2.escape(word) for word in words)
    before = NOT_AFTER_WORD if words and _is_part_of_word(words[0][0]) else ""
    after = NOT_BEFORE_WORD if words and _is_part_of_word(words[-1][-1]) else ""
    options = re2.Options()
    options.case_sensitive = options.log_errors = False
    options.never_capture = True
    try:
        return re2.compile(f"{before}{between}{after}".encode(), options)
    except re2.error:
        raise UsageError("a phrase is too long", "Leave some of its words out") from None


def _is_part_of_word(character: str) -> bool:
    return (character.isalnum() or character == "_") and not is_unspaced(character)


def _by_name(filters: Filters) -> list[tuple[str, _LetsIn]]:
    """Return what paths and types ask for, in words, and its tests."""
    asked: list[tuple[str, _LetsIn]] = []
    if filters.paths:
        asked.append((f"at {' or '.join(filters.paths)}", _at(filters.paths)))
    if filters.types:
        asked.append((f"of type {' or '.join(filters.types)}", _of_types(filters.types)))
    return asked


def _of_types(types: Iterable[str]) -> _LetsIn:
    """Return the test for files whose name ends in one of ``types``, in any case."""
    raw = tuple(os.fsencode(f".{ending.strip().lstrip('.').casefold()}") for ending in types)
    return lambda one: one[1].lower().endswith(raw)


def _at(patterns: Iterable[str]) -> _LetsIn:
    """Return the test for files that are, or lie below, what one of ``patterns`` names.

    They are read like lines of an ignore file: ``guide`` is a name anywhere, ``guide/**`` and
    ``/guide`` are at the top. One without capitals ignores case.
    """
    regexes = [(_regexes(pattern), pattern == pattern.lower()) for pattern in patterns]

    def test(one: _File) -> bool:
        path = os.fsdecode(one[1]).replace("\n", "\ufffd")  # which no pattern crosses
        lower = path.lower()
        return any(
            regex.match(lower if ignores_case else path)
            for some, ignores_case in regexes
            for regex in some
        )

    return test


def _regexes(pattern: str) -> list[re.Pattern[str]]:
    found = [one.regex for one in ignore.compiled((_line(pattern),)).patterns if one.regex]
    if not found:
        raise UsageError(
            f"{pattern} is no pattern of paths", "Such are: guide, guide/**, *.md, notes/2026-*"
        )
    return found


def _line(pattern: str) -> str:
    """Return the line of an ignore file that means ``pattern``: here, none is negative."""
    pattern = re.sub(r"^(?:\./)+", "/", pattern.strip())
    return f"\\{pattern}" if pattern.startswith(("!", "#")) else pattern


def _times(filters: Filters) -> range:
    """Return the nanoseconds since 1970 within the days of ``filters``, by the clock of here."""
    begin = _midnight(filters.after) if filters.after else _ANY_TIME.start
    end = _midnight(filters.before) if filters.before else _ANY_TIME.stop
    return range(begin, max(begin, end))


def _midnight(day: str) -> int:
    first = date.fromisoformat(day)
    if not 1902 <= first.year <= 2200:  # what no clock knows
        return _ANY_TIME.start if first.year < 1902 else _ANY_TIME.stop
    local = datetime.combine(first, time()).astimezone()
    return int((local - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * 10**9
