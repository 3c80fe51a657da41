"""Jupyter notebooks: one part a cell, its source line for line, and the text it printed."""

import json
from collections.abc import Iterator
from typing import Any

from engine.documents.parts import Parts, PartText, one_line, plain_lines, tidy

LONGEST_OUTPUT = 2_000
"""Characters of what a cell printed that are kept: the rest is data rather than text."""
OUTPUT = "\n\nOutput:\n"
"""Between the source of a cell and what it printed."""

_NO_NOTEBOOK = "it is no notebook"


def read(raw: bytes, name: str) -> Parts:
    """Return the cells of a notebook; the name of a cell of code is its language, of others "".

    Raises:
        ValueError: it is none, in a person's words.
    """
    try:
        notebook = json.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ValueError(_NO_NOTEBOOK) from error
    cells = _cells(notebook)
    if cells is None:
        raise ValueError(_NO_NOTEBOOK)
    language = _language(notebook)
    return Parts("cell", [_cell(cell, language) for cell in cells])


def _cells(notebook: object) -> list[Any] | None:
    """Return the cells as version 4 has them, or in the worksheets of version 3."""
    if not isinstance(notebook, dict):
        return None
    found = notebook.get("cells")
    if found is None and isinstance(sheets := notebook.get("worksheets"), list):
        found = [cell for sheet in sheets for cell in _dict(sheet).get("cells", [])]
    return found if isinstance(found, list) else None


def _language(notebook: dict[str, Any]) -> str:
    metadata = _dict(notebook.get("metadata"))
    for place in ("language_info", "kernelspec"):
        named = _dict(metadata.get(place))
        said = named.get("language") or (named.get("name") if place == "language_info" else "")
        if isinstance(said, str) and said:
            return one_line(said)
    return "python"


def _cell(cell: object, language: str) -> PartText:
    content = _dict(cell)
    source = plain_lines(_text(content.get("source", content.get("input")))).rstrip()
    if content.get("cell_type") != "code":
        return PartText(source)
    printed = tidy("\n".join(filter(None, _outputs(content.get("outputs")))))
    if len(printed) > LONGEST_OUTPUT:
        printed = printed[:LONGEST_OUTPUT] + " …"
    return PartText(source + (OUTPUT + printed if printed else ""), language)


def _outputs(outputs: object) -> Iterator[str]:
    for one in outputs if isinstance(outputs, list) else ():
        output = _dict(one)
        if output.get("output_type") in ("error", "pyerr"):
            yield ": ".join(_text(output.get(key)) for key in ("ename", "evalue"))
        elif "text" in output:
            yield _text(output["text"])[: LONGEST_OUTPUT * 2]
        else:
            yield _text(_dict(output.get("data")).get("text/plain"))[: LONGEST_OUTPUT * 2]


def _text(value: object) -> str:
    if isinstance(value, list):
        return "".join(piece for piece in value if isinstance(piece, str))
    return value if isinstance(value, str) else ""


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
