"""Sentences that passages support, and sentences that they don't, made from questions and answers.

What is altered in a sentence is taken from the same passage where that has another number or name,
which is what a model mixes up.
"""

import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.answering.quotable import units

_AUXILIARY = r"(?:did|does|do|is|are|was|were|has|have|had|can|could|will|would|should|must|may)"
_ASKS = (
    r"(?:what|which|who|whom|when|where|why|how|in what|in which|on what|to what|by what|from what)"
)
_COUNTED = re.compile(rf"how (?:many|much) (.*?) ?\b{_AUXILIARY}\b (.+)", re.IGNORECASE)
_INVERTED = re.compile(rf"{_ASKS}\b(.*?)\b{_AUXILIARY}\b (.+)", re.IGNORECASE)
_SUBJECT = re.compile(rf"{_ASKS}\b (.+)", re.IGNORECASE)
_NUMBER = re.compile(r"\b\d+(?:[.,]\d+)*\b")
_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]{2,}(?: [A-Z][a-z]+)*")
_VERB = re.compile(r"\b(?:is|are|was|were|has|have|had|can|could|will|would|should|must|may)\b")
_NOT = re.compile(r"\b(is|are|was|were|has|have|had|can|could|will|would|should|must|may) not\b")


def sentences(text: str) -> Iterator[str]:
    """Yield the sentences of ``text``, each on one line."""
    for unit in units(text):
        yield " ".join(text[unit.start : unit.end].split())


def statement(question: str, answer: str) -> str:
    """Return what question and answer say together; its grammar may be odd, its words are right."""
    asked = " ".join(question.split()).rstrip("?. ")
    if counted := _COUNTED.fullmatch(asked):
        said = f"{counted[2]} {answer} {counted[1]}"
    elif inverted := _INVERTED.fullmatch(asked):
        said = f"{inverted[2]} {inverted[1]} {answer}"
    elif subject := _SUBJECT.fullmatch(asked):
        said = f"{answer} {subject[1]}"
    else:
        said = f"{asked}: {answer}"
    said = " ".join(said.split())
    return f"{said[:1].upper()}{said[1:]}."


def with_other_number(sentence: str, passage: str, chance: random.Random) -> str | None:
    """Return ``sentence`` with one of its numbers changed; None if it has none."""
    found = list(_NUMBER.finditer(sentence))
    if not found:
        return None
    match = chance.choice(found)
    others = sorted(set(_NUMBER.findall(passage)) - set(_NUMBER.findall(sentence)))
    last = str((int(match[0][-1]) + chance.randrange(1, 9)) % 10)
    other = chance.choice(others) if others else match[0][:-1] + last
    return _replaced(sentence, match, other)


def with_other_name(
    sentence: str, passage: str, names: list[str], chance: random.Random
) -> str | None:
    """Return ``sentence`` with one of its names changed, else to one of ``names``; None without."""
    found = list(_NAME.finditer(sentence))
    if not found:
        return None
    match = chance.choice(found)
    near = sorted({name for name in _NAME.findall(passage) if not _alike(name, sentence)})
    far = [name for name in names if not _alike(name, passage)]
    return _replaced(sentence, match, chance.choice(near or far))


def negated(sentence: str) -> str | None:
    """Return ``sentence`` with a "not" more, or less; None where there is no place for it."""
    if match := _NOT.search(sentence):
        return _replaced(sentence, match, match[1])
    if match := _VERB.search(sentence):
        return _replaced(sentence, match, f"{match[0]} not")
    return None


def names_in(text: str) -> list[str]:
    """Return the names in ``text`` that stand inside a sentence."""
    return _NAME.findall(text)


def _alike(name: str, text: str) -> bool:
    return any(word in text for word in name.split())


def _replaced(text: str, match: "re.Match[str]", other: str) -> str:
    return text[: match.start()] + other + text[match.end() :]


def lines(collection: Path) -> Iterator[dict[str, Any]]:
    """Yield the queries of a collection in BEIR's format, with their answers."""
    with (collection / "queries.jsonl").open(encoding="utf-8") as file:
        yield from map(json.loads, file)
