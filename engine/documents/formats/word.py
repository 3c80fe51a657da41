"""Documents of word processors → Markdown: headings, lists and tables stay."""

from collections.abc import Iterator

from engine.documents.formats import office
from engine.documents.formats.office_xml import lines, named
from engine.documents.formats.zipped import Zipped
from engine.documents.parts import Parts, PartText, one_line, tidy


def read(raw: bytes, name: str) -> Parts:
    """Return the text of a document as Markdown, with its comments, in one part.

    Raises:
        ValueError: it is none, damaged, encrypted or too large, in a person's words.
    """
    return Parts(None, [PartText(_markdown(raw))])


def _markdown(raw: bytes) -> str:
    if not raw.startswith(b"PK"):
        return office.text(raw, "rtf" if raw.lstrip()[:5] == b"{\\rtf" else "doc")
    archive = Zipped(raw)
    if "content.xml" in archive.names:
        return _open_document(archive)
    if "word/document.xml" not in archive.names and not archive.targets(""):
        raise ValueError("it is no document of a word processor")
    archive.measure()
    comments = "\n".join(_comments(archive))
    return "\n\n".join(filter(None, [office.text(raw, "docx"), comments]))


def _open_document(archive: Zipped) -> str:
    """Return the paragraphs of an OpenDocument text: kreuzberg leaves out lists within tables."""
    root = archive.xml("content.xml")
    return tidy("\n\n".join(filter(None, lines(root, named(root, "tracked-changes")))))


def _comments(archive: Zipped) -> Iterator[str]:
    """Yield what reviewers wrote beside the text of a Word file, which kreuzberg leaves out."""
    main = next((to for kind, to in archive.targets("").values() if kind == "officeDocument"), "")
    found = [to for kind, to in archive.targets(main).values() if kind == "comments"]
    comments = [
        one for to in found if to in archive.names for one in named(archive.xml(to), "comment")
    ]
    if comments:
        yield "Comments:"
    for comment in comments:
        author = next((value for key, value in comment.items() if key.endswith("}author")), "")
        words = one_line(" ".join(text.text or "" for text in named(comment, "t")))
        yield f"{one_line(author)}: {words}" if author else words
