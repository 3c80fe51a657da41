"""One file of a folder → its chunks, or the reason it has none."""

import logging
import os
import time
from pathlib import Path, PurePosixPath

from engine import documents
from engine.chunks import chunking
from engine.chunks.chunking import Fits
from engine.config import Settings
from engine.errors import LoadError
from engine.files.kinds import RICH, FileKind, kind_of, suffix_of
from engine.files.scan import MEGABYTE, Entry
from engine.paths import short_hash
from engine.storage import line_counts
from engine.storage.manifest import FileRecord, FileUpdate
from engine.storage.texts import ReadText

log = logging.getLogger(__name__)

TRY_AGAIN = ""
"""The recipe of a file that could not be read for a passing reason: no look takes it for done."""


class Reader:
    """Reads the files of one folder as its settings say."""

    def __init__(
        self, root: Path, settings: Settings, *, model: str = "", fits: Fits = lambda text: True
    ) -> None:
        """``fits`` tells which texts the encoder ``model`` takes whole; chunks keep to that."""
        self._root, self._settings, self._fits = root, settings, fits
        self._limit = int(settings.max_file_mb * MEGABYTE)
        self.recipe = (
            f"{documents.LOADER_VERSION}.{chunking.CHUNKER_VERSION}"
            f".{settings.chunk_size}.{settings.chunk_overlap}.{settings.chunk_context}"
            f".{settings.chunk_at_headings:d}{settings.chunk_at_sentences:d}"
            f".{short_hash(model, 8)}"
        )
        """What chunks are made by, where no command of the person's reads the file."""

    def recipe_of(self, path: bytes) -> str:
        """Return what the chunks of a file are made by; those of another are made anew."""
        by = self._settings.readers.get(suffix_of(os.fsdecode(path)))
        return self.recipe if by is None else f"{self.recipe}.{short_hash(by, 8)}"

    def is_slow(self, entry: Entry) -> bool:
        """Whether reading the file takes another process, and perhaps a minute."""
        name = os.fsdecode(entry.path.rpartition(b"/")[2])
        kind = kind_of(name)
        is_rich = isinstance(kind, FileKind) and kind.kind in RICH
        return is_rich or suffix_of(name) in self._settings.readers

    def is_same(self, record: FileRecord, entry: Entry) -> bool:
        """Whether ``entry`` holds what ``record``, of a file now gone, says was read."""
        if record.ctime_ns == entry.ctime_ns:  # only a folder above it was renamed
            return True
        try:
            raw = documents.read(self._path(entry), max_bytes=self._limit)
        except LoadError:
            return False
        return documents.content_hash(raw) == record.content

    def _path(self, entry: Entry) -> Path:
        return self._root / PurePosixPath(os.fsdecode(entry.path))

    def read(self, file: int, entry: Entry) -> FileUpdate | None:
        """Return what the file ``entry``, by the id ``file``, is; None when it is just changing."""
        began, recipe = time.perf_counter(), self.recipe_of(entry.path)
        path = self._path(entry)
        try:
            document, content = documents.load(
                path, max_bytes=self._limit, readers=self._settings.readers
            )
            pieces = chunking.split(
                document,
                size=self._settings.chunk_size,
                overlap=self._settings.chunk_overlap,
                at_headings=self._settings.chunk_at_headings,
                at_sentences=self._settings.chunk_at_sentences,
                context=self._settings.chunk_context,
                fits=self._fits,
            )
        except documents.Changing:
            return None
        except LoadError as error:
            if isinstance(error, documents.Unreadable):
                recipe = TRY_AGAIN
            return self._unread(file, entry, recipe, str(error), began)
        except Exception:  # one file's trouble must not stop the others
            log.exception("file %s of %s could not be read", file, self._root)
            reason = "reading it failed in an unforeseen way; the engine's log tells"
            return self._unread(file, entry, recipe, reason, began)
        return FileUpdate(
            file,
            entry,
            content,
            recipe,
            pieces,
            text=ReadText.of(document),
            tags=document.tags,
            aliases=[alias.casefold() for alias in document.aliases],
            lines=line_counts.lines_of(document.text[document.body :]),
            loader=document.loader,
            characters=len(document.text),
            seconds=time.perf_counter() - began,
        )

    def _unread(
        self, file: int, entry: Entry, recipe: str, reason: str, began: float
    ) -> FileUpdate:
        """Return what becomes of a file that could not be read; ``began`` is when that began."""
        kind = kind_of(self._path(entry).name)
        return FileUpdate(
            file,
            entry,
            "",
            recipe,
            reason=reason,
            loader=kind.kind if isinstance(kind, FileKind) else "",
            seconds=time.perf_counter() - began,
        )
