"""What indexing a folder would take, and what is left out of it, in a person's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import figures
from engine.safe_text import clean_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.wire.api import FolderSurvey


SLOWEST = 5
"""By how much a slow or busy machine takes longer than the one that was measured."""


def survey_facts(survey: FolderSurvey) -> dict[str, str]:
    """What a person weighs before a folder is indexed, each under a label; nothing empty."""
    facts = {
        "to read": f"{figures.counted(survey.files, 'file')}, {figures.size(survey.bytes)}",
        "to embed": f"about {figures.counted(survey.chunks, 'chunk')}" if survey.chunks else "",
        "time": _expected(survey.seconds),
        "left out": left_out(survey.ignored, survey.unread),
    }
    return {label: fact for label, fact in facts.items() if fact}


def _expected(seconds: float) -> str:
    if seconds * SLOWEST < 10:
        return "a few seconds"
    least, most = figures.about_seconds(seconds), figures.about_seconds(seconds * SLOWEST)
    return f"about {least} to {most}"


def left_out(ignored: int, unread: Mapping[str, int]) -> str:
    """``300 ignored, 12 Word files not read yet``; empty when nothing was left out."""
    words = [f"{figures.count(ignored)} ignored"] if ignored else []
    for kind, number in sorted(unread.items()):
        words.append(f"{figures.counted(number, clean_line(kind) + ' file')} not read yet")
    return ", ".join(words)
