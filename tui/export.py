"""A kept conversation as a Markdown file, with its sources."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from engine import paths
from engine.errors import UsageError
from engine.front.conversation_markdown import markdown

if TYPE_CHECKING:
    from engine.wire.api_conversations import Conversation

LONGEST_NAME = 40
"""Characters of the first question in a file's name."""


def export(conversation: Conversation, folder: str) -> Path:
    """Write a conversation about ``folder`` into a new file of the data folder; return its path.

    It is never written into the folder itself, which would make it one of its documents.

    Raises:
        UsageError: the file can't be written.
    """
    words = re.sub(r"[^\w]+", "-", conversation.title.lower()).strip("-")[:LONGEST_NAME]
    stem = f"{re.sub(r'[^0-9-]', '', conversation.began[:10])}-{words}".strip("-")
    try:
        into = paths.make_private(paths.data_dir() / "exports")
        path = _free(into, stem or "conversation")
        made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(made, "w", encoding="utf-8") as file:
            file.write(markdown(conversation, folder))
    except (OSError, UnicodeError) as error:  # the locale may have no name for the file
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"The conversation can't be written: {reason}", "Make room there and try again"
        ) from error
    return path


def _free(into: Path, stem: str) -> Path:
    names = (f"{stem}{f'-{number}' if number else ''}.md" for number in range(10_000))
    return next(path for name in names if not (path := into / name).exists())
