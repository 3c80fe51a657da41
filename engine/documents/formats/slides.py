"""Slides of PowerPoint and OpenDocument: one part a slide, with its title, notes and comments.

kreuzberg reads the words of slides well, but not which slide they stand on, nor the notes.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from engine.documents.formats import office
from engine.documents.formats.office_xml import lines, local, named, words
from engine.documents.formats.zipped import Zipped
from engine.documents.parts import Parts, PartText, one_line, tidy

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_STRICT_RELATION = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"
_TITLES = ("title", "ctrTitle")
_NO_WORDS = ("sldNum", "sldImg", "hdr")


def read(raw: bytes, name: str) -> Parts:
    """Return the slides of a presentation, in the order they are shown.

    One in the format of before 2007 has its text, but not what stands on which slide.

    Raises:
        ValueError: it is none, damaged, encrypted or too large, in a person's words.
    """
    if not raw.startswith(b"PK"):
        return Parts(None, [PartText(office.text(raw, "ppt"))])
    archive = Zipped(raw)
    slides = _powerpoint(archive) if "content.xml" not in archive.names else _impress(archive)
    return Parts("slide", [*slides])


def _powerpoint(archive: Zipped) -> Iterator[PartText]:
    main = next((to for kind, to in archive.targets("").values() if kind == "officeDocument"), "")
    if not main:
        raise ValueError("it is no presentation")
    targets = archive.targets(main)
    for listed in named(archive.xml(main), "sldId"):
        relation = listed.get(_RELATION) or listed.get(_STRICT_RELATION) or ""
        kind, slide = targets.get(relation, ("", ""))
        if kind == "slide":
            yield _slide(archive, slide)


def _slide(archive: Zipped, entry: str) -> PartText:
    root = archive.xml(entry)
    shapes = {shape: _placeholder(shape) for shape in named(root, "sp")}
    titles = [shape for shape, kind in shapes.items() if kind in _TITLES]
    left_out = [*titles, *(shape for shape, kind in shapes.items() if kind in _NO_WORDS)]
    title = one_line(" ".join(line for shape in titles for line in lines(shape)))
    said = [*lines(root, left_out)]
    for kind, target in archive.targets(entry).values():
        if kind in _BESIDE and target in archive.names:
            said += _BESIDE[kind](archive.xml(target))
    return _part(title, said)


def _part(title: str, said: Sequence[str]) -> PartText:
    return PartText(tidy("\n\n".join(filter(None, [title and f"# {title}", *said]))), title)


def _placeholder(shape: "Element") -> str:
    return next((place.get("type", "body") for place in named(shape, "ph")), "")


def _notes(root: "Element") -> Iterator[str]:
    bodies = [shape for shape in named(root, "sp") if _placeholder(shape) == "body"]
    yield from _under("Notes:", (line for shape in bodies for line in lines(shape)))


def _chart(root: "Element") -> Iterator[str]:
    """Yield a chart's title, and the name, categories and values of each of its series."""
    titles = [one_line(words(p)) for t in named(root, "title") for p in named(t, "p")]
    series = (
        " | ".join(one_line(value.text or "") for value in named(one, "v"))
        for one in named(root, "ser")
    )
    yield from _under("Chart:", [*titles, *series])


def _diagram(root: "Element") -> Iterator[str]:
    yield from lines(root)


def _comments(root: "Element") -> Iterator[str]:
    plain = (one_line(text.text or "") for text in named(root, "text"))
    yield from _under("Comments:", [*plain, *lines(root)])


def _under(title: str, said: Iterable[str]) -> Iterator[str]:
    found = [line for line in said if line.strip()]
    if found:
        yield "\n".join([title, *found])


def _impress(archive: Zipped) -> Iterator[PartText]:
    for page in named(archive.xml("content.xml"), "page"):
        frames = [frame for frame in named(page, "frame") if _class(frame) == "title"]
        notes = [element for element in page if local(element) == "notes"]
        title = one_line(" ".join(line for frame in frames for line in lines(frame)))
        said = (line for note in notes for line in lines(note))
        yield _part(title, [*lines(page, [*frames, *notes]), *_under("Notes:", said)])


def _class(frame: "Element") -> str:
    return frame.get("{urn:oasis:names:tc:opendocument:xmlns:presentation:1.0}class", "")


_BESIDE: dict[str, Callable[["Element"], Iterator[str]]] = {
    "chart": _chart,
    "diagramData": _diagram,
    "notesSlide": _notes,
    "comments": _comments,
}
"""What a slide refers to that holds words: kind of the reference → its lines."""
