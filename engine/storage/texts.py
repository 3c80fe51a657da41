"""The texts of a folder's files, as they were read: there before they are embedded.

They are what an exact search looks through. The manifest keeps them beside its files: a text may
belong to a file that the manifest does not know yet, because its chunks wait for their vectors.
"""

import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from engine.documents.document import Document
from engine.part import Part
from engine.storage.manifest_file import ManifestFile

MOST_KEPT = 16_000_000
"""Bytes of texts that are kept in memory."""
_ALL = "SELECT file, path, CAST(text AS BLOB), places FROM documents"
"""Every text: in UTF-8, as SQLite keeps it, which is what is searched."""
_ONE = "SELECT file, path, CAST(text AS BLOB), places FROM documents WHERE file = ?"
_AT = "SELECT file, path, CAST(text AS BLOB), places FROM documents WHERE path = ?"


@dataclass(frozen=True, slots=True)
class ReadText:
    """The text of a file, and where its parts stand in the file, as JSON."""

    text: str
    places: str

    @classmethod
    def of(cls, document: Document) -> "ReadText":
        """Return what is kept of ``document``."""
        if not (document.parts or document.source_lines):
            return cls(document.text, "")
        places = {
            "unit": document.unit,
            "parts": list(document.parts),
            "names": list(document.names),
            "lines": list(document.source_lines),
        }
        return cls(document.text, json.dumps(places))


class StoredText(NamedTuple):
    """A file's text in UTF-8."""

    file: int
    path: bytes
    text: bytes
    places: str

    def document(self) -> Document:
        """Return it as a document that knows its lines and parts."""
        places = json.loads(self.places) if self.places else {}
        return Document(
            self.text.decode("utf-8", "replace"),
            "text",
            unit=places.get("unit"),
            parts=places.get("parts", ()),
            names=places.get("names", ()),
            source_lines=[(offset, line) for offset, line in places.get("lines", ())],
        )


class Texts:
    """One folder's texts. Writes come from one thread at a time; reads from any."""

    def __init__(self, file: ManifestFile) -> None:
        self._file = file
        self._revision = 0
        self._kept: tuple[int, list[StoredText]] = (-1, [])
        """The texts of a small folder as of a revision: whoever types searches them again."""
        self._latest: tuple[int, bytes, Document | None] = (-1, b"", None)
        """The file that was looked at last: whoever goes through hits looks at it again."""

    def changed(self) -> None:
        """Take note that texts, or their paths, are others now; called after that was saved."""
        self._revision += 1

    def save(self, read: Iterable[tuple[int, bytes, ReadText | None]]) -> None:
        """Keep the texts of files, told by id and path; None for one that could not be read."""
        with self._file.transaction() as connection:
            for file, path, text in read:
                if text is None:
                    connection.execute("DELETE FROM documents WHERE file = ?", (file,))
                    continue
                # The same file may have been read before under an id that was never saved.
                connection.execute(
                    "INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?)",
                    (file, path, text.places, text.text),
                )
        self.changed()

    def files(self) -> list[tuple[int, bytes]]:
        """Return id and path of every file whose text is known, in the order of their paths."""
        return self._file.all("SELECT file, path FROM documents ORDER BY path")

    def all(self) -> Iterator[StoredText]:
        """Yield every text, in no particular order.

        Raises:
            ManifestError: they can't be read.
        """
        revision, kept = self._kept
        if revision == self._revision:
            yield from kept
            return
        revision, kept, size = self._revision, [], 0
        with self._file.reads() as connection:
            for row in connection.execute(_ALL):
                stored = StoredText(*row)
                size += len(stored.text)
                if size <= MOST_KEPT:
                    kept.append(stored)
                yield stored
        if size <= MOST_KEPT:
            self._kept = revision, kept

    def of(self, files: Iterable[int]) -> Iterator[StoredText]:
        """Yield the texts of ``files`` in the order given, less those that are gone meanwhile.

        Raises:
            ManifestError: they can't be read.
        """
        with self._file.reads() as connection:
            for file in files:
                yield from (StoredText(*row) for row in connection.execute(_ONE, (file,)))

    def at(self, path: bytes) -> StoredText | None:
        """Return the text of the file at ``path``; None where none is known.

        Raises:
            ManifestError: it can't be read.
        """
        row = self._file.one(_AT, (path,))
        return StoredText(*row) if row else None

    def document_at(self, path: bytes) -> Document | None:
        """Return the document at ``path``; None where its text is not known.

        Raises:
            ManifestError: it can't be read.
        """
        revision, latest = self._revision, self._latest
        if latest[:2] == (revision, path):
            return latest[2]
        stored = self.at(path)
        document = stored.document() if stored else None
        if document is None or len(document.text) <= MOST_KEPT:
            self._latest = revision, path, document
        return document

    def heading(self, file: int, line: int, part: Part | None) -> str:
        """Return the heading of the chunk around a line; empty where none is known yet."""
        found = self._file.one(
            "SELECT heading FROM chunks WHERE file = ? AND start_line <= ? AND end_line >= ? "
            "AND part IS ? ORDER BY position LIMIT 1",
            (file, line, line, part and part.packed()),
        )
        return str(found[0]) if found else ""

    def keep_saved(self, present: Collection[bytes] = (), unlisted: tuple[bytes, ...] = ()) -> None:
        """Let go of the texts whose files are not in the manifest.

        Those at paths that are ``present``, or begin with one of ``unlisted``, stay.
        """
        rows = self._file.all("SELECT path FROM documents WHERE file NOT IN (SELECT id FROM files)")
        self.drop_unsaved(
            path for (path,) in rows if path not in present and not path.startswith(unlisted)
        )

    def drop_unsaved(self, paths: Iterable[bytes]) -> None:
        """Let go of those texts at ``paths`` whose files are not in the manifest."""
        doomed = [(path,) for path in paths]
        if not doomed:
            return
        with self._file.transaction() as connection:
            connection.executemany(
                "DELETE FROM documents WHERE path = ? AND file NOT IN (SELECT id FROM files)",
                doomed,
            )
        self.changed()

    def files_without(self) -> set[int]:
        """Return the files that were read and whose text is not kept."""
        rows = self._file.all(
            "SELECT id FROM files WHERE reason IS NULL AND id NOT IN (SELECT file FROM documents)"
        )
        return {file for (file,) in rows}
