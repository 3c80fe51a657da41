"""A heading, as those who find them in texts and parts give it."""

import re
from typing import NamedTuple

LONGEST = 200
"""Characters of a heading that are kept."""

_TAG = re.compile(r"<[^<>]*>")


class Heading(NamedTuple):
    """A heading: where its lines begin and end, how deep it is (1 is outermost), and its words.

    Level 0 is the name of a part, such as a chapter, above all headings in it.
    """

    start: int
    end: int
    level: int
    text: str


def trimmed(words: str) -> str:
    """Return the words of a heading in one line without tags, cut where they are too long."""
    return " ".join(_TAG.sub("", words).split())[:LONGEST]
