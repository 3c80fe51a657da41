"""The SQLite file of a manifest: opening and checking it, reading and writing.

One connection writes; each reading thread has its own and waits for none. On a network file system
SQLite can't share memory among them: a rollback journal is kept there, and readers wait for the
moment in which a transaction is written down.
"""

import contextlib
import logging
import shutil
import sqlite3
import stat
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engine import mounts
from engine.errors import ManifestError
from engine.storage import seal

log = logging.getLogger(__name__)

SCHEMA_VERSION = 5
"""Another version on disk is set aside and the folder is read again, unless it can be brought up
to this one."""
_DOCUMENTS = """
CREATE TABLE documents (        -- texts as they were read, which may be before they are embedded
    file INTEGER PRIMARY KEY,
    path BLOB NOT NULL UNIQUE,
    places TEXT NOT NULL,       -- JSON: where parts begin, which line of the file made which text
    text TEXT NOT NULL
);
CREATE TABLE tags (
    file INTEGER NOT NULL REFERENCES files(id) ON DELETE CASCADE,
    tag TEXT NOT NULL,          -- as it is compared: without case
    PRIMARY KEY (file, tag)
) WITHOUT ROWID;
CREATE TABLE aliases (
    file INTEGER NOT NULL REFERENCES files(id) ON DELETE CASCADE,
    alias TEXT NOT NULL,        -- without case
    PRIMARY KEY (file, alias)
) WITHOUT ROWID;
CREATE TABLE lines (            -- what line_counts.py counts of a file
    file INTEGER PRIMARY KEY REFERENCES files(id) ON DELETE CASCADE,
    hashes BLOB NOT NULL        -- signed 64-bit integers, little endian
);
CREATE TABLE line_files (       -- in how many files a line stands
    line INTEGER PRIMARY KEY,
    files INTEGER NOT NULL
);
"""
_UPDATES = {
    2: "ALTER TABLE files ADD COLUMN ctime_ns INTEGER NOT NULL DEFAULT 0;",
    3: "ALTER TABLE chunks ADD COLUMN context TEXT NOT NULL DEFAULT '';"
    f"ALTER TABLE chunks ADD COLUMN readable TEXT;{_DOCUMENTS}",
    4: "ALTER TABLE chunks RENAME COLUMN page TO part;"
    "UPDATE chunks SET part = 'page ' || part || ' ' WHERE part IS NOT NULL;"
    "ALTER TABLE files ADD COLUMN loader TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE files ADD COLUMN characters INTEGER;"
    "ALTER TABLE files ADD COLUMN seconds REAL;",
}
"""How a file of this version becomes one of the next. Files are read once more after each, and a
text that is known is not embedded again."""

EMBEDDED_TOTAL = "embedded total"
"""Name of the fact that tells how many chunks were ever embedded."""

_SCHEMA = f"""
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE files (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    path BLOB NOT NULL UNIQUE,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    inode INTEGER NOT NULL,
    content TEXT NOT NULL,      -- hash of the bytes; empty when they could not be read
    recipe TEXT NOT NULL,       -- loader, chunker and sizes that made the chunks
    reason TEXT,                -- why the file has no chunks; NULL when it was read
    ctime_ns INTEGER NOT NULL DEFAULT 0,
    loader TEXT NOT NULL DEFAULT '',    -- what read it, in a person's words
    characters INTEGER,         -- of its text
    seconds REAL                -- that reading and splitting it took
);
CREATE INDEX unread_files ON files(path, reason) WHERE reason IS NOT NULL;
CREATE TABLE chunks (
    file INTEGER NOT NULL REFERENCES files(id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    row INTEGER NOT NULL,       -- primary key in Milvus
    text_hash BLOB NOT NULL,
    start INTEGER NOT NULL,
    end INTEGER NOT NULL,
    start_line INTEGER NOT NULL,
    end_line INTEGER NOT NULL,
    part TEXT,                  -- unit, number and name of a page, slide, …; NULL without parts
    heading TEXT NOT NULL,
    text TEXT NOT NULL,
    context TEXT NOT NULL DEFAULT '',   -- what is embedded before the text
    readable TEXT,              -- what is embedded instead of the text; NULL for the text itself
    PRIMARY KEY (file, position)
);
CREATE INDEX chunks_by_row ON chunks(row);
CREATE INDEX chunks_by_text ON chunks(text_hash, file);
CREATE TABLE vectors (
    text_hash BLOB NOT NULL,
    model TEXT NOT NULL,
    vector BLOB NOT NULL,       -- float32, little endian
    PRIMARY KEY (text_hash, model)
);
CREATE TABLE unused (           -- vectors that no chunk needs
    text_hash BLOB NOT NULL,
    model TEXT NOT NULL,
    since INTEGER NOT NULL,     -- seconds since 1970
    PRIMARY KEY (text_hash, model)
) WITHOUT ROWID;
{_DOCUMENTS}
"""

BUSY_SECONDS = 10.0
"""How long one connection waits for another."""

_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_NOT_OURS = ("no such table", "no such column", "duplicate column", "already exists")
"""What SQLite says of a sound file that holds other tables than its version promises."""


class ManifestFile:
    """An open manifest file. Writes come from one thread at a time; reads from any."""

    def __init__(self, path: Path) -> None:
        """Open or create the file.

        Raises:
            sqlite3.DatabaseError: it is no sound SQLite database of this schema version.
            ManifestError: it cannot be opened for writing.
        """
        self._path = path
        self._mark = path.with_name(path.name + "-sound")
        self._own = threading.local()
        self._readers: list[sqlite3.Connection] = []
        self.damaged = False
        """Whether damage was met; the next opening will find it too."""
        for part in path.parent.glob(path.name + "*"):
            if not stat.S_ISREG(part.lstat().st_mode):
                raise sqlite3.DatabaseError(f"{part.name} is not a file")
        try:
            is_as_left = self._is_as_left()
            self._is_far = mounts.is_shared(path)
            self._writer = self._open(writes=True)
            self._identity = self._find()
            # Damage in the middle of the file shows only here, or in the middle of the work.
            verdict = "ok" if is_as_left else self._verdict()
        except sqlite3.OperationalError as error:
            if is_damage(error):
                raise
            raise ManifestError(
                f"{path} can't be opened: {error}",
                "Check that the folder exists, is yours and is not on a full or read-only disk",
            ) from error
        if verdict != "ok":
            self._writer.close()
            raise sqlite3.DatabaseError(verdict)

    def _verdict(self) -> str:
        """Return ``ok``, or what is wrong with the file."""
        try:
            (verdict,) = self._writer.execute("PRAGMA quick_check(1)").fetchone()
        except sqlite3.DatabaseError:
            self._writer.close()
            raise
        return str(verdict)

    def _open(self, *, writes: bool) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, isolation_level=None, check_same_thread=False, timeout=BUSY_SECONDS
        )
        try:
            if not self._is_far:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = NORMAL")
            elif writes:
                _avoid_shared_memory(connection)
            connection.execute("PRAGMA foreign_keys = ON")
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version == 0:
                connection.executescript(
                    f"BEGIN; {_SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
                )
            elif version in _UPDATES:
                steps = "".join(_UPDATES[step] for step in range(version, SCHEMA_VERSION))
                connection.executescript(
                    f"BEGIN; {steps} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
                )
            elif version != SCHEMA_VERSION:
                raise sqlite3.DatabaseError(f"schema {version}, this is {SCHEMA_VERSION}")
        except BaseException:
            connection.close()
            raise
        return connection

    def _find(self) -> tuple[int, int] | None:
        """Return what tells the file from another in its place; None if it is gone."""
        try:
            status = self._path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return status.st_dev, status.st_ino

    def see_that_it_is_there(self) -> None:
        """Raise ManifestError if the file was removed or replaced: what is written now is lost."""
        if self._identity != self._find():
            self.damaged = True
            raise ManifestError(
                f"{self._path} was removed while it was in use",
                "Open the folder again: its index is then made anew",
            )

    def close(self) -> None:
        """Close every connection; the WAL is folded back into the file."""
        for reader in self._readers:
            reader.close()
        self._writer.close()
        with contextlib.suppress(OSError):  # without the mark the next opening only takes longer
            self._mark.unlink(missing_ok=True)
            if not self.damaged:
                self._mark.write_text(self._stamp())

    def _is_as_left(self) -> bool:
        """Whether the file is as ``close`` left it.

        Then it needs no check, which reads all of it: seconds for a large folder on a cold disk.
        """
        log = self._path.with_name(self._path.name + "-wal")
        try:
            return seal.read_mark(self._mark) == self._stamp() and not log.exists()
        except OSError:
            return False

    def _stamp(self) -> str:
        status = self._path.stat()
        return f"{status.st_size} {status.st_mtime_ns}"

    # --- reading and writing ---

    def all(self, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return every row of a query."""
        with self.reads() as connection:
            return connection.execute(statement, values).fetchall()

    def one(self, statement: str, values: Sequence[object] = ()) -> tuple[Any, ...] | None:
        """Return the first row of a query."""
        rows = self.all(statement, values)
        return rows[0] if rows else None

    @contextmanager
    def reads(self) -> Iterator[sqlite3.Connection]:
        """Give each thread a connection of its own, so that none waits for another."""
        try:
            reader: sqlite3.Connection | None = getattr(self._own, "reader", None)
            if reader is None:
                reader = self._own.reader = self._open(writes=False)
                self._readers.append(reader)
            yield reader
        except sqlite3.Error as error:
            raise self._failure("read", error) from error

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Give the writing connection; what is done with it happens whole or not at all."""
        try:
            self._writer.execute("BEGIN IMMEDIATE")
            yield self._writer
            self._writer.execute("COMMIT")
        except BaseException as error:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            if isinstance(error, sqlite3.DatabaseError):
                raise self._failure("written", error) from error
            raise

    def _failure(self, done: str, error: sqlite3.Error) -> ManifestError:
        what = f"{self._path} can't be {done}: {error}"
        if not is_damage(error):
            return ManifestError(what)
        self.damaged = True
        return ManifestError(what, "Open the folder again: what is damaged is then made anew")


def is_damage(error: sqlite3.Error) -> bool:
    """Whether ``error`` tells of a file that is no sound database of ours, rather than a fault."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    is_strange = code == sqlite3.SQLITE_ERROR and any(said in str(error) for said in _NOT_OURS)
    return code in _DAMAGE or is_strange


def _avoid_shared_memory(connection: sqlite3.Connection) -> None:
    """Keep a rollback journal; an exclusive lock leaves the WAL without its shared memory."""
    connection.execute("PRAGMA mmap_size = 0")
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.execute("PRAGMA journal_mode = TRUNCATE")
    connection.execute("PRAGMA locking_mode = NORMAL")
    connection.execute("SELECT 1 FROM sqlite_master").fetchone()  # lets go of the lock
    # A long transaction stays in memory until it is written down, so that others can read.
    connection.execute("PRAGMA cache_spill = OFF")


def set_aside(path: Path, name: str = "damaged") -> None:
    """Rename the database at ``path``, with what belongs to it, in the place of the last one."""
    for part in path.parent.glob(path.name + "*"):
        put_aside(part, f"{name}-{part.name}")


def put_aside(path: Path, name: str) -> Path:
    """Rename ``path`` to ``name`` beside it, in the place of whatever was there."""
    aside = path.with_name(name)
    if aside.is_dir() and not aside.is_symlink():
        shutil.rmtree(aside)
    else:
        aside.unlink(missing_ok=True)
    return path.replace(aside)


def clear(place: Path) -> None:
    """Put aside what is in the folder of an index and no file: it would not open, or hang."""
    for part in [*place.iterdir()]:
        # The server of a killed engine may still be removing what is its own.
        with contextlib.suppress(OSError):  # whoever needs it says what is wrong
            if stat.S_ISREG(part.lstat().st_mode) or part.name.startswith("damaged"):
                continue
            aside = put_aside(part, f"damaged-{part.name.lstrip('.')}")
            log.warning("%s is no file: it is kept as %s", part, aside)
