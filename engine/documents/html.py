"""HTML → Markdown, with the line of the file each piece came from."""

import codecs
import re

from engine.documents import plain
from engine.documents.document import Document
from engine.documents.formats import web_page
from engine.documents.line_map import map_lines
from engine.documents.workers import SECONDS, read_in_worker
from engine.errors import LoadError

LARGE = 500_000
"""Characters above which a file is converted in a worker process: broken HTML can make the
converter's time grow with the square of its size."""

_DECLARED = re.compile(
    rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]+)", re.IGNORECASE
)


_DECLARABLE = ("ascii", "big5", "cp", "euc", "gb", "iso", "koi8", "mac", "shift_jis", "tis")
"""How the names of encodings begin that pages are in: Python's others run escapes, or are none."""


def parse(raw: bytes, *, seconds: float = SECONDS) -> Document:
    """Return the document in an HTML file as Markdown: headings, lists, tables and code stay.

    Raises:
        LoadError: nested too deeply, too slow, or no text at all.
    """
    source, how = _decode(raw)
    if len(source) > LARGE:
        text = read_in_worker("html", source.encode("utf-8"), seconds=seconds).parts[0].text
    else:
        try:
            text = web_page.convert(source)
        except ValueError as error:
            raise LoadError(str(error)) from error
    return Document(text, "html", source_lines=map_lines(source, text), how=how)


def _decode(raw: bytes) -> tuple[str, str]:
    """Return the text, and what is to be told of how it was decoded.

    It is UTF-8 if that is valid, then what the page declares, then what its bytes look like.
    """
    declared = _DECLARED.search(raw[:2048])
    if declared and b"\0" not in raw and not _is_utf8(raw):
        try:
            encoding = codecs.lookup(declared[1].decode("ascii")).name
            if encoding.startswith(_DECLARABLE):
                return raw.decode(encoding), f"{plain.spoken(encoding)}, as it says"
        except (UnicodeError, LookupError):
            pass  # a wrong declaration, as they often are
    decoded = plain.decode(raw)
    return decoded.text, decoded.told


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
