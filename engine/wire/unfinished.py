"""The filter that is being typed: which one, what of its value is there, and how it is written."""

import re
from dataclasses import dataclass

_AT_CURSOR = re.compile(
    r"""(?<!\S)-?(?P<key>path|type|tag):(?:"(?P<quoted>[^"\n]*)|(?P<value>(?![:"])\S*))$""",
    re.VERBOSE,
)
"""What ``query`` takes for such a filter once it is whole."""
_REST_OF_QUOTED = re.compile(r'[^"\n]*"(?!\S)|\S*')
_REST = re.compile(r"\S*")


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A filter with the cursor in its value."""

    filter: str
    """Its name: ``path``, ``type`` or ``tag``."""
    start: str
    """What stands of the value before the cursor; of several types, of the last."""
    begin: int
    """Where what a value takes the place of begins in the text …"""
    end: int
    """… and where it ends."""
    before: str = ""
    """The types that stand before it, with the comma."""

    def written(self, value: str) -> str:
        """Return what stands for ``value`` between ``begin`` and ``end``, in quotes if need be."""
        whole = self.before + value
        return f'"{whole}"' if re.search(r"^:|\s", whole) else whole


def unfinished(text: str, cursor: int) -> Unfinished | None:
    """Return the filter of ``text`` in whose value the cursor is, by its index; None for none."""
    found = _AT_CURSOR.search(text, text.rfind("\n", 0, cursor) + 1, cursor)
    if found is None:
        return None
    quoted = found["quoted"] is not None
    start = found["quoted"] if quoted else found["value"]
    rest = (_REST_OF_QUOTED if quoted else _REST).match(text, cursor)
    assert rest is not None, "both match nothing, too"
    before = start[: start.rfind(",") + 1] if found["key"] == "type" else ""
    begin = cursor - len(start) - quoted
    return Unfinished(found["key"], start[len(before) :], begin, rest.end(), before)
