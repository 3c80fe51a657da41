"""Where links lead: to files of the folder that are in the index, and to no others.

A target is looked for among the paths the manifest knows, so that neither ``../`` nor a link of
the file system leads out of the folder.
"""

import os
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import unquote

from engine.chunks.headings import headings_of
from engine.documents import Document
from engine.documents.code_spans import without_code
from engine.documents.links import Link, find

_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+:|//")
_ENDINGS = ("", ".md", ".markdown", ".mdx", "/index.md", "/README.md", "/_index.md")
"""What sites of manuals leave away of the name of a page."""
_PAGE_ENDING = re.compile(r"\.(?:html?|md|markdown|mdx)/?$", re.IGNORECASE)
_NOT_IN_SLUG = re.compile(r"[^\w\- ]")
_ANCHOR = re.compile(
    r"""\{#([^{}\s]{1,200})\}|<[^<>]{0,200}?\b(?:id|name)=["']?([^"'\s<>]{1,200})"""
)


class Target(NamedTuple):
    """A file, and the heading or block in it that a link names."""

    path: bytes
    anchor: str


class Names:
    """The files of a folder by what links call them."""

    def __init__(self, paths: Iterable[bytes], aliases: Mapping[str, Sequence[bytes]]) -> None:
        """``aliases`` are names without case of files that call themselves so."""
        best_first = sorted(paths, key=lambda path: (path.count(b"/"), len(path), path))
        self._exact = set(best_first)
        self._folded: dict[str, bytes] = {}
        self._named: dict[str, list[bytes]] = {}
        for path in best_first:
            whole = _decoded(path)
            self._folded.setdefault(whole, path)
            name = whole.rpartition("/")[2]
            self._named.setdefault(name, []).append(path)
            self._named.setdefault(name.rpartition(".")[0] or name, []).append(path)
        for alias, named in aliases.items():
            self._named.setdefault(alias, []).extend(p for p in named if p in self._exact)

    def target_of(self, link: Link, source: bytes) -> Target | None:
        """Return where a link of the file at ``source`` leads; None if to no file here."""
        if link.is_wiki:
            page, _, anchor = link.target.partition("#")
            path = self._page(page.strip(), source)
            return Target(path, anchor) if path else None
        if _SCHEME.match(link.target) or "\\" in link.target:
            return None
        written, _, anchor = link.target.partition("#")
        path = self._file(unquote(written.partition("?")[0], errors="surrogateescape"), source)
        return Target(path, unquote(anchor)) if path else None

    def _page(self, page: str, source: bytes) -> bytes | None:
        """Return the file that a vault calls ``page``; the one nearest to the top, if several."""
        if not page:
            return source
        wanted = page.casefold().strip("/")
        for ending in ("", ".md"):
            if found := self._folded.get(wanted + ending):
                return found
        name = wanted.rpartition("/")[2]
        for path in self._named.get(name, []):
            whole = "/" + _decoded(path)
            if name == wanted or whole.endswith((f"/{wanted}", f"/{wanted}.md")):
                return path
        return None

    def _file(self, written: str, source: bytes) -> bytes | None:
        """Return the file at a path relative to ``source``, to the folder, or of that name alone.

        Manuals are written for sites that put their pages into other folders.
        """
        if not written:
            return source
        folder = os.fsdecode(source).rpartition("/")[0]
        places = [] if written.startswith("/") else [_within(f"{folder}/{written}")]
        if written.startswith("/"):
            places.append(_within(written))
        for place in filter(None, places):
            for ending in _ENDINGS:
                if found := self._at(place + ending) or self._at(
                    _PAGE_ENDING.sub("", place) + ending
                ):
                    return found
        name = written.strip("/").rpartition("/")[2].casefold()
        if not name.strip("."):
            return None
        alike = self._named.get(name) or self._named.get(_PAGE_ENDING.sub("", name))
        return alike[0] if alike else None

    def _at(self, place: str) -> bytes | None:
        raw = os.fsencode(place)
        return raw if raw in self._exact else self._folded.get(place.casefold())


def _decoded(path: bytes) -> str:
    return os.fsdecode(path).casefold()


def _within(place: str) -> str | None:
    """Return a path without ``..``; None if it leads out of the folder."""
    plain = posixpath.normpath(place.lstrip("/"))
    return None if plain.startswith("..") or "\0" in plain else plain


def links_in(document: Document, start: int, end: int) -> Iterator[Link]:
    """Yield the links of a Markdown document that begin in ``text[start:end]``."""
    if document.kind != "markdown":
        return
    found = find(without_code(document.text, document.body)).links
    yield from sorted(link for link in found if start <= link.start < end)


def line_of(document: Document, anchor: str) -> int:
    """Return the line at which a heading or block stands; 1 where there is no such."""
    wanted = anchor.strip().rpartition("#")[2]  # the innermost of several headings
    if not wanted:
        return 1
    offset = _block(document.text, wanted[1:]) if wanted.startswith("^") else None
    if offset is None:
        offset = _heading(document, wanted)
    if offset is None:
        offset = _named(document.text, wanted)
    return 1 if offset is None else document.lines(offset, offset + 1)[0]


def _heading(document: Document, wanted: str) -> int | None:
    """Return where the heading stands that has these words, or the anchor made of them."""
    slug = _slug(wanted)
    met: dict[str, int] = {}
    for heading in headings_of(document):
        own = _slug(heading.text)
        times = met[own] = met.get(own, -1) + 1
        if slug == (f"{own}-{times}" if times else own):
            return heading.start
    return None


def _slug(words: str) -> str:
    """Return the anchor that renderers of Markdown make of a heading."""
    return _NOT_IN_SLUG.sub("", words.casefold()).strip().replace(" ", "-")


def _block(text: str, name: str) -> int | None:
    found: re.Match[str] | None = re.search(
        rf"(?:^|[ \t])\^{re.escape(name)}[ \t\r]*$", text, re.MULTILINE
    )
    return found.start() if found else None


def _named(text: str, wanted: str) -> int | None:
    folded = wanted.casefold()
    for match in _ANCHOR.finditer(text):
        if (match[1] or match[2]).casefold() == folded:
            return match.start()
    return None
