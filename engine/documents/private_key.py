"""Whether a text holds a private key, whatever file it came from."""

import re

_BEGIN = r"---- ?BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?----"
_BETWEEN = r"""(?:\\+[nrt]?|[\s"'`>|*#,;-]|b(?=["'])|//\s|<br ?/?>)"""
"""What surrounds the lines of a key in quotes, comments, tables, diffs and strings of code."""
_FIELD = r"[A-Z][A-Za-z-]{2,20}: [^\r\n\\]{0,200}+"
_BASE64 = "[A-Za-z0-9+/]"
_PRIVATE_KEY = re.compile(
    f"{_BEGIN}(?:{_BETWEEN}|{_FIELD})*+"
    f"(?:{_BASE64}{{40}}|{_BASE64}{{20,}}+{_BETWEEN}++{_BASE64}{{20}})"
)


def holds_private_key(text: str) -> bool:
    """Return whether ``text`` holds the header of a private key with at least 40 characters of it.

    The header alone, or above an ellipsis, is no key: manuals show it.
    """
    return "PRIVATE KEY" in text and bool(_PRIVATE_KEY.search(text))
