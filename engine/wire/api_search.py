"""The messages of a search: what is asked, and what is found, with where each hit came from."""

from typing import Any, Literal

from pydantic import Field, model_validator

from engine.part import Part
from engine.wire.api_message import Message, Text

RERANKER_LOADING = "the reranker is still loading: hits are ranked without it"
"""Notice of a search that came too early for it."""
LAST_LINE = (1 << 31) - 1
"""No file that is read has more lines."""
Mode = Literal["hybrid", "dense", "bm25"]
"""Which arms of the search are asked: both and fused, or one alone."""


class Filters(Message):
    """What a hit has to meet; every kind that is given counts, in addition to the query's own."""

    paths: list[Text] = []
    """Files, folders or globs relative to the folder, of which one has to match."""
    not_paths: list[Text] = []
    """Likewise, of which none may match."""
    types: list[Text] = []
    """File endings without their dot, of which one has to match: ``["md", "pdf"]``."""
    not_types: list[Text] = []
    """Likewise, of which none may match."""
    tags: list[Text] = []
    """Tags of the file, each of which it must have; ``project`` stands for ``project/x`` too."""
    not_tags: list[Text] = []
    """Likewise, none of which it may have."""
    after: Text | None = None
    """The file was modified on this day (ISO 8601) or later …"""
    before: Text | None = None
    """… and before this day."""
    phrases: list[Text] = []
    """Word for word in the hit, whatever their case."""
    without: list[Text] = []
    """Not in the hit."""


class Place(Message):
    """Where a chunk stands."""

    @model_validator(mode="before")
    @classmethod
    def _take_page(cls, given: Any) -> Any:
        """Take a place of a kept conversation from before there were parts other than pages."""
        if not isinstance(given, dict) or "page" not in given:
            return given
        page = given["page"]
        rest = {name: value for name, value in given.items() if name != "page"}
        return rest | ({"part": {"unit": "page", "number": page}} if page else {})

    path: str
    start_line: int = Field(ge=0, le=LAST_LINE)
    """First line of the chunk in its file, from 1; where the file has parts, such as pages,
    the line in its part; in a sheet, the row."""
    end_line: int = Field(ge=0, le=LAST_LINE)
    part: Part | None = None
    """The page, slide, sheet, cell, chapter or message, in a file that has some."""
    location: str = ""
    """Where in the file, in words: ``lines 10-14``, ``page 3, lines 2-5``, ``sheet A, row 12``."""
    quoted_path: str | None = None
    """Percent-encoded bytes of the path, only where it is not valid UTF-8."""


class Hit(Place):
    """A chunk returned for a query, or in an exact search the lines that match."""

    rank: int
    """From 1."""
    heading: str
    """Heading path, outermost first, joined by `` > ``; empty above the first heading."""
    text: str
    distance: float | None
    """The cosine that Milvus returned, or its equal for a hit that BM25 alone found; larger is
    closer. None in an exact search."""
    score: float | None = None
    """Fused score, from 0 to 1, by which hits are ranked; None in an exact search."""
    dense_rank: int | None = None
    """Its place, from 1, among the chunks nearest by vector; None where it is not among them."""
    bm25_rank: int | None = None
    """Its place among those BM25 found; None where it is not among them."""
    bm25_score: float | None = None
    rerank_score: float | None = None
    """The cross-encoder's, by which the best hits are ranked where there is one; its range is the
    model's own, and more is better."""
    start: int | None = None
    """Where the text begins in its document's text, in characters; None in an exact search …"""
    end: int | None = None
    """… and where it ends."""
    template: float = 0
    """How much of it is text that stands in many files, from 0 to 1; it took from the score."""
    named: list[str] = []
    """Identifiers, codes and file names of the query that it holds word for word."""
    folded: list[Place] = []
    """Chunks that say nearly the same, and are not shown on their own."""


class Cut(Message):
    """A chunk that was found and is not among the hits, and why."""

    place: Place
    score: float
    reason: str


class SearchRequest(Message):
    """Search a folder. What is left out is as the settings say."""

    query: Text
    """Words; or ``'literal`` or ``/regex/`` for an exact search. May hold filters."""
    hits: int | None = Field(None, ge=1, le=10_000)
    mode: Mode | None = None
    filters: Filters = Filters()
    per_file: int | None = Field(None, ge=0, le=1000)
    """At most so many hits of one file; 0 for no limit."""
    fold: bool = True
    """Whether chunks that say nearly the same as a better one are folded into it."""
    rerank: bool = True
    """Whether the reranker puts the best hits in order, where one is set; it may take seconds."""
    plain: bool = False
    """Whether the query is words alone: no filter and no exact search, whatever it looks like."""
    explain: bool = False
    """Whether to tell what was cut, too."""


class SearchReply(Message):
    """Ranked hits, best first."""

    query: str
    took_ms: float
    mode: Mode | Literal["exact"] = "hybrid"
    hits: list[Hit]
    matches: int | None = None
    """In an exact search, how many lines match; more than ``hits`` where there are many."""
    files: list[str] = []
    """In an exact search, every file with a match, in the order of their paths."""
    notices: list[str] = []
    """What a person should know: a filter nothing meets, an arm of the search that is off."""
    cut: list[Cut] = []
