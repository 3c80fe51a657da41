"""What an encoder is told before a query, and before a text of a document.

Models that were trained with such a prefix find less without it. It is read from the model's own
configuration; a few families that never wrote it there are known by their names.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from engine.paths import short_hash

if TYPE_CHECKING:
    from engine.encoding.encoder_files import ModelFiles

CONFIG = "config_sentence_transformers.json"
IN_CACHE = "models--"
"""Begins the name of a model's folder in the hub's cache."""


@dataclass(frozen=True)
class Prompts:
    """The two prefixes of a model; empty where it has none."""

    query: str = ""
    document: str = ""


NO_PROMPTS = Prompts()

_OF_QUERIES = ("query",)
_OF_DOCUMENTS = ("document", "passage", "corpus")

FAMILIES = {
    r"bge-(small|base|large)-en(-v1\.5)?": Prompts(
        query="Represent this sentence for searching relevant passages: "
    ),
    r"bge-(small|base|large)-zh(-v1\.5)?": Prompts(query="为这个句子生成表示以用于检索相关文章："),
    r"(multilingual-)?e5-(small|base|large)(-v2)?(-unsupervised)?": Prompts("query: ", "passage: "),
}
"""Names of models whose configuration tells no prompt, and the ones that their model cards give."""


def prompts_of(model: "ModelFiles", choice: Literal["model", "none"]) -> Prompts:
    """Return the prompts of ``model``; none of them if that is the ``choice``."""
    if choice == "none":
        return NO_PROMPTS
    return _configured(model.folder) or _of_family(model) or NO_PROMPTS


def identify_vectors(model_id: str, prompts: Prompts) -> str:
    """Return the identity of the vectors that ``model_id`` makes of documents with ``prompts``."""
    return f"{model_id}+{short_hash(prompts.document)}" if prompts.document else model_id


def _configured(folder: Path) -> Prompts | None:
    """Return what the configuration says; None where it has nothing for either.

    sentence-transformers writes empty prompts for models that have none, and prefers an empty one
    for a document to one for a passage: so the first that says something counts.
    """
    try:
        told = json.loads((folder / CONFIG).read_bytes()).get("prompts") or {}
        query, document = (
            next((str(told[name]) for name in names if told.get(name)), "")
            for names in (_OF_QUERIES, _OF_DOCUMENTS)
        )
    except (OSError, ValueError, TypeError, AttributeError):  # whoever loads the model tells why
        return None
    return Prompts(query, document) if query or document else None


def _of_family(model: "ModelFiles") -> Prompts | None:
    for name in _names(model):
        for family, prompts in FAMILIES.items():
            if re.fullmatch(family, name.lower()):
                return prompts
    return None


def _names(model: "ModelFiles") -> list[str]:
    """Return what the model may be called, without its owner."""
    names = [model.name.rpartition("/")[2]]
    if "/" not in model.name:  # a folder, which may have any name
        parts = [part for part in model.folder.parts if part.startswith(IN_CACHE)]
        names += [part.rpartition("--")[2] for part in parts] + _name_inside(model.folder)
    return names


def _name_inside(folder: Path) -> list[str]:
    try:
        told = json.loads((folder / "config.json").read_bytes())["_name_or_path"]
    except (OSError, ValueError, TypeError, KeyError):
        return []
    return [re.split(r"[/\\]|BAAI_", str(told).rstrip("/"))[-1]]
