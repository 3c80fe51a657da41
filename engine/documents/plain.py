"""Text in any encoding → characters. Nothing is translated: ``\\r\\n`` stays ``\\r\\n``."""

import codecs
import re

from engine.documents.legacy import encoding_of
from engine.errors import LoadError

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONTROLS = re.compile(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f]")


def decode(raw: bytes) -> str:
    """Return the text in ``raw``, without its byte order mark.

    Raises:
        LoadError: it is no text, or text in an encoding that can't be told.
    """
    for mark, encoding in _BYTE_ORDER_MARKS:
        if raw.startswith(mark):
            return _checked(_decode_as(raw[len(mark) :], encoding))
    if b"\0" in raw or len(_CONTROLS.findall(raw[:8192])) * 20 > len(raw[:8192]):
        raise LoadError("binary content under the name of a text")
    try:
        return _checked(raw.decode("utf-8"))
    except UnicodeDecodeError:
        return _checked(_decode_as(raw, encoding_of(raw)))


def _decode_as(raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise LoadError(f"text that is damaged: not valid {encoding}") from error


def _checked(text: str) -> str:
    if "\0" in text:
        raise LoadError("binary content under the name of a text")
    return text
