"""The manifest (SQLite): the truth about a folder's files, chunks and vectors.

Milvus is a cache of it. A file's rows change in one transaction, and only after the work they
describe has succeeded.
"""

import json
import logging
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from engine import paths
from engine.chunks.chunk import Chunk
from engine.errors import ManifestError
from engine.files.scan import Entry
from engine.part import Part, unpacked
from engine.paths import short_hash
from engine.storage import line_counts, names
from engine.storage.filters import Narrowing
from engine.storage.kept_vectors import KeptVectors
from engine.storage.manifest_file import EMBEDDED_TOTAL, ManifestFile, clear, set_aside
from engine.storage.texts import ReadText, Texts

log = logging.getLogger(__name__)

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A file as the manifest knows it."""

    id: int
    path: bytes
    size: int
    mtime_ns: int
    inode: int
    content: str
    recipe: str
    reason: str | None
    ctime_ns: int


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """A chunk together with the file it stands in."""

    row: int
    path: bytes
    chunk: Chunk


@dataclass(frozen=True, slots=True)
class FileUpdate:
    """What a file has become: its chunks, or the reason it has none."""

    file: int
    entry: Entry
    content: str
    recipe: str
    chunks: Sequence[Chunk] = ()
    reason: str | None = None
    tags: Sequence[str] = ()
    """Without case."""
    aliases: Sequence[str] = ()
    """Other names of it, without case."""
    lines: Sequence[int] = ()
    """Its lines as ``line_counts`` counts them, each once."""
    text: ReadText | None = None
    loader: str = ""
    """What read it, or tried to, in a person's words."""
    characters: int | None = None
    """Of its text; None where it has none."""
    seconds: float | None = None
    """What reading and splitting it took."""

    def refused(self, reason: str) -> "FileUpdate":
        """Return what it is without its text, which is kept out of the index for ``reason``."""
        return replace(
            self, content="", chunks=(), tags=(), aliases=(), lines=(), text=None, reason=reason
        )


def text_hash(text: str) -> bytes:
    """Identity of what is embedded of a chunk: 16 bytes, independent of file and place."""
    return bytes.fromhex(short_hash(text.encode("utf-8", "surrogatepass"), 32))


def row_id(file: int, text: bytes) -> int:
    """Primary key in Milvus of one text hash in one file: a signed 64-bit hash of the two."""
    digest = bytes.fromhex(short_hash(file.to_bytes(8, "little") + text, 16))
    return int.from_bytes(digest, "little", signed=True)


class Manifest:
    """One folder's manifest. Writes come from one thread at a time; reads from any."""

    def __init__(self, path: Path) -> None:
        """Open or create the file.

        Raises:
            sqlite3.DatabaseError: it is no sound SQLite database of this schema version.
            ManifestError: it cannot be opened for writing.
        """
        self._file = ManifestFile(path)
        self.texts = Texts(self._file)
        """The files' texts, which are there before their chunks."""
        self.vectors = KeptVectors(self._file)
        """What was embedded."""
        self.narrowing = Narrowing(self._file, self.texts)
        """Which files and chunks filters let in."""
        try:
            self._counts = self._count()
            self._last_id = self._find_last_id()
            self.embedded_total = int(self.fact(EMBEDDED_TOTAL) or 0)
            """Vectors saved since the manifest was made."""
        except ManifestError as error:
            self._file.close()
            if self._file.damaged:
                raise sqlite3.DatabaseError(str(error)) from error
            raise

    @property
    def damaged(self) -> bool:
        """Whether the file was found damaged; opened again, it is found so at once."""
        return self._file.damaged

    def see_that_it_is_there(self) -> None:
        """Make sure that what is saved is kept.

        Raises:
            ManifestError: the file was removed or replaced since it was opened; it is damaged then.
        """
        self._file.see_that_it_is_there()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    # --- facts and counts ---

    def fact(self, name: str) -> str | None:
        """Return a remembered value about the folder, such as when it was agreed to."""
        found = self._file.one("SELECT value FROM facts WHERE name = ?", (name,))
        return None if found is None else str(found[0])

    def set_fact(self, name: str, value: str) -> None:
        """Remember ``value`` under ``name``."""
        with self._file.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    def counts(self) -> tuple[int, int]:
        """Return the number of files that were read and of chunks in them; costs nothing."""
        return self._counts

    def _count(self) -> tuple[int, int]:
        ((files,),) = self._file.all("SELECT count(*) FROM files WHERE reason IS NULL")
        ((chunks,),) = self._file.all("SELECT count(*) FROM chunks")
        return files, chunks

    def _find_last_id(self) -> int:
        (last,) = self._file.one("SELECT coalesce(max(seq), 0) FROM sqlite_sequence") or (0,)
        return int(last)

    # --- files ---

    def files(self) -> dict[bytes, FileRecord]:
        """Return every known file by its path."""
        rows = self._file.all(
            "SELECT id, path, size, mtime_ns, inode, content, recipe, reason, ctime_ns FROM files"
        )
        return {row[1]: FileRecord(*row) for row in rows}

    def files_at(self, paths: Iterable[bytes]) -> dict[bytes, FileRecord]:
        """Return the known files among ``paths``."""
        statement = (
            "SELECT id, path, size, mtime_ns, inode, content, recipe, reason, ctime_ns FROM files "
            "WHERE path = ?"
        )
        with self._file.reads() as connection:
            rows = [connection.execute(statement, (path,)).fetchone() for path in paths]
        return {row[1]: FileRecord(*row) for row in rows if row}

    def holds_below(self, folder: bytes) -> bool:
        """Whether files are known in ``folder``, a path that ends with ``/``."""
        after = folder[:-1] + b"0"  # the byte that follows the slash
        found = self._file.one(
            "SELECT 1 FROM files WHERE path > ? AND path < ? LIMIT 1", (folder, after)
        )
        return found is not None

    def new_id(self) -> int:
        """Return a file id that was never used before."""
        self._last_id += 1
        return self._last_id

    def touch(self, entries: Iterable[tuple[int, Entry]]) -> None:
        """Record new stat values (and a new path) of files whose content is unchanged."""
        entries = list(entries)
        with self._file.transaction() as connection:
            connection.executemany(
                "UPDATE files SET path = ?, size = ?, mtime_ns = ?, inode = ?, ctime_ns = ? "
                "WHERE id = ?",
                [(e.path, e.size, e.mtime_ns, e.inode, e.ctime_ns, file) for file, e in entries],
            )
            connection.executemany(
                "UPDATE OR REPLACE documents SET path = ?1 WHERE file = ?2 AND path != ?1",
                [(entry.path, file) for file, entry in entries],
            )
        self.texts.changed()

    def save(
        self,
        updates: Sequence[FileUpdate],
        removed: Iterable[int] = (),
        *,
        model: str = "",
        vectors: dict[bytes, NDArray[np.float32]] | None = None,
    ) -> None:
        """Store what files have become, with new vectors, in one transaction."""
        doomed = [(file,) for file in removed]
        embedded_total = self.embedded_total + len(vectors or {})
        with self._file.transaction() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)",
                [(key, model, vector.tobytes()) for key, vector in (vectors or {}).items()],
            )
            if vectors:
                connection.execute(
                    "INSERT OR REPLACE INTO facts VALUES (?, ?)",
                    (EMBEDDED_TOTAL, str(embedded_total)),
                )
            touched = json.dumps([file for (file,) in doomed] + [u.file for u in updates])
            before = _counts_of(connection, touched)
            for (file,) in doomed:
                line_counts.count(connection, file, ())
            connection.executemany("DELETE FROM files WHERE id = ?", doomed)
            connection.executemany("DELETE FROM documents WHERE file = ?", doomed)
            for update in updates:
                _save_file(connection, update)
            after = _counts_of(connection, touched)
        if doomed:
            self.texts.changed()
        self.embedded_total = embedded_total
        files, chunks = self._counts
        self._counts = files + after[0] - before[0], chunks + after[1] - before[1]

    # --- chunks and vectors ---

    def rows_of(self, files: Iterable[int]) -> set[int]:
        """Return the Milvus rows of every chunk in ``files``."""
        rows = self._file.all(
            "SELECT DISTINCT row FROM chunks WHERE file IN (SELECT value FROM json_each(?))",
            (json.dumps(list(files)),),
        )
        return {row for (row,) in rows}

    def all_rows(self) -> set[int]:
        """Return the Milvus rows of all chunks."""
        return {row for (row,) in self._file.all("SELECT DISTINCT row FROM chunks")}

    def sources_of(self, rows: Iterable[int]) -> list[tuple[int, int, bytes]]:
        """Return Milvus row, file id and text hash of each of ``rows``."""
        return self._file.all(
            "SELECT DISTINCT row, file, text_hash FROM chunks "
            "WHERE row IN (SELECT value FROM json_each(?))",
            (json.dumps(list(rows)),),
        )

    def chunks_at(self, rows: Sequence[int]) -> dict[int, StoredChunk]:
        """Return the chunks behind Milvus rows; rows the manifest no longer holds are absent.

        A text that stands several times in a file is returned at its first place.
        """
        found = self._file.all(
            "SELECT row, path, start, end, text, start_line, end_line, part, heading, context, "
            "readable FROM chunks JOIN files ON files.id = chunks.file "
            "WHERE row IN (SELECT value FROM json_each(?)) ORDER BY position DESC",
            (json.dumps(list(rows)),),
        )
        return {row[0]: StoredChunk(row[0], row[1], _chunk(*row[2:])) for row in found}

    def chunks_of_text(
        self, texts: Iterable[str]
    ) -> list[tuple[bytes, str, int, int, Part | None]]:
        """Return path, text, lines and part of the chunks of one of these texts.

        It reads every chunk: about 0.1 s for 100 000 of them.
        """
        found = self._file.all(
            "SELECT path, text, start_line, end_line, part FROM chunks "
            "JOIN files ON files.id = chunks.file "
            "WHERE text IN (SELECT value FROM json_each(?))",
            (json.dumps(list(texts)),),
        )
        return [(*stands, unpacked(part)) for *stands, part in found]

    def read(self, look: Callable[[sqlite3.Connection], _T]) -> _T:
        """Return what ``look`` finds in the tables that modules of their own know."""
        with self._file.reads() as connection:
            return look(connection)

    def unread_files(self, limit: int) -> tuple[list[tuple[bytes, str]], int]:
        """Return path and reason of the first files that could not be read, and how many are."""
        listed = self._file.all(
            "SELECT path, reason FROM files WHERE reason IS NOT NULL ORDER BY path LIMIT ?",
            (limit,),
        )
        ((total,),) = self._file.all("SELECT count(*) FROM files WHERE reason IS NOT NULL")
        return [(path, reason) for path, reason in listed], total


def _chunk(start: int, end: int, text: str, first: int, last: int, *rest: Any) -> Chunk:
    part, heading, context, readable = rest
    return Chunk(start, end, text, first, last, unpacked(part), heading, context, readable)


def _counts_of(connection: sqlite3.Connection, files: str) -> tuple[int, int]:
    """Return what ``counts`` counts, among the files of a JSON list of ids."""
    counted: tuple[int, int] = connection.execute(
        "SELECT (SELECT count(*) FROM files WHERE id IN (SELECT value FROM json_each(?1)) "
        "AND reason IS NULL), "
        "(SELECT count(*) FROM chunks WHERE file IN (SELECT value FROM json_each(?1)))",
        (files,),
    ).fetchone()
    return counted


def _save_file(connection: sqlite3.Connection, update: FileUpdate) -> None:
    entry = update.entry
    connection.execute("DELETE FROM chunks WHERE file = ?", (update.file,))
    connection.execute(
        "INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT(id) DO UPDATE SET path = excluded.path, size = excluded.size, "
        "mtime_ns = excluded.mtime_ns, inode = excluded.inode, content = excluded.content, "
        "recipe = excluded.recipe, reason = excluded.reason, ctime_ns = excluded.ctime_ns, "
        "loader = excluded.loader, "
        "characters = excluded.characters, seconds = excluded.seconds",
        (
            update.file, entry.path, entry.size, entry.mtime_ns, entry.inode,
            update.content, update.recipe, update.reason, entry.ctime_ns,
            update.loader, update.characters, update.seconds,
        ),
    )  # fmt: skip
    connection.executemany(
        "INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                update.file, position, row_id(update.file, key), key, chunk.start, chunk.end,
                chunk.start_line, chunk.end_line, chunk.part and chunk.part.packed(),
                chunk.heading, chunk.text, chunk.context, chunk.readable,
            )
            for position, chunk in enumerate(update.chunks)
            for key in [text_hash(chunk.embedded)]
        ],
    )  # fmt: skip
    line_counts.count(connection, update.file, update.lines)
    names.save(connection, update.file, tags=update.tags, aliases=update.aliases)


def open_manifest(root: Path) -> Manifest:
    """Open the manifest of ``root``; a damaged one is set aside, and the folder is read again."""
    path = paths.make_private(paths.index_dir(root)) / "manifest.sqlite"
    clear(path.parent)
    try:
        return Manifest(path)
    except sqlite3.DatabaseError as error:
        set_aside(path)
        log.warning("%s was damaged (%s); it is set aside and made anew", path, error)
        return Manifest(path)
