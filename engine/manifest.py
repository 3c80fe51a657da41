"""The manifest (SQLite): the truth about a folder's files, chunks and vectors.

Milvus is a cache of it. A file's rows change in one transaction, and only after the work they
describe has succeeded. One connection writes; each reading thread has its own and waits for none.
"""

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.chunk import Chunk
from engine.errors import ManifestError
from engine.paths import short_hash
from engine.scan import Entry

SCHEMA_VERSION = 1
"""Another version on disk is set aside and the folder is read again."""

_SCHEMA = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE files (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    path BLOB NOT NULL UNIQUE,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    inode INTEGER NOT NULL,
    content TEXT NOT NULL,      -- hash of the bytes; empty when they could not be read
    recipe TEXT NOT NULL,       -- loader, chunker and sizes that made the chunks
    reason TEXT                 -- why the file has no chunks; NULL when it was read
);
CREATE TABLE chunks (
    file INTEGER NOT NULL REFERENCES files(id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    row INTEGER NOT NULL,       -- primary key in Milvus
    text_hash BLOB NOT NULL,
    start INTEGER NOT NULL,
    end INTEGER NOT NULL,
    start_line INTEGER NOT NULL,
    end_line INTEGER NOT NULL,
    page INTEGER,
    heading TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (file, position)
);
CREATE INDEX chunks_by_row ON chunks(row);
CREATE INDEX chunks_by_text ON chunks(text_hash);
CREATE TABLE vectors (
    text_hash BLOB NOT NULL,
    model TEXT NOT NULL,
    vector BLOB NOT NULL,       -- float32, little endian
    PRIMARY KEY (text_hash, model)
);
"""


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


def text_hash(text: str) -> bytes:
    """Identity of a chunk's text: 16 bytes, independent of file and place."""
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
        self._path = path
        self._own = threading.local()
        self._readers: list[sqlite3.Connection] = []
        try:
            self._writer = self._open()
            # Damage in the middle of the file shows only here, or in the middle of the work.
            (verdict,) = self._writer.execute("PRAGMA quick_check(1)").fetchone()
        except sqlite3.OperationalError as error:
            raise ManifestError(
                f"{path} can't be opened: {error}",
                "Check that the folder exists, is yours and is not on a full or read-only disk",
            ) from error
        if verdict != "ok":
            self._writer.close()
            raise sqlite3.DatabaseError(verdict)

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, isolation_level=None, check_same_thread=False, timeout=10
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == 0:
            connection.executescript(
                f"BEGIN; {_SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
            )
        elif version != SCHEMA_VERSION:
            connection.close()
            raise sqlite3.DatabaseError(f"schema {version}, this is {SCHEMA_VERSION}")
        return connection

    def close(self) -> None:
        """Close every connection; the WAL is folded back into the file."""
        for reader in self._readers:
            reader.close()
        self._writer.close()

    # --- facts and counts ---

    def fact(self, name: str) -> str | None:
        """Return a remembered value about the folder, such as when it was agreed to."""
        found = self._one("SELECT value FROM facts WHERE name = ?", (name,))
        return None if found is None else str(found[0])

    def set_fact(self, name: str, value: str) -> None:
        """Remember ``value`` under ``name``."""
        with self._transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    def counts(self) -> tuple[int, int]:
        """Return the number of files that were read and of chunks in them."""
        found = self._one(
            "SELECT (SELECT count(*) FROM files WHERE reason IS NULL), "
            "(SELECT count(*) FROM chunks)"
        )
        assert found is not None
        return found[0], found[1]

    # --- files ---

    def files(self) -> dict[bytes, FileRecord]:
        """Return every known file by its path."""
        rows = self._all(
            "SELECT id, path, size, mtime_ns, inode, content, recipe, reason FROM files"
        )
        return {row[1]: FileRecord(*row) for row in rows}

    def files_at(self, paths: Iterable[bytes]) -> dict[bytes, FileRecord]:
        """Return the known files among ``paths``."""
        statement = (
            "SELECT id, path, size, mtime_ns, inode, content, recipe, reason FROM files "
            "WHERE path = ?"
        )
        with self._reads() as connection:
            rows = [connection.execute(statement, (path,)).fetchone() for path in paths]
        return {row[1]: FileRecord(*row) for row in rows if row}

    def reserve_ids(self, paths: Sequence[bytes]) -> dict[bytes, int]:
        """Return a file id for each path: the known one, or a new one that is never reused."""
        known = {path: record.id for path, record in self.files_at(paths).items()}
        new = [path for path in paths if path not in known]
        (last,) = self._one("SELECT coalesce(max(seq), 0) FROM sqlite_sequence") or (0,)
        return known | {path: last + number for number, path in enumerate(new, 1)}

    def touch(self, entries: Iterable[tuple[int, Entry]]) -> None:
        """Record new stat values (and a new path) of files whose content is unchanged."""
        with self._transaction() as connection:
            connection.executemany(
                "UPDATE files SET path = ?, size = ?, mtime_ns = ?, inode = ? WHERE id = ?",
                [(e.path, e.size, e.mtime_ns, e.inode, file) for file, e in entries],
            )

    def save(
        self,
        updates: Iterable[FileUpdate],
        removed: Iterable[int] = (),
        *,
        model: str = "",
        vectors: dict[bytes, NDArray[np.float32]] | None = None,
    ) -> None:
        """Store what files have become, with new vectors, in one transaction."""
        with self._transaction() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)",
                [(key, model, vector.tobytes()) for key, vector in (vectors or {}).items()],
            )
            connection.executemany("DELETE FROM files WHERE id = ?", [(f,) for f in removed])
            for update in updates:
                _save_file(connection, update)

    # --- chunks and vectors ---

    def rows_of(self, files: Iterable[int]) -> set[int]:
        """Return the Milvus rows of every chunk in ``files``."""
        rows = self._all(
            "SELECT DISTINCT row FROM chunks WHERE file IN (SELECT value FROM json_each(?))",
            (json.dumps(list(files)),),
        )
        return {row for (row,) in rows}

    def all_rows(self) -> dict[int, tuple[int, bytes]]:
        """Return Milvus row → (file id, text hash) of every chunk."""
        rows = self._all("SELECT DISTINCT row, file, text_hash FROM chunks")
        return {row: (file, key) for row, file, key in rows}

    def chunks_at(self, rows: Sequence[int]) -> dict[int, StoredChunk]:
        """Return the chunks behind Milvus rows; rows the manifest no longer holds are absent.

        A text that stands several times in a file is returned at its first place.
        """
        found = self._all(
            "SELECT row, path, start, end, text, start_line, end_line, page, heading "
            "FROM chunks JOIN files ON files.id = chunks.file "
            "WHERE row IN (SELECT value FROM json_each(?)) ORDER BY position DESC",
            (json.dumps(list(rows)),),
        )
        return {row[0]: StoredChunk(row[0], row[1], Chunk(*row[2:])) for row in found}

    def vectors_of(self, keys: Iterable[bytes], model: str) -> dict[bytes, NDArray[np.float32]]:
        """Return the known vectors of text hashes under ``model``."""
        statement = "SELECT vector FROM vectors WHERE text_hash = ? AND model = ?"
        found = {}
        with self._reads() as connection:
            for key in keys:
                if row := connection.execute(statement, (key, model)).fetchone():
                    found[key] = np.frombuffer(row[0], dtype="<f4")
        return found

    def files_without_vectors(self, model: str) -> set[int]:
        """Return the files that hold a chunk with no vector under ``model``; reads every chunk."""
        rows = self._all(
            "SELECT DISTINCT file FROM chunks WHERE NOT EXISTS (SELECT 1 FROM vectors "
            "WHERE vectors.text_hash = chunks.text_hash AND model = ?)",
            (model,),
        )
        return {row[0] for row in rows}

    def unread_files(self) -> list[tuple[bytes, str]]:
        """Return path and reason of every file that has no chunks because it was not read."""
        return [
            (path, reason)
            for path, reason in self._all(
                "SELECT path, reason FROM files WHERE reason IS NOT NULL ORDER BY path"
            )
        ]

    # --- plumbing ---

    def _all(self, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with self._reads() as connection:
            return connection.execute(statement, values).fetchall()

    def _one(self, statement: str, values: Sequence[object] = ()) -> tuple[Any, ...] | None:
        rows = self._all(statement, values)
        return rows[0] if rows else None

    @contextmanager
    def _reads(self) -> Iterator[sqlite3.Connection]:
        """Give each thread a connection of its own, so that none waits for another."""
        try:
            reader: sqlite3.Connection | None = getattr(self._own, "reader", None)
            if reader is None:
                reader = self._own.reader = self._open()
                self._readers.append(reader)
            yield reader
        except sqlite3.Error as error:
            raise ManifestError(f"{self._path} can't be read: {error}") from error

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise
            self._writer.execute("COMMIT")
        except sqlite3.DatabaseError as error:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            raise ManifestError(f"{self._path} can't be written: {error}") from error


def _save_file(connection: sqlite3.Connection, update: FileUpdate) -> None:
    entry = update.entry
    connection.execute("DELETE FROM files WHERE path = ? AND id != ?", (entry.path, update.file))
    connection.execute("DELETE FROM chunks WHERE file = ?", (update.file,))
    connection.execute(
        "INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(id) DO UPDATE SET "
        "path = excluded.path, size = excluded.size, mtime_ns = excluded.mtime_ns, "
        "inode = excluded.inode, content = excluded.content, recipe = excluded.recipe, "
        "reason = excluded.reason",
        (
            update.file, entry.path, entry.size, entry.mtime_ns, entry.inode,
            update.content, update.recipe, update.reason,
        ),
    )  # fmt: skip
    connection.executemany(
        "INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                update.file, position, row_id(update.file, key), key, chunk.start, chunk.end,
                chunk.start_line, chunk.end_line, chunk.page, chunk.heading, chunk.text,
            )
            for position, chunk in enumerate(update.chunks)
            for key in [text_hash(chunk.text)]
        ],
    )  # fmt: skip
