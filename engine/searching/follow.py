"""Following links: from lines of a file to the places its links lead to."""

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from urllib.parse import quote_from_bytes

from engine import documents
from engine.config import Settings
from engine.documents import Document, markdown
from engine.documents.readable import Readable
from engine.errors import LoadError, UsageError
from engine.files import scan
from engine.files.kinds import RICH, FileKind, kind_of
from engine.files.scan import MEGABYTE
from engine.searching.link_targets import Names, Target, line_of, links_in
from engine.searching.place import path_of
from engine.storage import names
from engine.storage.manifest import Manifest
from engine.wire.api_links import Link, LinksReply, LinksRequest

MOST_LINKS = 200
"""Links of one reply."""
LONGEST_LABEL = 200


def links(request: LinksRequest, root: Path, settings: Settings, manifest: Manifest) -> LinksReply:
    """Return the links that ``request`` asks for, of a file in the folder ``root``; blocking.

    Raises:
        UsageError: the file is not in the index.
        LoadError: it can't be read now.
    """
    path = path_of(request.path, request.quoted_path)
    if not manifest.files_at([path]):
        raise UsageError(f"{request.path} is not in the index", "Search again: it has changed")
    return LinksReply(links=[*_Following(root, settings, manifest).of(request, path)])


class _Following:
    """One reply in the making."""

    def __init__(self, root: Path, settings: Settings, manifest: Manifest) -> None:
        self._root, self._limit = root, int(settings.max_file_mb * MEGABYTE)
        self._readers = settings.readers
        read = [path for path, record in manifest.files().items() if record.reason is None]
        self._names = Names(read, manifest.read(names.aliases))
        self._documents: dict[bytes, Document | None] = {}

    def of(self, request: LinksRequest, path: bytes) -> Iterator[Link]:
        if request.text is None:
            document = self._load(path)
            start = document.offset(request.start_line)
            last = request.end_line
            end = len(document.text) if last is None else document.offset(last + 1)
        else:
            document = markdown.parse(request.text)
            start, end = 0, len(request.text)
        readable = Readable(document.text, document.body)
        met: set[Target] = set()
        for link in links_in(document, start, end):
            target = self._names.target_of(link, path)
            if target is None or target in met:
                continue
            met.add(target)
            shown = slice(link.label, link.label_end)
            label = readable.part(link.label, link.label_end) or document.text[shown]
            yield self._link(label, link.target, target, document.lines(link.start, link.end)[0])
            if len(met) == MOST_LINKS:
                return

    def _link(self, label: str, written: str, target: Target, source_line: int) -> Link:
        name = scan.decode(target.path)
        exact = os.fsencode(name) == target.path
        return Link(
            label=" ".join(label.split())[:LONGEST_LABEL] or written,
            target=written,
            path=name,
            quoted_path=None if exact else quote_from_bytes(target.path),
            line=self._line(target),
            line_in_source=source_line,
        )

    def _line(self, target: Target) -> int:
        """Return the line of a heading or block; 1 where the file can't be read now."""
        found = kind_of(scan.decode(target.path))
        if not target.anchor or not isinstance(found, FileKind) or found.kind in RICH:
            return 1
        if target.path not in self._documents:
            try:
                self._documents[target.path] = self._load(target.path)
            except LoadError:
                self._documents[target.path] = None
        document = self._documents[target.path]
        return line_of(document, target.anchor) if document else 1

    def _load(self, path: bytes) -> Document:
        place = self._root / PurePosixPath(os.fsdecode(path))
        return documents.load(place, max_bytes=self._limit, readers=self._readers)[0]
