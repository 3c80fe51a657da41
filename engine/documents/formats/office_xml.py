"""Paragraphs and tables in the XML of Office and OpenDocument files.

Elements are known by their names in any namespace, since strict Office files have others. Nothing
here recurses: files can be nested as deep as their writer likes.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from engine.documents.parts import one_line

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_SPACES = {"br": "\n", "line-break": "\n", "tab": "\t", "s": " ", "note": " ", "annotation": " "}
"""Elements that stand for space, in runs of DrawingML and in OpenDocument."""
_OUTLINE_LEVEL = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}outline-level"


def lines(root: "Element", left_out: Iterable["Element"] = ()) -> Iterator[str]:
    """Yield the paragraphs below ``root``, tables as Markdown, and what images are said to show."""
    unseen = [*left_out, *named(root, "Fallback")]
    done = {inner for outer in unseen for inner in outer.iter()}
    for element in root.iter():
        if element in done:
            continue
        kind = local(element)
        if kind in ("tbl", "table"):
            done |= set(element.iter())
            yield _table(element)
        elif kind in ("p", "h"):
            done |= set(element.iter())
            yield _mark(element) + words(element).strip()
        elif kind == "cNvPr" and element.get("descr"):
            yield f"Image: {one_line(element.get('descr', ''))}"


def _table(table: "Element") -> str:
    rows = [
        [
            one_line(" ".join(words(p) for p in cell.iter() if local(p) in ("p", "h")))
            for cell in row
            if local(cell) in ("tc", "table-cell", "covered-table-cell")
        ]
        for row in table.iter()
        if local(row) in ("tr", "table-row")
    ]
    made = ["| " + " | ".join(row) + " |" for row in rows]
    if made:
        made.insert(1, "| " + " | ".join("---" for _ in rows[0]) + " |")
    return "\n".join(made)


def words(paragraph: "Element") -> str:
    """Return the text of a paragraph: the runs of DrawingML, or OpenDocument's mixed content."""
    if not paragraph.tag.startswith("{urn:oasis:"):
        return "".join(_run(element) for element in paragraph.iter())
    for element in paragraph.iter():
        if local(element) in _SPACES:
            element.text = _SPACES[local(element)]
    return "".join(paragraph.itertext())


def _run(element: "Element") -> str:
    kind = local(element)
    return (element.text or "") if kind == "t" else _SPACES.get(kind, "")


def named(root: "Element", name: str) -> list["Element"]:
    """Return the elements of a name in any namespace: strict and usual files have different."""
    return [element for element in root.iter() if local(element) == name]


def local(element: "Element") -> str:
    """Return the name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


def _mark(paragraph: "Element") -> str:
    level = paragraph.get(_OUTLINE_LEVEL, "")
    return "#" * min(int(level), 6) + " " if level.isdecimal() and int(level) else ""
