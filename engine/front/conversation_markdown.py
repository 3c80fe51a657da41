"""A kept conversation as a Markdown document, with the sources of its answers.

Questions, quotations and answers come from outside: none of them may end a block that it stands in,
begin a heading, bring HTML, load an image or lead somewhere by a link.
"""

import re
from collections.abc import Iterator

from engine.figures import counted
from engine.part import short
from engine.safe_text import clean, clean_line
from engine.wire.api_conversations import Conversation, Turn
from engine.wire.api_search import Hit

_NUMBERED = "|".join(rf"(?<=^\d{{{digits}}})[.)]" for digits in range(1, 10))
_SPECIAL = re.compile(rf"([\\`*_\[\]<>|~&$]|^[#+=-]|{_NUMBERED})")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})(.*)$")
_CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`)(?:.*?[^`])\1(?!`)")
_BLOCK = re.compile(r"^(\s{0,3})(#{1,6}(?=\s|$)|=+\s*$|-+\s*$|\[(?=[^\]]*\]:))")
"""What makes a line a heading, its underline, a rule, or says where a link leads."""
_INLINE = re.compile(r"(<)(?=[A-Za-z/!?])|(!)(?=\[)|(?<=\])(\()|(&)(?=#?\w+;)")
"""What begins HTML, an image, the target of a link, or a character reference."""
_REACHING = {"heading_open", "html_block", "html_inline", "image", "link_open"}
"""What of a parsed document an answer must not have."""


def markdown(conversation: Conversation, docs: str) -> str:
    """Return ``conversation`` about the folder ``docs`` as a document that ends with a newline."""
    began = conversation.began[:16].replace("T", " ")
    about = f"{began} · {_code(docs)} · {counted(len(conversation.turns), 'question')}"
    blocks = [f"# {_plain(conversation.title)}", about]
    for turn in conversation.turns:
        blocks += _turn(turn)
    return "\n\n".join(blocks) + "\n"


def _turn(turn: Turn) -> Iterator[str]:
    yield f"## {turn.number}\\. {_plain(turn.question)}"
    if turn.rewritten:
        yield f"*Searched for:* {_plain(turn.rewritten)}"
    for extract in turn.extracts:
        quoted = " ".join(clean(extract.text).split())
        yield f"> {_plain(quoted)} \\[{extract.hit}\\]"
    if turn.not_found:
        yield "*No passage was near enough to hold an answer.*"
    if turn.answer:
        by = f"*{_plain(turn.model)}*" if turn.model else "*The model*"
        yield f"{by}:" if turn.documents else f"{by}, without documents:"
        yield contained(turn.answer)
    if not turn.finish_reason:
        yield "*The answer was interrupted.*"
    if sources := [*_sources(turn)]:
        yield "Sources:"
        yield "\n".join(sources)


def _sources(turn: Turn) -> Iterator[str]:
    """Yield the hits that were quoted, shown to the model or cited, by their ranks."""
    named = {extract.hit for extract in turn.extracts} | set(turn.shown)
    named |= {each.n for each in turn.citations if each.n is not None}
    for hit in sorted(turn.hits, key=lambda hit: hit.rank):
        if hit.rank in named:
            yield f"- \\[{hit.rank}\\] {_place(hit)}"


def _place(hit: Hit) -> str:
    heading = f" — {_plain(hit.heading)}" if hit.heading else ""
    return f"{_code(hit.path + short(hit.part, hit.start_line, hit.end_line))}{heading}"


def _plain(text: str) -> str:
    """Return outside text as one line that Markdown shows as it is."""
    return _SPECIAL.sub(r"\\\1", " ".join(clean_line(text).split()))


def _code(text: str) -> str:
    """Return outside text as a code span."""
    line = clean_line(text)
    fence = "`" * (max((len(run) for run in re.findall("`+", line)), default=0) + 1)
    return f"{fence} {line} {fence}" if "`" in line else f"`{line}`"


def contained(text: str) -> str:
    """Return an answer, which is Markdown, with nothing in it that reaches beyond itself.

    One that a parser finds to do so all the same is shown as it is written.
    """
    told = _defused(text)
    if _reaches_out(told):
        told = "\n".join(_plain(line) for line in clean(text).strip().split("\n"))
    return told


def _reaches_out(text: str) -> bool:
    from markdown_it import MarkdownIt  # slow to load

    known: dict[str, object] = {}
    tokens = MarkdownIt("commonmark").parse(text, known)
    found = {each.type for token in tokens for each in (token, *(token.children or ()))}
    return bool(found & _REACHING or known.get("references"))


def _defused(text: str) -> str:
    lines: list[str] = []
    fence = ""
    for line in clean(text).strip().split("\n"):
        found = _FENCE.match(line)
        if fence:
            lines.append(line)
            if found and found[1].startswith(fence) and not found[2].strip():
                fence = ""
        elif found and "`" not in found[2]:
            fence = found[1]
            lines.append(line)
        else:
            lines.append(_line(line))
    return "\n".join([*lines, fence] if fence else lines)


def _line(line: str) -> str:
    escaped: list[str] = []
    at = 0
    for span in _CODE_SPAN.finditer(line):
        escaped += [_escaped(line[at : span.start()]), span[0]]
        at = span.end()
    escaped.append(_escaped(line[at:]))
    return _BLOCK.sub(r"\1\\\2", "".join(escaped))


def _escaped(text: str) -> str:
    return _INLINE.sub(r"\\\g<0>", text)
