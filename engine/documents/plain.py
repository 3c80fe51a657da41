"""Text in any encoding → characters. Nothing is translated: ``\\r\\n`` stays ``\\r\\n``."""

import codecs
import re
from typing import NamedTuple

from engine.documents.double_encoding import repair
from engine.documents.legacy import encoding_of
from engine.errors import LoadError
from engine.figures import counted

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BEGINNING = 8192
"""Bytes by which text is told from what is none."""
_CONTROLS = re.compile(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_WIDE = (
    # Where each character of ASCII has its byte, and how many bytes it takes.
    ("utf-32-le", 0, 4),
    ("utf-32-be", 3, 4),
    ("utf-16-le", 0, 2),
    ("utf-16-be", 1, 2),
)
_REPLACED = "\ufffd"
_SOUND = 5
"""Characters beyond ASCII that speak for UTF-8, for each place where it is not valid."""
_PLAIN = 0.8
"""The share of ASCII from which text of two or four bytes a character is plainly that."""
_NAMES = {"cp932": "Shift-JIS", "mac_roman": "Mac Roman", "big5": "Big5", "latin-1": "Latin-1"}


class Decoded(NamedTuple):
    """A text, and how its bytes became characters."""

    text: str
    encoding: str
    """As Python calls it."""
    confidence: float = 1.0
    """How sure the encoding is, from 0 to 1; 1 where it was not guessed."""
    damaged: int = 0
    """Places at which it is not valid, where it is UTF-8 otherwise."""
    repaired: str = ""
    """The encoding as which its UTF-8 had been read and saved again; empty where it was not."""

    @property
    def told(self) -> str:
        """In a person's words, such as ``cp1251, 93 % sure``; empty for plain UTF-8."""
        if self.repaired:
            return f"repaired: UTF-8 read as {spoken(self.repaired)}"
        if self.damaged:
            return f"UTF-8, damaged in {counted(self.damaged, 'place')}"
        if self.confidence < 1:
            return f"{spoken(self.encoding)}, {self.confidence:.0%} sure".replace("%", " %")
        return "" if self.encoding == "utf-8" else spoken(self.encoding)


def spoken(encoding: str) -> str:
    """Return the name of an encoding as people write it."""
    other = encoding if encoding.startswith("cp") else encoding.replace("_", "-").upper()
    return _NAMES.get(encoding, other)


def decode(raw: bytes) -> Decoded:
    """Return the text in ``raw``, without its byte order mark.

    Text whose UTF-8 was read as another encoding and saved again is repaired, line by line.

    Raises:
        LoadError: it is no text, or text in an encoding that can't be told.
    """
    for mark, encoding in _BYTE_ORDER_MARKS:
        if raw.startswith(mark):
            return _repaired(_checked(_decode_as(raw[len(mark) :], encoding)), encoding)
    if b"\0" in raw and (wide := _wide(raw)):
        return Decoded(_checked(_decode_as(raw, wide)), wide)
    beginning = raw[:_BEGINNING]
    if b"\0" in raw or len(_CONTROLS.findall(beginning)) * 20 > len(beginning):
        raise LoadError("binary content under the name of a text")
    try:
        return _repaired(raw.decode("utf-8"), "utf-8")
    except UnicodeDecodeError as error:
        if damaged := _damaged(raw, error):
            return damaged
        if _is_ebcdic(beginning):
            raise LoadError("text in an encoding that is not read: EBCDIC") from error
        guess = encoding_of(raw)
        return Decoded(_decode_as(raw, guess.encoding), *guess)


def _damaged(raw: bytes, error: UnicodeDecodeError) -> Decoded | None:
    """Return UTF-8 that was cut off, or of which little is not valid; None for what is none."""
    text = raw.decode("utf-8", "replace")
    places = text.count(_REPLACED) - raw.count(_REPLACED.encode())
    sound = len(text) - len(text.encode("ascii", "ignore")) - text.count(_REPLACED)
    is_cut = error.start >= len(raw) - 3 and error.reason == "unexpected end of data"
    if sound >= places * _SOUND or (is_cut and sound):
        return Decoded(text, "utf-8", damaged=places)
    return None


def _is_ebcdic(beginning: bytes) -> bool:
    """Whether a mainframe wrote it: its spaces are what is ``@`` elsewhere."""
    spaces = beginning.count(b"@")
    return spaces * 20 > max(len(beginning), 20 * 20 * (beginning.count(b" ") + 1))


def _wide(raw: bytes) -> str | None:
    """Return the UTF-16 or UTF-32 of a text without a mark, nearly all of it ASCII; else None."""
    for encoding, place, width in _WIDE:
        if len(raw) % width:
            continue
        beginning = raw[: _BEGINNING - _BEGINNING % width]
        characters = beginning[place::width]
        zeros = beginning.count(0) - characters.count(0)
        written = sum(byte >= 0x20 or byte in b"\t\n\r\f" for byte in characters if byte < 0x7F)
        enough = _PLAIN * len(characters)
        if written >= enough and zeros >= enough * (width - 1):
            return encoding
    return None


def _repaired(text: str, encoding: str) -> Decoded:
    fixed = repair(text)
    return (
        Decoded(fixed.text, encoding, repaired=fixed.read_as) if fixed else Decoded(text, encoding)
    )


def _decode_as(raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise LoadError(f"text that is damaged: not valid {spoken(encoding)}") from error


def _checked(text: str) -> str:
    if "\0" in text:
        raise LoadError("binary content under the name of a text")
    return text
