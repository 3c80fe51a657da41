"""Markdown → the text as it is, with what its front matter and tags say."""

import re
from collections.abc import Iterator

from engine.documents import front_matter
from engine.documents.code_spans import without_code
from engine.documents.document import Document

MOST_TAGS = 1000
"""Tags of one file that are kept."""

_TAG = re.compile(r"(?:(?<=\s)|(?<![\s\S]))#(?=[\d/-]*+[^\W\d])([\w/-]{1,100}+)(?![\w/#-])")


def parse(text: str, *, how: str = "") -> Document:
    """Return the document of a Markdown file that holds ``text``; ``how`` tells how it was read."""
    said = front_matter.read(text)
    body = said.end if said else 0
    tags = [*(said.tags if said else ()), *inline_tags(text, body)]
    folded = dict.fromkeys(tag.casefold() for tag in tags)
    return Document(
        text,
        "markdown",
        body=body,
        title=said.title if said else "",
        card=said.card if said else "",
        aliases=said.aliases if said else (),
        tags=tuple(folded)[:MOST_TAGS],
        how=how,
    )


def inline_tags(text: str, begin: int = 0) -> Iterator[str]:
    """Yield the ``#tags`` in the words of a text, without ``#``; a number alone is none."""
    if "#" in text:
        for match in _TAG.finditer(without_code(text, begin)):
            if tag := match[1].strip("/"):
                yield tag
