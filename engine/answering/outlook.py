"""What search alone tells of a question: quotations, and whether an answer is to be expected."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.answering import extracts
from engine.answering.answerable import is_not_found
from engine.config import Settings
from engine.figures import counted
from engine.serving.models import is_demonstration
from engine.wire.api_answer import NOT_FOUND, AnswerFinished, ExtractsFound, Tray
from engine.wire.api_search import Filters, Hit

if TYPE_CHECKING:
    from engine.encoding.embedding import Encoder
    from engine.storage.index import Index


def look(
    question: str,
    hits: Sequence[Hit],
    tray: Tray,
    searched: str,
    encoder: "Encoder",
    index: "Index",
) -> ExtractsFound:
    """Return quotations from ``hits``, and whether none of them is near enough; blocking.

    What a person pinned is theirs to judge.
    """
    found = extracts.quote(question, hits, encoder=encoder)
    not_found = not tray.pinned and is_not_found(question, hits, encoder, index)
    return ExtractsFound(
        extracts=found, not_found=not_found, searched=searched if not_found else ""
    )


def told(counts: tuple[int, int], filters: Filters) -> str:
    """Return what was searched, in plain words, from the numbers of files and chunks."""
    files, chunks = counts
    whole = f"{counted(files, 'file')}, {counted(chunks, 'chunk')}"
    return whole if filters == Filters() else f"{whole}, as far as the filters let them in"


def ends_there(settings: Settings) -> bool:
    """Whether an answer that is not found ends before the model."""
    return is_demonstration(settings) or settings.when_not_found == "say"


def unanswered(reason: str) -> AnswerFinished:
    """Return the end of an answer that no model was asked for: ``NOT_FOUND``, ``TURNED_OFF``."""
    return AnswerFinished(
        answer="",
        finish_reason=reason,
        model="",
        ttft_ms=0,
        completion_tokens=0,
        tokens_per_s=0,
        sources=[],
        not_found=reason == NOT_FOUND,
    )
