"""Which words of a question name one thing: identifiers, error codes, file names, flags, versions.

Whoever types ``ERR_TIMEOUT-12`` or ``index.md`` wants the chunks that hold it, word for word.

>>> named("What does --max-degree do in hnsw_index.md since v2.4.1?")
['--max-degree', 'hnsw_index.md', 'v2.4.1']
>>> named("How often are 40 generators and/or pumps tested, e.g. in 2026?")
[]
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from engine.chunks.lexical import UNSPACED

if TYPE_CHECKING:
    from engine.storage.index import Found

MOST_NAMES = 16
"""Of one question: a pasted log is no list of names."""

_QUOTED = re.compile(r"(?<!`)`{1,2}([^`\n]{1,200})`{1,2}(?!`)")
_TOKEN = re.compile(rf"(?:(?![{UNSPACED}])[^\s`“”„«»‘’，。？！：；（）、<>|])+")
_AROUND = "\"'()[]{},;:!?…*"
_NAMES = re.compile(
    r"""
      --[a-zA-Z][\w-]+                              # --flag
    | \w*[^\W\d]\w*_\w+ | _+[^\W\d]\w*              # snake_case, CONST_CASE, __init__
    | (?=[\w-]*_)[\w-]*[^\W\d_][\w-]*               # ERR_FOO-12
    | [a-z]{2}[a-z0-9]*(?:[A-Z][a-z]{2}\w*)+        # camelCase, which mRNAs is not
    | [A-Z][a-z0-9]+(?:[A-Z][a-z]+){2,}             # PascalCase, which PlayStation is not
    | \w+(?:(?:::|->)~?\w+)+                        # std::vector
    | (?:[\w-]{2,}|[\w-]+(?=\.\w{2}))(?:\.[\w-]+)*\.[a-z]\w{0,9}  # index.md, os.path.join
    | (?:~|\.{1,2})?/[\w.~-]+(?:/[\w.~-]+)*/?       # /etc/hosts
    | [\w.-]+(?:/[\w.-]+)*/[\w.-]+\.[^\W\d]\w{0,9}   # guide/index.md
    | 0[xX][0-9a-fA-F]+                             # 0x80070005
    | [A-Z]{1,5}-?\d{3,} | [A-Z]{2,}-\d+(?:-\d+)+     # E1234, ORA-00942, CVE-2021-44228
    | (?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{7,40}        # a commit
    | [vV]\d+(?:\.\d+)*(?:-[\w.]+)? | \d+(?:\.\d+){2,}(?:[-+]?[\w.]+)?  # v2, 2.4.1-rc1
    | [\w.+-]+@[\w-]+(?:\.[\w-]+)+                  # a mail address
    | \$[^\W\d]\w* | @[\w.]+\w                      # $HOME, @property
    """,
    re.VERBOSE,
)
_CALL = re.compile(r"(?![^\W\d_]+\(e?s\))([\w.:]{2,})\(.*\)?")
"""A call; ``file(s)`` is a word, and a function of one letter is mathematics."""


def named(question: str) -> list[str]:
    """Return the names in ``question``, in order, each once.

    Text between backquotes is a name, whatever it is. A name has no spaces otherwise.
    """
    found = [match[1].strip() for match in _QUOTED.finditer(question)]
    for token in _TOKEN.findall(_QUOTED.sub(" ", question)):
        if name := _name_in(token):
            found.append(name)
    names = (name for name in found if any(map(str.isalpha, name)))
    return [*dict.fromkeys(names)][:MOST_NAMES]


def _name_in(token: str) -> str:
    bare = token.strip(_AROUND).rstrip(".")
    if call := _CALL.fullmatch(token.lstrip(_AROUND).rstrip(",;:!?.")):
        return call[1]
    if bare.startswith("--"):
        bare = bare.partition("=")[0]
    return bare if len(bare) <= 200 and _NAMES.fullmatch(bare) else ""


def held(names: Sequence[str], text: str) -> list[str]:
    """Return the ``names`` that ``text`` holds word for word; one without capitals in any case."""
    return [name for name in names if _finds(name).search(text)]


def names_first(
    found: "Iterable[Found]", names: Sequence[str], called: Mapping[bytes, str]
) -> "list[Found]":
    """Return ``found``, where chunks come first that hold more of ``names``.

    Those of a file whose path is among ``called`` hold the name by which the question calls it.
    """

    def known(one: "Found") -> "Found":
        of_file = called.get(one.stored.path)
        in_text = held(names, one.stored.chunk.text)
        return replace(one, named=(*in_text, *([of_file] if of_file else [])))

    return sorted(map(known, found), key=lambda one: -len(one.named))


@lru_cache(256)
def _finds(name: str) -> re.Pattern[str]:
    before = r"(?<!\w)" if re.match(r"\w", name) else r"(?<![\w-])"
    after = r"(?!\w)" if re.search(r"\w$", name) else ""
    case = re.NOFLAG if any(letter.isupper() for letter in name) else re.IGNORECASE
    return re.compile(f"{before}{re.escape(name)}{after}", case)
