"""What ``search --context`` prints: each hit with the lines around it, as grep -C does."""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import PurePath

from engine.front.connection import EngineClient
from engine.part import Part
from engine.safe_text import clean_line
from engine.wire.api_around import AroundLine, AroundReply, AroundRequest
from engine.wire.api_search import Hit

_Key = tuple[str, Part | None, int, str]
"""What tells a line: its file, part, number and text, since lines of HTML share numbers."""


async def look_around(
    client: EngineClient, folder: str, hits: Sequence[Hit], lines: int
) -> list[AroundReply]:
    """Return so many lines around each of ``hits``."""
    return [await client.around(folder, AroundRequest.of(hit, lines)) for hit in hits]


def print_around(
    hits: Sequence[Hit], arounds: Sequence[AroundReply], options: argparse.Namespace
) -> None:
    """Print ``path:line: text`` for lines of hits and ``path-line- text`` for others, each once.

    Lines that do not follow each other in a file stand apart by ``--``.
    """
    for line in _printed(hits, arounds, options.docs):
        print(line)


def _printed(hits: Sequence[Hit], arounds: Sequence[AroundReply], docs: str) -> Iterator[str]:
    of_hits = {
        _key(hit, line)
        for hit, around in zip(hits, arounds, strict=True)
        for line in around.lines
        if line.is_hit
    }
    seen: set[_Key] = set()
    last: _Key | None = None
    for hit, around in zip(hits, arounds, strict=True):
        path = clean_line(str(PurePath(docs, hit.path)))
        follows = False  # a line of HTML is followed by one whose number may be any
        for line in around.lines or _gone(hit):
            key = _key(hit, line)
            if key in seen:
                follows = key == last
                continue
            if last and not follows and not (last[:2] == key[:2] and key[2] == last[2] + 1):
                yield "--"
            seen.add(key)
            last, follows = key, True
            sign = ":" if key in of_hits or not around.lines else "-"
            yield f"{path}{sign}{line.line}{sign} {clean_line(line.text)}".rstrip()


def _gone(hit: Hit) -> list[AroundLine]:
    """Return the hit alone, on one line as without ``--context``: its file is not what it was."""
    text = " ".join(hit.text.split())
    return [AroundLine(line=hit.start_line, part=hit.part, text=text, is_hit=True)]


def _key(hit: Hit, line: AroundLine) -> _Key:
    return hit.quoted_path or hit.path, line.part, line.line, line.text
