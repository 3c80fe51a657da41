"""A literal or a regular expression as a person types it → RE2's, which takes linear time.

The syntax is that of ripgrep, whose engine has the same ancestor. Like it, a pattern never matches
across lines, ``\\w``, ``\\d`` and ``\\s`` know all of Unicode, and so does a ``\\b`` at either end
of an alternative; any other ``\\b`` knows ASCII alone.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from engine.errors import UsageError
from engine.wire.query import Exact

if TYPE_CHECKING:
    from re2 import _Regexp as Pattern

LONGEST = 1_000
"""Characters of a pattern: the time is linear in the text, but each may be one more to follow."""

_TOKEN = re.compile(
    r"""\\Q(?P<quoted>.*?)(?:\\E|$)
    | \\x\{(?P<long_code>[0-9a-fA-F]+)\} | \\x(?P<code>[0-9a-fA-F]{2})
    | \\[pP](?:\{[^}]*\}|.) | (?P<escape>\\.)
    | \(\?P?<[^>=!]*> | \(\?[a-zA-Z-]*[:)]
    | \[:\^?\w*:\]
    | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
SURROGATES = re.compile("[\ud800-\udfff]")
"""What UTF-8, in which RE2 looks, can't hold."""
WORD = r"\p{L}\p{M}\p{N}\p{Pc}"
SPACE = r"\s\x{85}\p{Z}"
"""The members of a class of all of Unicode's letters of words; of its blanks."""
_INSIDE = {r"\w": WORD, r"\d": r"\p{Nd}", r"\s": SPACE}
"""What these stand for between brackets; ``\\W`` and ``\\S`` know ASCII alone there."""
_OUTSIDE = {
    **{short: f"[{members}]" for short, members in _INSIDE.items()},
    **{short.upper(): f"[^{members}]" for short, members in _INSIDE.items()},
}
NOT_AFTER_WORD, NOT_BEFORE_WORD = f"(?:^|[^{WORD}])", f"(?:$|[^{WORD}])"
_ATOM = r"(?:\w|\\[wd]|\[(?:\w|-|\\[wd])+\])(?:[+*?]|\{[0-9,]+\})?"
_WORD_FIRST = re.compile(rf"(?:\((?:\?:|\?P?<\w+>)?)*{_ATOM}")
_WORD_LAST = re.compile(rf"(?<!\\){_ATOM}\)*$")
_NOT_KNOWN = ("(?=", "(?!", "(?<", "(?>")


@lru_cache(32)
def compiled(exact: Exact, *, to_line_end: bool = False) -> "Pattern":
    """Return the expression that finds ``exact`` in UTF-8 bytes, smart case applied.

    ``to_line_end`` takes the rest of the line into the match, so that each line has only one; what
    may be empty is found at the end of its line once more.

    Raises:
        UsageError: it is no regular expression, or one that takes too much memory.
    """
    import re2

    if "\n" in exact.pattern or "\r" in exact.pattern:
        raise UsageError(
            "an exact search looks at one line at a time, and this one has several",
            'Put words that stand in several lines between quotes: "so and so"',
        )
    if len(exact.pattern) > LONGEST:
        raise UsageError(f"the pattern is longer than {LONGEST} characters", "Type a shorter one")
    options = re2.Options()
    options.never_nl = options.never_capture = True
    options.log_errors = False
    options.case_sensitive = _has_capital(exact)
    typed = SURROGATES.sub("\ufffd", exact.pattern)
    pattern = typed.encode()
    try:
        if not exact.is_regex:
            rest = b".*" if to_line_end else b""
            return re2.compile(re2.escape(pattern) + rest, options)
        re2.compile(pattern, options)  # its faults are told in the words that were typed
        known = _with_unicode(typed)
        return re2.compile(f"(?m)(?:{known}).*" if to_line_end else f"(?m){known}", options)
    except re2.error as error:
        raise _fault(exact.pattern, error.args[0]) from None


def _has_capital(exact: Exact) -> bool:
    """Whether case counts: where a letter to be matched is a capital, not in ``\\W`` or a name."""
    if not exact.is_regex:
        return _is_upper(exact.pattern)
    return any(_is_upper(_literal(token)) for token in _TOKEN.finditer(exact.pattern))


def _is_upper(text: str) -> bool:
    return any(letter.isupper() for letter in text)


def _literal(token: re.Match[str]) -> str:
    if code := token["long_code"] or token["code"]:
        number = int(code, 16)
        return chr(number) if number <= 0x10FFFF else ""
    return token["quoted"] or token["other"] or ""


def _with_unicode(pattern: str) -> str:
    """Return ``pattern`` with classes and boundaries that know more than ASCII."""
    tokens = list(_TOKEN.finditer(pattern))
    made = []
    inside, depth = False, 0
    for at, token in enumerate(tokens):
        text = token[0]
        if text == r"\b" and not inside and depth == 0:
            made.append(_boundary(pattern[: token.start()], pattern[token.end() :]))
        elif token["escape"]:
            made.append((_INSIDE if inside else _OUTSIDE).get(text, text))
        elif text.startswith(r"\Q") and not text.endswith(r"\E"):
            made.append(text + r"\E")  # what follows it here is not part of it
        else:
            made.append(text)
        if not inside:
            depth += (text.startswith("(") and text[-1:] != ")") - (text == ")")
        inside = _is_inside(tokens, at, inside=inside)
    return "".join(made)


def _is_inside(tokens: Sequence[re.Match[str]], at: int, *, inside: bool) -> bool:
    """Whether what follows the token stands between brackets."""
    text = tokens[at][0]
    if not inside:
        return text == "["
    before = [token[0] for token in tokens[max(0, at - 2) : at]]
    is_first = before[-1:] == ["["] or before == ["[", "^"]
    return text != "]" or is_first


def _boundary(before: str, after: str) -> str:
    """Return what stands for a ``\\b``: at the beginning or end of an alternative, all of Unicode.

    There the characters beside the match can be taken into it, since only its line is wanted.
    """
    if before[-1:] in ("", "|") and _WORD_FIRST.match(after):
        return NOT_AFTER_WORD
    if after[:1] in ("", "|") and _WORD_LAST.search(before):
        return NOT_BEFORE_WORD
    return r"\b"


def _fault(pattern: str, said: bytes) -> UsageError:
    what, _, where = said.decode("utf-8", "replace").partition(": ")
    if where.startswith(_NOT_KNOWN) or re.match(r"\\[1-9]", where):
        what = "look-around and back-references are not known here, since they can take for ever"
    at = pattern.find(where) + 1 if where and where != pattern else 0
    place = f" at character {at}, {where[:40]}" if at else ""
    return UsageError(
        f"the pattern can't be read: {what}{place}",
        "Correct it, or look for the text as it is with a ' before it",
    )
