"""The values that a filter can have in a folder, from what the manifest knows."""

import os
import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial

from engine import wanted
from engine.safe_text import clean_line
from engine.storage import names
from engine.storage.manifest import Manifest
from engine.wire.api_complete import CompleteReply, CompleteRequest, FilterValue

MOST_FOLDERS = 16
"""Folders that are looked into when their names differ in case alone."""
_WITH_A_MEANING = re.compile(r"([\\*?\[])")
_UNTYPABLE = re.compile(r'"|[^\S ]|^ | (?=/?$)')
"""What can't stand between quotes in a query, or would be lost at an end of them."""
_PLAIN_ENDING = re.compile(r'[^\s,:/"]{1,24}')
_ANY_ONE = "?"
"""What stands for a character that can't be written in a query, in a pattern of paths."""


def complete(request: CompleteRequest, manifest: Manifest) -> CompleteReply:
    """Return the values of a filter that go with what was typed of one. Blocking.

    It looks at every file of the folder, or of the last folder that was typed: about 0.1 s for
    100 000.

    Raises:
        ManifestError: the manifest can't be read.
    """
    match request.filter:
        case "path":
            return CompleteReply(values=_paths(request, manifest))
        case "tag":
            found = [(tag, files) for tag, files in manifest.read(names.tags) if _is_tag(tag)]
        case "type":
            found = list(manifest.read(_endings).items())
    return CompleteReply(values=_best(request.start.lstrip("#."), found, request.limit))


def _best(start: str, found: Iterable[tuple[str, int]], limit: int) -> list[FilterValue]:
    """Return the values that ``start`` narrows down to, those of most files first."""
    typed = start.casefold()
    fitting = [
        (not value.casefold().startswith(typed), -files, value)
        for value, files in found
        if typed in value.casefold()
    ]
    return [FilterValue(value=value, files=-files) for _, files, value in sorted(fitting)[:limit]]


def _is_tag(tag: str) -> bool:
    """Whether a tag can be written in a query."""
    return clean_line(tag) == tag and '"' not in tag and not tag.startswith(":")


def _endings(connection: sqlite3.Connection) -> Counter[str]:
    """Return how many files have each ending, in small letters."""
    found: Counter[bytes] = Counter()
    for path in names.paths(connection):
        name = path[path.rfind(b"/") + 1 :]
        found[name[name.rfind(b".") + 1 :].lower() if b"." in name else b""] += 1
    endings: Counter[str] = Counter()
    for ending, files in found.items():
        text = os.fsdecode(ending)
        if _PLAIN_ENDING.fullmatch(text) and clean_line(text) == text:
            endings[text] = files
    return endings


def _paths(request: CompleteRequest, manifest: Manifest) -> list[FilterValue]:
    """Return what is in the last folder that was typed: folders first, those that begin so."""
    root = re.match(r"(?:\./|/)*", request.start)
    assert root is not None, "it matches nothing, too"
    *folders, name = request.start[root.end() :].split("/")
    fitting = []
    for folder, written in _folders(folders, manifest):
        for step, files in manifest.read(partial(names.steps, folder=folder)).items():
            value = _as_pattern(step)
            known, typed = _key(value), _key(name)
            if typed in known:
                rank = (not known.startswith(typed), not step.endswith(b"/"), known)
                fitting.append((rank, f"{root[0]}{written}{value}", files))
    fitting.sort()
    return [FilterValue(value=value, files=files) for _, value, files in fitting[: request.limit]]


def _folders(typed: list[str], manifest: Manifest) -> Iterator[tuple[bytes, str]]:
    """Return the folders that ``typed`` names, and how each is written; case does not count."""
    found = [(b"", "")]
    for name in typed:
        below: list[tuple[bytes, str]] = []
        for folder, written in found:
            wanted.check()
            for step, _ in manifest.read(partial(names.steps, folder=folder)).items():
                value = _as_pattern(step)
                if _key(value) == f"{_key(name)}/":
                    below.append((folder + step, written + value))
        found = below[:MOST_FOLDERS]
    yield from found


def _as_pattern(step: bytes) -> str:
    """Return the pattern of paths that means a name, with what can be typed and shown alone."""
    name = os.fsdecode(step)
    if clean_line(name) != name:
        name = "".join(char if clean_line(char) == char else "\0" for char in name)
    return _WITH_A_MEANING.sub(r"\\\1", _UNTYPABLE.sub("\0", name)).replace("\0", _ANY_ONE)


def _key(name: str) -> str:
    return name.replace("\\", "").casefold()
