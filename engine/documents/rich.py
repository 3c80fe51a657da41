"""Office files, e-books, mail and notebooks → text with parts, read in a worker process."""

from itertools import accumulate

from engine.documents.document import Document
from engine.documents.parts import Parts
from engine.documents.workers import SECONDS, read_in_worker
from engine.errors import LoadError
from engine.files.kinds import DocumentKind


def parse(raw: bytes, name: str, kind: DocumentKind, *, seconds: float = SECONDS) -> Document:
    """Return the document in a file of a rich kind; each of its parts ends with a newline.

    Raises:
        LoadError: damaged, encrypted, without text, too large or too slow.
    """
    return document(read_in_worker(kind, raw, name=name, seconds=seconds), kind)


def document(found: Parts, kind: DocumentKind, *, how: str = "") -> Document:
    """Return the document of some parts, each of which ends with a newline.

    Raises:
        LoadError: without text.
    """
    unit, parts = found
    if not any(part.text.strip() for part in parts):
        raise LoadError("it holds no text")
    texts = [part.text + "\n" for part in parts]
    starts = [0, *accumulate(map(len, texts))][:-1]
    names = [part.name for part in parts]
    if unit is None:
        return Document("".join(texts), kind, how=how)
    return Document("".join(texts), kind, unit=unit, parts=starts, names=names, how=how)
