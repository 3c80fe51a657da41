"""An extract: a sentence or lines of code, quoted word for word with the number of its hit."""

from __future__ import annotations

from textwrap import dedent, indent
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

from engine.safe_text import clean
from tui.messages import HitCited

if TYPE_CHECKING:
    from engine.wire import api_answer
    from engine.wire.api_search import Hit


class Extract(Static):
    """A quotation with the number of its hit; a click goes to the hit."""

    def __init__(self, extract: api_answer.Extract, hit: Hit | None = None) -> None:
        number = (f"\u00a0[{extract.hit}]", "bold $cite")
        is_code = _is_code(extract.text, "" if hit is None else hit.path)
        text = lines_of_code(extract.text) if is_code else quoted(extract.text)
        marks = ("", "") if is_code and "\n" in text else ("“", "”")
        super().__init__(Content.assemble((text.join(marks), "$foreground"), number), markup=False)
        self.rank = extract.hit
        """That of its hit."""

    def on_click(self) -> None:
        """Say which hit was clicked."""
        self.post_message(HitCited(self.rank))


def quoted(text: str) -> str:
    """A quotation as it reads on one line: without line breaks, a table's row as its cells."""
    line = " ".join(clean(text).split())
    if len(line) > 2 and line[0] == line[-1] == "|":
        return " │ ".join(cell.strip() for cell in line[1:-1].split("|"))
    return line


def lines_of_code(text: str) -> str:
    """Code with its lines and their indents, without what all of them share.

    The first line comes without its own indent: what it opens is shown one step further in.
    """
    first, _, rest = clean(text).expandtabs(4).strip("\n").rstrip().partition("\n")
    first = first.strip()
    inner = indent(dedent(rest), STEP if first.endswith(OPENERS) else "")
    return f"{first}\n{inner}" if rest else first


STEP = "    "
OPENERS = (":", "{", "(", "[")


def _is_code(text: str, path: str) -> bool:
    """Whether ``text`` is meant to keep its lines: from a source file, or indented as code is."""
    from engine.files.kinds import READ

    kind = READ.get(path.rpartition(".")[2].lower())
    if kind is not None and kind.kind == "code":
        return True
    return any(line.startswith(("    ", "\t")) for line in text.split("\n")[1:])
