"""The one function every outside text passes on its way to a terminal.

File names, chunks, answers and error texts may hold escape sequences, bidi controls or lone
surrogates. The mapping works on single code points, so a stream can be cleaned token by token.
"""

REPLACEMENT = "\ufffd"

_REPLACED = [*range(0x00, 0x09), *range(0x0B, 0x20), 0x7F, *range(0x80, 0xA0)]
_DROPPED = [
    0x200B,  # zero-width space
    0x200E, 0x200F, 0x061C,  # marks
    *range(0x202A, 0x202F),  # embeddings and overrides
    *range(0x2066, 0x206A),  # isolates
    0x2028, 0x2029,  # line and paragraph separators, which some terminals obey
    0xFEFF,  # byte order mark
    *range(0xD800, 0xE000),  # lone surrogates
    *range(0xE0000, 0xE0080),  # tag characters
]  # fmt: skip

_TERMINAL: dict[int, str | None] = {
    **dict.fromkeys(_REPLACED, REPLACEMENT),
    **dict.fromkeys(_DROPPED),
}
_INVISIBLE: dict[int, None] = dict.fromkeys(_DROPPED)
_WITHOUT_GLYPH: dict[int, None] = dict.fromkeys(
    [
        *_DROPPED,
        0x00AD,  # soft hyphen
        0x034F,  # combining grapheme joiner
        *range(0x180B, 0x1810),  # Mongolian selectors and separator
        *range(0x200C, 0x200E),  # joiners
        *range(0x2060, 0x2070),  # word joiner, invisible operators, isolates
        *range(0xFDD0, 0xFDF0), 0xFFFE, 0xFFFF,  # no characters
        *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0),  # variation selectors
        *range(0xFFF0, 0xFFFC),  # annotations
        *range(0x1BCA0, 0x1BCA4), *range(0x1D173, 0x1D17B),  # of shorthand and music
    ]
)  # fmt: skip
_ONE_LINE = {**_TERMINAL, 0x0A: "\u23ce", 0x09: " "}
_UNSAFE_IN_JSON = {
    code: f"\\u{code:04x}"
    if code < 0x10000
    else "".join(
        f"\\u{unit:04x}"
        for unit in (0xD800 + ((code - 0x10000) >> 10), 0xDC00 + ((code - 0x10000) & 0x3FF))
    )
    for code in (*range(0x7F, 0xA0), *_DROPPED)
}


def visible(text: str) -> str:
    """Return ``text`` without the invisible code points that :func:`clean` lets vanish."""
    return text.translate(_INVISIBLE)


def bare(text: str) -> str:
    """Return ``text`` without any code point that shows nothing by itself, joiners included.

    It reads the same, and is for comparing, not for showing: some scripts need what is left out.
    """
    return text.translate(_WITHOUT_GLYPH)


def clean(text: str) -> str:
    """Return ``text`` safe to write to a terminal; newlines and tabs stay, CRLF becomes LF.

    Controls become U+FFFD; invisible direction, tag and surrogate code points vanish; ZWJ and
    ZWNJ stay, since scripts and emoji need them.
    """
    return text.replace("\r\n", "\n").translate(_TERMINAL)


def clean_line(text: str) -> str:
    """Like :func:`clean`, on one line: newlines are shown as a return sign, tabs as a space."""
    return text.replace("\r\n", "\n").translate(_ONE_LINE)


def escape_json(document: str) -> str:
    """Escape in a JSON document what :func:`clean` would change; its value stays the same."""
    return document.translate(_UNSAFE_IN_JSON)
