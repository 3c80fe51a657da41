"""A path as the file system spells it, with lines ⇄ a place as messages tell it."""

import os
from urllib.parse import quote_from_bytes, unquote_to_bytes

from engine.files import scan
from engine.part import Part, location
from engine.wire.api_search import Place


def place_at(path: bytes, first: int, last: int, part: Part | None) -> Place:
    """Return the place of some lines in the file at ``path``."""
    name = scan.decode(path)
    return Place(
        path=name,
        start_line=first,
        end_line=last,
        location=location(part, first, last),
        part=part,
        quoted_path=None if os.fsencode(name) == path else quote_from_bytes(path),
    )


def path_of(path: str, quoted_path: str | None) -> bytes:
    """Return the path of a place as the file system spells it."""
    return os.fsencode(path) if quoted_path is None else unquote_to_bytes(quoted_path)
