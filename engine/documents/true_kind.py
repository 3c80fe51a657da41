"""What a file is by its content, whatever its name says."""

import re

from engine.errors import LoadError
from engine.files.kinds import DocumentKind, FileKind

_BEGINNINGS: tuple[tuple[bytes, DocumentKind], ...] = ((b"%PDF-", "pdf"), (b"{\\rtf", "word"))
_OFFICE = ("word", "slides", "sheet")
_IN_ARCHIVES: tuple[tuple[bytes, DocumentKind], ...] = (
    (b"word/document", "word"),
    (b"ppt/presentation", "slides"),
    (b"xl/workbook", "sheet"),
    (b"META-INF/container.xml", "ebook"),
    (b"application/vnd.oasis.opendocument.text", "word"),
    (b"application/vnd.oasis.opendocument.presentation", "slides"),
    (b"application/vnd.oasis.opendocument.spreadsheet", "sheet"),
)
"""What stands uncompressed in zip archives that are documents."""
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HTML = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype html|html|table|meta)\b", re.IGNORECASE)


def true_kind(found: FileKind, raw: bytes) -> FileKind:
    """Return as what a file is read: as its name says, unless its content is plainly another.

    Raises:
        LoadError: its content is nothing that its name can stand for.
    """
    for beginning, kind in _BEGINNINGS:
        if raw.startswith(beginning):
            return FileKind(kind)
    if raw.startswith(b"PK\x03\x04"):
        return _in_archive(found, raw)
    return _of_office(found, raw) if found.kind in _OFFICE else found


def _in_archive(found: FileKind, raw: bytes) -> FileKind:
    for mark, kind in _IN_ARCHIVES:
        if mark in raw:
            return FileKind(kind)
    raise LoadError(f"an archive under the name of {_CALLED.get(found.kind, 'a text')}")


def _of_office(found: FileKind, raw: bytes) -> FileKind:
    """Return what a file is that an office program is said to have written, but is no archive."""
    if raw.startswith(_OLD_OFFICE):
        if _ENCRYPTED in raw:
            raise LoadError("the file is encrypted: it asks for a password")
        return found
    if _HTML.match(raw):
        return FileKind("html")
    return FileKind("table" if found.kind == "sheet" else "text")


_CALLED = {
    "word": "a document",
    "slides": "a presentation",
    "sheet": "a workbook",
    "ebook": "an e-book",
    "pdf": "a PDF",
}
