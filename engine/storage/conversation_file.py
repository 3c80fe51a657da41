"""The SQLite file of a folder's conversations: reading and writing, all blocking.

One thread has it, through one connection with an exclusive lock: so it needs no shared memory and
stands on a network file system as well.
"""

import contextlib
import json
import logging
import os
import sqlite3
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from engine.errors import ConversationsError, NoConversationError
from engine.storage.manifest_file import is_damage
from engine.wire.api_conversations import Conversation, ConversationSummary, Turn

log = logging.getLogger(__name__)

SCHEMA_VERSION = 1
LONGEST_TITLE = 200
"""Characters."""

LATEST_QUESTIONS = 500
"""Questions that are told …"""
LATEST_TURNS = 1000
"""… of the so many that were asked last."""

_SCHEMA = f"""
PRAGMA auto_vacuum = FULL;
BEGIN;
CREATE TABLE conversations (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    began REAL NOT NULL,        -- seconds since 1970
    last REAL NOT NULL          -- when its last question was asked
) WITHOUT ROWID;
CREATE INDEX conversations_by_last ON conversations(last);
CREATE TABLE turns (
    conversation TEXT NOT NULL REFERENCES conversations(id) ON DELETE CASCADE,
    number INTEGER NOT NULL,    -- from 1, without gaps
    key TEXT NOT NULL UNIQUE,   -- tells it from one that took its number later
    asked REAL NOT NULL,
    told TEXT NOT NULL,         -- JSON: a message ``Turn``, whose number and time are not these
    PRIMARY KEY (conversation, number)
);
PRAGMA user_version = {SCHEMA_VERSION};
COMMIT;
"""
_LISTED = """
SELECT id, title, began, last, (SELECT count(*) FROM turns WHERE conversation = id)
FROM conversations
"""
_QUESTIONS = """
SELECT CASE WHEN json_valid(told) THEN json_extract(told, '$.question') END FROM turns
JOIN (SELECT rowid AS latest, asked AS moment FROM turns ORDER BY asked DESC LIMIT ?)
    ON turns.rowid = latest
ORDER BY moment DESC
"""
"""The inner query reads no turn whole: each holds all its hits."""


class DamagedError(Exception):
    """The file is no sound database of ours; another can be made in its place."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """What was asked and answered in a turn, as a follow-up builds on it."""

    question: str
    rewritten: str
    answer: str
    is_whole: bool
    """Whether the model ended the answer itself, out of the documents."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A turn as it is kept."""

    key: str
    conversation: str
    asked: float
    """Seconds since 1970."""
    turn: Turn
    instead_of: int | None = None
    """The turn whose place it takes, and whose followers are dropped."""


class ConversationFile:
    """An open file. Every method may raise ``ConversationsError`` or ``DamagedError``."""

    def __init__(self, path: Path | None) -> None:
        """Open or create the file; None for one in memory alone."""
        self._path = path
        with self._faults("opened"):
            if path:
                _make_private(path)
            self._connection = sqlite3.connect(
                path or ":memory:", isolation_level=None, check_same_thread=False, timeout=2
            )
            try:
                self._prepare()
            except BaseException:
                self._connection.close()
                raise

    def _prepare(self) -> None:
        run = self._connection.execute
        run("PRAGMA locking_mode = EXCLUSIVE")
        (version,) = run("PRAGMA user_version").fetchone()
        if version not in (0, SCHEMA_VERSION):
            raise ConversationsError(
                f"{self._path} was written by another version of hoverkite",
                "Use that version, or remove the file: its conversations go with it",
            )
        if version == 0:
            self._connection.executescript(_SCHEMA)
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = NORMAL")
        run("PRAGMA foreign_keys = ON")
        run("PRAGMA secure_delete = ON")  # what was deleted can't be read from the disk
        (verdict,) = run("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise DamagedError(verdict)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    # --- writing -----------------------------------------------------------------------------

    def add(self, entry: Entry) -> int:
        """Keep a turn and return its number.

        0 where the one it replaces was deleted meanwhile, or is whole while this one was cut off.
        """
        conversation = entry.conversation
        title = " ".join(entry.turn.question.split())[:LONGEST_TITLE]
        with self._transaction() as run:
            there = run("SELECT 1 FROM conversations WHERE id = ?", (conversation,)).fetchone()
            if entry.instead_of and (not there or self._is_better(entry)):
                return 0
            run(
                "INSERT INTO conversations VALUES (?1, ?2, ?3, ?3) "
                "ON CONFLICT(id) DO UPDATE SET last = ?3",
                (conversation, _plain(title), entry.asked),
            )
            if entry.instead_of:
                run(
                    "DELETE FROM turns WHERE conversation = ? AND number >= ?",
                    (conversation, entry.instead_of),
                )
            (last,) = run(
                "SELECT coalesce(max(number), 0) FROM turns WHERE conversation = ?", (conversation,)
            ).fetchone()
            if not last:  # its first question is another one now
                run(
                    "UPDATE conversations SET title = ? WHERE id = ?", (_plain(title), conversation)
                )
            run(
                "INSERT INTO turns VALUES (?, ?, ?, ?, ?)",
                (conversation, last + 1, entry.key, entry.asked, _written(entry.turn)),
            )
        return int(last) + 1

    def _is_better(self, entry: Entry) -> bool:
        """Whether the turn that ``entry`` would replace has a whole answer, and it has none."""
        found = self._connection.execute(
            "SELECT 1 FROM turns WHERE conversation = ? AND number = ? AND json_valid(told) "
            "AND json_extract(told, '$.finish_reason') != '' "
            "AND json_extract(told, '$.answer') != ''",
            (entry.conversation, entry.instead_of),
        ).fetchone()
        return bool(found) and not entry.turn.finish_reason

    def update(self, entry: Entry) -> int:
        """Keep what became of a turn and return its number; 0 where it was deleted meanwhile."""
        with self._transaction() as run:
            run("UPDATE turns SET told = ? WHERE key = ?", (_written(entry.turn), entry.key))
            found = run("SELECT number FROM turns WHERE key = ?", (entry.key,)).fetchone()
        return int(found[0]) if found else 0

    def delete(self, conversation: str) -> ConversationSummary:
        """Delete a conversation and return what it was.

        Raises:
            NoConversationError: there is none.
        """
        with self._transaction() as run:
            summary = self._summary(conversation)
            run("DELETE FROM conversations WHERE id = ?", (conversation,))
        self._checkpoint()
        return summary

    def expire(self, before: float) -> int:
        """Delete the conversations whose last question was asked earlier; return how many."""
        with self._transaction() as run:
            deleted = int(run("DELETE FROM conversations WHERE last < ?", (before,)).rowcount)
        if deleted:
            self._checkpoint()
        return deleted

    def _checkpoint(self) -> None:
        """Let nothing of what was deleted stay in the log of writes."""
        with self._faults("written"):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    # --- reading -----------------------------------------------------------------------------

    def all(self) -> list[ConversationSummary]:
        """Return every conversation, latest first."""
        with self._faults("read"):
            rows = self._connection.execute(f"{_LISTED} ORDER BY last DESC, id").fetchall()
            return [_summary(row) for row in rows]

    def conversation(self, name: str) -> Conversation:
        """Return a conversation; turns that can't be read are left out.

        Raises:
            NoConversationError: there is none.
        """
        with self._faults("read"):
            summary = self._summary(name)
            rows = self._connection.execute(
                "SELECT number, asked, told FROM turns WHERE conversation = ? ORDER BY number",
                (name,),
            ).fetchall()
        turns = [turn for row in rows if (turn := _turn(*row))]
        about = summary.model_dump(include={"id", "title", "began", "last"})
        return Conversation(**about, turns=turns)

    def questions(self) -> list[str]:
        """Return the latest questions, each once, the latest first."""
        with self._faults("read"):
            rows = self._connection.execute(_QUESTIONS, (LATEST_TURNS,)).fetchall()
        asked = (text.strip() for (text,) in rows if isinstance(text, str))
        return list(dict.fromkeys(text for text in asked if text))[:LATEST_QUESTIONS]

    def exchanges(self, name: str, before: int | None, most: int) -> list[Exchange]:
        """Return the last turns, at most so many, of those numbered below ``before``.

        Raises:
            NoConversationError: there is no such conversation.
        """
        with self._faults("read"):
            self._summary(name)
            rows = self._connection.execute(
                "SELECT told FROM turns WHERE conversation = ?1 AND (?2 IS NULL OR number < ?2) "
                "ORDER BY number DESC LIMIT ?3",
                (name, before, most),
            ).fetchall()
        return [each for (told,) in reversed(rows) if (each := _exchange(told))]

    def _summary(self, name: str) -> ConversationSummary:
        row = self._connection.execute(f"{_LISTED} WHERE id = ?", (name,)).fetchone()
        if not row:
            raise NoConversationError(f"there is no conversation {name}")
        return _summary(row)

    # --- faults ------------------------------------------------------------------------------

    @contextmanager
    def _transaction(self) -> Iterator[Any]:
        """Give what runs a statement; all of it happens, or nothing."""
        with self._faults("written"):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection.execute
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    with contextlib.suppress(sqlite3.Error):
                        self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _faults(self, done: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            if is_damage(error):
                raise DamagedError(str(error)) from error
            raise ConversationsError(f"{self._path} can't be {done}: {error}") from error
        except OSError as error:
            raise ConversationsError(f"{self._path} can't be {done}: {error.strerror}") from error
        except (ArithmeticError, TypeError, ValueError) as error:  # a value is none of ours
            told = f"{self._path} can't be {done}: it holds what hoverkite does not write"
            raise ConversationsError(told) from error


def _make_private(path: Path) -> None:
    """Create the file where it is not there; SQLite gives its other files the same mode."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            raise DamagedError(f"{path.name} is no file") from None
        if stat.S_IMODE(status.st_mode) != 0o600:
            path.chmod(0o600)


def _summary(row: Sequence[Any]) -> ConversationSummary:
    name, title, began, last, turns = row
    return ConversationSummary(
        id=name, title=title, began=moment(began), last=moment(last), turns=turns
    )


def moment(seconds: float) -> str:
    """Return seconds since 1970 as messages tell a time, in the zone of this machine."""
    return datetime.fromtimestamp(seconds).astimezone().isoformat(timespec="seconds")


def _written(turn: Turn) -> str:
    return _plain(json.dumps(turn.model_dump(mode="python"), ensure_ascii=False))


def _plain(text: str) -> str:
    """Return ``text`` without lone surrogates, which SQLite does not take."""
    return text.encode("utf-8", "replace").decode()


def _turn(number: int, asked: float, told: str) -> Turn | None:
    """Read a turn; None for one that is not as this version writes it."""
    try:
        values = json.loads(told) | {"number": number, "asked": moment(asked)}
        return Turn.model_validate(values)
    except (ArithmeticError, OSError, RecursionError, TypeError, ValueError) as error:
        log.warning("a kept turn can't be read: %s", type(error).__name__)
        return None


def _exchange(told: str) -> Exchange | None:
    try:
        values = json.loads(told)
        return Exchange(
            question=str(values["question"]),
            rewritten=str(values.get("rewritten", "")),
            answer=str(values.get("answer", "")),
            is_whole=bool(values.get("finish_reason") and values.get("documents", True)),
        )
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
        return None
