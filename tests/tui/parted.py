"""How the scripted engine tells the parts of a text."""

from engine.wire.api_around import AroundLine
from engine.wire.api_parts import PART_LINES, PartReply, PartRequest


def part_of(lines: list[str], request: PartRequest) -> PartReply:
    """The part of ``lines`` that a request asks for."""
    first, last = request.place.start_line, request.place.end_line
    if stands := [n for n, line in enumerate(lines, 1) if line == request.place.text]:
        first = last = min(stands, key=lambda line: abs(line - first))
    parts = -(-len(lines) // PART_LINES)
    found = next_line(lines, request)
    of_line = ((found or first) - 1) // PART_LINES
    number = of_line if request.part is None else request.part
    begin = min(number, parts - 1) * PART_LINES
    return PartReply(
        lines=[
            AroundLine(line=line, text=text, is_hit=first <= line <= last)
            for line, text in enumerate(lines[begin : begin + PART_LINES], begin + 1)
        ],
        part=begin // PART_LINES,
        parts=parts,
        first=begin + 1,
        total=len(lines),
        version="\n".join(lines),
        found=found,
        has_hit=first <= len(lines),
    )


def next_line(lines: list[str], request: PartRequest) -> int | None:
    """The line that holds what a request looks for, roughly as the engine finds it."""
    held = [n for n, line in enumerate(lines, 1) if request.find and request.find in line]
    if request.back:
        return next((n for n in reversed(held) if n < request.line), held[-1] if held else None)
    return next((n for n in held if n >= request.line), held[0] if held else None)
