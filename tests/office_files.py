"""Small files of rich formats, written by hand."""

import io
import json
import zipfile
from collections.abc import Mapping, Sequence

_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_KINDS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/main"
_SLIDES = "http://schemas.openxmlformats.org/presentationml/2006/main"
_WORDS = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_SHEETS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OPEN = "urn:oasis:names:tc:opendocument:xmlns:"


def zipped(entries: Mapping[str, str | bytes]) -> bytes:
    """Return a zip archive of these entries."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return made.getvalue()


def entries(raw: bytes) -> dict[str, bytes]:
    """Return the entries of a zip archive."""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _relations(**targets: str) -> str:
    """Return relationships: id="kind target"."""
    rows = (
        f'<Relationship Id="{key}" Type="{_KINDS}/{value.split()[0]}" Target="{value.split()[1]}"/>'
        for key, value in targets.items()
    )
    return f'<Relationships xmlns="{_RELATIONS}">{"".join(rows)}</Relationships>'


def docx(body: str, *, comments: str = "") -> bytes:
    """Return a Word file whose body is this WordprocessingML, without namespaces (``w:``)."""
    space = f'xmlns:w="{_WORDS}"'
    types = "http://schemas.openxmlformats.org/package/2006/content-types"
    main = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    entries = {
        "[Content_Types].xml": f'<Types xmlns="{types}"><Default Extension="xml" '
        f'ContentType="application/xml"/><Override PartName="/word/document.xml" '
        f'ContentType="{main}"/></Types>',
        "_rels/.rels": _relations(a="officeDocument word/document.xml"),
        "word/document.xml": f"<w:document {space}><w:body>{body}</w:body></w:document>",
        "word/_rels/document.xml.rels": _relations(
            a="styles styles.xml", b="comments comments.xml"
        ),
        "word/styles.xml": f'<w:styles {space}><w:style w:type="paragraph" w:styleId="Heading1">'
        '<w:name w:val="heading 1"/></w:style></w:styles>',
    }
    if comments:
        entries["word/comments.xml"] = f"<w:comments {space}>{comments}</w:comments>"
    return zipped(entries)


def word_paragraph(text: str, style: str = "") -> str:
    """Return a paragraph of WordprocessingML."""
    named = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{named}<w:r><w:t>{text}</w:t></w:r></w:p>"


def shape(*paragraphs: str, kind: str = "body") -> str:
    """Return a shape with text; ``kind`` is that of its placeholder."""
    rows = "".join(f"<a:p><a:r><a:t>{text}</a:t></a:r></a:p>" for text in paragraphs)
    return (
        f'<p:sp><p:nvSpPr><p:nvPr><p:ph type="{kind}"/></p:nvPr></p:nvSpPr>'
        f"<p:txBody>{rows}</p:txBody></p:sp>"
    )


def pptx(*slides: str, notes: Mapping[int, str] | None = None) -> bytes:
    """Return a presentation whose slides stand in their files in the opposite order."""
    spaces = f'xmlns:a="{_DRAWING}" xmlns:p="{_SLIDES}" xmlns:r="{_KINDS}"'
    files = [f"slide{len(slides) - at}.xml" for at in range(len(slides))]
    listed = "".join(f'<p:sldId r:id="r{at}"/>' for at in range(len(slides)))
    entries = {
        "_rels/.rels": _relations(a="officeDocument ppt/presentation.xml"),
        "ppt/presentation.xml": f"<p:presentation {spaces}><p:sldIdLst>{listed}</p:sldIdLst>"
        "</p:presentation>",
        "ppt/_rels/presentation.xml.rels": _relations(
            **{f"r{at}": f"slide slides/{file}" for at, file in enumerate(files)}
        ),
    }
    for at, (file, slide) in enumerate(zip(files, slides, strict=True), 1):
        entries[f"ppt/slides/{file}"] = f"<p:sld {spaces}><p:spTree>{slide}</p:spTree></p:sld>"
        if notes and at in notes:
            entries[f"ppt/slides/_rels/{file}.rels"] = _relations(a="notesSlide ../notes.xml")
            entries["ppt/notes.xml"] = f"<p:notes {spaces}>{shape(notes[at])}</p:notes>"
    return zipped(entries)


def xlsx(sheets: Mapping[str, Sequence[Sequence[str | float | None]]]) -> bytes:
    """Return a workbook of these sheets; numbers from 40 000 on with a point are dates."""
    names = "".join(
        f'<sheet name="{name}" sheetId="{at}" r:id="r{at}"/>' for at, name in enumerate(sheets, 1)
    )
    entries = {
        "_rels/.rels": _relations(a="officeDocument xl/workbook.xml"),
        "xl/workbook.xml": f'<workbook xmlns="{_SHEETS}" xmlns:r="{_KINDS}"><sheets>{names}'
        "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": _relations(
            styles="styles styles.xml",
            **{f"r{at}": f"worksheet worksheets/s{at}.xml" for at in range(1, len(sheets) + 1)},
        ),
        "xl/styles.xml": f'<styleSheet xmlns="{_SHEETS}"><cellXfs><xf numFmtId="0"/>'
        '<xf numFmtId="14"/></cellXfs></styleSheet>',
    }
    for at, rows in enumerate(sheets.values(), 1):
        entries[f"xl/worksheets/s{at}.xml"] = sheet_xml(
            {f"{column(x)}{y}": cell for y, row in enumerate(rows, 1) for x, cell in enumerate(row)}
        )
    return zipped(entries)


def column(at: int) -> str:
    """Return the letters of a column, from 0."""
    letters = ""
    at += 1
    while at:
        at, rest = divmod(at - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def sheet_xml(cells: Mapping[str, str | float | None]) -> str:
    """Return a sheet of cells by their places (``B7``), in rows that rise."""
    rows: dict[str, str] = {}
    for place, cell in cells.items():
        row = place.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        if isinstance(cell, str):
            made = f'<c r="{place}" t="inlineStr"><is><t>{cell}</t></is></c>'
        else:
            style = ' s="1"' if cell is not None and cell > 40_000 else ""
            made = f'<c r="{place}"{style}><v>{cell}</v></c>' if cell is not None else ""
        rows[row] = rows.get(row, "") + made
    data = "".join(f'<row r="{row}">{made}</row>' for row, made in rows.items())
    return f'<worksheet xmlns="{_SHEETS}"><sheetData>{data}</sheetData></worksheet>'


def open_document(body: str) -> bytes:
    """Return an OpenDocument file with this body (``office: text: draw: table:`` …)."""
    spaces = " ".join(
        f'xmlns:{name}="{_OPEN}{name}:1.0"' for name in ("office", "text", "table", "presentation")
    )
    spaces += f' xmlns:draw="{_OPEN}drawing:1.0"'
    content = f"<office:document-content {spaces}><office:body>{body}</office:body>"
    return zipped({"content.xml": content + "</office:document-content>"})


def epub(chapters: Mapping[str, str], titles: Mapping[str, str] | None = None) -> bytes:
    """Return a book: file name → body of a chapter, and file name → title in its contents."""
    items = "".join(
        f'<item id="{name}" href="text/{name}" media-type="application/xhtml+xml"/>'
        for name in chapters
    )
    spine = "".join(f'<itemref idref="{name}"/>' for name in reversed([*chapters]))
    links = "".join(f'<a href="text/{name}">{title}</a>' for name, title in (titles or {}).items())
    return zipped(
        {
            "META-INF/container.xml": '<container><rootfile full-path="OPS/book.opf"/></container>',
            "OPS/book.opf": f"<package><manifest>{items}<item id='nav' href='nav.xhtml' "
            "media-type='application/xhtml+xml' properties='nav'/></manifest>"
            f"<spine><itemref idref='nav'/>{spine}</spine></package>",
            "OPS/nav.xhtml": f"<html><body>{links}</body></html>",
        }
        | {
            f"OPS/text/{name}": f"<html><body>{body}</body></html>"
            for name, body in chapters.items()
        }
    )


def notebook(*cells: tuple[str, str, str], language: str = "python") -> bytes:
    """Return a notebook of (kind, source, printed text)."""
    made = [
        {"cell_type": kind, "source": source.splitlines(keepends=True)}
        | ({"outputs": [{"output_type": "stream", "text": [printed]}]} if printed else {})
        for kind, source, printed in cells
    ]
    content = {"cells": made, "metadata": {"language_info": {"name": language}}, "nbformat": 4}
    return json.dumps(content).encode()
