"""PDF → text, page by page, read in a child process with limits of memory and time."""

import re
from itertools import accumulate

from engine.documents.child import SECONDS, read_in_child
from engine.documents.document import Document
from engine.errors import LoadError

_HYPHEN_AT_LINE_END = re.compile("[\x02\ufffe](\r\n|\n)?")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f\ufffe\uffff\ud800-\udfff]")


def parse(raw: bytes, *, seconds: float = SECONDS) -> Document:
    """Return the document in a PDF; each page ends with a newline.

    Raises:
        LoadError: encrypted, damaged, without text, too large or too slow.
    """
    pages = [_tidy(page) for page in read_in_child("pdf", raw, seconds=seconds)]
    if not any(page.strip() for page in pages):
        raise LoadError("a scanned PDF without text")
    text = "".join(pages)
    return Document(text, "pdf", unit="page", parts=[0, *accumulate(map(len, pages))][:-1])


def _tidy(page: str) -> str:
    page = _HYPHEN_AT_LINE_END.sub("", page).replace("\r\n", "\n")
    return _CONTROLS.sub(" ", page) + "\n"
