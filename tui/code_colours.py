"""The colours of source code: of files of it, and of the fenced blocks in Markdown.

What finds its words takes a moment to load, and is imported once there is code to show.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from textual.content import Span

if TYPE_CHECKING:
    from textual.highlight import HighlightTheme

LONGEST = 10_000
"""Characters of a text up to which it is coloured: more takes too long."""
LONGEST_LINE = 1_000
"""Likewise of one line, as of minified code, which nobody reads."""

MARKDOWN = frozenset({"md", "markdown", "mdown", "mkd", "mdx", "qmd", "rmd"})
NO_CODE = frozenset({"txt", "text", "rst", "rest", "org", "html", "htm", "xhtml", "pdf", "wiki"})
"""Endings of files whose text is prose, or was made from something else."""
OTHER_NAMES = {
    **dict.fromkeys(("pyi", "pyx"), "python"),
    **dict.fromkeys(("mjs", "cjs"), "javascript"),
    **dict.fromkeys(("mts", "cts"), "typescript"),
    **dict.fromkeys(("kt", "kts"), "kotlin"),
    **dict.fromkeys(("h", "m"), "c"),
    **dict.fromkeys(("cc", "cxx", "hh", "hpp", "hxx", "cu", "cuh"), "cpp"),
    **dict.fromkeys(("pl", "pm"), "perl"),
    **dict.fromkeys(("mk", "gnumakefile", "justfile"), "makefile"),
    **dict.fromkeys(("tf", "hcl"), "terraform"),
    **dict.fromkeys(("rakefile", "gemfile", "vagrantfile"), "ruby"),
    **dict.fromkeys(("j2", "jinja"), "jinja"),
    **dict.fromkeys(("ml", "mli"), "ocaml"),
    **dict.fromkeys(("fs", "fsx"), "fsharp"),
    **{"svelte": "html", "el": "emacs-lisp", "edn": "clojure", "hrl": "erlang", "gradle": "groovy"},
    **{"vhd": "vhdl", "scm": "scheme", "zsh": "bash"},
    **dict.fromkeys(("cfg", "conf"), "ini"),
    **{"psm1": "powershell", "dart": "dart", "exs": "elixir", "lhs": "haskell", "patch": "diff"},
    **{"containerfile": "docker", "dockerfile": "docker", "jenkinsfile": "groovy", "cmd": "bat"},
}
"""Names of languages by the endings and names of files that do not name them."""

_FENCE = re.compile(
    r"^ {0,3}(?P<fence>`{3,}|~{3,})[ \t]*(?P<language>[\w+#-]+)[^\n`]*\n(?P<code>.*?)"
    r"(?:^ {0,3}(?P=fence)[`~]*[ \t]*$|\Z)",
    re.MULTILINE | re.DOTALL,
)


_STYLES = {
    "Comment": "$quiet italic",
    "Keyword": "$heading",
    "Keyword.Constant": "$text-warning",
    "Literal.Number": "$text-warning",
    "Literal.String": "$text-success",
    "Name.Attribute": "$heading",
    "Name.Class": "bold",
    "Name.Decorator": "$text-warning",
    "Name.Function": "bold",
    "Name.Tag": "$heading",
    "Operator.Word": "$heading",
}
"""Colours that every theme shows text in, so that each can be read, by what they are for."""


@lru_cache(1)
def _theme() -> type[HighlightTheme]:
    """Those styles, as the highlighter takes them."""
    from textual.highlight import HighlightTheme

    names = {token: str(token).removeprefix("Token.") for token in HighlightTheme.STYLES}

    class Colours(HighlightTheme):
        STYLES = {  # noqa: RUF012  as Textual has it
            token: _STYLES[name] for token, name in names.items() if name in _STYLES
        }

    return Colours


@lru_cache(16)
def spans(text: str, path: str) -> tuple[Span, ...]:
    """The colours of ``text``, which is safe to show, as a part of the file at ``path``.

    None for prose, for languages that are not known, and for what is too long.
    """
    ending = _ending(path)
    if len(text) > LONGEST or ending in NO_CODE:
        return ()
    if max(map(len, text.split("\n"))) > LONGEST_LINE:
        return ()
    return _fenced(text) if ending in MARKDOWN else _code(text, ending)


def _ending(path: str) -> str:
    name = PurePosixPath(path).name.lower()
    return name.rpartition(".")[2].strip()


def _code(text: str, language: str) -> tuple[Span, ...]:
    if not language:
        return ()  # it would be guessed from the text, in any time
    from textual.highlight import highlight

    known = OTHER_NAMES.get(language, language)
    # Tabs stay as they are: made spaces, they would put every colour behind them elsewhere.
    shown = highlight(text, language=known, theme=_theme(), tab_size=0)
    return tuple(
        Span(span.start, min(span.end, len(text)), span.style)
        for span in shown.spans
        if span.style in _SHOWN and span.start < len(text)
    )


_SHOWN = frozenset(_STYLES.values())
"""Without that of all text, which a pane sets by itself."""


def _fenced(text: str) -> tuple[Span, ...]:
    found: list[Span] = []
    for block in _FENCE.finditer(text):
        begin = block.start("code")
        for start, end, style in _code(block["code"], block["language"].lower()):
            found.append(Span(begin + start, begin + end, style))
    return tuple(found)
