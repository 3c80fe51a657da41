"""A part of a document that people know by number or name: a page, a slide, a sheet."""

from dataclasses import dataclass
from typing import Literal, get_args

Unit = Literal["page", "slide", "sheet", "cell", "chapter", "message"]
_UNITS = frozenset(get_args(Unit))
LONGEST_NAME = 80
"""Characters of a name in a place."""


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of its document something stands in."""

    unit: Unit
    number: int
    """From 1."""
    name: str = ""
    """A sheet's name, a chapter's title, a message's subject; empty where it has none."""

    def __str__(self) -> str:
        """Return it as people say it: ``page 3``, ``sheet Sales``, ``chapter 2 “The kite”``."""
        if self.unit == "sheet" and self.name:
            return f"sheet {self.name}"
        return f"{self.unit} {self.number}" + (f" “{self.name}”" if self.name else "")

    def packed(self) -> str:
        """Return it as the manifest keeps it; :func:`unpacked` is the other way round."""
        return f"{self.unit} {self.number} {self.name}"


def unpacked(kept: str | None) -> Part | None:
    """Return the part that :meth:`Part.packed` gave; None for what is none."""
    unit, number, name = [*(kept or "").split(" ", 2), "", ""][:3]
    return Part(unit, int(number), name) if unit in _UNITS else None  # type: ignore[arg-type]


def location(part: Part | None, first: int, last: int) -> str:
    """Return where some lines stand, for people: ``page 3, lines 2-5``, ``sheet Sales, row 12``."""
    word = "row" if part is not None and part.unit == "sheet" else "line"
    lines = f"{word} {first}" if first == last else f"{word}s {first}-{last}"
    return f"{part}, {lines}" if part else lines


def short(part: Part | None, first: int, last: int) -> str:
    """Return where some lines stand, behind a path: ``:10-31``, `` p.4``, `` Sales:10-31``."""
    lines = f":{first}" + (f"-{last}" if last > first else "")
    if part is None:
        return lines
    if part.unit == "page":
        return f" p.{part.number}"
    if part.unit == "sheet":
        return f" {part.name or part.number}{lines}"
    return f" {part.unit} {part.number}"
