"""A person's own questions about a folder, with where or what their answers are."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from engine import jsonl
from engine.errors import UsageError
from engine.evaluating.evaluation import DEPTH, Case, Judged
from engine.files.scan import Look
from engine.storage import patterns
from engine.wire import query
from engine.wire.api_search import Hit, Mode, SearchRequest

MANY_WORDS = 20
"""So many words of an answer in a row are told from chance."""
NAMED = 5
"""Lines that an error names."""

_WORD = re.compile(
    r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]|[^\W\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]+"
)
"""A word; of languages that part none, a character."""


class Question(NamedTuple):
    """One line of the file: a path, an answer, or both tell which hits are right."""

    line: int
    text: str
    path: str
    answer: str


@dataclass(frozen=True)
class Questions:
    """Questions as a trial: asked as a person would, and judged hit by hit."""

    questions: Sequence[Question]

    @property
    def cases(self) -> list[Case]:
        """Each question under the number of its line."""
        return [Case(f"line {question.line}", question.text) for question in self.questions]

    def ask(self, at: int, mode: Mode) -> SearchRequest:
        """Return the search that a person would type."""
        return SearchRequest(query=self.questions[at].text, hits=DEPTH, mode=mode)

    def judge(self, at: int, hits: Sequence[Hit]) -> Judged:
        """Return the hits by rank; the first right one is what is relevant.

        So recall at k is 1 where a right hit is among the first k, and nothing else is wanted.
        """
        question = self.questions[at]
        ranking = [str(rank) for rank in range(len(hits))]
        right = (rank for rank, hit in enumerate(hits) if is_right(question, hit))
        relevant = {str(next(right, "none")): 1}
        if not question.answer:
            return Judged(ranking, relevant)
        answered = any(holds(hit.text, question.answer) for hit in hits[:DEPTH])
        return Judged(ranking, relevant, float(answered))


def is_right(question: Question, hit: Hit) -> bool:
    """Whether ``hit`` stands in the file that is named, and holds the answer that is given."""
    paths = {hit.path, *(place.path for place in hit.folded)}
    is_there = not question.path or question.path in paths
    return is_there and (not question.answer or holds(hit.text, question.answer))


def holds(text: str, answer: str) -> bool:
    """Whether ``answer`` stands in ``text``, whatever its case and whitespace.

    Of an answer that the text holds in part, at least ``MANY_WORDS`` words in a row must stand
    there, and at least half of the words of the shorter of both.
    """
    if _plain(answer) in _plain(text):
        return True
    wanted, there = _words(answer), _words(text)
    enough = max(MANY_WORDS, -(-min(len(wanted), len(there)) // 2))
    if min(len(wanted), len(there)) < enough:
        return False
    return SequenceMatcher(None, there, wanted, autojunk=False).find_longest_match().size >= enough


@lru_cache(4096)
def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


@lru_cache(4096)
def _words(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(text.casefold()))


def read(path: Path) -> Questions:
    """Return the questions in a file of JSON objects, one a line.

    Raises:
        UsageError: a line is none, or says neither where the answer is nor what; it is named.
    """
    questions = [_question(path, number, found) for number, found in jsonl.objects(path)]
    if not questions:
        raise UsageError(
            f"{path} holds no question",
            'Write one a line: {"question": "…", "path": "…", "answer_text": "…"}',
        )
    return Questions(questions)


def _question(path: Path, number: int, found: dict[str, object]) -> Question:
    names = ("question", "path", "answer_text")
    text, where, answer = (jsonl.text_in(found, name, (path, number)) for name in names)
    if not text.strip():
        raise jsonl.fault(path, number, 'has no "question"')
    try:
        asked = query.parse(text)
        if asked.exact:
            patterns.compiled(asked.exact)
    except UsageError as error:
        raise jsonl.fault(path, number, f"can't be asked: {error}") from None
    if not where.strip() and not answer.strip():
        raise jsonl.fault(path, number, 'has neither a "path" nor an "answer_text"')
    return Question(number, text, os.path.normpath(where) if where.strip() else "", answer.strip())


def check_paths(questions: Questions, file: Path, look: Look, docs: str) -> None:
    """See that every path that is named is a file of the folder ``docs`` that is read.

    Raises:
        UsageError: the lines whose path is not.
    """
    strange = [q for q in questions.questions if q.path and not _is_read(q.path, look)]
    if not strange:
        return
    named = ", ".join(f"{question.line} ({question.path})" for question in strange[:NAMED])
    more = f" and {len(strange) - NAMED} more" if len(strange) > NAMED else ""
    raise UsageError(
        f"line {named}{more} of {file}: no such file is read in {docs}",
        "A path is relative to the folder, as hoverkite search --json prints it",
    )


def _is_read(path: str, look: Look) -> bool:
    try:
        return bool(look.at(os.fsencode(path)))
    except UnicodeEncodeError:  # half a character, which no name of a file holds
        return False
