"""The questions that were asked earlier, to be asked again."""

from __future__ import annotations

from collections.abc import Sequence

from engine.safe_text import clean_line
from tui.filter_page import FilterPage


def earlier_page(questions: Sequence[str]) -> FilterPage[str]:
    """A page that lists ``questions``, latest first; its result is one of them, as it was asked."""
    return FilterPage(
        "earlier questions",
        [(clean_line(question), question) for question in questions],
        keys={"pick.choose": "takes it into the query"},
        hint="type some of its letters",
    )
