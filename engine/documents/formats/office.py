"""What kreuzberg reads: documents of Word, RTF, old presentations, and Outlook's messages."""

import re
from typing import TYPE_CHECKING

from engine.documents.parts import LONGEST_TEXT, TOO_LONG, tidy

if TYPE_CHECKING:
    from kreuzberg import ExtractionResult

NEEDS_EXTRA = "files of this kind are read after `uv sync --extra office`"

_OFFICE = "application/vnd.openxmlformats-officedocument"
_MIME_TYPES = {
    "docx": f"{_OFFICE}.wordprocessingml.document",
    "rtf": "application/rtf",
    "doc": "application/msword",
    "ppt": "application/vnd.ms-powerpoint",
    "msg": "application/vnd.ms-outlook",
}
"""What it is asked for. It never sees text or code: for those it fetches parsers."""
_ESCAPED = re.compile(r"\\([!<>*_.()\[\]{}~+=&\"'$%,:;?@^/-])")
_IMAGE = re.compile(r"!\[([^\[\]\n]*)\]\([^()\n]*\)")


def extract(raw: bytes, suffix: str) -> "ExtractionResult":
    """Return what kreuzberg makes of a file of one of its kinds.

    Raises:
        ValueError: it can't be read, in a person's words.
    """
    try:
        import kreuzberg
    except ImportError as error:
        raise ValueError(NEEDS_EXTRA) from error
    config = kreuzberg.ExtractionConfig(
        output_format="markdown", use_cache=False, enable_quality_processing=False
    )
    try:
        found = kreuzberg.extract_bytes_sync(raw, _MIME_TYPES[suffix], config=config)
    except kreuzberg.KreuzbergError as error:
        if any(word in str(error).lower() for word in ("password", "encrypt")):
            raise ValueError("the file is encrypted: it asks for a password") from error
        raise ValueError("the file is damaged") from error
    if len(found.content) > LONGEST_TEXT:
        raise ValueError(TOO_LONG)
    return found


def text(raw: bytes, suffix: str) -> str:
    """Return a file's text as Markdown without escapes; of images, what they are said to show.

    Raises:
        ValueError: as ``extract``.
    """
    return unescaped(extract(raw, suffix).content)


def unescaped(markdown: str) -> str:
    """Return Markdown as it reads: words as the document has them, and no paths of images."""
    shown = _IMAGE.sub(lambda image: f"Image: {image[1]}" if image[1] else "", markdown)
    return tidy(_ESCAPED.sub(r"\1", shown))
