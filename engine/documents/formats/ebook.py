"""EPUB → Markdown: one part a chapter, in the order in which the book is read."""

import re
from collections.abc import Iterator

from engine.documents import plain
from engine.documents.formats import web_page
from engine.documents.formats.office_xml import named
from engine.documents.formats.zipped import Zipped, resolved
from engine.documents.parts import LONGEST_TEXT, TOO_LONG, Parts, PartText, one_line, tidy
from engine.errors import LoadError

MOST_CHAPTERS = 10_000

_PAGES = ("application/xhtml+xml", "text/html")
_HEADING = re.compile(r"^#{1,6} +(.+)$", re.MULTILINE)
_NO_BOOK = "it is no e-book in the EPUB format"


def read(raw: bytes, name: str) -> Parts:
    """Return the chapters of a book; each is named by the contents, or by its first heading.

    Raises:
        ValueError: it is no EPUB, damaged, protected or too large, in a person's words.
    """
    archive = Zipped(raw)
    if "META-INF/container.xml" not in archive.names:
        raise ValueError(_NO_BOOK)
    roots = named(archive.xml("META-INF/container.xml"), "rootfile")
    package = next((found.get("full-path", "") for found in roots), "")
    if package not in archive.names:
        raise ValueError(_NO_BOOK)
    return Parts("chapter", [*_chapters(archive, package)])


def _chapters(archive: Zipped, package: str) -> Iterator[PartText]:
    root = archive.xml(package)
    items = {item.get("id", ""): item for item in named(root, "item")}
    entries = {key: resolved(package, item.get("href", "")) for key, item in items.items()}
    contents = [
        entries[key]
        for key, item in items.items()
        if "nav" in item.get("properties", "").split() or "dtbncx" in item.get("media-type", "")
    ]
    titles = _titles(archive, contents)
    protected = _protected(archive)
    length = 0
    for reference in named(root, "itemref")[:MOST_CHAPTERS]:
        key = reference.get("idref", "")
        entry = entries.get(key, "")
        if entry not in archive.names or entry in contents:
            continue
        if items[key].get("media-type") not in _PAGES:
            continue
        if entry in protected:
            raise ValueError("the e-book is protected against reading by other programs (DRM)")
        text = _text(archive.read(entry))
        length += len(text)
        if length > LONGEST_TEXT:
            raise ValueError(TOO_LONG)
        heading = _HEADING.search(text)
        if text:
            yield PartText(text, titles.get(entry, one_line(heading[1]) if heading else ""))


def _text(raw: bytes) -> str:
    try:
        return tidy(web_page.convert(plain.decode(raw).text))
    except LoadError as error:
        raise ValueError(str(error)) from error


def _titles(archive: Zipped, contents: list[str]) -> dict[str, str]:
    """Return what the tables of contents call each entry: "" if they name several places in it."""
    titles: dict[str, str] = {}
    inside: dict[str, set[str]] = {}
    for entry in contents:
        if entry not in archive.names:
            continue
        root = archive.xml(entry)
        found = [(link.get("href", ""), "".join(link.itertext())) for link in named(root, "a")]
        for point in named(root, "navPoint"):
            labels = [text.text or "" for text in named(point, "text")]
            targets = [content.get("src", "") for content in named(point, "content")]
            found += zip(targets[:1], labels[:1], strict=False)
        for target, title in found:
            chapter = resolved(entry, target)
            if "#" in target:
                inside.setdefault(chapter, set()).add(one_line(title))
            else:
                titles.setdefault(chapter, one_line(title))
    for chapter, names in inside.items():
        titles.setdefault(chapter, names.pop() if len(names) == 1 else "")
    return titles


def _protected(archive: Zipped) -> frozenset[str]:
    if "META-INF/encryption.xml" not in archive.names:
        return frozenset()
    references = named(archive.xml("META-INF/encryption.xml"), "CipherReference")
    return frozenset(resolved("", reference.get("URI", "")) for reference in references)
