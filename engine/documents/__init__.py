"""Bytes on disk → text with positions. One loader a family of formats.

>>> document, content = load(Path("notes.md"), max_bytes=10_000_000)
>>> document.lines(0, len(document.text))
"""

import errno
import hashlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from engine.documents import command, html, markdown, pdf, plain, rich
from engine.documents.document import Document
from engine.documents.failures import Changing, Unreadable
from engine.documents.private_key import holds_private_key
from engine.documents.true_kind import true_kind
from engine.errors import LoadError
from engine.files.kinds import NO_READERS, RICH, FileKind, kind_of, suffix_of

__all__ = [
    "LOADER_VERSION",
    "Changing",
    "Document",
    "Unreadable",
    "content_hash",
    "load",
    "parse",
    "read",
]

LOADER_VERSION = 6
"""Grows whenever the same bytes would give another text or other lines."""
MOST_DATA = 1_000_000
"""Bytes of JSON, YAML, TOML or XML after which it is data for programs, rather than written."""


def load(
    path: Path, *, max_bytes: int, readers: Mapping[str, str] = NO_READERS
) -> tuple[Document, str]:
    """Return the document in the file at ``path``, and the hash of the file's content.

    An empty file is an empty document. ``readers`` are commands that read files, by suffix.

    Raises:
        Changing: the file changed while it was read, or is gone.
        LoadError: why it can't be read, in a person's words.
    """
    raw = read(path, max_bytes=max_bytes)
    content = content_hash(raw)
    by = readers.get(suffix_of(path.name))
    if by is None:
        return parse(raw, path.name), content
    document = _without_keys(command.parse(path, by)) if raw else Document("", "text")
    if content_hash(read(path, max_bytes=max_bytes)) != content:
        raise Changing("it changed while it was read")
    return document, content


def read(path: Path, *, max_bytes: int) -> bytes:
    """Return the bytes of a regular file; never follows a link, never waits on a pipe.

    Raises:
        Changing, LoadError: as ``load``.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _explain(error) from error
    try:
        before = os.fstat(handle)
        if not stat.S_ISREG(before.st_mode):
            raise LoadError("not a regular file")
        if before.st_size > max_bytes:
            raise LoadError(f"larger than {max_bytes / 1_000_000:g} MB")
        with os.fdopen(handle, "rb", closefd=False) as file:
            raw = file.read(max_bytes + 1)
        after = os.fstat(handle)
    except OSError as error:
        raise _explain(error) from error
    finally:
        os.close(handle)
    if _stamp(before) != _stamp(after) or len(raw) != after.st_size:
        raise Changing("it changed while it was read")
    return raw


def parse(raw: bytes, name: str) -> Document:
    """Return the document that a file called ``name`` with this content holds.

    Raises:
        LoadError: why it can't be read, in a person's words.
    """
    found = kind_of(name)
    if not isinstance(found, FileKind):
        raise LoadError(f"files of this kind are not read yet ({found})")
    if not raw:
        return Document("", found.kind, found.language)
    try:
        document = _read_as(true_kind(found, raw), raw, name)
    except OSError as error:
        raise Unreadable(f"no process could be started to read it: {error.strerror}") from error
    return _without_keys(document)


def _without_keys(document: Document) -> Document:
    if holds_private_key(document.text):
        raise LoadError("it holds a private key")
    return document


def _read_as(found: FileKind, raw: bytes, name: str) -> Document:
    if found.kind == "pdf":
        return pdf.parse(raw)
    if found.kind == "html":
        return html.parse(raw)
    if found.kind in RICH:
        return rich.parse(raw, name, found.kind)
    if found.kind == "data" and len(raw) > MOST_DATA:
        raise LoadError(f"data of more than {MOST_DATA // 1_000_000} MB")
    decoded = plain.decode(raw)
    if found.kind == "markdown":
        return markdown.parse(decoded.text, how=decoded.told)
    return Document(decoded.text, found.kind, found.language, how=decoded.told)


def content_hash(raw: bytes) -> str:
    """Return what tells one content from another: 64 hexadecimal digits."""
    return hashlib.blake2b(raw, digest_size=32).hexdigest()


def _stamp(status: os.stat_result) -> tuple[int, int]:
    return status.st_size, status.st_mtime_ns


def _explain(error: OSError) -> LoadError:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return Changing("it is gone")
    if isinstance(error, PermissionError):
        return Unreadable("no permission to read it")
    if error.errno == errno.ELOOP:
        return LoadError("a link; links are not followed")
    if error.errno in (errno.ENXIO, errno.EISDIR):
        return LoadError("not a regular file")
    return Unreadable(f"it can't be read: {error.strerror}")
