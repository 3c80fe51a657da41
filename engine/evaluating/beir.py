"""A test collection in BEIR's format: read, and written out as a folder of documents.

``corpus.jsonl`` holds ``{"_id", "title", "text"}``, ``queries.jsonl`` ``{"_id", "text"}``, and
``qrels.tsv`` (or ``qrels/test.tsv``) the columns query-id, corpus-id and score below a header.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from engine import jsonl
from engine.errors import UsageError
from engine.evaluating.evaluation import Case, Judged
from engine.paths import short_hash
from engine.wire.api_search import Hit, Mode, SearchRequest

CORPUS, QUERIES, QRELS = "corpus.jsonl", "queries.jsonl", ("qrels.tsv", "qrels/test.tsv")
HITS = 100
HIGHEST = 1000
"""Grade of relevance up to which trec_eval is sure to have room."""
NAMED = 3
"""Ids that a notice names."""


class Record(NamedTuple):
    """One line of the corpus."""

    line: int
    id: str
    title: str
    text: str

    @property
    def file(self) -> str:
        """Path of its file: an id may hold anything, and no word of a query may stand here."""
        name = short_hash(self.id.encode("utf-8", "surrogatepass"))
        return f"{name[:2]}/{name}.md"


@dataclass(frozen=True)
class Collection:
    """Queries with a relevant document each, as a trial."""

    queries: Sequence[tuple[str, str]]
    """Id and text."""
    qrels: dict[str, dict[str, int]]
    """Grades by the query's id and the document's."""
    names: dict[str, str] = field(default_factory=dict)
    """Ids by the paths of their files."""

    @property
    def cases(self) -> list[Case]:
        """The queries, in the order of their file."""
        return [Case(name, text) for name, text in self.queries]

    def ask(self, at: int, mode: Mode) -> SearchRequest:
        """Return the search for the best chunk of each document."""
        query = self.queries[at][1]
        return SearchRequest(query=query, hits=HITS, mode=mode, per_file=1, fold=False, plain=True)

    def judge(self, at: int, hits: Sequence[Hit]) -> Judged:
        """Return the documents in the order of their best chunks."""
        paths = [path for hit in hits for path in (hit.path, *(same.path for same in hit.folded))]
        ranking = [self.names[path] for path in dict.fromkeys(paths) if path in self.names]
        return Judged(ranking, self.qrels[self.queries[at][0]])


def is_collection(folder: Path) -> bool:
    """Whether ``folder`` holds a collection rather than documents."""
    return (folder / CORPUS).is_file() and (folder / QUERIES).is_file()


def digest(folder: Path) -> str:
    """Return a name for the corpus' content.

    Raises:
        UsageError: it can't be read.
    """
    try:
        with (folder / CORPUS).open("rb") as file:
            return hashlib.file_digest(file, "blake2b").hexdigest()[:16]
    except OSError as error:
        raise UsageError(f"{folder / CORPUS} can't be read: {error.strerror}") from error


def records(folder: Path) -> Iterator[Record]:
    """Yield the corpus, line by line.

    Raises:
        UsageError: a line is no document, or has the id of another; it is named.
    """
    path, lines = folder / CORPUS, dict[str, int]()
    for number, found in jsonl.objects(path):
        name = _id(found, path, number)
        if name in lines:
            raise jsonl.fault(path, number, f"has the _id of line {lines[name]}")
        lines[name] = number
        title, text = (jsonl.text_in(found, key, (path, number)) for key in ("title", "text"))
        yield Record(number, name, title, text)
    if not lines:
        raise UsageError(f"{path} holds no document", "Name a folder in BEIR's format")


def read(folder: Path, documents: dict[str, str]) -> tuple[Collection, list[str]]:
    """Return the queries that have a relevant document, and what a person should know of others.

    ``documents`` are the ids of the corpus by the paths of their files.

    Raises:
        UsageError: a line of a file is wrong, which is named, or no query is left.
    """
    path = _qrels_file(folder)
    texts = _queries(folder)
    qrels = _qrels(path, texts)
    asked = [(name, text) for name, text in texts.items() if name in qrels]
    judged = [(name, text) for name, text in asked if any(s > 0 for s in qrels[name].values())]
    if not judged:
        raise UsageError(f"{path} has no relevant document for any query", "Check its scores")
    known = set(documents.values())
    lost = [name for grades in qrels.values() for name in grades if name not in known]
    notices = [
        _notice(
            len(texts) - len(asked), "query stands", "queries stand", f"not in {path}: left out"
        ),
        _notice(
            len(asked) - len(judged), "query has", "queries have", "no relevant document: left out"
        ),
        _notice(len(lost), "document", "documents", f"of {path} not in the corpus: never found"),
    ]
    return Collection(judged, qrels, documents), [notice for notice in notices if notice]


def _notice(number: int, one: str, many: str, what: str) -> str:
    return f"{number} {one if number == 1 else many} {what}" if number else ""


def _id(found: dict[str, Any], path: Path, number: int) -> str:
    name = found.get("_id")
    if isinstance(name, int) and not isinstance(name, bool):
        return str(name)
    if not isinstance(name, str) or not name:
        raise jsonl.fault(path, number, 'has no "_id"')
    return name


def _queries(folder: Path) -> dict[str, str]:
    path, texts = folder / QUERIES, dict[str, str]()
    for number, found in jsonl.objects(path):
        name = _id(found, path, number)
        if name in texts:
            raise jsonl.fault(path, number, "has the _id of an earlier line")
        texts[name] = jsonl.text_in(found, "text", (path, number))
        if not texts[name].strip():
            raise jsonl.fault(path, number, 'has no "text"')
    return texts


def _qrels_file(folder: Path) -> Path:
    for name in QRELS:
        if (folder / name).is_file():
            return folder / name
    raise UsageError(
        f"{folder} holds neither {' nor '.join(QRELS)}",
        "They say which documents are relevant to which query",
    )


def _qrels(path: Path, queries: dict[str, str]) -> dict[str, dict[str, int]]:
    qrels: dict[str, dict[str, int]] = {}
    for number, line in jsonl.lines(path):
        columns = line.split("\t")
        if len(columns) != 3:
            raise jsonl.fault(path, number, "has not the 3 columns query-id, corpus-id and score")
        query, document, score = columns
        if number == 1 and not _is_number(score):
            continue  # the header
        if query not in queries:
            raise jsonl.fault(path, number, f"names a query that is not in {QUERIES}: {query}")
        grade = _grade(path, number, score)
        if qrels.setdefault(query, {}).setdefault(document, grade) != grade:
            raise jsonl.fault(path, number, "contradicts an earlier line")
    return qrels


def _is_number(score: str) -> bool:
    try:
        float(score)
    except ValueError:
        return False
    return True


def _grade(path: Path, number: int, score: str) -> int:
    whole = _is_number(score) and float(score).is_integer() and abs(float(score)) <= HIGHEST
    if not whole:
        raise jsonl.fault(path, number, f"has a score that is no small whole number: {score}")
    return int(float(score))
